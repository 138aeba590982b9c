// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Private to crypto.c and crypto_identity.c: what both need of Mbed TLS.
 */
#ifndef BASE_CRYPTO_LIB_H
#define BASE_CRYPTO_LIB_H
#include <mbedtls/pk.h>

#include "base/crypto.h"

/// The library's generator, in the shape that its older interfaces ask for.
int crypto_random(void *context, unsigned char *out, size_t len);
/// @param pk  initialised by the caller, freed by the caller. @retval RC_PARSE no private key, or
/// too long.
RC crypto_read_key(struct span key_pem, mbedtls_pk_context *pk);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Private to crypto*.c: what they need of Mbed TLS together.
 */
#ifndef BASE_CRYPTO_LIB_H
#define BASE_CRYPTO_LIB_H
#include <mbedtls/pk.h>

#include "base/crypto.h"

/// The library's generator, in the shape that its older interfaces ask for.
int crypto_random(void *context, unsigned char *out, size_t len);
/// @param pk  initialised by the caller, freed by the caller. @retval RC_PARSE no private key, or
/// too long.
RC crypto_read_key(struct span key, mbedtls_pk_context *pk); // PEM or DER

#endif

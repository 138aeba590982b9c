// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What Anteroom asks of cryptography, and no more. The fence around Mbed TLS (with net/tls.c).
 * Memory: nothing is kept between calls but the library's own generator, seeded by
 * hal_entropy_fill.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

#define SHA256_BYTES               32u
#define CRYPTO_RSA_BITS            3072
#define CRYPTO_KEY_PEM_BYTES_MAX   3072u
#define CRYPTO_CERT_PEM_BYTES_MAX  3072u
#define CRYPTO_SIGNATURE_BYTES_MAX 512u

/// Once, before any other call and before http_init. @retval RC_IO the generator could not be
/// seeded.
RC crypto_init(void);

void sha256(struct span data, uint8_t out[static SHA256_BYTES]);

/**
 * A new RSA key (CRYPTO_RSA_BITS) and a self-signed certificate for it, both PEM, NUL-terminated.
 * Takes seconds. Valid from `from_ms` (wall) for `days`.
 * @param common_name  1..64 characters of [A-Za-z0-9 ._-].
 */
RC crypto_make_identity(struct span common_name,
                        int64_t from_ms,
                        uint32_t days,
                        struct buf *key_pem,
                        struct buf *cert_pem);

/// RSASSA-PSS with SHA-256, salt 32 (PS256, RFC 7518 3.5) over data. @retval RC_CORRUPT key_pem is
/// no RSA private key.
RC crypto_sign_ps256(struct span key_pem, struct span data, struct buf *signature);

struct crypto_certificate {
    uint8_t sha256[SHA256_BYTES]; ///< of the DER: what x5t#S256 carries
    int64_t not_before_ms, not_after_ms;
};

/// @retval RC_PARSE cert_pem holds no certificate.
RC crypto_read_certificate(struct span cert_pem, struct crypto_certificate *out);
/// RC_OK if the key belongs to the certificate. @retval RC_DENIED it does not. @retval RC_PARSE
/// either is unreadable.
RC crypto_key_matches(struct span key_pem, struct span cert_pem);
/// Number of certificates in a PEM text. @retval RC_PARSE none, or one that cannot be read.
RC crypto_count_certificates(struct span pem, unsigned *count);

/// The wall clock that certificate dates are checked against; set by app each turn (the library
/// asks no system clock).
void crypto_set_time(int64_t wall_ms);

#endif

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
#define CRYPTO_KEY_DER_BYTES_MAX   2048u
#define CRYPTO_KEY_PEM_BYTES_MAX   3072u
#define CRYPTO_CERT_PEM_BYTES_MAX  3072u
#define CRYPTO_SIGNATURE_BYTES_MAX 512u
#define CRYPTO_KEY_BYTES           32u
#define CRYPTO_NONCE_BYTES         12u
#define CRYPTO_TAG_BYTES           16u

/// Once, before any other call and before http_init. @retval RC_IO the generator could not be
/// seeded.
RC crypto_init(void);

void sha256(struct span data, uint8_t out[static SHA256_BYTES]);

// ---- sealing ----------------------------------------------------------------

/// HKDF-SHA256 (RFC 5869) without salt, one block: also a keyed digest of `info`.
void crypto_derive(struct span secret, struct span info, uint8_t out[static CRYPTO_KEY_BYTES]);

/// ChaCha20-Poly1305 (RFC 8439): takes the same time for every key on every processor.
/// A nonce is never used twice with a key.
struct crypto_box {
    uint8_t key[CRYPTO_KEY_BYTES];
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    struct span aad; ///< not hidden, but bound to it
};

/// Hidden bytes and tag are appended to out. @retval RC_TOOBIG no room.
RC crypto_seal(const struct crypto_box *box, struct span plain, struct buf *out);
/// @retval RC_CORRUPT something differs from what was sealed: nothing is written.
/// @retval RC_TOOBIG no room.
RC crypto_unseal(const struct crypto_box *box, struct span sealed, struct buf *out);

// ---- keys and certificates --------------------------------------------------

/// A new RSA key (CRYPTO_RSA_BITS), DER. Takes seconds, minutes on a small processor.
/// @param while_waiting  called with each candidate meanwhile; or NULL.
/// @retval RC_RETRY no memory for it now.
RC crypto_make_rsa(void (*while_waiting)(void *context), void *context, struct buf *key_der);
/// SubjectPublicKeyInfo, DER, of a private key. @retval RC_CORRUPT key_der is no private key.
RC crypto_public(struct span key_der, struct buf *public_der);

enum crypto_padding {
    CRYPTO_PS256 = 1, ///< RSASSA-PSS, salt of 32 bytes (RFC 7518 3.5)
    CRYPTO_RS256,     ///< RSASSA-PKCS1-v1_5
};

/// @retval RC_CORRUPT key_der is no RSA private key. @retval RC_TOOBIG signature has no room.
RC crypto_sign_rsa(struct span key_der,
                   enum crypto_padding padding,
                   const uint8_t digest[static SHA256_BYTES],
                   struct buf *signature);

/// For whom and when. A self-signed certificate says so of its own key.
struct crypto_subject {
    struct span common_name; ///< 1..64 characters of [A-Za-z0-9 ._-]
    int64_t from_ms;         ///< wall
    uint32_t days;           ///< > 0
};

/// Somebody else's RSA key.
struct crypto_signer {
    struct span public_der; ///< SubjectPublicKeyInfo
    RC (*sign_rs256)(void *context, const uint8_t digest[static SHA256_BYTES], struct buf *out);
    void *context;
};

/**
 * A self-signed certificate (sha256WithRSAEncryption) for a key that only signs; PEM.
 * @retval RC_PARSE  a bad subject or public key.  @retval RC_TOOBIG  no room.
 * @retval else      what sign_rs256 returned.
 */
RC crypto_make_certificate(const struct crypto_subject *subject,
                           const struct crypto_signer *signer,
                           struct buf *cert_pem);
/// A new ECDSA P-256 key and its self-signed certificate, both PEM, for both ends of TLS.
/// @retval RC_PARSE a bad subject. @retval RC_TOOBIG no room.
RC crypto_make_tls_identity(const struct crypto_subject *subject,
                            struct buf *key_pem,
                            struct buf *cert_pem);

/// SubjectPublicKeyInfo, DER, of an RSA key with the exponent 65537. @retval RC_CORRUPT no modulus.
/// @retval RC_TOOBIG no room.
RC crypto_rsa_public(struct span modulus, struct buf *public_der);
/// @retval RC_DENIED the signature is not that key's, or not made so. @retval RC_PARSE public_der
/// is no RSA key.
RC crypto_verify_rsa(struct span public_der,
                     enum crypto_padding padding,
                     const uint8_t digest[static SHA256_BYTES],
                     struct span signature);

struct crypto_certificate {
    uint8_t sha256[SHA256_BYTES]; ///< of the DER: what x5t#S256 carries
    int64_t not_before_ms, not_after_ms;
};

/// @retval RC_PARSE cert_pem holds no certificate.
RC crypto_read_certificate(struct span cert_pem, struct crypto_certificate *out);
/// RC_OK if the key belongs to the certificate. @retval RC_DENIED it does not. @retval RC_PARSE
/// either is unreadable.
RC crypto_key_matches(struct span key_pem, struct span cert_pem);
/// RC_OK if the certificate is for this SubjectPublicKeyInfo. @retval RC_DENIED it is not.
/// @retval RC_PARSE cert_pem holds no certificate.
RC crypto_public_matches(struct span public_der, struct span cert_pem);
/// Number of certificates in a PEM text. @retval RC_PARSE none, or one that cannot be read.
RC crypto_count_certificates(struct span pem, unsigned *count);

/// The wall clock that certificate dates are checked against; set by app each turn (the library
/// asks no system clock).
void crypto_set_time(int64_t wall_ms);

#endif

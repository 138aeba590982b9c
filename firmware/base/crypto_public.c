// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * RSA keys of which only the public half is here.
 */
#include <mbedtls/rsa.h>

#include "crypto_lib.h"

#define RSA_EXPONENT     "\x01\x00\x01"
#define PS256_SALT_BYTES 32
#define PUBLIC_BYTES_MAX 600u

static const unsigned char *bytes_of(struct span s)
{
    return (const unsigned char *)s.ptr;
}

RC crypto_rsa_public(struct span modulus, struct buf *public_der)
{
    unsigned char der[PUBLIC_BYTES_MAX];
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    int len = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (len == 0) {
        len = mbedtls_rsa_import_raw(mbedtls_pk_rsa(pk),
                                     bytes_of(modulus),
                                     modulus.len,
                                     NULL,
                                     0,
                                     NULL,
                                     0,
                                     NULL,
                                     0,
                                     (const unsigned char *)RSA_EXPONENT,
                                     sizeof(RSA_EXPONENT) - 1u);
    }
    if (len == 0) {
        len = mbedtls_pk_write_pubkey_der(&pk, der, sizeof(der));
    }
    mbedtls_pk_free(&pk);
    if (len <= 0) {
        return RC_CORRUPT;
    }
    // The library writes to the end of what it is given.
    buf_put(public_der, (struct span){.ptr = (char *)der + sizeof(der) - len, .len = (size_t)len});
    return buf_ok(public_der) ? RC_OK : RC_TOOBIG;
}

static int verify(mbedtls_rsa_context *rsa,
                  enum crypto_padding padding,
                  const uint8_t digest[static SHA256_BYTES],
                  const unsigned char *signature)
{
    if (padding == CRYPTO_RS256) {
        mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_NONE);
        return mbedtls_rsa_rsassa_pkcs1_v15_verify(
            rsa, MBEDTLS_MD_SHA256, SHA256_BYTES, digest, signature);
    }
    mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
    return mbedtls_rsa_rsassa_pss_verify_ext(rsa,
                                             MBEDTLS_MD_SHA256,
                                             SHA256_BYTES,
                                             digest,
                                             MBEDTLS_MD_SHA256,
                                             PS256_SALT_BYTES,
                                             signature);
}

RC crypto_verify_rsa(struct span public_der,
                     enum crypto_padding padding,
                     const uint8_t digest[static SHA256_BYTES],
                     struct span signature)
{
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_PARSE;
    if (mbedtls_pk_parse_public_key(&pk, bytes_of(public_der), public_der.len) == 0 &&
        mbedtls_pk_get_type(&pk) == MBEDTLS_PK_RSA) {
        bool good = signature.len == mbedtls_pk_get_len(&pk) &&
                    verify(mbedtls_pk_rsa(pk), padding, digest, bytes_of(signature)) == 0;
        rc = good ? RC_OK : RC_DENIED;
    }
    mbedtls_pk_free(&pk);
    return rc;
}

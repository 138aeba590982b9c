// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * RSA in software: RSA, because that is all that Entra describes for assertions.
 */
#include <string.h>

#include <mbedtls/rsa.h>

#include "base/assert.h"

#include "crypto_lib.h"

#define RSA_EXPONENT     65537
#define PS256_SALT_BYTES 32

RC crypto_read_key(struct span key, mbedtls_pk_context *pk)
{
    // The library takes PEM only with its NUL, and DER only without; a SEQUENCE begins with '0'.
    unsigned char text[CRYPTO_KEY_PEM_BYTES_MAX + 1u];
    if (key.len == 0 || key.len > CRYPTO_KEY_PEM_BYTES_MAX) {
        return RC_PARSE;
    }
    memcpy(text, key.ptr, key.len);
    text[key.len] = '\0';
    size_t len = key.len + (key.ptr[0] != '0');
    int failed = mbedtls_pk_parse_key(pk, text, len, NULL, 0, crypto_random, NULL);
    bytes_wipe(text, sizeof(text));
    return failed == 0 ? RC_OK : RC_PARSE;
}

/// The library writes to the end of what it is given; `write` is one of its two ways.
static RC put_der(int (*write)(const mbedtls_pk_context *pk, unsigned char *at, size_t room),
                  const mbedtls_pk_context *pk,
                  struct buf *out)
{
    unsigned char bytes[CRYPTO_KEY_DER_BYTES_MAX];
    int len = write(pk, bytes, sizeof(bytes));
    if (len > 0) {
        buf_put(out, (struct span){.ptr = (char *)bytes + sizeof(bytes) - len, .len = (size_t)len});
    }
    bytes_wipe(bytes, sizeof(bytes));
    return len > 0 && buf_ok(out) ? RC_OK : RC_TOOBIG;
}

struct waiting {
    void (*tell)(void *context);
    void *context;
};

/// The search for primes asks for random bytes with each candidate and each test of one.
static int random_and_tell(void *context, unsigned char *out, size_t len)
{
    const struct waiting *w = context;
    if (w->tell != NULL) {
        w->tell(w->context);
    }
    return crypto_random(NULL, out, len);
}

RC crypto_make_rsa(void (*while_waiting)(void *context), void *context, struct buf *key_der)
{
    struct waiting waiting = {.tell = while_waiting, .context = context};
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_RETRY; // making fails only for want of memory
    if (mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)) == 0 &&
        mbedtls_rsa_gen_key(
            mbedtls_pk_rsa(pk), random_and_tell, &waiting, CRYPTO_RSA_BITS, RSA_EXPONENT) == 0) {
        rc = put_der(mbedtls_pk_write_key_der, &pk, key_der);
    }
    mbedtls_pk_free(&pk); // wipes the numbers
    return rc;
}

RC crypto_public(struct span key_der, struct buf *public_der)
{
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_CORRUPT;
    if (crypto_read_key(key_der, &pk) == RC_OK) {
        rc = put_der(mbedtls_pk_write_pubkey_der, &pk, public_der);
    }
    mbedtls_pk_free(&pk);
    return rc;
}

static RC sign(mbedtls_rsa_context *rsa,
               enum crypto_padding padding,
               const uint8_t digest[static SHA256_BYTES],
               struct buf *out)
{
    unsigned char bytes[CRYPTO_SIGNATURE_BYTES_MAX];
    size_t len = mbedtls_rsa_get_len(rsa);
    bool pss = padding == CRYPTO_PS256;
    if (len > sizeof(bytes) ||
        mbedtls_rsa_set_padding(
            rsa, pss ? MBEDTLS_RSA_PKCS_V21 : MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_SHA256) != 0) {
        return RC_CORRUPT;
    }
    int failed =
        pss ? mbedtls_rsa_rsassa_pss_sign_ext(rsa,
                                              crypto_random,
                                              NULL,
                                              MBEDTLS_MD_SHA256,
                                              SHA256_BYTES,
                                              digest,
                                              PS256_SALT_BYTES,
                                              bytes)
            : mbedtls_rsa_rsassa_pkcs1_v15_sign(
                  rsa, crypto_random, NULL, MBEDTLS_MD_SHA256, SHA256_BYTES, digest, bytes);
    if (failed != 0) {
        return RC_CORRUPT;
    }
    buf_put(out, (struct span){.ptr = (const char *)bytes, .len = len});
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

RC crypto_sign_rsa(struct span key_der,
                   enum crypto_padding padding,
                   const uint8_t digest[static SHA256_BYTES],
                   struct buf *signature)
{
    ASSERT(padding == CRYPTO_PS256 || padding == CRYPTO_RS256);
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_CORRUPT;
    if (crypto_read_key(key_der, &pk) == RC_OK && mbedtls_pk_get_type(&pk) == MBEDTLS_PK_RSA) {
        rc = sign(mbedtls_pk_rsa(pk), padding, digest, signature);
    }
    mbedtls_pk_free(&pk);
    return rc;
}

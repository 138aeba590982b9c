// SPDX-License-Identifier: Apache-2.0
#include <mbedtls/chachapoly.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>

#include "base/assert.h"
#include "base/crypto.h"

_Static_assert(CRYPTO_KEY_BYTES == SHA256_BYTES, "one block of HKDF is one key");

static const unsigned char *bytes_of(struct span s)
{
    static const unsigned char nothing;
    return s.len > 0 ? (const unsigned char *)s.ptr : &nothing;
}

void crypto_derive(struct span secret, struct span info, uint8_t out[static CRYPTO_KEY_BYTES])
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    int failed = mbedtls_hkdf(
        md, NULL, 0, bytes_of(secret), secret.len, bytes_of(info), info.len, out, CRYPTO_KEY_BYTES);
    ASSERT(failed == 0);
}

RC crypto_seal(const struct crypto_box *box, struct span plain, struct buf *out)
{
    mbedtls_chachapoly_context context;
    unsigned char *at = (unsigned char *)out->ptr + out->len;
    if (out->cap - out->len < plain.len + CRYPTO_TAG_BYTES) {
        return RC_TOOBIG;
    }
    mbedtls_chachapoly_init(&context);
    int failed = mbedtls_chachapoly_setkey(&context, box->key);
    failed |= mbedtls_chachapoly_encrypt_and_tag(&context,
                                                 plain.len,
                                                 box->nonce,
                                                 bytes_of(box->aad),
                                                 box->aad.len,
                                                 bytes_of(plain),
                                                 at,
                                                 at + plain.len);
    mbedtls_chachapoly_free(&context);
    ASSERT(failed == 0);
    out->len += plain.len + CRYPTO_TAG_BYTES;
    return RC_OK;
}

RC crypto_unseal(const struct crypto_box *box, struct span sealed, struct buf *out)
{
    mbedtls_chachapoly_context context;
    if (sealed.len < CRYPTO_TAG_BYTES) {
        return RC_CORRUPT;
    }
    size_t len = sealed.len - CRYPTO_TAG_BYTES;
    if (out->cap - out->len < len) {
        return RC_TOOBIG;
    }
    mbedtls_chachapoly_init(&context);
    int failed = mbedtls_chachapoly_setkey(&context, box->key);
    ASSERT(failed == 0);
    // Wipes what it wrote when the tag is wrong.
    failed = mbedtls_chachapoly_auth_decrypt(&context,
                                             len,
                                             box->nonce,
                                             bytes_of(box->aad),
                                             box->aad.len,
                                             bytes_of(sealed) + len,
                                             bytes_of(sealed),
                                             (unsigned char *)out->ptr + out->len);
    mbedtls_chachapoly_free(&context);
    if (failed != 0) {
        return RC_CORRUPT;
    }
    out->len += len;
    return RC_OK;
}

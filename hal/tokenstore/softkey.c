// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A signing key in software: RSA-3072, stored as a record under a name that hal_tokenstore_get
 * never reads. It is in memory for the time of one call.
 */
#include "base/crypto.h"

#include "record.h"

_Static_assert(CRYPTO_KEY_DER_BYTES_MAX <= TOKENSTORE_VALUE_BYTES_MAX, "a key is a value");
_Static_assert(SHA256_BYTES == TOKENSTORE_DIGEST_BYTES, "one digest");

static RC load(struct tokenstore *t, struct buf *key)
{
    return record_get(t, SPAN(RECORD_SIGNING_KEY), key);
}

RC backend_make_key(struct tokenstore *t, bool *made)
{
    char bytes[CRYPTO_KEY_DER_BYTES_MAX];
    struct buf key = BUF(bytes);
    enum rc rc = load(t, &key);
    if (rc == RC_NOTFOUND) {
        rc = crypto_make_rsa(t->while_waiting, t->context, &key);
        if (rc == RC_OK) {
            rc = record_put(t, SPAN(RECORD_SIGNING_KEY), buf_span(&key));
        }
        *made = rc == RC_OK;
    }
    buf_wipe(&key);
    return rc;
}

RC backend_drop_key(struct tokenstore *t)
{
    return record_delete(t, SPAN(RECORD_SIGNING_KEY));
}

RC backend_public(struct tokenstore *t, struct buf *der)
{
    char bytes[CRYPTO_KEY_DER_BYTES_MAX];
    struct buf key = BUF(bytes);
    enum rc rc = load(t, &key);
    if (rc == RC_OK) {
        rc = crypto_public(buf_span(&key), der);
    }
    buf_wipe(&key);
    return rc;
}

RC backend_signs(struct tokenstore *t, enum tokenstore_signature *best)
{
    char bytes[CRYPTO_KEY_DER_BYTES_MAX];
    struct buf key = BUF(bytes);
    enum rc rc = load(t, &key);
    buf_wipe(&key);
    *best = TOKENSTORE_PS256;
    return rc;
}

RC backend_sign(struct tokenstore *t,
                enum tokenstore_signature kind,
                const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                struct buf *out)
{
    char bytes[CRYPTO_KEY_DER_BYTES_MAX];
    struct buf key = BUF(bytes);
    enum rc rc = load(t, &key);
    if (rc == RC_OK) {
        enum crypto_padding padding = kind == TOKENSTORE_PS256 ? CRYPTO_PS256 : CRYPTO_RS256;
        rc = crypto_sign_rsa(buf_span(&key), padding, digest, out);
    }
    buf_wipe(&key);
    return rc;
}

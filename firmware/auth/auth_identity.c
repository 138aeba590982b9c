// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/crypto.h"

#include "auth/auth.h"

#define IDENTITY_DAYS        1825u    ///< five years; renewing it means an upload by a person
#define IDENTITY_BACKDATE_MS 86400000 ///< Entra's clock may be behind the one that made it

/// A common name of at most 64 plain characters; others become '-'.
static void put_common_name(struct buf *out, struct span name)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._-";
    for (size_t i = 0; i < name.len && out->len < out->cap; i++) {
        char c = name.ptr[i];
        buf_put_char(out, c != '\0' && strchr(plain, c) != NULL ? c : '-');
    }
    if (out->len == 0) {
        buf_put_str(out, "anteroom");
    }
}

/// RC_OK: both are there and belong together. RC_NOTFOUND: they must be made. RC_CORRUPT: a person
/// must look.
static RC check_pair(struct tokenstore *store, struct buf *key, struct buf *cert)
{
    enum rc key_rc = hal_tokenstore_get(store, SPAN(AUTH_KEY_NAME), key);
    enum rc cert_rc = hal_tokenstore_get(store, SPAN(AUTH_CERT_NAME), cert);
    if (cert_rc == RC_NOTFOUND && (key_rc == RC_OK || key_rc == RC_NOTFOUND)) {
        return RC_NOTFOUND; // a key without certificate: the power went while both were made,
                            // nobody has seen it
    }
    if (key_rc == RC_NOTFOUND) {
        return RC_CORRUPT; // a certificate that may be registered, and no key for it: never
                           // replaced in silence
    }
    TRY(key_rc);
    TRY(cert_rc);
    return crypto_key_matches(buf_span(key), buf_span(cert)) == RC_OK ? RC_OK : RC_CORRUPT;
}

static RC make_pair(
    struct tokenstore *store, struct span name, int64_t wall_ms, struct buf *key, struct buf *cert)
{
    char text[64];
    struct buf common = BUF(text);
    put_common_name(&common, name);
    buf_reset(key);
    buf_reset(cert);
    TRY(crypto_make_identity(
        buf_span(&common), wall_ms - IDENTITY_BACKDATE_MS, IDENTITY_DAYS, key, cert));
    TRY(hal_tokenstore_put(store, SPAN(AUTH_KEY_NAME), buf_span(key)));
    return hal_tokenstore_put(store, SPAN(AUTH_CERT_NAME), buf_span(cert));
}

RC auth_ensure_identity(struct tokenstore *store, struct span name, int64_t wall_ms, bool *made)
{
    char key_pem[CRYPTO_KEY_PEM_BYTES_MAX], cert_pem[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf key = BUF(key_pem), cert = BUF(cert_pem);
    *made = false;
    enum rc rc = check_pair(store, &key, &cert);
    if (rc == RC_NOTFOUND) {
        rc = make_pair(store, name, wall_ms, &key, &cert);
        *made = rc == RC_OK;
    }
    buf_wipe(&key);
    return rc;
}

// SPDX-License-Identifier: Apache-2.0
#include "auth_identity.h"

#include <string.h>

#include "base/crypto.h"

#include "auth/auth.h"

#define IDENTITY_DAYS        1825u    ///< five years; renewing it means an upload by a person
#define IDENTITY_BACKDATE_MS 86400000 ///< a peer's clock may be behind the one that made it

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

static struct crypto_subject subject_of(struct span name, int64_t wall_ms, struct buf *common)
{
    put_common_name(common, name);
    return (struct crypto_subject){.common_name = buf_span(common),
                                   .from_ms = wall_ms - IDENTITY_BACKDATE_MS,
                                   .days = IDENTITY_DAYS};
}

/**
 * What is to be done about a key and a certificate, by how reading them went.
 * RC_OK: both are there. RC_NOTFOUND: they must be made. Else a person must look: a certificate may
 * be registered, and is never replaced in silence. A key without certificate is what a power cut
 * leaves while both are made; nobody has seen it.
 */
static RC judge(enum rc key, enum rc cert)
{
    if (cert == RC_NOTFOUND && (key == RC_OK || key == RC_NOTFOUND)) {
        return RC_NOTFOUND;
    }
    if (key == RC_NOTFOUND) {
        return cert == RC_OK ? RC_CORRUPT : cert;
    }
    return key != RC_OK ? key : cert;
}

// ---- for the sign-in --------------------------------------------------------

static RC sign_rs256(void *context, const uint8_t digest[static SHA256_BYTES], struct buf *out)
{
    return hal_tokenstore_sign(context, TOKENSTORE_RS256, digest, out);
}

RC auth_certify(struct tokenstore *store,
                struct span record,
                struct span name,
                int64_t wall_ms,
                struct buf *cert)
{
    char text[64], der[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf common = BUF(text), public = BUF(der);
    struct crypto_subject subject = subject_of(name, wall_ms, &common);
    TRY(hal_tokenstore_public(store, &public));
    struct crypto_signer signer = {
        .public_der = buf_span(&public), .sign_rs256 = sign_rs256, .context = store};
    TRY(crypto_make_certificate(&subject, &signer, cert));
    return hal_tokenstore_put(store, record, buf_span(cert));
}

static RC
make_certificate(struct tokenstore *store, struct span name, int64_t wall_ms, struct buf *cert)
{
    bool made;
    TRY(hal_tokenstore_make_key(store, &made));
    return auth_certify(store, SPAN(AUTH_CERT_NAME), name, wall_ms, cert);
}

RC auth_check_identity(struct tokenstore *store, struct buf *cert_pem)
{
    char der[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf public = BUF(der);
    TRY(judge(hal_tokenstore_public(store, &public),
              hal_tokenstore_get(store, SPAN(AUTH_CERT_NAME), cert_pem)));
    return crypto_public_matches(buf_span(&public), buf_span(cert_pem)) == RC_OK ? RC_OK
                                                                                 : RC_CORRUPT;
}

RC auth_ensure_identity(struct tokenstore *store, struct span name, int64_t wall_ms, bool *made)
{
    char pem[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf cert = BUF(pem);
    enum rc rc = auth_check_identity(store, &cert);
    *made = false;
    if (rc == RC_NOTFOUND) {
        buf_reset(&cert);
        rc = make_certificate(store, name, wall_ms, &cert);
        *made = rc == RC_OK;
    }
    return rc;
}

// ---- for TLS ----------------------------------------------------------------

static RC check_tls(struct tokenstore *store, struct buf *key, struct buf *cert)
{
    TRY(judge(hal_tokenstore_get(store, SPAN(AUTH_TLS_KEY_NAME), key),
              hal_tokenstore_get(store, SPAN(AUTH_TLS_CERT_NAME), cert)));
    return crypto_key_matches(buf_span(key), buf_span(cert)) == RC_OK ? RC_OK : RC_CORRUPT;
}

static RC make_tls(
    struct tokenstore *store, struct span name, int64_t wall_ms, struct buf *key, struct buf *cert)
{
    char text[64];
    struct buf common = BUF(text);
    struct crypto_subject subject = subject_of(name, wall_ms, &common);
    buf_reset(key);
    buf_reset(cert);
    TRY(crypto_make_tls_identity(&subject, key, cert));
    TRY(hal_tokenstore_put(store, SPAN(AUTH_TLS_KEY_NAME), buf_span(key)));
    return hal_tokenstore_put(store, SPAN(AUTH_TLS_CERT_NAME), buf_span(cert));
}

RC auth_check_tls_identity(struct tokenstore *store, struct buf *cert_pem)
{
    char pem[CRYPTO_KEY_PEM_BYTES_MAX];
    struct buf key = BUF(pem);
    enum rc rc = check_tls(store, &key, cert_pem);
    buf_wipe(&key);
    return rc;
}

RC auth_ensure_tls_identity(struct tokenstore *store, struct span name, int64_t wall_ms, bool *made)
{
    char key_pem[CRYPTO_KEY_PEM_BYTES_MAX], cert_pem[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf key = BUF(key_pem), cert = BUF(cert_pem);
    enum rc rc = check_tls(store, &key, &cert);
    *made = false;
    if (rc == RC_NOTFOUND) {
        rc = make_tls(store, name, wall_ms, &key, &cert);
        *made = rc == RC_OK;
    }
    buf_wipe(&key);
    return rc;
}

// SPDX-License-Identifier: Apache-2.0
#include "auth_proof.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crypto.h"
#include "hal/entropy.h"

#include "json/json.h"

#define ASSERTION_BYTES 2560u ///< header and claims at most 1.6 KB in base64, the signature 683
#define CLAIMS_BYTES    1024u

static RC as_cause(enum rc rc)
{
    return rc == RC_OK || rc == RC_NOTFOUND || rc == RC_RETRY ? rc : RC_CORRUPT;
}

static RC load(const struct auth_proof *p, struct buf *out)
{
    return as_cause(hal_tokenstore_get(p->store, span_from_str(p->record), out));
}

static void put_member(struct buf *b, const char *before, struct span text)
{
    buf_put_str(b, before);
    json_put_string(b, text);
}

static void put_header(struct buf *jwt,
                       const struct crypto_certificate *certificate,
                       enum tokenstore_signature signature)
{
    char text[256];
    struct buf b = BUF(text);
    buf_put_str(&b, "{\"alg\":\"");
    buf_put_str(&b, signature == TOKENSTORE_PS256 ? "PS256" : "RS256");
    buf_put_str(&b, "\",\"typ\":\"JWT\",\"x5t#S256\":\"");
    buf_put_base64url(&b,
                      (struct span){.ptr = (const char *)certificate->sha256, .len = SHA256_BYTES});
    buf_put_str(&b, "\"}");
    ASSERT(buf_ok(&b));
    buf_put_base64url(jwt, buf_span(&b));
}

static void put_claims(struct buf *jwt, const struct auth_proof *p, int64_t wall_ms)
{
    char text[CLAIMS_BYTES], id[GUID_TEXT_BYTES];
    struct buf b = BUF(text), jti = BUF(id);
    uint8_t random[GUID_BYTES];
    hal_entropy_fill(random, sizeof(random));
    buf_put_guid(&jti, random);
    struct span client = span_from_str(p->config->client_id);
    int64_t not_before_ms = wall_ms - AUTH_ASSERTION_BEFORE_MS;

    put_member(&b, "{\"aud\":", p->token_url);
    put_member(&b, ",\"iss\":", client);
    put_member(&b, ",\"sub\":", client);
    put_member(&b, ",\"jti\":", buf_span(&jti));
    buf_put_str(&b, ",\"nbf\":");
    buf_put_i64(&b, not_before_ms / 1000);
    buf_put_str(&b, ",\"iat\":");
    buf_put_i64(&b, wall_ms / 1000);
    buf_put_str(&b, ",\"exp\":");
    buf_put_i64(&b, (not_before_ms + AUTH_ASSERTION_LIFE_MS) / 1000);
    buf_put_char(&b, '}');
    ASSERT(buf_ok(&b));
    buf_put_base64url(jwt, buf_span(&b));
}

static RC put_signature(const struct auth_proof *p, enum tokenstore_signature kind, struct buf *jwt)
{
    char bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
    uint8_t digest[SHA256_BYTES];
    struct buf signature = BUF(bytes);
    sha256(buf_span(jwt), digest);
    TRY(as_cause(hal_tokenstore_sign(p->store, kind, digest, &signature)));
    buf_put_char(jwt, '.');
    buf_put_base64url(jwt, buf_span(&signature));
    return RC_OK;
}

static RC put_assertion(const struct auth_proof *p, int64_t wall_ms, struct buf *jwt, bool *expired)
{
    char pem[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf cert = BUF(pem);
    struct crypto_certificate certificate;
    enum tokenstore_signature kind;
    TRY(load(p, &cert));
    TRY(as_cause(hal_tokenstore_signs(p->store, &kind)));
    if (crypto_read_certificate(buf_span(&cert), &certificate) != RC_OK) {
        return RC_CORRUPT;
    }
    // Entra is asked all the same: it may see it differently, and its answer is what counts.
    *expired = certificate.not_after_ms < wall_ms;
    put_header(jwt, &certificate, kind);
    buf_put_char(jwt, '.');
    put_claims(jwt, p, wall_ms);
    return put_signature(p, kind, jwt);
}

static RC
put_certificate_form(const struct auth_proof *p, int64_t wall_ms, struct buf *form, bool *expired)
{
    char text[ASSERTION_BYTES];
    struct buf jwt = BUF(text);
    enum rc rc = put_assertion(p, wall_ms, &jwt, expired);
    if (rc == RC_OK) {
        buf_put_str(form,
                    "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%"
                    "3Ajwt-bearer");
        buf_put_str(form, "&client_assertion=");
        buf_put_urlencoded(form, buf_span(&jwt));
        ASSERT(buf_ok(&jwt));
    }
    buf_wipe(&jwt);
    return rc;
}

static RC put_secret_form(const struct auth_proof *p, struct buf *form)
{
    char text[AUTH_SECRET_BYTES];
    struct buf secret = BUF(text);
    enum rc rc = load(p, &secret);
    if (rc == RC_OK) {
        buf_put_str(form, "&client_secret=");
        buf_put_urlencoded(form, buf_span(&secret)); // they often hold characters that break a form
    }
    buf_wipe(&secret);
    return rc;
}

RC auth_proof_put(const struct auth_proof *p, int64_t wall_ms, struct buf *form, bool *expired)
{
    *expired = false;
    return p->config->credential == CREDENTIAL_CERTIFICATE
               ? put_certificate_form(p, wall_ms, form, expired)
               : put_secret_form(p, form);
}

void auth_proof_token_url(const struct config *c, struct buf *url)
{
    buf_put_str(url, c->authority_url);
    buf_put_char(url, '/');
    buf_put_str(url, c->tenant_id);
    buf_put_str(url, "/oauth2/v2.0/token");
}

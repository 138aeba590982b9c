// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The request for one batch. The key names the events (store, first and last number), the digest
 * the bytes (RFC 9530). Secrets are read from the store for every request, so that a new one counts
 * at once, and stay on the stack only.
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/crypto.h"

#include "ship/ship_state.h"

#define HEADERS_BYTES 1024u ///< all header lines but Authorization
#define BEARER_PREFIX "Authorization: Bearer "
#define BEARER_BYTES  (sizeof(BEARER_PREFIX) + TOKENSTORE_VALUE_BYTES_MAX)
_Static_assert(BEARER_BYTES <= HTTP_HEADER_BYTES_MAX, "the largest secret fits a header line");

struct credentials {
    char bearer[BEARER_BYTES];
    char cert[TOKENSTORE_VALUE_BYTES_MAX + 1u], key[TOKENSTORE_VALUE_BYTES_MAX + 1u];
    struct buf bearer_buf, cert_buf, key_buf;
};

/// A control character in a secret would end the header line: such a value was stored by mistake.
static bool is_header_text(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

static RC read_bearer(struct ship *s, struct buf *line, const char **problem)
{
    struct span name = span_from_str(s->sink->authorization);
    if (name.len == 0) {
        return RC_OK;
    }
    buf_put(line, SPAN(BEARER_PREFIX));
    enum rc rc = hal_tokenstore_get(s->store, name, line);
    if (rc == RC_OK && is_header_text(buf_span(line))) {
        return RC_OK;
    }
    *problem = rc == RC_NOTFOUND ? "secret_missing" : "secret_unreadable";
    return RC_DENIED;
}

static RC read_identity(struct ship *s, struct buf *cert, struct buf *key, const char **problem)
{
    if (s->sink->client_certificate[0] == '\0') {
        return RC_OK;
    }
    if (hal_tokenstore_get(s->store, SPAN(SHIP_CERT_NAME), cert) == RC_OK &&
        hal_tokenstore_get(s->store, SPAN(SHIP_KEY_NAME), key) == RC_OK) {
        return RC_OK;
    }
    *problem = "certificate_missing";
    return RC_DENIED;
}

/// What was appended to b since `from`.
static struct span tail(const struct buf *b, size_t from)
{
    return (struct span){.ptr = b->ptr + from, .len = b->len - from};
}

static struct span put_key(struct buf *b, const struct ship *s)
{
    size_t from = b->len;
    buf_put(b, SPAN("Idempotency-Key: "));
    buf_put(b, spool_id(s->spool));
    buf_put_char(b, '-');
    buf_put_u64(b, s->batch.first_seq);
    buf_put_char(b, '-');
    buf_put_u64(b, s->batch.last_seq);
    return tail(b, from);
}

static struct span put_number(struct buf *b, struct span name, uint64_t value)
{
    size_t from = b->len;
    buf_put(b, name);
    buf_put_u64(b, value);
    return tail(b, from);
}

static struct span put_digest(struct buf *b, struct span content)
{
    uint8_t digest[SHA256_BYTES];
    size_t from = b->len;
    sha256(content, digest);
    buf_put(b, SPAN("Content-Digest: sha-256=:"));
    buf_put_base64(b, (struct span){.ptr = (const char *)digest, .len = sizeof(digest)});
    buf_put_char(b, ':');
    return tail(b, from);
}

static void set_trust(struct http_request *r, const struct ship *s)
{
    struct span own = span_from_str(s->sink->ca);
    r->ca_pem = own.len > 0 ? own : s->ca_pem;
    r->trust = r->ca_pem.len > 0 ? HTTP_TRUST_CA : HTTP_TRUST_ROOTS;
}

static RC start(struct ship *s, const struct credentials *c, struct now now)
{
    char text[HEADERS_BYTES];
    struct buf b = BUF(text);
    const struct config *config = s->config;
    struct http_request r = {
        .post = true,
        .url = span_from_str(s->sink->url),
        .headers = {SPAN("Content-Type: application/x-ndjson"),
                    SPAN("Content-Encoding: gzip"),
                    put_key(&b, s),
                    put_number(&b, SPAN("X-Batch-Seq: "), s->batch.first_seq),
                    put_number(&b, SPAN("X-Batch-Count: "), s->batch.count),
                    put_digest(&b, s->batch.body),
                    buf_span(&c->bearer_buf)},
        .body = s->batch.body,
        .client_cert_pem = buf_span(&c->cert_buf),
        .client_key_pem = buf_span(&c->key_buf),
        .proxy = span_from_str(config->proxy),
        .connect_ms = config->connect_ms,
        .total_ms = config->total_ms,
        .stall_ms = config->stall_ms,
        .body_bytes_max = SHIP_ANSWER_BYTES_MAX,
    };
    set_trust(&r, s);
    ASSERT(buf_ok(&b));
    return http_start(s->http, s->slot, &r, now);
}

RC ship_request_start(struct ship *s, struct now now, const char **problem)
{
    struct credentials c;
    c.bearer_buf = BUF(c.bearer);
    c.cert_buf = BUF(c.cert);
    c.key_buf = BUF(c.key);
    enum rc rc = read_bearer(s, &c.bearer_buf, problem);
    if (rc == RC_OK) {
        rc = read_identity(s, &c.cert_buf, &c.key_buf, problem);
    }
    if (rc == RC_OK) {
        rc = start(s, &c, now);
        *problem = "memory";
    }
    bytes_wipe(&c, sizeof(c));
    return rc;
}

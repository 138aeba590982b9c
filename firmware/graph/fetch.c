// SPDX-License-Identifier: Apache-2.0
#include "graph/fetch.h"

#include <string.h>

#include "base/assert.h"

#include "sys/fault.h"

void fetch_init(struct fetch *f, unsigned slot)
{
    // Not zeroed as a whole: the buffers are large and their pages are best left untouched.
    f->slot = slot;
    f->active = false;
    f->holds = false;
    f->fail = FETCH_FAIL_NONE;
    f->url_len = 0;
    f->bytes_taken = 0;
}

void fetch_url(struct fetch *f, const struct config *config, struct span id, struct span tail)
{
    struct buf b = buf_of(f->url, sizeof(f->url));

    buf_put_str(&b, config->graph_url);
    buf_put_str(&b, "/v1.0/communications/callRecords");
    if (id.len != 0) {
        buf_put_char(&b, '/');
        buf_put(&b, id);
    }
    buf_put(&b, tail);
    ASSERT(buf_terminate(&b));
    f->url_len = b.len;
}

void fetch_url_link(struct fetch *f, struct span checked_link)
{
    ASSERT(checked_link.len <= LINK_BYTES_MAX);
    memcpy(f->url, checked_link.ptr, checked_link.len);
    f->url_len = checked_link.len;
}

/// Prefer has to be sent again with every page (Graph "Paging"); without it members added to
/// enumerations are hidden.
static struct span prefer_header(struct buf *b, const struct config *config)
{
    buf_put_str(b, "Prefer: include-unknown-enum-members");
    if (config->call_records.page_size != 0) {
        buf_put_str(b, ", odata.maxpagesize=");
        buf_put_u64(b, config->call_records.page_size);
    }
    return buf_span(b);
}

RC fetch_start(struct fetch *f,
               const struct fetch_settings *s,
               struct graph_token token,
               struct span array,
               struct now now)
{
    char prefer[96];
    struct buf prefer_buf = BUF(prefer);

    ASSERT(!f->active && !f->holds);
    struct http_request request = {
        .url = {.ptr = f->url, .len = f->url_len},
        .headers = {token.authorization,
                    SPAN("Accept: application/json"),
                    prefer_header(&prefer_buf, s->config)},
        .trust = s->ca_pem.len != 0 ? HTTP_TRUST_CA : HTTP_TRUST_ROOTS,
        .ca_pem = s->ca_pem,
        .proxy = span_from_str(s->config->proxy),
        .connect_ms = s->config->connect_ms,
        .total_ms = s->config->total_ms,
        .stall_ms = s->config->stall_ms,
        .body_bytes_max = FETCH_BODY_BYTES_MAX,
    };
    TRY(http_start(s->http, f->slot, &request, now));
    json_cut_init(&f->cut,
                  &array,
                  array.len != 0 ? 1 : 0,
                  buf_of(f->element_bytes, sizeof(f->element_bytes)),
                  buf_of(f->rest_bytes, sizeof(f->rest_bytes)));
    f->active = true;
    f->generation = token.generation;
    f->fail = FETCH_FAIL_NONE;
    return RC_OK;
}

enum fetch_fail fetch_classify(enum http_fail fail, int status)
{
    if (fail == HTTP_FAIL_ENCODING || fail == HTTP_FAIL_TOOBIG) {
        return FETCH_FAIL_NONSENSE;
    }
    if (fail == HTTP_FAIL_REFUSED) {
        return FETCH_FAIL_REFUSED;
    }
    if (fail != HTTP_OK || status == 408) {
        return FETCH_FAIL_NETWORK;
    }
    if (status == 200) {
        return FETCH_FAIL_NONE;
    }
    if (status == 429 || status == 503 || status == 509) {
        return FETCH_FAIL_THROTTLED;
    }
    if (status == 401) {
        return FETCH_FAIL_UNAUTHORIZED;
    }
    if (status == 402 || status == 403) {
        return FETCH_FAIL_FORBIDDEN;
    }
    if (status == 404 || status == 410) {
        return FETCH_FAIL_NOTFOUND;
    }
    return status >= 500 ? FETCH_FAIL_SERVER : FETCH_FAIL_REFUSED;
}

const char *fetch_fail_name(enum fetch_fail fail)
{
    static const char *const names[] = {
        [FETCH_FAIL_NONE] = "none",
        [FETCH_FAIL_NETWORK] = "network",
        [FETCH_FAIL_THROTTLED] = "throttled",
        [FETCH_FAIL_UNAUTHORIZED] = "unauthorized",
        [FETCH_FAIL_FORBIDDEN] = "forbidden",
        [FETCH_FAIL_NOTFOUND] = "not_found",
        [FETCH_FAIL_SERVER] = "server",
        [FETCH_FAIL_REFUSED] = "refused",
        [FETCH_FAIL_NONSENSE] = "nonsense",
    };

    return names[fail];
}

static enum rc rc_of(enum fetch_fail fail)
{
    switch (fail) {
    case FETCH_FAIL_UNAUTHORIZED:
    case FETCH_FAIL_FORBIDDEN:
        return RC_DENIED;
    case FETCH_FAIL_NOTFOUND:
        return RC_NOTFOUND;
    case FETCH_FAIL_REFUSED:
    case FETCH_FAIL_NONSENSE:
        return RC_PARSE;
    default:
        return RC_RETRY;
    }
}

static enum fetch_got failed(struct fetch *f,
                             const struct fetch_settings *s,
                             const char *where,
                             enum fetch_fail fail,
                             struct now now)
{
    const struct http_result *r = http_result(s->http, f->slot);

    f->fail = fail;
    f->status = r->status;
    f->retry_after_ms = r->retry_after_ms;
    const struct fault_detail detail = {.status = r->status,
                                        .code = r->detail,
                                        .request_id = r->request_id,
                                        .client_request_id = r->client_request_id};
    fault_note(now, where, rc_of(fail), &detail);
    fetch_cancel(f, s);
    return FETCH_FAILED;
}

/// The transfer is over and its bytes are all taken.
static enum fetch_got
finish(struct fetch *f, const struct fetch_settings *s, const char *where, struct now now)
{
    const struct http_result *r = http_result(s->http, f->slot);
    enum fetch_fail fail = fetch_classify(r->fail, r->status);

    if (fail == FETCH_FAIL_NONE && json_cut_finish(&f->cut) != JSON_CUT_END) {
        fail = FETCH_FAIL_NONSENSE;
    }
    if (fail != FETCH_FAIL_NONE) {
        return failed(f, s, where, fail, now);
    }
    http_release(s->http, f->slot);
    f->active = false;
    return FETCH_END;
}

static enum fetch_got hold(struct fetch *f, enum fetch_got what)
{
    f->holds = true;
    f->held = what;
    return what;
}

enum fetch_got
fetch_next(struct fetch *f, const struct fetch_settings *s, const char *where, struct now now)
{
    ASSERT(f->active);
    if (f->holds) {
        return f->held;
    }
    struct span body = http_body(s->http, f->slot);
    while (body.len != 0) {
        size_t used = body.len;
        enum json_cut_got got = JSON_CUT_MORE;
        if (http_result(s->http, f->slot)->status == 200) {
            got = json_cut_push(&f->cut, body, &used);
        } // the text of an error is not looked at: Graph says to branch on the status
        http_consume(s->http, f->slot, used);
        f->bytes_taken += used;
        if (got == JSON_CUT_ELEMENT) {
            return hold(f, FETCH_ELEMENT);
        }
        if (got == JSON_CUT_TOOBIG) {
            return hold(f, FETCH_TOOBIG);
        }
        if (got == JSON_CUT_BAD) {
            return failed(f, s, where, FETCH_FAIL_NONSENSE, now);
        }
        body = http_body(s->http, f->slot);
    }
    return http_state(s->http, f->slot) == HTTP_DONE ? finish(f, s, where, now) : FETCH_WAIT;
}

void fetch_taken(struct fetch *f)
{
    ASSERT(f->holds);
    f->holds = false;
}

struct span fetch_element(const struct fetch *f)
{
    ASSERT(f->holds && f->held == FETCH_ELEMENT);
    return json_cut_element(&f->cut);
}

struct span fetch_rest(const struct fetch *f)
{
    return json_cut_rest(&f->cut);
}

void fetch_cancel(struct fetch *f, const struct fetch_settings *s)
{
    if (f->active) {
        http_release(s->http, f->slot);
    }
    f->active = false;
    f->holds = false;
}

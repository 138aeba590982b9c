// SPDX-License-Identifier: Apache-2.0
/**
 * Referrer-Policy is same-origin: under no-referrer browsers send "Origin: null" with the page's
 * own form (Fetch, "append a request Origin header"), which no guard could tell from a stranger's.
 * No other site gets an address of this one either way.
 */
#include "status/respond.h"

#include "base/assert.h"

struct words {
    int status;
    const char *reason, *text;
};

static const struct words known[] = {
    {200, "OK", "ok"},
    {303, "See Other", "Taken: the page shows what becomes of it.\n"},
    {400, "Bad Request", "Not a request that this box understands: nothing was done.\n"},
    {403, "Forbidden", "This did not come from the box's own page: nothing was done.\n"},
    {404, "Not Found", "There is no such thing here. The page is at /.\n"},
    {405, "Method Not Allowed", "Not in this way. The page is at /.\n"},
    {408, "Request Timeout", "The request took too long: nothing was done.\n"},
    {411, "Length Required", "The length of the form is missing: nothing was done.\n"},
    {413, "Content Too Large", "The request is too long: nothing was done.\n"},
    {414, "URI Too Long", "The address is too long: nothing was done.\n"},
    {415, "Unsupported Media Type", "Only the page's own form is read here.\n"},
    {417, "Expectation Failed", "Not a request that this box understands: nothing was done.\n"},
    {421,
     "Misdirected Request",
     "This is not a name of this box. Use its address, or list the name in \"status\": "
     "{\"hosts\"} of its configuration.\n"},
    {429, "Too Many Requests", "Too many requests: nothing was done.\n"},
    {431, "Request Header Fields Too Large", "The request is too long: nothing was done.\n"},
    {500, "Internal Server Error", "The answer does not fit here. Collecting goes on.\n"},
    {501, "Not Implemented", "Not a request that this box understands: nothing was done.\n"},
    {503, "Service Unavailable", "no"},
    {505, "HTTP Version Not Supported", "This box speaks HTTP/1.1.\n"},
};

static const char *const types[] = {
    [RESPOND_TEXT] = "text/plain; charset=utf-8",
    [RESPOND_HTML] = "text/html; charset=utf-8",
    [RESPOND_JSON] = "application/json",
    [RESPOND_METRICS] = "text/plain; version=0.0.4; charset=utf-8",
    [RESPOND_PEM] = "application/x-pem-file",
};

static const struct words *words_of(int status)
{
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].status == status) {
            return &known[i];
        }
    }
    ASSERT(false); // our own list
    return &known[0];
}

static void put_line(struct buf *to, const char *name, const char *value)
{
    if (value != NULL) {
        buf_put_str(to, name);
        buf_put_str(to, value);
        buf_put(to, SPAN("\r\n"));
    }
}

static void put_head(struct buf *to, const struct respond *r, uint64_t body_bytes)
{
    buf_put(to, SPAN("HTTP/1.1 "));
    buf_put_i64(to, r->status);
    put_line(to, " ", words_of(r->status)->reason);
    put_line(to, "Content-Type: ", types[r->type]);
    buf_put(to, SPAN("Content-Length: "));
    buf_put_u64(to, body_bytes);
    buf_put(to,
            SPAN("\r\nConnection: close\r\n"
                 "Cache-Control: no-store\r\n"
                 "X-Content-Type-Options: nosniff\r\n"
                 "Referrer-Policy: same-origin\r\n"
                 "Cross-Origin-Resource-Policy: same-origin\r\n"
                 "Content-Security-Policy: "));
    buf_put(to, r->type == RESPOND_HTML ? render_page_csp() : SPAN("default-src 'none'"));
    buf_put(to, SPAN("; frame-ancestors 'none'\r\n"));
    put_line(to, "Allow: ", r->allow);
    put_line(to, "Location: ", r->location);
    if (r->type == RESPOND_PEM) {
        buf_put(to, SPAN("Content-Disposition: attachment; filename=\"anteroom.pem\"\r\n"));
    }
    if (r->wait_ms > 0) {
        buf_put(to, SPAN("Retry-After: "));
        buf_put_i64(to, (r->wait_ms + 999) / 1000);
        buf_put(to, SPAN("\r\n"));
    }
    buf_put(to, SPAN("\r\n"));
}

void respond(struct status *s, const struct respond *r, unsigned count)
{
    struct status_answer *a = &s->answers[r->c];
    struct buf head = BUF(a->head);
    uint64_t body_bytes = 0;
    ASSERT(count < SERVE_PARTS_MAX);
    for (unsigned i = 1; i <= count; i++) {
        body_bytes += a->parts[i].len;
    }
    put_head(&head, r, body_bytes);
    ASSERT(buf_ok(&head));
    a->parts[0] = buf_span(&head);
    s->conns[r->c].used = true;
    s->requests++;
    if (r->status >= 400 && r->status != 503) { // 503 is how /healthz says no
        s->refused++;
    }
    serve_answer(s->setup.serve, r->c, a->parts, r->head_only ? 1u : count + 1u);
}

void respond_text(struct status *s, const struct respond *r)
{
    s->answers[r->c].parts[1] = span_from_str(words_of(r->status)->text);
    respond(s, r, 1);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes from a client to the whole status port: never a crash, one well-formed answer or none,
 * and nothing is wished for without the page's token and the box's code.
 * First byte: 1: it has ended, 2: somebody is at the box, 4: in two pieces. In the text, the byte
 * 1 stands for the good token and 2 for the good code.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "serve_fake.h"
#include "status/status_state.h"

#define CODE "AB3D-EF7H"

static struct status status;
static struct serve_fake serve;
static struct config config = {.tenant_id = "0", .status_hosts = {"box"}, .status_hosts_count = 1};
static const struct snapshot snapshot = {.level = SNAPSHOT_GOOD};
static const struct now now = {.mono = {.ms = 5000000}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Not what is tried here: tests/unit/status/render.c does.
void render_json(const struct snapshot *s, struct buf *out)
{
    ASSERT(s == &snapshot);
    buf_put_str(out, "{}");
}

void render_metrics(const struct snapshot *s, struct buf *out)
{
    ASSERT(s == &snapshot);
    buf_put_str(out, "a 1\n");
}

unsigned render_page(const struct snapshot *s,
                     const struct render_page *page,
                     struct buf *out,
                     struct span *parts)
{
    ASSERT(s == &snapshot);
    buf_put_str(out, page->notice);
    parts[0] = buf_span(out);
    return 1;
}

struct span render_page_csp(void)
{
    return SPAN("default-src 'none'");
}

static struct span certificate(void *context, bool next)
{
    (void)context;
    return next ? SPAN_NONE : SPAN("PEM");
}

static void begin(void)
{
    struct status_setup setup = {.config = &config,
                                 .serve = serve_fake_handle(),
                                 .setup_code = SPAN(CODE),
                                 .certificate = certificate};
    serve_fake_init(&serve);
    status_init(&status, &setup);
    serve_fake_connect(&serve, 0, "192.0.2.1:8443", "192.0.2.9");
}

/// The input with its placeholders filled. @return which of them there were.
static unsigned fill(const uint8_t *data, size_t size, struct buf *text)
{
    char token[GUARD_TOKEN_BYTES];
    unsigned had = 0;
    guard_token(&status.guard, serve.conns[0].peer, now.mono, token);
    for (size_t i = 0; i < size; i++) {
        had |= data[i] == 1 || data[i] == 2 ? data[i] : 0u;
        if (data[i] == 1) {
            buf_put_str(text, token);
        } else if (data[i] == 2) {
            buf_put_str(text, CODE);
        } else {
            buf_put_char(text, (char)data[i]);
        }
    }
    return had;
}

static struct status_wish step(bool present)
{
    struct status_wish wish;
    bool wants = status_wants(&status);
    (void)status_step(&status, wants ? &snapshot : NULL, present, now, &wish);
    return wish;
}

static void check_answer(const char *answer, bool is_head)
{
    ASSERT(strncmp(answer, "HTTP/1.1 ", 9) == 0);
    const char *end = strstr(answer, "\r\n\r\n");
    const char *length = strstr(answer, "\r\nContent-Length: ");
    ASSERT(end != NULL && length != NULL && length < end);
    ASSERT(strstr(answer, "\r\nConnection: close\r\n") != NULL);
    size_t body_bytes = strlen(end + 4);
    ASSERT((is_head && body_bytes == 0) || body_bytes == strtoul(length + 18, NULL, 10));
    for (const char *c = answer; c < end; c++) {
        ASSERT(*c == '\r' || *c == '\n' || (*c >= ' ' && *c <= '~'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char bytes[2 * SERVE_IN_BYTES];
    struct buf text = BUF(bytes);
    if (size < 1) {
        return 0;
    }
    begin();
    unsigned had = fill(data + 1, size - 1u, &text);
    bool ended = (data[0] & 1u) != 0;
    bool present = (data[0] & 2u) != 0;
    size_t first = (data[0] & 4u) != 0 ? text.len / 2u : text.len;
    struct status_wish wish = {0};
    serve_fake_send(&serve, 0, span_sub(buf_span(&text), 0, first));
    if (first < text.len) {
        wish = step(present);
        serve_fake_send(&serve, 0, span_sub(buf_span(&text), first, text.len));
    }
    if (ended) {
        serve_fake_end(&serve, 0);
    }
    if (serve.conns[0].state == SERVE_READING) {
        wish = step(present);
    }
    const struct serve_fake_conn *c = &serve.conns[0];
    ASSERT(wish.kind == STATUS_WISH_NONE || wish.kind == STATUS_WISH_REDIRECT || had == 3u);
    ASSERT(wish.kind != STATUS_WISH_FORGET || present);
    ASSERT(wish.value.len <= STATUS_VALUE_BYTES);
    ASSERT(wish.kind == STATUS_WISH_REDIRECT || wish.value.len == 0);
    ASSERT(c->answers + c->drops <= 1u);
    ASSERT(!ended || c->answers + c->drops == 1u);
    if (c->answers == 1) {
        bool is_head = text.len > 4 && memcmp(bytes, "HEAD ", 5) == 0;
        check_answer(serve_fake_take(&serve, 0), is_head);
    }
    (void)step(present);
    return 0;
}

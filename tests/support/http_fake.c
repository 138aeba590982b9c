// SPDX-License-Identifier: Apache-2.0
#include "http_fake.h"

#include <string.h>

#include <strings.h>

#include "base/assert.h"

// The tests' own memory; struct http itself is never looked into, so any address does as the
// handle.
static struct http_fake *current;
static char handle;

static struct http_fake_slot *slot_of(const struct http *h, unsigned slot)
{
    ASSERT(h != NULL);
    ASSERT(current != NULL);
    ASSERT(slot < HTTP_TRANSFERS_MAX);
    return &current->slots[slot];
}

static void copy_text(char *to, size_t to_bytes, struct span from)
{
    size_t len = from.len < to_bytes ? from.len : to_bytes - 1u;
    if (len > 0) {
        memcpy(to, from.ptr, len);
    }
    to[len] = '\0';
}

void http_fake_init(struct http_fake *f)
{
    memset(f, 0, sizeof(*f));
    current = f;
}

struct http *http_fake_handle(void)
{
    return (struct http *)(void *)&handle;
}

void http_fake_queue(struct http_fake *f, unsigned slot, const struct http_fake_answer *answer)
{
    ASSERT(slot < HTTP_TRANSFERS_MAX);
    struct http_fake_slot *s = &f->slots[slot];
    ASSERT(s->queue_count < HTTP_FAKE_ANSWERS_MAX);
    s->queue[(s->queue_head + s->queue_count) % HTTP_FAKE_ANSWERS_MAX] = *answer;
    s->queue_count++;
}

void http_fake_queue_body(struct http_fake *f, unsigned slot, int status, const char *body)
{
    struct http_fake_answer answer = {.status = status, .body = span_from_str(body)};
    http_fake_queue(f, slot, &answer);
}

void http_fake_queue_fail(struct http_fake *f, unsigned slot, enum http_fail fail)
{
    struct http_fake_answer answer = {.fail = fail};
    http_fake_queue(f, slot, &answer);
}

void http_fake_respond_with(struct http_fake *f, http_fake_respond *respond, void *context)
{
    f->respond = respond;
    f->respond_context = context;
}

const struct http_fake_request *http_fake_request(const struct http_fake *f, unsigned slot)
{
    ASSERT(slot < HTTP_TRANSFERS_MAX);
    return &f->slots[slot].request;
}

const char *http_fake_header(const struct http_fake *f, unsigned slot, const char *name)
{
    const struct http_fake_request *r = http_fake_request(f, slot);
    size_t len = strlen(name);
    for (unsigned i = 0; i < HTTP_HEADERS_MAX; i++) {
        const char *line = r->headers[i];
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            return line + len + 1u + strspn(line + len + 1u, " ");
        }
    }
    return "";
}

bool http_fake_body_has(const struct http_fake *f, unsigned slot, const char *text)
{
    const struct http_fake_request *r = http_fake_request(f, slot);
    size_t have = r->body_bytes < sizeof(r->body) ? r->body_bytes : sizeof(r->body);
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= have; i++) {
        if (memcmp(r->body + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

// ---- net/http.h -------------------------------------------------------------

RC http_init(struct http *h, struct loop *loop)
{
    (void)loop;
    ASSERT(h != NULL);
    ASSERT(current != NULL);
    return RC_OK;
}

void http_deinit(struct http *h)
{
    (void)h;
}

static void check_request(const struct http_request *r)
{
    ASSERT(span_starts(r->url, SPAN("https://")));
    ASSERT(r->url.len <= HTTP_URL_BYTES_MAX);
    ASSERT(r->post || r->body.len == 0);
    ASSERT(r->trust == HTTP_TRUST_ROOTS || (r->trust == HTTP_TRUST_CA && r->ca_pem.len > 0));
    ASSERT((r->client_cert_pem.len > 0) == (r->client_key_pem.len > 0));
    ASSERT(r->connect_ms >= 1000 && r->connect_ms <= 60000);
    ASSERT(r->total_ms >= 1000 && r->total_ms <= 3600000);
    ASSERT(r->stall_ms >= 1000);
    for (unsigned i = 0; i < HTTP_HEADERS_MAX; i++) {
        struct span line = r->headers[i];
        ASSERT(line.len <= HTTP_HEADER_BYTES_MAX);
        ASSERT(span_index(line, '\r') == line.len && span_index(line, '\n') == line.len);
    }
}

static void
record(struct http_fake_slot *s, unsigned slot, const struct http_request *r, struct now now)
{
    struct http_fake_request *to = &s->request;
    to->asked = *r;
    to->when = now;
    copy_text(to->url, sizeof(to->url), r->url);
    for (unsigned i = 0; i < HTTP_HEADERS_MAX; i++) {
        copy_text(to->headers[i], sizeof(to->headers[i]), r->headers[i]);
    }
    to->body_bytes = r->body.len;
    size_t kept = r->body.len < sizeof(to->body) ? r->body.len : sizeof(to->body);
    if (kept > 0) {
        memcpy(to->body, r->body.ptr, kept);
    }
    if (current->requests < HTTP_FAKE_HISTORY_MAX) {
        current->history[current->requests].slot = slot;
        current->history[current->requests].when = now;
        copy_text(current->history[current->requests].url, sizeof(current->history[0].url), r->url);
    }
    current->requests++;
    s->requests++;
}

RC http_start(struct http *h, unsigned slot, const struct http_request *request, struct now now)
{
    struct http_fake_slot *s = slot_of(h, slot);
    ASSERT(s->state == HTTP_FREE);
    if (current->start_retries > 0) {
        current->start_retries--;
        return RC_RETRY;
    }
    check_request(request);
    record(s, slot, request, now);
    memset(&s->result, 0, sizeof(s->result));
    copy_text(
        s->result.client_request_id, sizeof(s->result.client_request_id), SPAN("fake-client-id"));
    s->state = HTTP_RUNNING;
    s->answered = false;
    s->shown = 0;
    s->taken = 0;
    return RC_OK;
}

enum http_state http_state(const struct http *h, unsigned slot)
{
    return slot_of(h, slot)->state;
}

const struct http_result *http_result(const struct http *h, unsigned slot)
{
    return &slot_of(h, slot)->result;
}

struct span http_body(const struct http *h, unsigned slot)
{
    const struct http_fake_slot *s = slot_of(h, slot);
    if (s->state == HTTP_FREE || s->shown == s->taken) {
        return SPAN_NONE;
    }
    size_t len = s->shown - s->taken;
    if (s->answer.piece_bytes > 0 && len > s->answer.piece_bytes) {
        len = s->answer.piece_bytes;
    }
    return span_sub(s->answer.body, s->taken, len);
}

void http_consume(struct http *h, unsigned slot, size_t bytes)
{
    struct http_fake_slot *s = slot_of(h, slot);
    ASSERT(bytes <= s->shown - s->taken);
    s->taken += bytes;
}

uint64_t http_progress(const struct http *h, unsigned slot)
{
    return slot_of(h, slot)->shown + slot_of(h, slot)->moved;
}

void http_release(struct http *h, unsigned slot)
{
    struct http_fake_slot *s = slot_of(h, slot);
    s->state = HTTP_FREE;
    s->answered = false;
    s->shown = 0;
    s->taken = 0;
}

static bool find_answer(struct http_fake_slot *s, unsigned slot)
{
    if (s->queue_count > 0) {
        s->answer = s->queue[s->queue_head];
        s->queue_head = (s->queue_head + 1u) % HTTP_FAKE_ANSWERS_MAX;
        s->queue_count--;
        return true;
    }
    memset(&s->answer, 0, sizeof(s->answer));
    return current->respond != NULL &&
           current->respond(current->respond_context, slot, &s->request, &s->answer);
}

static void take_header(struct http_fake_slot *s)
{
    s->answered = true;
    s->result.status = s->answer.status;
    s->result.retry_after_ms = s->answer.retry_after_ms;
    s->result.date_ms = s->answer.date_ms;
    s->result.claims_challenge = s->answer.claims_challenge;
    s->result.not_before_ms = s->request.asked.time_unproven ? s->answer.not_before_ms : 0;
    s->result.not_after_ms = s->request.asked.time_unproven ? s->answer.not_after_ms : 0;
    const char *id = s->answer.request_id != NULL ? s->answer.request_id : "";
    copy_text(s->result.request_id, sizeof(s->result.request_id), span_from_str(id));
}

static void advance(struct http_fake_slot *s, unsigned slot)
{
    if (s->state != HTTP_RUNNING) {
        return;
    }
    if (!s->answered) {
        if (!find_answer(s, slot)) {
            return;
        }
        take_header(s);
    }
    size_t room = HTTP_RING_BYTES - (s->shown - s->taken);
    size_t piece = s->answer.body.len - s->shown;
    if (s->answer.piece_bytes > 0 && piece > s->answer.piece_bytes) {
        piece = s->answer.piece_bytes;
    }
    s->shown += piece < room ? piece : room;
    s->result.body_bytes = s->shown;
    if (s->request.asked.body_bytes_max > 0 && s->shown > s->request.asked.body_bytes_max) {
        s->result.fail = HTTP_FAIL_TOOBIG;
        s->state = HTTP_DONE;
    } else if (s->shown == s->answer.body.len) {
        s->result.fail = s->answer.fail;
        s->state = HTTP_DONE;
    }
}

struct mono http_step(struct http *h, struct now now)
{
    (void)now;
    for (unsigned i = 0; i < HTTP_TRANSFERS_MAX; i++) {
        advance(slot_of(h, i), i);
    }
    return MONO_NEVER;
}

void http_idle(struct http *h)
{
    (void)h;
}

void http_prove(struct http *h, int64_t wall_ms)
{
    ASSERT(h != NULL);
    current->proven_ms = wall_ms;
}

const char *http_fail_name(enum http_fail f)
{
    static const char *const names[] = {
        [HTTP_OK] = "ok",
        [HTTP_FAIL_RESOLVE] = "resolve",
        [HTTP_FAIL_CONNECT] = "connect",
        [HTTP_FAIL_TRUST] = "trust",
        [HTTP_FAIL_TLS] = "tls",
        [HTTP_FAIL_TIMEOUT] = "timeout",
        [HTTP_FAIL_CUT] = "cut",
        [HTTP_FAIL_TOOBIG] = "toobig",
        [HTTP_FAIL_ENCODING] = "encoding",
        [HTTP_FAIL_MEMORY] = "memory",
        [HTTP_FAIL_REFUSED] = "refused",
    };
    ASSERT((unsigned)f < sizeof(names) / sizeof(names[0]));
    return names[f];
}

const char *http_fail_text(enum http_fail f)
{
    return http_fail_name(f);
}

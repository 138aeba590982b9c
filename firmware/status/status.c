// SPDX-License-Identifier: Apache-2.0
/**
 * One complete request a step: what it costs is bounded by one page. A connection is looked at
 * again only when something has come: a slow client costs nothing but its place.
 */
#include "status/status.h"

#include <string.h>

#include "base/assert.h"

#include "status/action.h"
#include "status/guard.h"
#include "status/render.h"
#include "status/request.h"
#include "status/respond.h"
#include "status/status_state.h"
#include "sys/pages.h"

/// What an answer is made of, besides the request.
struct asked {
    struct request request;
    unsigned c;
    const struct snapshot *snap;
    bool present;
    struct now now;
    struct status_wish *wish;
};

typedef void answerer(struct status *s, const struct asked *a);

static answerer answer_page, answer_json, answer_metrics, answer_health, answer_certificate,
    answer_redirect, answer_action;

static const struct route {
    const char *path;
    answerer *answer;
    bool post;
    bool snapshot;
} routes[] = {
    {"/", answer_page, false, true},
    {"/status", answer_json, false, true},
    {"/metrics", answer_metrics, false, true},
    {"/healthz", answer_health, false, true},
    {"/certificate", answer_certificate, false, false},
    {"/redirect", answer_redirect, false, false},
    {"/action", answer_action, true, true},
};

static const struct route *route_of(const struct request *r)
{
    for (unsigned i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (span_equal(r->path, span_from_str(routes[i].path))) {
            return &routes[i];
        }
    }
    return NULL;
}

static bool method_fits(const struct route *route, const struct request *r)
{
    return route->post ? r->method == REQUEST_POST
                       : r->method == REQUEST_GET || r->method == REQUEST_HEAD;
}

static struct respond head_for(const struct asked *a, int status, enum respond_type type)
{
    return (struct respond){
        .c = a->c, .status = status, .type = type, .head_only = a->request.method == REQUEST_HEAD};
}

static void answer_text(struct status *s, const struct asked *a, int status)
{
    struct respond r = head_for(a, status, RESPOND_TEXT);
    respond_text(s, &r);
}

static void answer_body(struct status *s, struct respond *r, const struct buf *body)
{
    if (!buf_ok(body)) {
        r->status = 500;
        r->type = RESPOND_TEXT;
        respond_text(s, r);
        return;
    }
    s->answers[r->c].parts[1] = buf_span(body);
    respond(s, r, 1);
}

static struct buf body_of(struct status *s, unsigned c)
{
    return buf_of(s->answers[c].body, sizeof(s->answers[c].body));
}

// ---- the routes ---------------------------------------------------------------------------------

static void
send_page(struct status *s, const struct asked *a, struct respond *r, const char *notice)
{
    char token[GUARD_TOKEN_BYTES];
    struct buf body = body_of(s, a->c);
    struct render_page page = {
        .token = token, .notice = notice, .notice_bad = r->status >= 400, .can_forget = a->present};
    guard_token(&s->guard, serve_peer(s->setup.serve, a->c), a->now.mono, token);
    unsigned count = render_page(a->snap, &page, &body, s->answers[a->c].parts + 1);
    if (count == 0 || !buf_ok(&body)) {
        answer_text(s, a, 500);
        return;
    }
    ASSERT(count <= RENDER_PARTS_MAX);
    respond(s, r, count);
}

static void answer_page(struct status *s, const struct asked *a)
{
    struct respond r = head_for(a, 200, RESPOND_HTML);
    send_page(s, a, &r, action_notice(a->request.query));
}

static void answer_json(struct status *s, const struct asked *a)
{
    struct respond r = head_for(a, 200, RESPOND_JSON);
    struct buf body = body_of(s, a->c);
    render_json(a->snap, &body);
    answer_body(s, &r, &body);
}

static void answer_metrics(struct status *s, const struct asked *a)
{
    struct respond r = head_for(a, 200, RESPOND_METRICS);
    struct buf body = body_of(s, a->c);
    render_metrics(a->snap, &body);
    answer_body(s, &r, &body);
}

static void answer_health(struct status *s, const struct asked *a)
{
    bool bad = a->snap->level == SNAPSHOT_BAD || a->snap->holding;
    answer_text(s, a, bad ? 503 : 200);
}

static void answer_certificate(struct status *s, const struct asked *a)
{
    char bytes[2];
    struct buf next = BUF(bytes);
    struct respond r = head_for(a, 200, RESPOND_PEM);
    struct buf body = body_of(s, a->c);
    bool is_next = form_field(a->request.query, SPAN("next"), &next) == RC_OK &&
                   span_equal(buf_span(&next), SPAN("1"));
    struct span pem = s->setup.certificate(s->setup.context, is_next);
    if (pem.len == 0) {
        answer_text(s, a, 404);
        return;
    }
    buf_put(&body, pem);
    answer_body(s, &r, &body);
}

/// The browser goes on to the page at once: the code does not stay in its address line or history.
static void answer_redirect(struct status *s, const struct asked *a)
{
    struct respond r = head_for(a, 303, RESPOND_TEXT);
    r.location = "/";
    if (a->request.query.len > 0 && a->request.method == REQUEST_GET) {
        struct buf value = BUF(s->value);
        buf_put_char(&value, '?');
        buf_put(&value, a->request.query);
        ASSERT(buf_ok(&value)); // a target has less room
        s->value_bytes = value.len;
        a->wish->kind = STATUS_WISH_REDIRECT;
        r.location = "/?done=redirect";
    }
    respond_text(s, &r);
}

static void answer_action(struct status *s, const struct asked *a)
{
    struct address peer = serve_peer(s->setup.serve, a->c);
    struct action_verdict v = action_read(s, &a->request, peer, a->present, a->now);
    struct respond r = head_for(a, v.status, v.page ? RESPOND_HTML : RESPOND_TEXT);
    r.location = v.done;
    r.wait_ms = v.wait_ms;
    a->wish->kind = v.wish;
    if (v.page) {
        send_page(s, a, &r, v.notice);
        return;
    }
    respond_text(s, &r);
}

static void answer(struct status *s, const struct asked *a)
{
    const struct route *route = route_of(&a->request);
    struct address local = serve_local(s->setup.serve, a->c);
    if (!guard_host(s->setup.config, a->request.host, local)) {
        answer_text(s, a, 421);
        return;
    }
    if (route == NULL) {
        answer_text(s, a, 404);
        return;
    }
    if (!method_fits(route, &a->request)) {
        struct respond r = head_for(a, 405, RESPOND_TEXT);
        r.allow = route->post ? "POST" : "GET, HEAD";
        respond_text(s, &r);
        return;
    }
    ASSERT(!route->snapshot || a->snap != NULL);
    route->answer(s, a);
}

// ---- the connections ----------------------------------------------------------------------------

static bool same_peer(struct address a, struct address b)
{
    return a.port == b.port && a.is_v6 == b.is_v6 && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static bool is_reading(const struct status *s, unsigned c)
{
    return serve_state(s->setup.serve, c) == SERVE_READING;
}

/// The one that was looked at before, and not the next one in its place.
static bool is_known(const struct status *s, unsigned c)
{
    return s->conns[c].known && same_peer(s->conns[c].peer, serve_peer(s->setup.serve, c));
}

/// Something has come since it was looked at.
static bool is_fresh(const struct status *s, unsigned c)
{
    const struct status_conn *k = &s->conns[c];
    return is_reading(s, c) && (!is_known(s, c) || k->seen != serve_input(s->setup.serve, c).len ||
                                k->seen_ended != serve_input_ended(s->setup.serve, c));
}

/// @retval RC_AGAIN  nothing to answer yet.
static RC read_conn(const struct status *s, unsigned c, struct request *r)
{
    const struct serve *serve = s->setup.serve;
    enum rc rc = request_read(serve_input(serve, c), serve_input_ended(serve, c), r);
    return rc == RC_AGAIN && serve_input_full(serve, c) ? RC_TOOBIG : rc;
}

static unsigned in_turn(const struct status *s, unsigned i)
{
    return (s->next + i) % SERVE_CONNECTIONS;
}

bool status_wants(const struct status *s)
{
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        unsigned c = in_turn(s, i);
        struct request r;
        if (!is_fresh(s, c)) {
            continue;
        }
        enum rc rc = read_conn(s, c, &r);
        if (rc != RC_AGAIN) { // the one that status_step takes
            const struct route *route = rc == RC_OK ? route_of(&r) : NULL;
            return route != NULL && route->snapshot && method_fits(route, &r);
        }
    }
    return false;
}

/// What was borrowed for an answer that has gone out goes back.
static void tidy_up(struct status *s)
{
    for (unsigned c = 0; c < SERVE_CONNECTIONS; c++) {
        if (s->conns[c].used && serve_state(s->setup.serve, c) != SERVE_ANSWERING) {
            (void)pages_drop(&s->answers[c], sizeof(s->answers[c])); // only saves memory
            s->conns[c].used = false;
        }
        if (!is_reading(s, c)) {
            s->conns[c].known = false;
        }
    }
    bytes_wipe(s->value, s->value_bytes);
    s->value_bytes = 0;
}

static void remember(struct status *s, unsigned c, struct now now)
{
    struct status_conn *k = &s->conns[c];
    if (!is_known(s, c)) {
        k->since = now.mono;
        k->peer = serve_peer(s->setup.serve, c);
        k->known = true;
    }
    k->seen = serve_input(s->setup.serve, c).len;
    k->seen_ended = serve_input_ended(s->setup.serve, c);
}

/// @return true: that was all of it.
static bool look(struct status *s, struct asked *a)
{
    enum rc rc = read_conn(s, a->c, &a->request);
    if (rc == RC_AGAIN) {
        remember(s, a->c, a->now);
        return false;
    }
    if (rc == RC_OK) {
        answer(s, a);
    } else if (serve_input(s->setup.serve, a->c).len == 0) {
        serve_drop(s->setup.serve, a->c); // it went without a word
    } else {
        a->request.method = REQUEST_OTHER; // whatever it was, it gets a body
        answer_text(s, a, a->request.status);
    }
    return true;
}

/// Nothing fresh is there: is its time over? @return when to look again. Whoever has said nothing
/// is serve's.
static struct mono watch(struct status *s, struct asked *a)
{
    const struct status_conn *k = &s->conns[a->c];
    struct mono end = k->seen > 0 ? mono_after(k->since, STATUS_READ_MS) : MONO_NEVER;
    if (!mono_due(end, a->now.mono)) {
        return end;
    }
    a->request = (struct request){.method = REQUEST_OTHER};
    answer_text(s, a, 408);
    return a->now.mono;
}

void status_init(struct status *s, const struct status_setup *setup)
{
    ASSERT(setup->config != NULL && setup->serve != NULL);
    ASSERT(setup->certificate != NULL);
    memset(s->conns, 0, sizeof(s->conns)); // the answers' pages stay untouched
    s->value_bytes = 0;
    s->next = 0;
    s->requests = 0;
    s->refused = 0;
    s->setup = *setup;
    guard_init(&s->guard, setup->setup_code, setup->secret);
    s->setup.setup_code = SPAN_NONE; // the guard has its copy
    bytes_wipe(s->setup.secret, sizeof(s->setup.secret));
}

struct mono status_step(struct status *s,
                        const struct snapshot *snap,
                        bool present,
                        struct now now,
                        struct status_wish *wish)
{
    struct asked a = {.snap = snap, .present = present, .now = now, .wish = wish};
    struct mono until = MONO_NEVER;
    bool answered = false;
    *wish = (struct status_wish){.kind = STATUS_WISH_NONE};
    tidy_up(s);
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        a.c = in_turn(s, i);
        if (is_fresh(s, a.c) && answered) {
            until = now.mono; // its turn is next
        } else if (is_fresh(s, a.c)) {
            answered = look(s, &a);
            until = answered ? now.mono : until; // serve has something to send
        }
        if (is_reading(s, a.c) && !is_fresh(s, a.c)) {
            until = mono_min(until, watch(s, &a));
        }
    }
    s->next = (s->next + 1u) % SERVE_CONNECTIONS;
    wish->value = (struct span){.ptr = s->value, .len = s->value_bytes};
    return until;
}

uint64_t status_requests(const struct status *s)
{
    return s->requests;
}

uint64_t status_refused(const struct status *s)
{
    return s->refused;
}

// SPDX-License-Identifier: Apache-2.0
#include "auth/validate.h"

#include <string.h>

#include "base/assert.h"
#include "base/backoff.h"
#include "hal/entropy.h"

#include "sys/fault.h"
#include "sys/log.h"
#include "validate_state.h"

#define TOTAL_MS_MAX 60000
#define RECENT_MS    60000 ///< of call records, the answer for this long is asked for

static const enum config_permission asked_for[] = {
    PERMISSION_CALL_RECORDS, PERMISSION_USERS, PERMISSION_DEVICES};

#define ASKED_FOR (sizeof(asked_for) / sizeof(asked_for[0]))

static unsigned bit(enum config_permission p)
{
    return 1u << (unsigned)p;
}

static unsigned wanted(const struct validate *v)
{
    unsigned mask = 0;
    for (size_t i = 0; i < ASKED_FOR; i++) {
        mask |= v->config->permissions & bit(asked_for[i]);
    }
    return mask;
}

/// Those of what is wanted that have this verdict.
static unsigned with(const struct validate *v, enum verdict verdict)
{
    unsigned mask = 0;
    for (size_t i = 0; i < ASKED_FOR; i++) {
        mask |= v->rows[asked_for[i]].verdict == verdict ? bit(asked_for[i]) : 0u;
    }
    return mask & wanted(v);
}

/// Graph says that it does not offer these, which only its beta may mean for long.
static unsigned missed(const struct validate *v)
{
    unsigned mask = with(v, VERDICT_UNAVAILABLE);
    for (size_t i = 0; i < ASKED_FOR; i++) {
        mask &= permission_info(asked_for[i])->beta ? ~bit(asked_for[i]) : ~0u;
    }
    return mask;
}

// ---- verdicts ---------------------------------------------------------------

static void
set_verdict(struct validate *v, enum config_permission p, enum verdict verdict, struct now now)
{
    struct validate_row *row = &v->rows[p];
    row->at_ms = verdict == VERDICT_NONE ? 0 : now.wall.ms;
    if (row->verdict == verdict) {
        return;
    }
    row->verdict = verdict;
    if (verdict == VERDICT_GOOD) {
        LOG_INFO("ev=permission_validated permission=%s verdict=%s",
                 permission_info(p)->name,
                 verdict_name(verdict));
    } else if (verdict != VERDICT_NONE) {
        LOG_WARN("ev=permission_validated permission=%s verdict=%s status=%d request_id=%s "
                 "text=\"%s\"",
                 permission_info(p)->name,
                 verdict_name(verdict),
                 row->status,
                 row->request_id,
                 verdict_text(verdict));
    }
}

static enum verdict verdict_of(const struct http_result *r)
{
    // With a status there was an answer, even if its body was cut or too long: nobody reads it.
    if (r->status >= 200 && r->status <= 299) {
        return VERDICT_GOOD;
    }
    switch (r->status) {
    case 402:
    case 403:
        return VERDICT_FORBIDDEN;
    case 404:
    case 410:
    case 501:
        return VERDICT_UNAVAILABLE;
    default:
        return VERDICT_NO_ANSWER;
    }
}

static enum rc rc_of(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_FORBIDDEN:
        return RC_DENIED;
    case VERDICT_UNAVAILABLE:
        return RC_UNSUPPORTED;
    default:
        return RC_RETRY;
    }
}

static void note(const struct validate *v, enum rc rc, struct now now)
{
    const struct http_result *r = http_result(v->http, v->slot);
    const struct fault_detail detail = {.status = r->status,
                                        .code = r->detail,
                                        .request_id = r->request_id,
                                        .client_request_id = r->client_request_id};
    fault_note(now, "auth.validate", rc, &detail);
}

/// What is granted later is asked as often at first as the one before it was.
static void begin_episode(struct validate *v, bool another, struct now now)
{
    if (!v->forbidden || another) {
        v->forbidden = true;
        v->forbidden_since = now.mono;
    }
}

/// No answer: said only where nothing better is known.
static void unanswered(struct validate *v, const struct http_result *r, struct now now)
{
    enum verdict known = v->rows[v->asked].verdict;
    v->unanswered |= bit(v->asked);
    if (r->retry_after_ms > 0) {
        v->hold = mono_after(now.mono, jitter_ms(r->retry_after_ms, hal_entropy_u64()));
    }
    if (known == VERDICT_NONE) {
        set_verdict(v, v->asked, VERDICT_NO_ANSWER, now);
    }
}

/// 401 says something about the token, and nothing about the permission: unless the next token gets
/// it as well. Then it is this endpoint, and the token is good for the others.
static bool is_of_token(struct validate *v, int status)
{
    bool again = (v->blamed & bit(v->asked)) != 0 && v->asked_generation != v->refused_generation;
    return status == 401 && !again;
}

static void judge(struct validate *v, struct now now, struct validate_facts *facts)
{
    const struct http_result *r = http_result(v->http, v->slot);
    struct validate_row *row = &v->rows[v->asked];
    enum verdict verdict = verdict_of(r);
    row->status = r->status;
    memset(row->request_id, 0, sizeof(row->request_id));
    if (verdict != VERDICT_GOOD) {
        memcpy(row->request_id, r->request_id, sizeof(row->request_id));
        note(v, r->status == 401 ? RC_DENIED : rc_of(verdict), now);
    }
    if (is_of_token(v, r->status)) {
        *facts = (struct validate_facts){.token_refused = true, .refused = v->asked_generation};
        v->refused = true;
        v->refused_generation = v->asked_generation;
        v->blamed |= bit(v->asked);
        return;
    }
    v->todo &= ~bit(v->asked);
    if (verdict == VERDICT_NO_ANSWER) {
        unanswered(v, r, now);
        return;
    }
    v->blamed &= ~bit(v->asked);
    if (verdict == VERDICT_FORBIDDEN) {
        facts->token_stale = r->status == 403 && row->verdict != VERDICT_FORBIDDEN;
        facts->refused = v->asked_generation;
        begin_episode(v, row->verdict != VERDICT_FORBIDDEN, now);
    }
    set_verdict(v, v->asked, verdict, now);
}

// ---- rounds -----------------------------------------------------------------

static struct mono later(struct mono a, struct mono b)
{
    return a.ms > b.ms ? a : b;
}

static struct mono forbidden_pace(const struct validate *v, struct now now)
{
    bool soon = now.mono.ms - v->forbidden_since.ms < VALIDATE_SOON_FOR_MS;
    return mono_after(now.mono,
                      jitter_ms(soon ? VALIDATE_SOON_MS : VALIDATE_LATE_MS, hal_entropy_u64()));
}

/// The round is over: when is the next?
static void schedule(struct validate *v, struct now now)
{
    const struct config_call_records *c = &v->config->call_records;
    v->failures = v->unanswered == 0 ? 0 : v->failures + (v->failures < UINT32_MAX);
    v->forbidden = v->forbidden && with(v, VERDICT_FORBIDDEN) != 0;
    v->next = v->whole ? later(now.mono, v->ask_after) : v->daily;
    if (v->unanswered != 0) {
        int64_t ms = backoff_ms(v->failures, c->retry_base_ms, c->retry_cap_ms, hal_entropy_u64());
        v->next = mono_min(v->next, later(mono_after(now.mono, ms), v->hold));
    }
    if (v->forbidden) {
        v->next = mono_min(v->next, forbidden_pace(v, now));
    }
    if (missed(v) != 0) {
        int64_t ms = jitter_ms(VALIDATE_LATE_MS, hal_entropy_u64());
        v->next = mono_min(v->next, mono_after(now.mono, ms));
    }
}

static void begin_round(struct validate *v, struct now now)
{
    unsigned pending = with(v, VERDICT_NONE) | with(v, VERDICT_NO_ANSWER) |
                       with(v, VERDICT_FORBIDDEN) | missed(v) | v->unanswered;
    bool whole = v->whole || mono_due(v->daily, now.mono);
    if (whole) {
        v->daily = mono_after(now.mono, jitter_ms(VALIDATE_DAILY_MS, hal_entropy_u64()));
    }
    v->todo = v->named & (whole ? ~0u : pending);
    v->whole = false;
    v->fetching = false;
    v->unanswered = 0;
    v->ask_after = mono_after(now.mono, VALIDATE_ASK_MS);
    if (v->todo == 0) {
        schedule(v, now);
    }
}

/// The round that is due is on the pace of 403: a newer token first, for a while.
static bool wants_newer_token(const struct validate *v)
{
    bool suspect = false;
    for (size_t i = 0; i < ASKED_FOR; i++) {
        const struct validate_row *row = &v->rows[asked_for[i]];
        suspect = suspect || (row->verdict == VERDICT_FORBIDDEN && row->status == 403 &&
                              (v->named & bit(asked_for[i])) != 0);
    }
    return suspect && !v->fetching && !v->whole && v->unanswered == 0;
}

static void take_token(struct validate *v, struct validate_token token, struct now now)
{
    unsigned hidden = token.readable ? ~token.roles : 0u;
    v->seen = true;
    v->generation = token.generation;
    v->named = wanted(v) & ~hidden;
    v->todo &= v->named;
    for (size_t i = 0; i < ASKED_FOR; i++) {
        enum config_permission p = asked_for[i];
        enum verdict verdict = v->rows[p].verdict;
        if ((wanted(v) & hidden & bit(p)) != 0) {
            set_verdict(v, p, VERDICT_MISSING, now);
        } else if (verdict == VERDICT_MISSING) {
            set_verdict(v, p, VERDICT_NONE, now);
        }
    }
    unsigned settled = with(v, VERDICT_GOOD) | with(v, VERDICT_UNAVAILABLE);
    if ((v->named & ~settled) != 0) {
        v->fetching = true; // this is the newer one
        v->next = now.mono;
    }
}

// ---- a request --------------------------------------------------------------

static void build_url(struct validate *v, struct now now)
{
    struct buf url = BUF(v->url);
    buf_put_str(&url, v->config->graph_url);
    switch (v->asked) {
    case PERMISSION_CALL_RECORDS: // the list takes $filter and $select, and no $top
        buf_put_str(&url, "/v1.0/communications/callRecords?$filter=startDateTime%20ge%20");
        time_put_iso_s(&url, now.wall.ms - RECENT_MS);
        buf_put_str(&url, "&$select=id");
        break;
    case PERMISSION_USERS:
        buf_put_str(&url, "/v1.0/users?$top=1&$select=id");
        break;
    default:
        buf_put_str(&url, "/beta/teamwork/devices?$top=1");
    }
    ASSERT(buf_ok(&url));
    v->url_len = url.len;
}

static void start(struct validate *v, struct validate_token token, struct now now)
{
    const struct config *c = v->config;
    unsigned first = (unsigned)__builtin_ctz(v->todo);
    ASSERT(first < CONFIG_PERMISSIONS);
    v->asked = (enum config_permission)first;
    build_url(v, now);
    struct http_request request = {
        .url = {.ptr = v->url, .len = v->url_len},
        .headers = {token.authorization,
                    SPAN("Accept: application/json"),
                    SPAN("Prefer: odata.maxpagesize=1")},
        .trust = v->ca_pem.len > 0 ? HTTP_TRUST_CA : HTTP_TRUST_ROOTS,
        .ca_pem = v->ca_pem,
        .proxy = span_from_str(c->proxy),
        .connect_ms = c->connect_ms,
        .total_ms = c->total_ms < TOTAL_MS_MAX ? c->total_ms : TOTAL_MS_MAX,
        .stall_ms = c->stall_ms,
        .body_bytes_max = VALIDATE_ANSWER_BYTES_MAX,
    };
    if (http_start(v->http, v->slot, &request, now) != RC_OK) { // the pool is full for the moment
        v->hold = mono_after(now.mono, jitter_ms(c->call_records.retry_base_ms, hal_entropy_u64()));
        return;
    }
    v->asking = true;
    v->asked_generation = token.generation;
    v->asked_at = now.mono;
}

static void watch(struct validate *v, struct now now, struct validate_facts *facts)
{
    bool done = http_state(v->http, v->slot) == HTTP_DONE;
    for (struct span body = http_body(v->http, v->slot); body.len > 0;
         body = http_body(v->http, v->slot)) {
        v->taken += body.len;
        http_consume(v->http, v->slot, body.len);
    }
    if (!done) {
        return;
    }
    judge(v, now, facts);
    http_release(v->http, v->slot);
    v->asking = false;
    if (v->todo == 0) {
        schedule(v, now);
    }
}

// ---- what others call -------------------------------------------------------

void validate_init(struct validate *v, const struct validate_setup *setup)
{
    memset(v, 0, sizeof(*v));
    v->config = setup->config;
    v->http = setup->http;
    v->slot = setup->slot;
    v->ca_pem = setup->ca_pem;
    v->whole = true;
}

/// Something is to be asked now, and a request may be started.
static struct mono
go_on(struct validate *v, struct validate_token token, struct now now, struct validate_facts *facts)
{
    if (v->todo == 0 && mono_due(v->next, now.mono)) {
        if (wants_newer_token(v)) {
            facts->token_stale = true;
            facts->refused = token.generation;
            v->fetching = true;
            v->next = mono_after(now.mono, VALIDATE_FETCH_MS);
            return v->next;
        }
        begin_round(v, now);
    }
    if (v->todo == 0) {
        return later(v->next, now.mono);
    }
    if (mono_due(v->hold, now.mono)) {
        start(v, token, now);
    }
    // Once more: a request that is refused is done already.
    return v->asking ? now.mono : v->hold;
}

struct mono validate_step(struct validate *v,
                          struct validate_token token,
                          struct now now,
                          struct validate_facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    v->stepped = now.mono;
    if (v->asking) {
        watch(v, now, facts);
    }
    if (v->asking || token.authorization.len == 0) {
        return MONO_NEVER;
    }
    if (!v->seen || v->generation != token.generation) {
        take_token(v, token, now);
    }
    if (v->refused && v->refused_generation == token.generation) {
        return MONO_NEVER; // until there is another
    }
    return go_on(v, token, now, facts);
}

void validate_ask(struct validate *v, struct now now)
{
    v->whole = true;
    v->next = mono_min(v->next, later(now.mono, v->ask_after));
}

void validate_doubt(struct validate *v, struct now now)
{
    if (mono_due(v->doubt_after, now.mono)) {
        v->doubt_after = mono_after(now.mono, VALIDATE_SOON_MS);
        validate_ask(v, now);
    }
}

const struct validate_row *validate_row(const struct validate *v, enum config_permission p)
{
    ASSERT(p < CONFIG_PERMISSIONS);
    return &v->rows[p];
}

bool validate_is_busy(const struct validate *v)
{
    return v->asking || v->todo != 0 || mono_due(v->next, v->stepped);
}

struct mono validate_next(const struct validate *v)
{
    return later(v->next, v->hold);
}

struct activity validate_activity(const struct validate *v)
{
    // Without a token, whoever fetches it is busy or waits.
    return (struct activity){
        .kind = v->asking ? ACTIVITY_BUSY : ACTIVITY_IDLE,
        .until = MONO_NEVER,
        .progress = (uint64_t)v->asked_at.ms + v->taken, // one request has one moment
        .failures = v->failures,
    };
}

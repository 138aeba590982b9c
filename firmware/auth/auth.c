// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The sign-in as a machine: WAITING, ASKING, FRESH. A token that is being renewed stays in use
 * until it expires, so whether there is one is not a state. Two waits are kept apart: after
 * failures to get a token (by cause), and after tokens that Graph refuses (by number).
 */
#include "auth/auth.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/backoff.h"
#include "hal/entropy.h"

#include "auth_request.h"
#include "auth_state.h"
#include "auth_switch.h"
#include "sys/fault.h"
#include "sys/log.h"

#define TOTAL_MS_MAX 60000 ///< a token answer is small: nobody waits ten minutes for it
#define EXPIRY_MARGIN_MS                                                                           \
    30000                 ///< a token is not used in its last moments: the request has to get there
#define RENEW_MS_MIN 1000 ///< between a token and its renewal, however short it lives
#define LOCAL_CAP_MS 15000 ///< longest wait for what is missing on the box itself: time, credential
#define SLOW_BASE_OF_CAP                                                                           \
    6 ///< slow pace in multiples of retry_cap_ms: 15 to 60 minutes at its default
#define SLOW_CAP_OF_CAP 12
// An assertion is good from 60 s before our time to 540 s after it; Date has whole seconds, hence 5
// s less on both sides.
#define PEER_BEHIND_MS_MAX (AUTH_ASSERTION_BEFORE_MS - 5000)
#define PEER_AHEAD_MS_MAX  (AUTH_ASSERTION_LIFE_MS - AUTH_ASSERTION_BEFORE_MS - 5000)

static const char bearer_prefix[] = "Authorization: Bearer ";

const uint8_t auth_next[AUTH_STATES][AUTH_EVENTS] = {
    [AUTH_WAITING] = {[AUTH_EV_ASKED] = AUTH_ASKING,
                      [AUTH_EV_CANNOT] = AUTH_WAITING,
                      [AUTH_EV_REJECTED] = AUTH_WAITING},
    [AUTH_ASKING] = {[AUTH_EV_GOT] = AUTH_FRESH,
                     [AUTH_EV_FAILED] = AUTH_WAITING,
                     [AUTH_EV_REJECTED] = AUTH_ASKING},
    [AUTH_FRESH] = {[AUTH_EV_ASKED] = AUTH_ASKING,
                    [AUTH_EV_CANNOT] = AUTH_WAITING,
                    [AUTH_EV_REJECTED] = AUTH_WAITING},
};

static void auth_go(struct auth *a, enum auth_event event, struct mono now)
{
    enum auth_state next = (enum auth_state)auth_next[a->state][event];
    ASSERT(next != AUTH_ILLEGAL); // our bug: a peer can only cause FAILED
    if (next != a->state) {
        LOG_DEBUG("ev=auth_state from=%d to=%d", (int)a->state, (int)next);
        a->state = next;
        a->since = now;
    }
}

// ---- the token --------------------------------------------------------------

static bool has_token(const struct auth *a, struct mono now)
{
    return a->bearer_len > 0 && !mono_due(a->good_until, now);
}

static void drop_token(struct auth *a)
{
    bytes_wipe(a->bearer, a->bearer_len);
    a->bearer_len = 0;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/// Life counts from the moment of asking: the answer may have been long on its way.
static void take_life(struct auth *a, uint32_t expires_s, struct mono now)
{
    int64_t life_ms = (int64_t)expires_s * 1000;
    int64_t tenth = life_ms / 10;
    int64_t jitter = (int64_t)(hal_entropy_u64() % (uint64_t)tenth);
    a->life_ms = life_ms;
    a->good_until = mono_after(a->asked_at, life_ms - smaller(tenth, EXPIRY_MARGIN_MS));
    a->next.ms = larger(a->asked_at.ms + 8 * tenth - jitter, now.ms + RENEW_MS_MIN);
}

static void got(struct auth *a, uint32_t expires_s, struct now now)
{
    bool recovered = a->told != AUTH_CAUSE_NONE || a->status.tokens == 0;
    a->generation++;
    a->status.tokens++;
    take_life(a, expires_s, now.mono);
    if (recovered) {
        LOG_INFO("ev=auth_token_good expires_s=%" PRIu32 " failures=%" PRIu32 " sign_ms=%" PRIu32,
                 expires_s,
                 a->status.failures,
                 a->store->sign_ms);
    }
    a->told = AUTH_CAUSE_NONE;
    a->cause = AUTH_CAUSE_NONE;
    a->offset_retried = false;
    a->status.failures = 0;
    a->status.aadsts = 0;
    a->status.trace_id[0] = '\0';
    auth_switch_accepted(a, now);
    auth_go(a, AUTH_EV_GOT, now.mono);
}

// ---- failures ---------------------------------------------------------------

/// What went wrong with one attempt, and what the peer said about it.
struct failure {
    enum auth_cause cause;
    enum rc rc;
    int status;             ///< HTTP
    int detail;             ///< AADSTS or library code
    int64_t retry_after_ms; ///< 0: none
    bool at_once;           ///< the one retry with a corrected time
    bool local;             ///< nobody was asked: something is missing on the box
    const char *client_request_id;
};

static int64_t delay_of(const struct auth *a, const struct failure *f)
{
    if (f->at_once) {
        return 0;
    }
    int64_t base = a->config->call_records.retry_base_ms;
    int64_t cap = a->config->call_records.retry_cap_ms;
    if (f->local) {
        cap = smaller(cap, LOCAL_CAP_MS);
        base = smaller(base, cap);
    } else if (auth_cause_info(f->cause)->pace == AUTH_PACE_SLOW) {
        base = cap * SLOW_BASE_OF_CAP;
        cap = cap * SLOW_CAP_OF_CAP;
    } else if (f->cause == AUTH_CAUSE_THROTTLED && f->retry_after_ms == 0) {
        base = cap; // told to slow down without a time: not a second later
    }
    int64_t delay = backoff_ms(a->status.failures, base, cap, hal_entropy_u64());
    int64_t asked = f->retry_after_ms > 0 ? jitter_ms(f->retry_after_ms, hal_entropy_u64()) : 0;
    return larger(delay, asked);
}

static void failed(struct auth *a, enum auth_event event, const struct failure *f, struct now now)
{
    a->cause = f->cause;
    a->status.failures += a->status.failures < UINT32_MAX;
    int64_t delay_ms = delay_of(a, f);
    a->next = mono_after(now.mono, delay_ms);
    if (f->cause == AUTH_CAUSE_THROTTLED || f->retry_after_ms > 0) {
        a->hold = a->next;
    }
    if (!f->local ||
        a->told != f->cause) { // what is missing stays missing: one row in the ring is enough
        const struct fault_detail detail = {.status = f->status,
                                            .code = f->detail,
                                            .request_id = a->status.trace_id,
                                            .client_request_id = f->client_request_id};
        fault_note(now, "auth.token", f->rc, &detail);
    }
    if (a->told != f->cause) { // once per episode, and when it turns into something else
        const struct auth_cause_info *info = auth_cause_info(f->cause);
        LOG_WARN("ev=auth_failed code=%s cause=%s aadsts=%d status=%d trace_id=%s failures=%" PRIu32
                 " retry_ms=%" PRId64
                 " token_good=%d text=\"%s The box tries again by itself.%s%s\"",
                 info->code,
                 info->key,
                 a->status.aadsts,
                 f->status,
                 a->status.trace_id,
                 a->status.failures,
                 delay_ms,
                 has_token(a, now.mono),
                 info->what,
                 info->advice[0] != '\0' ? " " : "",
                 info->advice);
        a->told = f->cause;
    }
    auth_go(a, event, now.mono);
}

/// Nothing could be sent.
static void cannot(struct auth *a, enum auth_cause cause, enum rc rc, struct now now)
{
    struct failure f = {.cause = cause, .rc = rc, .local = true, .client_request_id = ""};
    a->status.aadsts = 0;
    a->status.trace_id[0] = '\0';
    failed(a, AUTH_EV_CANNOT, &f, now);
}

static enum auth_cause cause_of_fail(enum http_fail fail)
{
    switch (fail) {
    case HTTP_FAIL_TRUST:
        return AUTH_CAUSE_TRUST;
    case HTTP_FAIL_TOOBIG:
    case HTTP_FAIL_ENCODING:
        return AUTH_CAUSE_NONSENSE;
    case HTTP_FAIL_REFUSED:
        return AUTH_CAUSE_CONFIGURATION;
    default:
        return AUTH_CAUSE_NETWORK;
    }
}

/// Entra found fault with the assertion's time: by its own word, or because its Date lies outside
/// the time we wrote.
static bool
is_clock_fault(const struct auth *a, enum auth_cause cause, int64_t date_ms, struct now now)
{
    if (cause == AUTH_CAUSE_CLOCK) {
        return true;
    }
    if (cause != AUTH_CAUSE_CERT_REJECTED || date_ms == 0) {
        return false;
    }
    int64_t peer_ahead_ms = date_ms - (now.wall.ms + a->offset_ms);
    return peer_ahead_ms < -PEER_BEHIND_MS_MAX || peer_ahead_ms > PEER_AHEAD_MS_MAX;
}

static void correct_clock(struct auth *a, int64_t date_ms, struct now now, struct failure *f)
{
    f->cause = AUTH_CAUSE_CLOCK;
    if (date_ms == 0) {
        return;
    }
    a->offset_ms = date_ms - now.wall.ms;
    f->at_once = !a->offset_retried;
    a->offset_retried = true;
}

static enum auth_cause refine(const struct auth *a, enum auth_cause cause)
{
    if (cause == AUTH_CAUSE_CERT_REJECTED && a->config->credential == CREDENTIAL_SECRET) {
        return AUTH_CAUSE_SECRET_WRONG;
    }
    if (cause == AUTH_CAUSE_SECRET_WRONG && a->config->credential == CREDENTIAL_CERTIFICATE) {
        cause = AUTH_CAUSE_CERT_REJECTED;
    }
    return cause == AUTH_CAUSE_CERT_REJECTED && a->certificate_expired ? AUTH_CAUSE_CERT_EXPIRED
                                                                       : cause;
}

/// Entra found fault with what proves that it is us, or with nothing that time would mend.
static bool is_of_credential(const struct auth *a, enum auth_cause cause)
{
    switch (cause) {
    case AUTH_CAUSE_SECRET_WRONG:
    case AUTH_CAUSE_SECRET_EXPIRED:
    case AUTH_CAUSE_CERT_REJECTED:
    case AUTH_CAUSE_CERT_EXPIRED:
        return true;
    default: // the next one is on trial: whatever is wrong with it, the one in use is asked with
        return a->asking == CREDENTIAL_NEXT && !a->second &&
               auth_cause_info(cause)->pace == AUTH_PACE_SLOW;
    }
}

/// The same attempt, with the other credential, at once.
static bool turns_to_other(struct auth *a, enum auth_cause *cause, struct now now)
{
    if (!is_of_credential(a, *cause)) {
        auth_switch_over(a);
        return false;
    }
    return auth_switch_refused(a, cause, now);
}

// ---- an answer --------------------------------------------------------------

static void note_answer(struct auth *a, const struct auth_answer *answer)
{
    a->status.aadsts = answer->aadsts;
    memcpy(a->status.trace_id, answer->trace_id, sizeof(a->status.trace_id));
}

static void refused(struct auth *a,
                    const struct auth_answer *answer,
                    const struct http_result *result,
                    struct now now)
{
    struct failure f = {.rc = RC_DENIED,
                        .status = result->status,
                        .detail = answer->aadsts,
                        .retry_after_ms = result->retry_after_ms,
                        .client_request_id = result->client_request_id};
    bool second = a->second && a->asking == CREDENTIAL_NEXT;
    f.cause =
        refine(a, auth_cause_of(span_from_str(answer->error), answer->aadsts, result->status));
    if (is_clock_fault(a, f.cause, result->date_ms, now)) {
        correct_clock(a, result->date_ms, now, &f);
        if (!f.at_once) {
            auth_switch_over(a);
        }
    } else if (turns_to_other(a, &f.cause, now)) {
        note_answer(a, answer);
        a->next = now.mono;
        auth_go(a, AUTH_EV_FAILED, now.mono);
        return;
    }
    if (!second || !is_of_credential(a, f.cause)) { // of both refusals the first one is told
        note_answer(a, answer);
    }
    failed(a, AUTH_EV_FAILED, &f, now);
}

static void unanswered(struct auth *a, const struct http_result *result, struct now now)
{
    struct failure f = {.cause = cause_of_fail(result->fail),
                        .rc = RC_RETRY,
                        .status = result->status,
                        .detail = result->detail,
                        .retry_after_ms = result->retry_after_ms,
                        .client_request_id = result->client_request_id};
    a->status.aadsts = 0;
    a->status.trace_id[0] = '\0';
    auth_switch_over(a);
    failed(a, AUTH_EV_FAILED, &f, now);
}

static void judge(struct auth *a, struct now now)
{
    const struct http_result *result = http_result(a->http, a->slot);
    if (result->date_ms != 0) {
        a->status.clock_offset_ms = result->date_ms - now.wall.ms;
    }
    if (result->fail != HTTP_OK) {
        unanswered(a, result, now);
        return;
    }
    struct auth_answer answer;
    char token[AUTH_TOKEN_BYTES_MAX];
    struct buf fresh = BUF(token);
    enum rc rc = auth_answer_read(
        (struct span){.ptr = a->answer, .len = a->answer_len}, a->arena, &fresh, &answer);
    if (rc == RC_OK && result->status == 200) {
        drop_token(a);
        struct buf line = BUF(a->bearer);
        buf_put_str(&line, bearer_prefix);
        buf_put(&line, buf_span(&fresh));
        ASSERT(buf_ok(&line));
        a->bearer_len = line.len;
        auth_claims_read(buf_span(&fresh), a->arena, &a->claims);
        got(a, answer.expires_s, now);
    } else {
        refused(a, &answer, result, now); // without an error in it the status says what it is
    }
    bytes_wipe(token, fresh.len);
}

/// Takes what arrived; what is too long for an answer is counted but not kept, which makes it
/// unreadable.
static void drain(struct auth *a)
{
    for (struct span got_now = http_body(a->http, a->slot); got_now.len > 0;
         got_now = http_body(a->http, a->slot)) {
        size_t room = sizeof(a->answer) - a->answer_len;
        size_t len = got_now.len < room ? got_now.len : room;
        memcpy(a->answer + a->answer_len, got_now.ptr, len);
        a->answer_len += len;
        http_consume(a->http, a->slot, got_now.len); // so each turn makes the ring emptier
    }
}

static struct mono watch(struct auth *a, struct now now)
{
    bool done = http_state(a->http, a->slot) == HTTP_DONE;
    drain(a);
    if (!done) {
        return MONO_NEVER;
    }
    judge(a, now);
    http_release(a->http, a->slot);
    auth_request_wipe(a);
    bytes_wipe(a->answer, a->answer_len);
    a->answer_len = 0;
    return a->next;
}

// ---- a request --------------------------------------------------------------

static RC start_request(struct auth *a, struct now now)
{
    const struct config *c = a->config;
    struct http_request request = {
        .post = true,
        .url = {.ptr = a->url, .len = a->url_len},
        .headers = {SPAN("Content-Type: application/x-www-form-urlencoded"),
                    SPAN("Accept: application/json")},
        .body = {.ptr = a->body, .len = a->body_len},
        .trust = a->ca_pem.len > 0 ? HTTP_TRUST_CA : HTTP_TRUST_ROOTS,
        .ca_pem = a->ca_pem,
        .proxy = span_from_str(c->proxy),
        .connect_ms = c->connect_ms,
        .total_ms = c->total_ms < TOTAL_MS_MAX ? c->total_ms : TOTAL_MS_MAX,
        .stall_ms = c->stall_ms,
        .body_bytes_max = AUTH_ANSWER_BYTES_MAX,
        .secret_answer = true,
    };
    return http_start(a->http, a->slot, &request, now);
}

static void begin(struct auth *a, struct now now)
{
    auth_switch_begin(a, now);
    enum rc rc = auth_request_build(a, now.wall.ms + a->offset_ms);
    enum auth_cause cause = AUTH_CAUSE_NO_CREDENTIAL;
    if (rc != RC_OK && rc != RC_RETRY && auth_switch_refused(a, &cause, now)) {
        rc = auth_request_build(a, now.wall.ms + a->offset_ms);
    }
    if (rc != RC_OK) {
        auth_switch_over(a);
        cannot(a, rc == RC_RETRY ? AUTH_CAUSE_STORE_BUSY : cause, rc, now);
        return;
    }
    if (start_request(a, now) !=
        RC_OK) { // the pool is full for the moment: says nothing about the sign-in
        auth_request_wipe(a);
        a->next = mono_after(now.mono,
                             jitter_ms(a->config->call_records.retry_base_ms, hal_entropy_u64()));
        auth_go(a, AUTH_EV_CANNOT, now.mono);
        return;
    }
    a->asked_at = now.mono;
    auth_go(a, AUTH_EV_ASKED, now.mono);
}

// ---- what others call -------------------------------------------------------

void auth_init(struct auth *a, const struct auth_setup *setup)
{
    memset(a, 0, sizeof(*a));
    a->config = setup->config;
    a->http = setup->http;
    a->slot = setup->slot;
    a->store = setup->store;
    a->ca_pem = setup->ca_pem;
    a->time_trusted = setup->time_trusted;
    a->generation = setup->generation;
    a->state = AUTH_WAITING;
    a->cause = AUTH_CAUSE_STARTING;
    a->status.cause = AUTH_CAUSE_STARTING;
}

static void show(struct auth *a, struct mono now)
{
    bool good = has_token(a, now);
    enum auth_cause without = a->cause != AUTH_CAUSE_NONE ? a->cause : AUTH_CAUSE_STARTING;
    without = a->time_trusted ? without : AUTH_CAUSE_CLOCK;
    a->status.cause = good ? AUTH_CAUSE_NONE : without;
    a->status.next_attempt = a->state == AUTH_ASKING ? now : a->next;
}

struct mono auth_step(struct auth *a, struct now now)
{
    struct mono again = a->next;
    if (!a->looked) { // before the time is known, too: it is shown
        auth_switch_look(a, now);
        a->looked = true;
    }
    if (!config_is_there(a->config)) {
        return MONO_NEVER; // nobody to sign in to
    }
    a->time_trusted = a->time_trusted || now.wall.quality == CLOCK_TRUSTED;
    if (!a->time_trusted) {
        again = MONO_NEVER; // whoever asks for the time says what is wrong, and wakes us
    } else if (a->state == AUTH_ASKING) {
        again = watch(a, now);
    } else if (mono_due(a->next, now.mono)) {
        begin(a, now);
        again = a->state == AUTH_ASKING
                    ? now.mono
                    : a->next; // once more: a request that is refused is done already
    }
    if (a->bearer_len > 0 && !has_token(a, now.mono)) {
        drop_token(a);
    }
    show(a, now.mono);
    return a->bearer_len > 0 ? mono_min(again, a->good_until) : again;
}

struct span auth_bearer(const struct auth *a, struct now now)
{
    return has_token(a, now.mono) ? (struct span){.ptr = a->bearer, .len = a->bearer_len}
                                  : SPAN_NONE;
}

void auth_reject(struct auth *a, uint32_t generation, struct now now)
{
    if (generation != a->generation || a->bearer_len == 0) {
        return; // an answer to an older token, or one more request that carried this one
    }
    drop_token(a);
    bool repeated = a->rejects > 0 && !mono_due(a->rejects_until, now.mono);
    a->rejects = repeated ? a->rejects + (a->rejects < UINT32_MAX) : 1;
    a->rejects_until = mono_after(now.mono, a->life_ms);
    if (a->state != AUTH_ASKING) {
        const struct config_call_records *calls = &a->config->call_records;
        int64_t wait_ms =
            repeated ? backoff_ms(
                           a->rejects, calls->retry_base_ms, calls->retry_cap_ms, hal_entropy_u64())
                     : 0;
        a->next.ms = larger(now.mono.ms + wait_ms, a->hold.ms);
    }
    LOG_WARN("ev=auth_token_rejected times=%" PRIu32, a->rejects);
    auth_go(a, AUTH_EV_REJECTED, now.mono);
    show(a, now.mono);
}

void auth_renew(struct auth *a, struct now now)
{
    int64_t at_ms = larger(a->asked_at.ms + AUTH_RENEW_MS_MIN, a->hold.ms);
    if (a->state != AUTH_ASKING) {
        a->next = mono_min(a->next, (struct mono){.ms = larger(at_ms, now.mono.ms)});
    }
}

unsigned auth_roles(const struct auth *a, bool *readable)
{
    *readable = a->claims.readable;
    return a->claims.roles;
}

uint32_t auth_generation(const struct auth *a)
{
    return a->generation;
}

const struct auth_status *auth_status(const struct auth *a)
{
    return &a->status;
}

int64_t auth_offset_ms(const struct auth *a)
{
    return a->offset_ms;
}

const struct credential_status *auth_credentials(const struct auth *a)
{
    return &a->credentials;
}

struct activity auth_activity(const struct auth *a)
{
    if (!a->time_trusted || !config_is_there(a->config)) {
        return (struct activity){.kind = ACTIVITY_IDLE}; // whoever asks for the time is busy
    }
    bool asking = a->state == AUTH_ASKING;
    struct mono next = a->bearer_len > 0 ? mono_min(a->next, a->good_until) : a->next;
    return (struct activity){
        .kind = asking ? ACTIVITY_BUSY : ACTIVITY_WAITING,
        .until = asking ? MONO_NEVER : next,
        .progress = (uint64_t)a->asked_at.ms + a->answer_len, // one request has one moment
        .failures = a->status.failures,
    };
}

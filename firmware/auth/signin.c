// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A person's sign-in: when something is asked. What is asked of whom is `ask`, one request at a
 * time; the state is what people see. The weekly use of the refresh token happens beside OFF, DONE,
 * FAILED and LOST, and changes the state only if it says something new.
 */
#include "auth/signin.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crypto.h"
#include "hal/entropy.h"

#include "auth/life_kept.h"
#include "signin_outcome.h"
#include "signin_request.h"
#include "signin_state.h"
#include "sys/log.h"

#define LOAD_AGAIN_MS 5000

static struct mono mono_later(struct mono a, struct mono b)
{
    return a.ms > b.ms ? a : b;
}

// ---- a request --------------------------------------------------------------

static void watch(struct signin *s, struct now now)
{
    bool done = http_state(s->http, s->slot) == HTTP_DONE;
    for (struct span got = http_body(s->http, s->slot); got.len > 0;
         got = http_body(s->http, s->slot)) {
        size_t room = sizeof(s->answer) - s->answer_len;
        size_t len = got.len < room ? got.len : room;
        memcpy(s->answer + s->answer_len, got.ptr, len); // what is cut off makes it unreadable
        s->answer_len += len;
        http_consume(s->http, s->slot, got.len);
    }
    if (done) {
        signin_judge(s, now);
    }
}

static void ask(struct signin *s, struct now now)
{
    enum rc rc = signin_request_build(s, now.wall.ms + s->offset_ms);
    if (rc == RC_OK) {
        rc = signin_request_start(s, now);
    }
    if (rc == RC_OK) {
        s->asking = true;
        s->asked_at = now.mono;
    } else if (rc == RC_RETRY) { // the store is busy, or the pool is full: says nothing
        signin_request_wipe(s);
        s->next = mono_after(now.mono, SIGNIN_PUT_MS);
    } else if (rc == RC_NOTFOUND) { // somebody removed the refresh token
        signin_lose(s, SIGNIN_CAUSE_REVOKED, 0, now);
    } else {
        LOG_WARN("ev=signin_unreadable rc=%s now=not_asked", rc_name(rc));
        const struct signin_refusal r = {.cause = SIGNIN_CAUSE_STORE};
        signin_refused(s, &r, now);
    }
}

// ---- what was kept ----------------------------------------------------------

static void load(struct signin *s, struct now now)
{
    char token[SIGNIN_REFRESH_BYTES_MAX];
    struct buf refresh = BUF(token);
    struct buf who = buf_of(s->status.who, sizeof(s->status.who) - 1u);
    uint32_t subject = life_subject(s->config);
    enum rc rc = signin_recall(s->store, SIGNIN_REFRESH_NAME, subject, &s->refreshed_ms, &refresh);
    enum rc who_rc = signin_recall(s->store, SIGNIN_WHO_NAME, subject, &s->status.at_ms, &who);
    buf_wipe(&refresh);
    if (who_rc != RC_OK) {
        memset(s->status.who, 0, sizeof(s->status.who));
        s->status.at_ms = 0;
    }
    if (rc == RC_RETRY || who_rc == RC_RETRY) {
        s->load_at = mono_after(now.mono, LOAD_AGAIN_MS);
        return;
    }
    s->loaded = true;
    s->has_refresh = rc == RC_OK;
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        LOG_WARN("ev=signin_unreadable rc=%s now=sign_in_again", rc_name(rc));
    }
    if (!signin_knows_who(s)) {
        return;
    }
    s->rest = s->has_refresh ? SIGNIN_DONE : SIGNIN_LOST;
    s->status.cause = s->has_refresh ? SIGNIN_CAUSE_NONE : SIGNIN_CAUSE_REVOKED;
    if (s->state == SIGNIN_OFF) { // else somebody was faster than the store
        signin_go(s, s->has_refresh ? SIGNIN_EV_BACK : SIGNIN_EV_LOST);
    }
}

/// Wall time decides: a week may pass while the box is off.
static struct mono use_at(const struct signin *s, struct now now)
{
    bool free = s->state != SIGNIN_CODE && s->state != SIGNIN_DEVICE && s->state != SIGNIN_ASKING;
    if (!s->has_refresh || !free || now.wall.quality != CLOCK_TRUSTED) {
        return MONO_NEVER;
    }
    int64_t age_ms = now.wall.ms - s->refreshed_ms;
    bool due = !signin_knows_who(s) || age_ms < -SIGNIN_USE_MS;
    int64_t left_ms = due || age_ms >= SIGNIN_USE_MS ? 0 : SIGNIN_USE_MS - age_ms;
    return mono_later(mono_after(now.mono, left_ms), s->use_after);
}

/// Nobody used the link or the code in time.
static void over(struct signin *s, struct now now)
{
    if (s->state == SIGNIN_DEVICE) {
        signin_fail(s, SIGNIN_CAUSE_EXPIRED, 0, now);
        return;
    }
    LOG_INFO("ev=signin_link_forgotten");
    signin_stop(s);
    s->status.cause = s->rest == SIGNIN_LOST ? SIGNIN_CAUSE_REVOKED : SIGNIN_CAUSE_NONE;
    signin_go(s,
              s->rest == SIGNIN_DONE   ? SIGNIN_EV_OVER_DONE
              : s->rest == SIGNIN_LOST ? SIGNIN_EV_OVER_LOST
                                       : SIGNIN_EV_OVER);
}

// ---- what others call -------------------------------------------------------

void signin_init(struct signin *s, const struct signin_setup *setup)
{
    memset(s, 0, sizeof(*s));
    s->config = setup->config;
    s->http = setup->http;
    s->slot = setup->slot;
    s->store = setup->store;
    s->ca_pem = setup->ca_pem;
    s->state = SIGNIN_OFF;
    s->rest = SIGNIN_OFF;
    s->status.state = SIGNIN_OFF;
    s->status.until = MONO_NEVER;
}

void signin_set_offset(struct signin *s, int64_t offset_ms)
{
    s->offset_ms = offset_ms;
}

/// What is due, before anything is asked.
static void catch_up(struct signin *s, struct now now)
{
    if (!s->loaded && mono_due(s->load_at, now.mono)) {
        load(s, now);
    }
    if (s->held) {
        if (mono_due(s->next, now.mono)) {
            signin_once_more(s, now);
        }
    } else if (mono_due(s->status.until, now.mono)) {
        over(s, now);
    }
    if (s->ask == SIGNIN_ASK_NONE && mono_due(use_at(s, now), now.mono)) {
        s->ask = SIGNIN_ASK_REFRESH;
        s->next = now.mono;
    }
}

static struct mono wake(const struct signin *s, struct now now)
{
    struct mono at = s->ask == SIGNIN_ASK_NONE ? use_at(s, now) : s->next;
    at = s->held ? at : mono_min(at, s->status.until);
    return s->loaded ? at : mono_min(at, s->load_at);
}

struct mono signin_step(struct signin *s, struct now now)
{
    if (s->asking) {
        watch(s, now);
    }
    if (s->asking) {
        return MONO_NEVER;
    }
    catch_up(s, now);
    if (s->ask != SIGNIN_ASK_NONE && !s->held && mono_due(s->next, now.mono)) {
        ask(s, now);
    }
    // Once more: a request that is refused is done already.
    return s->asking ? now.mono : wake(s, now);
}

static void begin_attempt(struct signin *s)
{
    signin_stop(s);
    s->status.cause = SIGNIN_CAUSE_NONE;
    s->status.aadsts = 0;
}

RC signin_begin_link(struct signin *s, struct now now, struct buf *link)
{
    char text[CONSENT_LINK_BYTES_MAX], code_challenge[SIGNIN_VERIFIER_BYTES];
    char state[CONSENT_STATE_BYTES], verifier[SIGNIN_VERIFIER_BYTES];
    uint8_t random[CONSENT_RANDOM_BYTES + SHA256_BYTES], digest[SHA256_BYTES];
    struct buf made = BUF(text), challenge = BUF(code_challenge), secret = BUF(verifier);
    if (now.wall.quality != CLOCK_TRUSTED) {
        return RC_RETRY;
    }
    hal_entropy_fill(random, sizeof(random));
    consent_make_state(random, state);
    buf_put_base64url(
        &secret,
        (struct span){.ptr = (const char *)random + CONSENT_RANDOM_BYTES, .len = SHA256_BYTES});
    sha256(buf_span(&secret), digest); // RFC 7636 4.2, S256
    buf_put_base64url(&challenge, (struct span){.ptr = (const char *)digest, .len = SHA256_BYTES});
    ASSERT(buf_terminate(&secret));
    consent_sign_in_link(s->config, state, buf_span(&challenge), &made);
    if (buf_ok(&made)) {
        begin_attempt(s);
        memcpy(s->link, text, made.len);
        memcpy(s->link_state, state, sizeof(state));
        memcpy(s->verifier, verifier, sizeof(verifier));
        s->link_len = made.len;
        s->status.until = mono_after(now.mono, SIGNIN_LINK_MS);
        signin_go(s, SIGNIN_EV_LINK);
        LOG_INFO("ev=signin_link");
        buf_put(link, signin_link(s));
    }
    bytes_wipe(random, sizeof(random));
    bytes_wipe(verifier, sizeof(verifier));
    return buf_ok(&made) ? RC_OK : RC_TOOBIG;
}

void signin_begin_device(struct signin *s, struct now now)
{
    if (now.wall.quality != CLOCK_TRUSTED || !mono_due(s->device_after, now.mono)) {
        LOG_INFO("ev=signin_device_passed_over");
        return;
    }
    s->device_after = mono_after(now.mono, SIGNIN_DEVICE_AGAIN_MS);
    begin_attempt(s);
    s->ask = SIGNIN_ASK_DEVICE_BEGIN;
    s->next = now.mono;
    signin_go(s, SIGNIN_EV_ASK);
}

const char *signin_link_state(const struct signin *s)
{
    return s->state == SIGNIN_CODE ? s->link_state : "";
}

struct span signin_link(const struct signin *s)
{
    return s->state == SIGNIN_CODE ? (struct span){.ptr = s->link, .len = s->link_len} : SPAN_NONE;
}

void signin_redirected(struct signin *s, const struct consent_redirect *r, struct now now)
{
    if (s->state != SIGNIN_CODE) {
        return;
    }
    if (r->kind == CONSENT_REFUSED && r->sign_in) {
        struct span error = r->error[0] != '\0' ? span_from_str(r->error) : SPAN("unnamed");
        signin_fail(s, signin_cause_of(SIGNIN_ASK_LINK, error, r->aadsts, 0), r->aadsts, now);
    } else if (r->kind == CONSENT_CODE) {
        memcpy(s->code, r->code, sizeof(r->code));
        s->ask = SIGNIN_ASK_CODE;
        s->next = now.mono;
        s->status.until = MONO_NEVER;
        signin_go(s, SIGNIN_EV_ASK);
    }
}

const struct signin_status *signin_status(const struct signin *s)
{
    return &s->status;
}

const char *signin_state_name(enum signin_state state)
{
    static const char *const names[] = {
        [SIGNIN_ILLEGAL] = "illegal",
        [SIGNIN_OFF] = "off",
        [SIGNIN_CODE] = "code",
        [SIGNIN_DEVICE] = "device",
        [SIGNIN_ASKING] = "asking",
        [SIGNIN_DONE] = "done",
        [SIGNIN_FAILED] = "failed",
        [SIGNIN_LOST] = "lost",
    };
    ASSERT((size_t)state < sizeof(names) / sizeof(names[0]));
    return names[state];
}

struct activity signin_activity(const struct signin *s)
{
    bool waits = s->ask != SIGNIN_ASK_NONE;
    return (struct activity){
        .kind = s->asking ? ACTIVITY_BUSY
                : waits   ? ACTIVITY_WAITING
                          : ACTIVITY_IDLE,
        .until = s->asking || !waits ? MONO_NEVER : s->next,
        .progress = (uint64_t)s->asked_at.ms + s->answer_len, // one request has one moment
        .failures = s->tries,
    };
}

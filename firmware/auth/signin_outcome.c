// SPDX-License-Identifier: Apache-2.0
#include "signin_outcome.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/backoff.h"
#include "hal/entropy.h"

#include "auth/life_kept.h"
#include "signin_request.h"
#include "sys/fault.h"
#include "sys/log.h"

// clang-format off
const uint8_t signin_next[SIGNIN_LOST + 1][SIGNIN_EVENTS] = {
    [SIGNIN_OFF] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_TOKEN] = SIGNIN_ASKING, [SIGNIN_EV_FAILED] = SIGNIN_FAILED,
        [SIGNIN_EV_LOST] = SIGNIN_LOST, [SIGNIN_EV_BACK] = SIGNIN_DONE },
    [SIGNIN_CODE] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_FAILED] = SIGNIN_FAILED, [SIGNIN_EV_OVER] = SIGNIN_OFF,
        [SIGNIN_EV_OVER_DONE] = SIGNIN_DONE, [SIGNIN_EV_OVER_LOST] = SIGNIN_LOST },
    [SIGNIN_DEVICE] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_TOKEN] = SIGNIN_ASKING, [SIGNIN_EV_FAILED] = SIGNIN_FAILED },
    [SIGNIN_ASKING] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_SHOWN] = SIGNIN_DEVICE, [SIGNIN_EV_TOKEN] = SIGNIN_ASKING,
        [SIGNIN_EV_WHO] = SIGNIN_DONE, [SIGNIN_EV_FAILED] = SIGNIN_FAILED },
    [SIGNIN_DONE] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_LOST] = SIGNIN_LOST },
    [SIGNIN_FAILED] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_TOKEN] = SIGNIN_ASKING, [SIGNIN_EV_FAILED] = SIGNIN_FAILED,
        [SIGNIN_EV_LOST] = SIGNIN_LOST },
    [SIGNIN_LOST] = { [SIGNIN_EV_LINK] = SIGNIN_CODE, [SIGNIN_EV_ASK] = SIGNIN_ASKING,
        [SIGNIN_EV_LOST] = SIGNIN_LOST, [SIGNIN_EV_BACK] = SIGNIN_DONE },
};

// clang-format on

void signin_go(struct signin *s, enum signin_event event)
{
    enum signin_state next = (enum signin_state)signin_next[s->state][event];
    ASSERT(next != SIGNIN_ILLEGAL); // our bug: a peer can only cause FAILED and LOST
    if (next != s->state) {
        LOG_DEBUG("ev=signin_state from=%d to=%d", (int)s->state, (int)next);
        s->state = next;
        s->status.state = next;
    }
}

static struct mono later(struct mono a, struct mono b)
{
    return a.ms > b.ms ? a : b;
}

bool signin_knows_who(const struct signin *s)
{
    return s->status.who[0] != '\0';
}

// ---- the end of an attempt --------------------------------------------------

static void wipe_link(struct signin *s)
{
    bytes_wipe(s->link, sizeof(s->link));
    bytes_wipe(s->link_state, sizeof(s->link_state));
    bytes_wipe(s->verifier, sizeof(s->verifier));
    s->link_len = 0;
}

/// Nothing is asked any more, and nothing of what was is kept.
void signin_stop(struct signin *s)
{
    if (s->asking) {
        http_release(s->http, s->slot);
    }
    s->ask = SIGNIN_ASK_NONE;
    s->asking = false;
    s->held = false;
    s->flipped = false;
    s->tries = 0;
    s->puts = 0;
    signin_request_wipe(s);
    wipe_link(s);
    bytes_wipe(s->code, sizeof(s->code));
    bytes_wipe(s->bearer, sizeof(s->bearer));
    s->bearer_len = 0;
    memset(s->status.user_code, 0, sizeof(s->status.user_code));
    memset(s->status.verify_at, 0, sizeof(s->status.verify_at));
    s->status.until = MONO_NEVER;
}

void signin_fail(struct signin *s, enum signin_cause cause, int aadsts, struct now now)
{
    LOG_WARN("ev=signin_failed cause=%s aadsts=%d text=\"%s\"",
             signin_cause_name(cause),
             aadsts,
             signin_cause_text(cause));
    signin_stop(s);
    s->status.cause = cause;
    s->status.aadsts = aadsts;
    // A token that is kept without a name is asked for it again, but not by somebody who hurries.
    s->use_failures += s->use_failures < UINT32_MAX;
    int64_t wait_ms =
        cause == SIGNIN_CAUSE_NETWORK
            ? backoff_ms(s->use_failures, SIGNIN_USE_BASE_MS, SIGNIN_USE_CAP_MS, hal_entropy_u64())
            : SIGNIN_USE_MS;
    s->use_after = mono_after(now.mono, wait_ms);
    signin_go(s, SIGNIN_EV_FAILED);
}

/// The refresh token is of no use, for a person's reasons: said once, and tried again in a week if
/// it may become of use.
void signin_lose(struct signin *s, enum signin_cause cause, int aadsts, struct now now)
{
    if (cause == SIGNIN_CAUSE_REVOKED) {
        enum rc rc = signin_forget(s->store, SIGNIN_REFRESH_NAME);
        s->has_refresh = rc != RC_OK;
    }
    if (!signin_knows_who(s)) {
        signin_fail(s, cause, aadsts, now);
        return;
    }
    signin_stop(s);
    s->use_after = mono_after(now.mono, SIGNIN_USE_MS);
    if (s->state != SIGNIN_LOST || s->status.cause != cause) {
        LOG_WARN("ev=signin_lost cause=%s aadsts=%d text=\"%s\"",
                 signin_cause_name(cause),
                 aadsts,
                 signin_cause_text(cause));
    }
    s->status.cause = cause;
    s->status.aadsts = aadsts;
    s->rest = SIGNIN_LOST;
    signin_go(s, SIGNIN_EV_LOST);
}

// ---- answers that refuse ----------------------------------------------------

static struct mono again_at(const struct signin *s, const struct signin_refusal *r, struct now now)
{
    const struct config_call_records *c = &s->config->call_records;
    uint32_t tries = s->tries > 0 ? s->tries : 1u;
    int64_t ms = backoff_ms(tries, c->retry_base_ms, c->retry_cap_ms, hal_entropy_u64());
    int64_t asked = r->retry_after_ms > 0 ? jitter_ms(r->retry_after_ms, hal_entropy_u64()) : 0;
    return mono_after(now.mono, ms > asked ? ms : asked);
}

/// RFC 8628 3.5. False: the poll is over.
static bool poll_goes_on(struct signin *s, const struct signin_refusal *r, struct now now)
{
    struct mono at = mono_after(now.mono, s->interval_ms);
    if (span_equal(r->error, SPAN("slow_down"))) {
        s->interval_ms += SIGNIN_SLOWER_MS;
        at = mono_after(now.mono, s->interval_ms);
    } else if (r->cause == SIGNIN_CAUSE_NETWORK) {
        s->tries += s->tries < UINT32_MAX;
        at = later(at, again_at(s, r, now));
    } else if (!span_equal(r->error, SPAN("authorization_pending"))) {
        return false;
    }
    s->next = at;
    return true;
}

static void use_later(struct signin *s, const struct signin_refusal *r, struct now now)
{
    signin_stop(s);
    s->use_failures += s->use_failures < UINT32_MAX;
    int64_t ms =
        backoff_ms(s->use_failures, SIGNIN_USE_BASE_MS, SIGNIN_USE_CAP_MS, hal_entropy_u64());
    s->use_after = mono_after(now.mono, ms > r->retry_after_ms ? ms : r->retry_after_ms);
}

/// Entra wants a credential of some clients and none of others, which no request can know before:
/// its redirect address's platform decides. Once for each exchange.
static bool proof_was_wrong(const struct signin *s, const struct signin_refusal *r)
{
    return !s->flipped && ((r->aadsts == 700025 && s->proved) ||
                           (r->aadsts == 7000218 && !s->proved && s->public_client));
}

void signin_refused(struct signin *s, const struct signin_refusal *r, struct now now)
{
    if (proof_was_wrong(s, r)) {
        s->flipped = true;
        s->public_client = !s->public_client;
        s->next = now.mono;
        LOG_INFO(
            "ev=signin_proof aadsts=%d now=%s", r->aadsts, s->public_client ? "without" : "with");
    } else if (s->ask == SIGNIN_ASK_DEVICE && poll_goes_on(s, r, now)) {
        return;
    } else if (s->ask == SIGNIN_ASK_REFRESH && r->cause == SIGNIN_CAUSE_NETWORK) {
        use_later(s, r, now);
    } else if (s->ask == SIGNIN_ASK_REFRESH) {
        signin_lose(s, r->cause, r->aadsts, now);
    } else if (r->cause == SIGNIN_CAUSE_NETWORK && ++s->tries < SIGNIN_TRIES_MAX) {
        s->next = again_at(s, r, now);
    } else {
        signin_fail(s, r->cause, r->aadsts, now);
    }
}

// ---- answers that grant -----------------------------------------------------

static struct span answer_of(const struct signin *s)
{
    return (struct span){.ptr = s->answer, .len = s->answer_len};
}

/// Somebody else's name must not stand beside this token, whenever the power is cut.
static RC keep_tokens(struct signin *s, struct span refresh, struct now now)
{
    if (s->ask != SIGNIN_ASK_REFRESH) {
        TRY(signin_forget(s->store, SIGNIN_WHO_NAME));
        memset(s->status.who, 0, sizeof(s->status.who));
        s->status.at_ms = 0;
        s->rest = SIGNIN_OFF;
    }
    TRY(signin_keep(s->store, SIGNIN_REFRESH_NAME, life_subject(s->config), now.wall.ms, refresh));
    s->loaded = true; // whatever was there before
    s->has_refresh = true;
    s->refreshed_ms = now.wall.ms;
    return RC_OK;
}

/// The access token is not used. Of a busy store once more, with the same answer.
static void not_kept(struct signin *s, enum rc rc, struct now now)
{
    fault_note(now, "auth.signin_keep", rc, NULL);
    if (rc == RC_RETRY && ++s->puts < SIGNIN_PUTS_MAX) {
        s->held = true;
        s->next = mono_after(now.mono, SIGNIN_PUT_MS);
        return;
    }
    LOG_WARN("ev=signin_not_kept rc=%s now=not_used", rc_name(rc));
    if (s->ask == SIGNIN_ASK_REFRESH) { // the old one serves
        const struct signin_refusal r = {.cause = SIGNIN_CAUSE_STORE};
        use_later(s, &r, now);
        return;
    }
    signin_fail(s, SIGNIN_CAUSE_STORE, 0, now);
}

static void used(struct signin *s)
{
    signin_stop(s);
    s->use_failures = 0;
    LOG_DEBUG("ev=signin_refreshed");
    if (s->state == SIGNIN_LOST) {
        LOG_INFO("ev=signin_back");
        s->status.cause = SIGNIN_CAUSE_NONE;
        s->status.aadsts = 0;
        signin_go(s, SIGNIN_EV_BACK);
    }
    s->rest = SIGNIN_DONE;
}

static bool other_tenant(const struct signin *s, const char *tid)
{
    return tid[0] != '\0' && !span_equal(span_from_str(tid), span_from_str(s->config->tenant_id));
}

/// `bearer` holds the access token already.
static void granted(struct signin *s, struct now now)
{
    char bytes[SIGNIN_REFRESH_BYTES_MAX];
    struct signin_grants grants = {.refresh = BUF(bytes)};
    enum rc rc = signin_read_grants(answer_of(s), s->arena, &grants);
    bool none = rc != RC_OK || !buf_ok(&grants.refresh);
    bool foreign = other_tenant(s, grants.tid);
    if (none && s->ask == SIGNIN_ASK_REFRESH && !foreign) { // RFC 6749 6: the old one goes on
        none = false;
        s->refreshed_ms = now.wall.ms;
        rc = RC_OK;
    } else if (!none && !foreign) {
        rc = keep_tokens(s, buf_span(&grants.refresh), now);
    }
    buf_wipe(&grants.refresh);
    if (none || foreign) {
        enum signin_cause cause = foreign ? SIGNIN_CAUSE_TENANT : SIGNIN_CAUSE_CONFIGURATION;
        const struct signin_refusal r = {.cause = cause};
        signin_refused(s, &r, now);
    } else if (rc != RC_OK) {
        not_kept(s, rc, now);
    } else if (s->ask == SIGNIN_ASK_REFRESH && signin_knows_who(s)) {
        used(s);
    } else {
        s->ask = SIGNIN_ASK_ME;
        s->next = now.mono;
        s->tries = 0;
        s->status.until = MONO_NEVER; // the code was used: what expires now is nobody's loss
        signin_go(s, SIGNIN_EV_TOKEN);
    }
}

static void shown(struct signin *s, struct now now)
{
    struct signin_device device = {.code = buf_of(s->code, SIGNIN_DEVICE_BYTES_MAX)};
    if (signin_read_device(answer_of(s), s->arena, &device) != RC_OK) {
        const struct signin_refusal r = {.cause = SIGNIN_CAUSE_NETWORK};
        bytes_wipe(s->code, sizeof(s->code));
        signin_refused(s, &r, now);
        return;
    }
    s->code[device.code.len] = '\0';
    memcpy(s->status.user_code, device.user_code, sizeof(s->status.user_code));
    memcpy(s->status.verify_at, device.verify_at, sizeof(s->status.verify_at));
    s->status.until = mono_after(now.mono, device.expires_ms);
    s->interval_ms = device.interval_ms;
    s->ask = SIGNIN_ASK_DEVICE;
    s->tries = 0;
    s->next = mono_after(now.mono, s->interval_ms);
    LOG_INFO("ev=signin_device_code expires_s=%" PRId64 " interval_s=%" PRId64,
             device.expires_ms / 1000,
             device.interval_ms / 1000);
    signin_go(s, SIGNIN_EV_SHOWN);
}

/// From Graph: the status says it all.
static enum signin_cause cause_of_me(const struct http_result *r)
{
    if (r->status == 403) {
        return SIGNIN_CAUSE_CONSENT;
    }
    bool final = r->status >= 400 && r->status < 500 && r->status != 429 && r->status != 408;
    return final ? SIGNIN_CAUSE_CONFIGURATION : SIGNIN_CAUSE_NETWORK;
}

static void me(struct signin *s, const struct http_result *result, struct now now)
{
    char who[SIGNIN_WHO_BYTES];
    if (result->fail != HTTP_OK || result->status != 200 ||
        signin_read_me(answer_of(s), s->arena, who) != RC_OK) {
        const struct signin_refusal r = {.cause = cause_of_me(result),
                                         .retry_after_ms = result->retry_after_ms};
        signin_refused(s, &r, now);
        return;
    }
    memcpy(s->status.who, who, sizeof(who));
    s->status.at_ms = now.wall.ms;
    enum rc rc = signin_keep(
        s->store, SIGNIN_WHO_NAME, life_subject(s->config), now.wall.ms, span_from_str(who));
    if (rc != RC_OK) { // after a restart, the refresh token tells it again
        fault_note(now, "auth.signin_keep", rc, NULL);
        LOG_WARN("ev=signin_not_kept rc=%s now=asked_again_after_restart", rc_name(rc));
    }
    signin_stop(s);
    s->use_failures = 0;
    s->rest = SIGNIN_DONE;
    LOG_INFO("ev=signin_done");
    signin_go(s, SIGNIN_EV_WHO);
}

// ---- an answer --------------------------------------------------------------

static enum signin_cause cause_of_fail(enum http_fail fail)
{
    return fail == HTTP_FAIL_REFUSED ? SIGNIN_CAUSE_CONFIGURATION : SIGNIN_CAUSE_NETWORK;
}

static bool is_pending(const struct auth_answer *answer)
{
    return span_equal(span_from_str(answer->error), SPAN("authorization_pending"));
}

static void note(const struct http_result *r, const struct auth_answer *answer, struct now now)
{
    const struct fault_detail detail = {.status = r->status,
                                        .code = answer->aadsts,
                                        .request_id = answer->trace_id,
                                        .client_request_id = r->client_request_id};
    fault_note(now, "auth.signin", RC_DENIED, &detail);
}

/// Of the token endpoint, or of the one for device codes.
static void judge_entra(struct signin *s, const struct http_result *result, struct now now)
{
    struct auth_answer answer;
    struct buf line = BUF(s->bearer);
    buf_put_str(&line, "Authorization: Bearer ");
    enum rc rc = auth_answer_read(answer_of(s), s->arena, &line, &answer);
    bool good = result->fail == HTTP_OK && result->status == 200;
    if (good && s->ask == SIGNIN_ASK_DEVICE_BEGIN && rc != RC_DENIED) {
        shown(s, now);
        return;
    }
    if (good && rc == RC_OK && buf_ok(&line)) {
        s->bearer_len = line.len;
        granted(s, now);
        return;
    }
    struct signin_refusal r = {.error = span_from_str(answer.error),
                               .aadsts = answer.aadsts,
                               .retry_after_ms = result->retry_after_ms};
    r.cause = result->fail != HTTP_OK ? cause_of_fail(result->fail)
                                      : signin_cause_of(s->ask, r.error, r.aadsts, result->status);
    buf_wipe(&line);
    if (!is_pending(&answer)) {
        note(result, &answer, now);
    }
    signin_refused(s, &r, now);
}

void signin_judge(struct signin *s, struct now now)
{
    struct http_result result = *http_result(s->http, s->slot);
    http_release(s->http, s->slot);
    s->asking = false;
    if (s->ask == SIGNIN_ASK_ME) {
        me(s, &result, now);
    } else {
        judge_entra(s, &result, now);
    }
    if (!s->held) {
        signin_request_wipe(s);
    }
}

void signin_once_more(struct signin *s, struct now now)
{
    s->held = false;
    granted(s, now);
    if (!s->held) {
        signin_request_wipe(s);
    }
}

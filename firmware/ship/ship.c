// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The state machine of one sink. The table says what may follow what; ship_step does one bounded
 * piece of it. A batch stays in hand, byte for byte, until the spool has its acknowledgement: every
 * repeat is the same request. Once the sink has answered, it is never asked again about it, even if
 * burying or acknowledging has to wait for the device.
 */
#include "ship/ship.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/backoff.h"
#include "hal/entropy.h"

#include "ship/ship_state.h"
#include "sys/fault.h"
#include "sys/log.h"
#include "sys/pages.h"

/// A missing secret costs no request to look for: an operator who stores it should not wait for the
/// slow probe.
#define LOCAL_PROBE_MS 10000
/// A sink that refuses everything (a broken deployment answers 400 to all) must not fill the
/// quarantine in seconds; a run of events that are really bad must not take hours.
#define FRUITLESS_MS_MAX 2000

const uint8_t ship_next[SHIP_STATES][SHIP_EVENTS] = {
    [SHIP_IDLE] = {[SHIP_EV_WORK] = SHIP_LINGER},
    [SHIP_LINGER] = {[SHIP_EV_EMPTY] = SHIP_IDLE,
                     [SHIP_EV_START] = SHIP_SENDING,
                     [SHIP_EV_WAIT] = SHIP_BACKOFF,
                     [SHIP_EV_HOLD] = SHIP_HOLDING},
    [SHIP_SENDING] = {[SHIP_EV_ANSWERED] = SHIP_SETTLING,
                      [SHIP_EV_SPLIT] = SHIP_LINGER,
                      [SHIP_EV_WAIT] = SHIP_BACKOFF,
                      [SHIP_EV_HOLD] = SHIP_HOLDING},
    [SHIP_SETTLING] = {[SHIP_EV_SETTLED] = SHIP_IDLE,
                       [SHIP_EV_WAIT] = SHIP_BACKOFF,
                       [SHIP_EV_HOLD] = SHIP_HOLDING},
    [SHIP_BACKOFF] = {[SHIP_EV_DUE] = SHIP_LINGER, [SHIP_EV_RESUME] = SHIP_SETTLING},
    [SHIP_HOLDING] = {[SHIP_EV_DUE] = SHIP_LINGER, [SHIP_EV_RESUME] = SHIP_SETTLING},
};

static const char *const state_names[SHIP_STATES] = {
    [SHIP_IDLE] = "idle",
    [SHIP_LINGER] = "idle",
    [SHIP_SENDING] = "sending",
    [SHIP_SETTLING] = "sending",
    [SHIP_BACKOFF] = "backoff",
    [SHIP_HOLDING] = "hold",
};

static void ship_go(struct ship *s, enum ship_event ev)
{
    enum ship_state next = (enum ship_state)ship_next[s->state][ev];
    ASSERT(next != SHIP_ILLEGAL);
    LOG_DEBUG("ev=ship_go sink=%s from=%s to=%s",
              s->sink->name,
              state_names[s->state],
              state_names[next]);
    s->state = next;
    s->status.state = state_names[next];
}

// ---- when it does not go well -------------------------------------------------------------------

static void set_reason(struct ship *s, const char *word)
{
    (void)snprintf(s->word, sizeof(s->word), "%s", word);
}

static void set_reason_status(struct ship *s, int status)
{
    (void)snprintf(s->word, sizeof(s->word), "status_%d", status);
}

/// One WARN when an episode begins; its end tells how many failures there were.
static struct mono wait(struct ship *s, enum ship_event ev, int64_t ms, struct now now)
{
    ship_go(s, ev);
    s->deadline = mono_after(now.mono, ms);
    if (s->trouble == SHIP_ILLEGAL) {
        s->trouble_since = now.mono;
        LOG_WARN("ev=ship_failing sink=%s state=%s reason=%s next_ms=%" PRId64,
                 s->sink->name,
                 s->status.state,
                 s->word,
                 ms);
    } else if (s->trouble != s->state) {
        LOG_INFO("ev=ship_state sink=%s state=%s reason=%s next_ms=%" PRId64,
                 s->sink->name,
                 s->status.state,
                 s->word,
                 ms);
    }
    s->trouble = s->state;
    return s->deadline;
}

static void recovered(struct ship *s, struct now now)
{
    if (s->trouble != SHIP_ILLEGAL) {
        LOG_INFO("ev=ship_recovered sink=%s failures=%" PRIu32 " after_ms=%" PRId64,
                 s->sink->name,
                 s->status.failures,
                 now.mono.ms - s->trouble_since.ms);
    }
    s->trouble = SHIP_ILLEGAL;
    s->status.failures = 0;
    set_reason(s, "");
}

static int64_t backoff(const struct ship *s, uint32_t attempts, int64_t cap_ms)
{
    int64_t base_ms = s->sink->retry_base_ms;
    return backoff_ms(attempts, base_ms, cap_ms < base_ms ? base_ms : cap_ms, hal_entropy_u64());
}

/// @param retry_after_ms  what the sink asked for wins over our own figure; 0: it did not.
static struct mono back_off(struct ship *s, int64_t retry_after_ms, struct now now)
{
    s->status.failures++;
    int64_t ms = retry_after_ms > 0 ? jitter_ms(retry_after_ms, hal_entropy_u64())
                                    : backoff(s, s->status.failures, s->sink->retry_cap_ms);
    return wait(s, SHIP_EV_WAIT, ms, now);
}

static struct mono hold(struct ship *s, struct now now)
{
    s->status.failures++;
    int64_t ms = (int64_t)s->sink->hold_probe_s * 1000;
    return wait(s, SHIP_EV_HOLD, jitter_ms(ms, hal_entropy_u64()), now);
}

static struct mono hold_local(struct ship *s, struct now now)
{
    int64_t ms = (int64_t)s->sink->hold_probe_s * 1000;
    s->status.failures++;
    return wait(s, SHIP_EV_HOLD, ms < LOCAL_PROBE_MS ? ms : LOCAL_PROBE_MS, now);
}

/// Our own store: what a wait may mend is waited for, what is broken is for app to open anew.
static struct mono spool_failed(struct ship *s, enum rc rc, struct now now)
{
    fault_note(now, "ship.spool", rc, NULL);
    if (rc == RC_RETRY || rc == RC_IO || rc == RC_FULL) {
        set_reason(s, rc == RC_RETRY ? "memory" : "spool");
        return back_off(s, 0, now);
    }
    if (strcmp(s->word, "corrupt") != 0) {
        set_reason(s, "corrupt");
        LOG_ERROR("ev=ship_spool_corrupt sink=%s rc=%s", s->sink->name, rc_name(rc));
    }
    return hold(s, now);
}

// ---- sending ------------------------------------------------------------------------------------

static uint64_t unsent(const struct ship *s)
{
    uint64_t durable = spool_stats(s->spool).durable_seq;
    uint64_t acked = spool_acked(s->spool, s->index);
    return durable > acked ? durable - acked : 0;
}

static struct mono step_idle(struct ship *s, struct now now)
{
    uint64_t waiting = unsent(s);
    if (waiting == 0) {
        s->more = false;
        return MONO_NEVER;
    }
    ship_go(s, SHIP_EV_WORK);
    s->deadline = s->more ? now.mono : mono_after(now.mono, s->sink->linger_ms);
    return waiting >= s->events_max ? now.mono : s->deadline;
}

static RC load(struct ship *s)
{
    uint64_t acked = spool_acked(s->spool, s->index);
    struct buf body = buf_of(s->body, sizeof(s->body));
    struct spool_batch b = {0};
    struct spool_want want = {
        .after_seq = acked, .events_max = s->events_max, .raw_max = s->sink->batch_bytes_max};
    TRY(spool_read(s->spool, &want, s->scratch, &body, &b));
    if (b.first_seq <= acked || b.last_seq < b.first_seq ||
        b.last_seq - b.first_seq >= s->events_max || b.count != b.last_seq - b.first_seq + 1u) {
        return RC_CORRUPT;
    }
    s->batch = b;
    s->more = spool_stats(s->spool).durable_seq > b.last_seq;
    s->attempts = 0;
    s->buried = 0;
    ship_answer_init(&s->answer, b.first_seq, b.count);
    return RC_OK;
}

static struct mono start(struct ship *s, struct now now)
{
    const char *problem = "";
    enum rc rc = ship_request_start(s, now, &problem);
    if (rc == RC_OK) {
        s->status.retries += s->attempts > 0 ? 1u : 0u;
        s->attempts++;
        ship_answer_begin(&s->answer);
        ship_go(s, SHIP_EV_START);
        return MONO_NEVER;
    }
    fault_note(now, "ship.start", rc, NULL);
    set_reason(s, problem);
    return rc == RC_RETRY ? back_off(s, 0, now) : hold_local(s, now);
}

static struct mono step_linger(struct ship *s, struct now now)
{
    if (!mono_due(s->deadline, now.mono) && unsent(s) < s->events_max) {
        return s->deadline;
    }
    if (s->batch.count > 0) {
        return start(s, now);
    }
    enum rc rc = load(s);
    if (rc == RC_OK) {
        return start(s, now);
    }
    if (rc == RC_NOTFOUND) {
        s->more = false;
        ship_go(s, SHIP_EV_EMPTY);
        return MONO_NEVER;
    }
    return spool_failed(s, rc, now);
}

static struct mono split(struct ship *s, struct now now)
{
    if (s->batch.count > 1) {
        s->events_max = s->batch.count / 2u;
        s->batch.count = 0;
        s->deadline = now.mono;
        ship_go(s, SHIP_EV_SPLIT);
        return now.mono;
    }
    ship_answer_mark(&s->answer, s->batch.first_seq, span_from_str(s->word));
    s->answered = true;
    ship_go(s, SHIP_EV_ANSWERED);
    return now.mono;
}

static void note_answer(struct ship *s, const struct http_result *r, struct now now)
{
    bool denied = r->fail == HTTP_FAIL_TRUST || r->status == 401 || r->status == 403;
    const struct fault_detail detail = {.status = r->status,
                                        .code = r->detail,
                                        .request_id = r->request_id,
                                        .client_request_id = r->client_request_id};
    fault_note(now, "ship.post", denied ? RC_DENIED : RC_RETRY, &detail);
    if (r->status >= 300) {
        set_reason_status(s, r->status);
    } else {
        set_reason(s, http_fail_name(r->fail));
    }
}

static struct mono answered(struct ship *s, struct now now)
{
    struct http_result r = *http_result(s->http, s->slot);
    enum ship_class class = ship_classify(r.fail, r.status);
    http_release(s->http, s->slot);
    if (class == SHIP_OK) {
        s->answered = true;
        ship_go(s, SHIP_EV_ANSWERED);
        return now.mono;
    }
    note_answer(s, &r, now);
    if (class == SHIP_SPLIT) {
        return split(s, now);
    }
    return class == SHIP_HOLD ? hold(s, now) : back_off(s, r.retry_after_ms, now);
}

static struct mono step_sending(struct ship *s, struct now now)
{
    struct span piece = http_body(s->http, s->slot);
    if (piece.len > 0) {
        int status = http_result(s->http, s->slot)->status;
        if (status >= 200 && status <= 299) {
            ship_answer_push(&s->answer, piece);
        }
        http_consume(s->http, s->slot, piece.len);
        return now.mono;
    }
    ASSERT(http_state(s->http, s->slot) != HTTP_FREE);
    return http_state(s->http, s->slot) == HTTP_DONE ? answered(s, now) : MONO_NEVER;
}

// ---- settling -----------------------------------------------------------------------------------

static struct mono settled(struct ship *s, struct now now)
{
    uint32_t taken = s->batch.count - s->buried;
    s->status.events_sent += taken;
    s->status.batches += taken > 0 ? 1u : 0u;
    s->batch.count = 0;
    s->answered = false;
    recovered(s, now);
    if (taken == 0) {
        s->fruitless++;
        set_reason(s, "buried");
        s->deadline = mono_after(now.mono, backoff(s, s->fruitless, FRUITLESS_MS_MAX));
        ship_go(s, SHIP_EV_WAIT);
        return s->deadline;
    }
    s->fruitless = 0;
    s->events_max = s->events_max > s->sink->batch_events_max / 2u ? s->sink->batch_events_max
                                                                   : s->events_max * 2u;
    ship_go(s, SHIP_EV_SETTLED);
    return now.mono;
}

static struct mono bury(struct ship *s, uint64_t seq, struct span reason, struct now now)
{
    enum rc rc = spool_bury(s->spool, s->index, seq, reason, s->scratch);
    if (rc == RC_OK) {
        ship_answer_unmark(&s->answer, seq);
        s->buried++;
        s->status.events_dead++;
        LOG_WARN("ev=ship_buried sink=%s seq=%" PRIu64 " total=%" PRIu64,
                 s->sink->name,
                 seq,
                 s->status.events_dead);
        return now.mono;
    }
    if (rc != RC_FULL) {
        return spool_failed(s, rc, now);
    }
    fault_note(now, "ship.bury", rc, NULL);
    set_reason(s, "quarantine_full");
    return hold(s, now);
}

static struct mono step_settling(struct ship *s, struct now now)
{
    uint64_t seq = 0;
    struct span reason = SPAN_NONE;
    if (ship_answer_next(&s->answer, &seq, &reason)) {
        return bury(s, seq, reason, now);
    }
    enum rc rc = spool_ack(s->spool, s->index, s->batch.last_seq);
    return rc == RC_OK ? settled(s, now) : spool_failed(s, rc, now);
}

static struct mono step_waiting(struct ship *s, struct now now)
{
    if (!mono_due(s->deadline, now.mono)) {
        return s->deadline;
    }
    s->deadline = now.mono;
    ship_go(s, s->answered ? SHIP_EV_RESUME : SHIP_EV_DUE);
    return now.mono;
}

// ---- the outside --------------------------------------------------------------------------------

void ship_init(struct ship *s, const struct ship_setup *setup)
{
    ASSERT(setup->index < setup->config->sinks_count);
    ASSERT(setup->scratch.cap >= SPOOL_BLOCK_RAW_BYTES_MAX);
    memset(s, 0, offsetof(struct ship, body)); // the body's pages stay untouched
    s->config = setup->config;
    s->sink = &setup->config->sinks[setup->index];
    s->index = setup->index;
    s->http = setup->http;
    s->slot = setup->slot;
    s->spool = setup->spool;
    s->store = setup->store;
    s->ca_pem = setup->ca_pem;
    s->scratch = setup->scratch;
    s->events_max = s->sink->batch_events_max;
    s->state = SHIP_IDLE;
    s->status.state = state_names[SHIP_IDLE];
    s->status.reason = s->word;
    ASSERT(s->events_max >= 1 && s->events_max <= SHIP_BATCH_EVENTS_MAX);
}

struct mono ship_step(struct ship *s, struct now now)
{
    switch (s->state) {
    case SHIP_IDLE:
        return step_idle(s, now);
    case SHIP_LINGER:
        return step_linger(s, now);
    case SHIP_SENDING:
        return step_sending(s, now);
    case SHIP_SETTLING:
        return step_settling(s, now);
    case SHIP_BACKOFF:
    case SHIP_HOLDING:
        return step_waiting(s, now);
    case SHIP_ILLEGAL:
    case SHIP_STATES:
        break;
    }
    ASSERT(false);
    return MONO_NEVER;
}

bool ship_is_idle(const struct ship *s)
{
    return s->state == SHIP_IDLE && unsent(s) == 0;
}

const struct ship_status *ship_status(const struct ship *s)
{
    return &s->status;
}

struct activity ship_activity(const struct ship *s)
{
    bool waits = s->state == SHIP_LINGER || s->state == SHIP_BACKOFF || s->state == SHIP_HOLDING;
    struct activity a = {
        .kind = ship_is_idle(s) ? ACTIVITY_IDLE
                : waits         ? ACTIVITY_WAITING
                                : ACTIVITY_BUSY,
        .until = waits ? s->deadline : MONO_NEVER,
        .progress = s->status.batches + s->status.retries + s->status.events_dead + s->attempts,
        .failures = s->status.failures,
    };
    if (s->state == SHIP_SENDING) { // a large batch over a thin line moves for minutes
        a.progress += http_progress(s->http, s->slot);
    }
    return a;
}

void ship_idle(struct ship *s)
{
    if (s->batch.count == 0) {
        (void)pages_drop(s->body, sizeof(s->body)); // only saves memory
    }
}

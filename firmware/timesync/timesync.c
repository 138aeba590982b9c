// SPDX-License-Identifier: Apache-2.0
/*
 * The questions are asked of addresses that answer without a token and in few bytes, over
 * connections that stay open: the sign-in and the collector go on with them.
 */
#include "timesync/timesync.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/backoff.h"
#include "hal/entropy.h"

#include "sys/fault.h"
#include "sys/log.h"
#include "timesync/timesync_state.h"

#define SYNC_EVERY_MS  INT64_C(21600000) ///< six hours
#define TOTAL_MS_MAX   30000
#define BODY_BYTES_MAX (256u * 1024u) ///< thrown away
#define RETRY_CAP_MS   60000          ///< while the time is unknown: everything waits for it
#define SOON_MS        10000          ///< after a sleep or a step
#define SOON_PAUSE_MS  600000         ///< not more often than that
#define STEP_MS_MIN    2000
#define LOOK_EVERY_MS  1000

static const char *const paths[TIMESYNC_HOSTS] = {
    "/common/v2.0/.well-known/openid-configuration",
    "/v1.0/",
};

const uint8_t timesync_next[TIMESYNC_STATES][TIMESYNC_EVENTS] = {
    [TIMESYNC_WAITING] =
        {[TIMESYNC_EV_ASKED] = TIMESYNC_ASKING, [TIMESYNC_EV_CANNOT] = TIMESYNC_WAITING},
    [TIMESYNC_ASKING] =
        {[TIMESYNC_EV_PROVEN] = TIMESYNC_GOOD, [TIMESYNC_EV_FAILED] = TIMESYNC_WAITING},
    [TIMESYNC_GOOD] =
        {[TIMESYNC_EV_ASKED] = TIMESYNC_ASKING, [TIMESYNC_EV_CANNOT] = TIMESYNC_WAITING},
};

static void timesync_go(struct timesync *t, enum timesync_event event)
{
    enum timesync_state next = (enum timesync_state)timesync_next[t->state][event];
    ASSERT(next != TIMESYNC_ILLEGAL); // our bug: a peer can only cause FAILED
    t->state = next;
    t->progress++;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

// ---- the floor --------------------------------------------------------------

static void store_floor(struct timesync *t, struct mono now)
{
    enum rc rc = hal_clock_store_floor(t->state_fd);
    if (rc != RC_OK && !t->store_failing) {
        LOG_WARN("ev=clock_floor_not_stored cause=%s now=tried_again_later", rc_name(rc));
    }
    t->store_failing = rc != RC_OK;
    t->store_at = mono_after(now, jitter_ms(SYNC_EVERY_MS, hal_entropy_u64()));
}

// ---- steps and sleep --------------------------------------------------------

static void ask_soon(struct timesync *t, struct mono now)
{
    struct mono soon = mono_after(now, jitter_ms(SOON_MS, hal_entropy_u64()));
    if (t->state == TIMESYNC_GOOD && now.ms - t->synced_at.ms > SOON_PAUSE_MS) {
        t->next = mono_min(t->next, soon);
    }
}

/// The kernel's clock is not believed, so its steps change nothing; but who reads our log beside
/// another's wants to know of them.
static void look_at_kernel(struct timesync *t, struct mono now)
{
    struct clock_kernel is = hal_clock_kernel();
    int64_t expected_ms = t->seen.wall_ms + (now.ms - t->seen_at.ms);
    int64_t slept_ms = is.asleep_ms - t->seen.asleep_ms;

    if (t->looked && distance(is.wall_ms, expected_ms) > STEP_MS_MIN) {
        LOG_WARN("ev=clock_stepped by=kernel mono_ms=%" PRId64 " old_ms=%" PRId64 " new_ms=%" PRId64
                 " now=not_believed",
                 now.ms,
                 expected_ms,
                 is.wall_ms);
        ask_soon(t, now);
    }
    if (t->looked && slept_ms > STEP_MS_MIN) {
        LOG_INFO("ev=clock_slept ms=%" PRId64 " now=asking_for_the_time", slept_ms);
        ask_soon(t, now);
    }
    t->looked = true;
    t->seen = is;
    t->seen_at = now;
    t->look_at = mono_after(now, LOOK_EVERY_MS);
}

// ---- an attempt -------------------------------------------------------------

static void attempt_failed(struct timesync *t, enum timesync_cause cause, struct now now)
{
    bool known = now.wall.quality == CLOCK_TRUSTED;
    const struct timesync_cause_info *info = timesync_cause_info(cause);
    int64_t base_ms = t->config->call_records.retry_base_ms;
    int64_t cap_ms = t->config->call_records.retry_cap_ms;
    if (!known && cap_ms > RETRY_CAP_MS) {
        cap_ms = RETRY_CAP_MS > base_ms ? RETRY_CAP_MS : base_ms;
    }

    t->status.failures += t->status.failures < UINT32_MAX;
    t->status.cause = cause;
    int64_t wait_ms = backoff_ms(t->status.failures, base_ms, cap_ms, hal_entropy_u64());
    t->next = mono_after(now.mono, wait_ms);
    t->status.next_attempt = t->next;
    if (cause != t->told) {
        LOG_WARN("ev=%s cause=%s failures=%" PRIu32 " retry_ms=%" PRId64 " text=\"%s\"",
                 known ? "time_not_checked" : "time_unknown",
                 info->key,
                 t->status.failures,
                 wait_ms,
                 info->sentence);
        t->told = cause;
    }
}

/// Within the second that Date leaves open one moment is as good as the other: our own clock's
/// stays if it is among them, else the kernel's, so that nothing jumps to and fro.
static int64_t choose(const struct timesync_verdict *v, struct now now)
{
    int64_t ago_ms = now.mono.ms - v->at.ms;
    int64_t ours_ms = now.wall.ms - ago_ms;
    int64_t kernel_ms = hal_clock_kernel().wall_ms - ago_ms;

    if (now.wall.quality == CLOCK_TRUSTED && distance(ours_ms, v->wall_ms) <= v->unsure_ms) {
        return ours_ms;
    }
    return distance(kernel_ms, v->wall_ms) <= v->unsure_ms ? kernel_ms : v->wall_ms;
}

static void proven(struct timesync *t, const struct timesync_verdict *v, struct now now)
{
    int64_t floor_ms = hal_clock_floor();
    int64_t wall_ms = choose(v, now);
    wall_ms = wall_ms > floor_ms ? wall_ms : floor_ms; // by less than a second
    int64_t is_ms = wall_ms + (now.mono.ms - v->at.ms);
    bool first = now.wall.quality != CLOCK_TRUSTED;

    hal_clock_set(v->at, wall_ms);
    http_prove(t->http, is_ms);
    store_floor(t, now.mono);
    t->status.kernel_offset_ms = is_ms - hal_clock_kernel().wall_ms;
    if (distance(is_ms, now.wall.ms) > STEP_MS_MIN) {
        LOG_WARN("ev=clock_stepped by=https mono_ms=%" PRId64 " old_ms=%" PRId64 " new_ms=%" PRId64,
                 now.mono.ms,
                 now.wall.ms,
                 is_ms);
    }
    if (first || t->told != TIMESYNC_CAUSE_NONE) {
        LOG_INFO("ev=time_trusted failures=%" PRIu32 " spread_ms=%" PRId64
                 " kernel_offset_ms=%" PRId64,
                 t->status.failures,
                 v->spread_ms,
                 t->status.kernel_offset_ms);
    }
    t->told = TIMESYNC_CAUSE_NONE;
    t->status.cause = TIMESYNC_CAUSE_NONE;
    t->status.failures = 0;
    t->status.syncs++;
    t->synced_at = now.mono;
    t->next = mono_after(now.mono, jitter_ms(SYNC_EVERY_MS, hal_entropy_u64()));
    t->status.next_attempt = t->next;
}

static RC start_request(struct timesync *t, unsigned host, struct now now)
{
    const struct config *c = t->config;
    char text[CONFIG_URL_BYTES + 64u];
    struct buf url = BUF(text);
    buf_put_str(&url, host == 0 ? c->authority_url : c->graph_url);
    buf_put_str(&url, paths[host]);
    ASSERT(buf_ok(&url));
    t->answers[host] = (struct timesync_answer){.asked_at = now.mono,
                                                .unproven = now.wall.quality != CLOCK_TRUSTED};
    const struct http_request request = {
        .url = buf_span(&url),
        .headers = {SPAN("Accept: application/json")},
        .trust = t->ca_pem.len > 0 ? HTTP_TRUST_CA : HTTP_TRUST_ROOTS,
        .ca_pem = t->ca_pem,
        .proxy = span_from_str(c->proxy),
        .connect_ms = c->connect_ms,
        .total_ms = c->total_ms < TOTAL_MS_MAX ? c->total_ms : TOTAL_MS_MAX,
        .stall_ms = c->stall_ms,
        .body_bytes_max = BODY_BYTES_MAX,
        .time_unproven = t->answers[host].unproven,
    };
    return http_start(t->http, t->slot + host, &request, now);
}

static void release(struct timesync *t)
{
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        http_release(t->http, t->slot + i);
    }
    sntp_stop(&t->sntp);
}

static void begin(struct timesync *t, struct now now)
{
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        if (start_request(t, i, now) != RC_OK) {
            release(t);
            attempt_failed(t, TIMESYNC_CAUSE_MEMORY, now);
            timesync_go(t, TIMESYNC_EV_CANNOT);
            return;
        }
    }
    sntp_start(&t->sntp, now);
    timesync_go(t, TIMESYNC_EV_ASKED);
}

/// Takes what arrived of one answer. The header's moment is the one that its Date belongs to.
/// @return true when it is complete
static bool take(struct timesync *t, unsigned host, struct mono now)
{
    unsigned slot = t->slot + host;
    struct timesync_answer *a = &t->answers[host];
    bool done = http_state(t->http, slot) == HTTP_DONE;
    const struct http_result *r = http_result(t->http, slot);

    for (struct span s = http_body(t->http, slot); s.len > 0; s = http_body(t->http, slot)) {
        http_consume(t->http, slot, s.len); // so each turn makes the ring emptier
        t->progress++;
    }
    if (a->status == 0 && r->status != 0) {
        a->answered_at = now;
        t->progress++;
    }
    a->fail = r->fail;
    a->status = r->status;
    a->date_ms = r->date_ms;
    a->not_before_ms = r->not_before_ms;
    a->not_after_ms = r->not_after_ms;
    return done;
}

static void judge(struct timesync *t, struct now now)
{
    struct timesync_evidence e = {.sntp_wanted = t->sntp.count > 0, .floor_ms = hal_clock_floor()};
    memcpy(e.hosts, t->answers, sizeof(e.hosts));
    e.sntp_count = sntp_answers(&t->sntp, e.sntp);
    struct timesync_verdict v = timesync_judge(&e);
    for (unsigned i = 0; i < TIMESYNC_HOSTS && v.cause != TIMESYNC_CAUSE_NONE; i++) {
        const struct http_result *r = http_result(t->http, t->slot + i);
        const struct fault_detail detail = {
            .status = r->status, .code = r->detail, .client_request_id = r->client_request_id};
        fault_note(now, "timesync", RC_RETRY, &detail);
    }
    release(t);
    if (v.cause == TIMESYNC_CAUSE_NONE) {
        proven(t, &v, now);
        timesync_go(t, TIMESYNC_EV_PROVEN);
    } else {
        attempt_failed(t, v.cause, now);
        timesync_go(t, TIMESYNC_EV_FAILED);
    }
}

static struct mono watch(struct timesync *t, struct now now)
{
    bool done = true;
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        done = take(t, i, now.mono) && done;
    }
    struct mono next = sntp_step(&t->sntp, hal_clock_floor(), now);
    if (!done || next.ms != MONO_NEVER.ms) {
        return next; // an answer wakes us, too
    }
    judge(t, now);
    return t->state == TIMESYNC_GOOD ? now.mono : t->next; // everybody waits for the time
}

// ---- what others call -------------------------------------------------------

void timesync_init(struct timesync *t, const struct timesync_setup *setup)
{
    memset(t, 0, sizeof(*t));
    t->config = setup->config;
    t->http = setup->http;
    t->slot = setup->slot;
    t->state_fd = setup->state_fd;
    t->ca_pem = setup->ca_pem;
    t->state = TIMESYNC_WAITING;
    t->told = TIMESYNC_CAUSE_STARTING;
    t->status.cause = TIMESYNC_CAUSE_STARTING;
    t->store_at = MONO_NEVER;
    sntp_init(&t->sntp, setup->loop);
    for (unsigned i = 0; i < setup->config->sntp_count; i++) {
        sntp_add(&t->sntp, span_from_str(setup->config->sntp[i]));
    }
}

/// Not while there is no configuration.
static bool has_hosts(const struct timesync *t)
{
    return t->config->authority_url[0] != '\0';
}

struct mono timesync_step(struct timesync *t, struct now now)
{
    if (!has_hosts(t)) {
        return MONO_NEVER; // nobody to ask
    }
    if (mono_due(t->look_at, now.mono)) {
        look_at_kernel(t, now.mono);
    }
    if (mono_due(t->store_at, now.mono)) {
        store_floor(t, now.mono);
    }
    struct mono next = t->next;
    if (t->state == TIMESYNC_ASKING) {
        next = watch(t, now);
    } else if (mono_due(t->next, now.mono)) {
        begin(t, now);
        next = t->state == TIMESYNC_ASKING ? now.mono : t->next;
    }
    return mono_min(next, t->store_at);
}

void timesync_stop(struct timesync *t)
{
    release(t);
    if (t->status.syncs > 0) {
        store_floor(t, t->synced_at);
    }
}

struct activity timesync_activity(const struct timesync *t)
{
    if (!has_hosts(t)) {
        return (struct activity){.kind = ACTIVITY_IDLE};
    }
    return (struct activity){
        .kind = t->state == TIMESYNC_ASKING ? ACTIVITY_BUSY : ACTIVITY_WAITING,
        .until = t->next,
        .progress = t->progress,
        .failures = t->status.failures,
    };
}

const struct timesync_status *timesync_status(const struct timesync *t)
{
    return &t->status;
}

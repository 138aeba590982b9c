// SPDX-License-Identifier: Apache-2.0
#include "app/health.h"

#include "base/assert.h"

#define FEEDS_PER_TIMEOUT 6
#define GRACE_SHARE       4
#define FEED_EARLY_SHARE  3 ///< fed this share of the period early if we are awake anyway

RC health_limits_for(uint32_t timeout_ms, int64_t transfer_ms, struct health_limits *limits)
{
    int64_t timeout = timeout_ms;
    int64_t feed = timeout / FEEDS_PER_TIMEOUT;
    int64_t grace = timeout / GRACE_SHARE;

    feed = feed < HEALTH_FEED_MS_MAX ? feed : HEALTH_FEED_MS_MAX;
    limits->feed_ms = feed;
    limits->grace_ms = grace < HEALTH_GRACE_MS_MAX ? grace : HEALTH_GRACE_MS_MAX;
    limits->busy_ms = transfer_ms + HEALTH_BUSY_MORE_MS;
    return timeout < feed + HEALTH_TURN_MS_MIN + HEALTH_MARGIN_MS ? RC_UNSUPPORTED : RC_OK;
}

void health_init(struct health *h, const struct health_limits *limits, struct mono now)
{
    h->limits = *limits;
    for (unsigned i = 0; i < MACHINES; i++) {
        h->machines[i] = (struct health_machine){.seen = false};
    }
    h->turned = now;
    h->turn_ms = 0;
    h->well_ms = 0;
    h->fed = now;
    h->tried = now;
    h->excused_until = now;
    h->starving = false;
    h->holding = false;
    h->probe = MONO_NEVER;
}

void health_turn(struct health *h, struct mono now)
{
    // We sleep no longer than from one feeding to the next; what is beyond was no sleep of ours but
    // a suspended machine, and nobody had a chance to run.
    int64_t most = h->limits.feed_ms + 1000;
    int64_t ms = now.ms - h->turned.ms;

    h->turn_ms = ms < most ? ms : most;
    h->turned = now;
}

void health_see(struct health *h, unsigned machine, const struct activity *a, struct mono now)
{
    struct health_machine *m = &h->machines[machine];

    ASSERT(machine < MACHINES);
    ASSERT(a->kind != ACTIVITY_ILLEGAL);
    bool moved = !m->seen || a->kind != m->last.kind || a->progress != m->last.progress;
    bool well =
        a->kind == ACTIVITY_IDLE || (a->kind == ACTIVITY_WAITING && !mono_due(a->until, now));
    m->late_ms = moved || well ? 0 : m->late_ms + h->turn_ms;
    m->seen = true;
    m->last = *a;
}

void health_rebuilt(struct health *h, unsigned machine)
{
    ASSERT(machine < MACHINES);
    h->machines[machine] = (struct health_machine){.seen = false};
}

static bool is_late(const struct health *h, const struct health_machine *m)
{
    int64_t limit = m->last.kind == ACTIVITY_BUSY ? h->limits.busy_ms : h->limits.grace_ms;

    return m->seen && m->late_ms >= limit;
}

unsigned health_late(const struct health *h)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        if (is_late(h, &h->machines[i])) {
            return i;
        }
    }
    return MACHINE_NONE;
}

static void hold(struct health *h, struct mono now)
{
    h->holding = true;
    h->probe = mono_after(now, LADDER_PROBE_MS);
}

void health_begin(struct health *h, enum ladder_level level, struct mono now)
{
    if (level == LADDER_REBOOT) {
        h->starving = true;
    } else if (level == LADDER_HOLD) {
        hold(h, now);
    }
}

/// All well: after a while that is a new beginning, and a probe has succeeded.
static void count_well(struct health *h)
{
    h->well_ms += h->turn_ms;
    if (h->well_ms >= LADDER_HEALTHY_MS) {
        h->well_ms = 0;
        ladder_healthy(&h->ladder);
    }
}

struct health_verdict
health_judge(struct health *h, const struct ladder_facts *facts, struct now now)
{
    struct health_verdict v = {.level = LADDER_RETRY, .machine = MACHINE_NONE};
    struct mono not_before = now.mono;

    if (h->starving || h->holding) {
        return v;
    }
    v.machine = health_late(h);
    if (v.machine == MACHINE_NONE) {
        h->excused_until = now.mono;
        count_well(h);
        return v;
    }
    h->well_ms = 0;
    if (!mono_due(h->excused_until, now.mono)) {
        return v;
    }
    v.level = ladder_climb(&h->ladder, (uint8_t)v.machine, facts, now, &not_before);
    if (v.level == LADDER_REBOOT && !mono_due(not_before, now.mono)) {
        h->excused_until = not_before;
        v.level = LADDER_RETRY;
    }
    health_begin(h, v.level, now.mono);
    return v;
}

bool health_probe(struct health *h, struct mono now)
{
    if (!h->holding || !mono_due(h->probe, now)) {
        return false;
    }
    for (unsigned i = 0; i < MACHINES; i++) {
        health_rebuilt(h, i);
    }
    h->holding = false;
    h->well_ms = 0;
    return true;
}

bool health_unbitten(struct health *h, const struct watchdog *w, struct mono now)
{
    bool over = h->starving && mono_due(mono_after(h->fed, 2 * (int64_t)w->timeout_ms), now);

    if (over) {
        h->starving = false;
        ladder_unbitten(&h->ladder);
    }
    return over;
}

/// The only line that feeds.
static bool feed(struct health *h, struct watchdog *w, struct mono now)
{
    bool taken = hal_watchdog_feed(w, now) == RC_OK;

    h->tried = now;
    h->fed = taken ? now : h->fed;
    return taken;
}

void health_feed_start(struct health *h, struct watchdog *w, struct mono now)
{
    bool due = mono_due(mono_after(h->tried, h->limits.feed_ms), now);

    if (due && !h->starving && now.ms - h->turned.ms < HEALTH_START_MS_MAX) {
        (void)feed(h, w, now); // refused: it bites, and the first turn says so
    }
}

struct mono health_feed(struct health *h, struct watchdog *w, struct mono now, bool *failed)
{
    bool excused = h->holding || !mono_due(h->excused_until, now);
    bool good = !h->starving && (excused || health_late(h) == MACHINE_NONE);
    int64_t early_ms = h->limits.feed_ms - h->limits.feed_ms / FEED_EARLY_SHARE;

    if (good && mono_due(mono_after(h->tried, early_ms), now)) {
        *failed = !feed(h, w, now);
    }
    struct mono next = mono_after(h->tried, h->limits.feed_ms);
    return mono_due(next, now) ? mono_after(now, h->limits.feed_ms) : next; // not fed: look again
}

const char *health_machine_name(unsigned machine)
{
    static const char *const names[] = {
        [MACHINE_TIME] = "time",
        [MACHINE_AUTH] = "auth",
        [MACHINE_GRAPH] = "graph",
        [MACHINE_STORE] = "store",
        [MACHINE_HTTP] = "http",
        [MACHINE_VALIDATE] = "validate",
        [MACHINE_SIGNIN] = "signin",
    };

    if (machine >= MACHINE_SHIP && machine < MACHINE_VALIDATE) {
        return "ship";
    }
    return machine < MACHINES                  ? names[machine]
           : machine == LADDER_CAUSE_CRASH     ? "crash"
           : machine == LADDER_CAUSE_BOOT_LOOP ? "boot_loop"
           : machine == LADDER_CAUSE_ENDED     ? "ended"
                                               : "none";
}

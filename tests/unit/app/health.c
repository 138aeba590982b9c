// SPDX-License-Identifier: Apache-2.0
/// Health on virtual time: the real judge and the real ladder, machines that a test moves or
/// freezes, and a watchdog that counts.
#include "app/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seeded.h"

#define TIMEOUT_MS  60000u
#define TRANSFER_MS 75000
#define DAY_MS      INT64_C(86400000)
#define WALL_MS     1795392000000

static struct health h;
static struct watchdog dog;
static struct now now;
static const struct ladder_facts facts = {.probation = 0};

static struct {
    unsigned feeds;
    struct mono last;
    enum rc rc;
} fed;

// The device: what it is told is all that a test needs of it.
RC hal_watchdog_feed(struct watchdog *w, struct mono at)
{
    assert_ptr_equal(w, &dog);
    fed.feeds++;
    fed.last = at;
    return fed.rc;
}

/// A machine of the test: it does what it says, or is frozen.
struct puppet {
    struct activity a;
    bool frozen;
};

static struct puppet puppets[MACHINES];

static int begin(void **state)
{
    struct health_limits limits;

    (void)state;
    now = (struct now){.mono = {.ms = 3600000}, .wall = {.ms = WALL_MS, .quality = CLOCK_TRUSTED}};
    dog = (struct watchdog){.timeout_ms = TIMEOUT_MS};
    fed.feeds = 0;
    fed.last = now.mono;
    fed.rc = RC_OK;
    assert_int_equal(health_limits_for(TIMEOUT_MS, TRANSFER_MS, &limits), RC_OK);
    ladder_init(&h.ladder);
    health_init(&h, &limits, now.mono);
    for (unsigned i = 0; i < MACHINES; i++) {
        puppets[i] = (struct puppet){.a = {.kind = ACTIVITY_IDLE}};
    }
    return 0;
}

/// What a working machine does: serve its wake-up and promise the next.
static void work(struct puppet *p, int64_t period_ms)
{
    if (p->frozen || (p->a.kind == ACTIVITY_WAITING && !mono_due(p->a.until, now.mono))) {
        return;
    }
    if (p->a.kind != ACTIVITY_IDLE) {
        p->a.progress++;
        p->a.until = mono_after(now.mono, period_ms);
    }
}

static struct mono see_all(void)
{
    struct mono wake = MONO_NEVER;

    health_turn(&h, now.mono);
    for (unsigned i = 0; i < MACHINES; i++) {
        health_see(&h, i, &puppets[i].a, now.mono);
        if (!puppets[i].frozen && puppets[i].a.kind == ACTIVITY_WAITING) {
            wake = mono_min(wake, puppets[i].a.until);
        }
    }
    return wake;
}

static void sleep_until(struct mono wake)
{
    int64_t ms = wake.ms > now.mono.ms ? wake.ms - now.mono.ms : 1;

    now.mono.ms += ms;
    now.wall.ms += ms;
}

/// One turn as the app makes it, without doing what the verdict says; then the sleep.
static struct health_verdict turn(int64_t period_ms)
{
    bool failed = false;

    for (unsigned i = 0; i < MACHINES; i++) {
        work(&puppets[i], period_ms);
    }
    struct mono wake = see_all();
    struct health_verdict v = health_judge(&h, &facts, now);
    wake = mono_min(wake, health_feed(&h, &dog, now.mono, &failed));
    sleep_until(wake);
    return v;
}

// ---- limits ----

static void the_limits_follow_the_timeout_that_the_device_took(void **state)
{
    struct health_limits l;

    (void)state;
    assert_int_equal(health_limits_for(60000, TRANSFER_MS, &l), RC_OK);
    assert_int_equal(l.feed_ms, 10000);
    assert_int_equal(l.grace_ms, 15000);
    assert_int_equal(l.busy_ms, TRANSFER_MS + 30000);
    assert_int_equal(health_limits_for(WATCHDOG_TIMEOUT_MS_MAX, TRANSFER_MS, &l), RC_OK);
    assert_int_equal(l.feed_ms, 10000);
    assert_int_equal(health_limits_for(WATCHDOG_TIMEOUT_MS_MIN, TRANSFER_MS, &l), RC_OK);
    assert_int_equal(l.feed_ms, 20000 / 6);
    assert_int_equal(l.grace_ms, 5000);
}

static void a_timeout_without_room_for_a_flush_is_refused(void **state)
{
    struct health_limits l;

    (void)state;
    assert_int_equal(health_limits_for(17999, TRANSFER_MS, &l), RC_OK);
    assert_int_equal(health_limits_for(17998, TRANSFER_MS, &l), RC_UNSUPPORTED);
    assert_int_equal(health_limits_for(1000, TRANSFER_MS, &l), RC_UNSUPPORTED);
}

// ---- feeding ----

static void an_idle_box_is_fed_at_least_every_sixth_of_the_timeout(void **state)
{
    int64_t longest = 0;

    (void)state;
    struct mono end = mono_after(now.mono, 3600000);
    while (now.mono.ms < end.ms) {
        struct mono before = fed.last;
        assert_int_equal(turn(1000).level, LADDER_RETRY);
        longest = fed.last.ms - before.ms > longest ? fed.last.ms - before.ms : longest;
    }
    assert_int_equal(longest, TIMEOUT_MS / 6);
    assert_in_range(fed.feeds, 3600 / 10 - 1, 3600 / 10 + 1);
}

static void a_box_that_is_awake_anyway_is_fed_then(void **state)
{
    (void)state;
    puppets[MACHINE_AUTH].a.kind = ACTIVITY_WAITING;
    for (unsigned i = 0; i < 600; i++) {
        (void)turn(1500); // the heartbeat of the LED, say
    }
    assert_in_range(fed.feeds, 600 * 1500 / 10000, 600 * 1500 / 6600);
}

static void a_device_that_refuses_is_told_of(void **state)
{
    bool failed = false;

    (void)state;
    fed.rc = RC_IO;
    now.mono.ms += 10000;
    (void)see_all();
    (void)health_feed(&h, &dog, now.mono, &failed);
    assert_true(failed);
}

static void a_refusal_is_known_until_a_later_try_is_taken(void **state)
{
    bool failed = false;
    unsigned refusals = 0;

    (void)state;
    struct mono taken = h.fed;
    fed.rc = RC_IO;
    for (unsigned i = 0; i < 60; i++) {
        unsigned tries = fed.feeds;
        now.mono.ms += 1000;
        (void)see_all();
        (void)health_feed(&h, &dog, now.mono, &failed);
        refusals += fed.feeds - tries;
        assert_true(failed == (refusals > 0));
    }
    assert_in_range(refusals, 60 / 10, 60 / 6); // tried at the same pace
    assert_int_equal(h.fed.ms, taken.ms);
    fed.rc = RC_OK;
    now.mono.ms += 10000;
    (void)see_all();
    (void)health_feed(&h, &dog, now.mono, &failed);
    assert_false(failed);
    assert_int_equal(h.fed.ms, now.mono.ms);
}

static void a_start_that_wants_a_reset_does_not_feed(void **state)
{
    (void)state;
    now.mono.ms += 20000;
    health_feed_start(&h, &dog, now.mono);
    assert_int_equal(fed.feeds, 1);
    struct mono last = now.mono;
    health_begin(&h, LADDER_REBOOT, now.mono);
    for (unsigned i = 0; i < 6; i++) {
        now.mono.ms += 10000;
        health_feed_start(&h, &dog, now.mono);
    }
    assert_int_equal(fed.feeds, 1);
    now.mono = mono_after(last, 2 * TIMEOUT_MS - 1); // from the last feeding on
    assert_false(health_unbitten(&h, &dog, now.mono));
    now.mono.ms++;
    assert_true(health_unbitten(&h, &dog, now.mono));
}

/// Let all machines work in their own kind, freeze one, and see when the feeding stops.
static void freeze(unsigned machine, enum activity_kind kind, int64_t limit_ms)
{
    begin(NULL);
    for (unsigned i = 0; i < MACHINES; i++) {
        puppets[i].a.kind = i == machine ? kind : ACTIVITY_WAITING;
    }
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(turn(1000).level, LADDER_RETRY);
    }
    puppets[machine].frozen = true;
    struct mono frozen = now.mono;
    struct mono until = mono_after(frozen, limit_ms + 5000);
    while (now.mono.ms < until.ms) { // nobody restarts anything here
        for (unsigned i = 0; i < MACHINES; i++) {
            work(&puppets[i], 1000);
        }
        bool failed = false;
        struct mono wake = see_all();
        sleep_until(mono_min(wake, health_feed(&h, &dog, now.mono, &failed)));
    }
    assert_int_equal(health_late(&h), machine);
    assert_true(fed.last.ms <= frozen.ms + limit_ms + 2000);
    unsigned feeds = fed.feeds;
    for (unsigned i = 0; i < 300; i++) {
        bool failed = false;
        sleep_until(mono_after(see_all(), 0));
        (void)health_feed(&h, &dog, now.mono, &failed);
    }
    assert_int_equal(fed.feeds, feeds);
}

static void each_machine_that_misses_its_wake_up_stops_the_feeding(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        freeze(i, ACTIVITY_WAITING, 15000 + 1000);
    }
}

static void each_machine_that_is_busy_and_does_not_move_stops_the_feeding(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        freeze(i, ACTIVITY_BUSY, TRANSFER_MS + 30000);
    }
}

static void a_machine_that_spins_without_doing_anything_is_late_too(void **state)
{
    (void)state;
    puppets[MACHINE_GRAPH].a.kind = ACTIVITY_WAITING;
    puppets[MACHINE_GRAPH].frozen = true;
    for (unsigned i = 0; i < 40000 && health_late(&h) == MACHINE_NONE; i++) {
        puppets[MACHINE_GRAPH].a.until = now.mono; // "at once", every time
        (void)see_all();
        now.mono.ms++;
    }
    assert_int_equal(health_late(&h), MACHINE_GRAPH);
}

// ---- what is done about it ----

static void a_late_machine_is_built_anew_first_then_the_process(void **state)
{
    struct health_verdict v = {.level = LADDER_RETRY};

    (void)state;
    puppets[MACHINE_AUTH].a.kind = ACTIVITY_WAITING;
    puppets[MACHINE_AUTH].frozen = true;
    puppets[MACHINE_AUTH].a.until = now.mono;
    struct mono since = now.mono;
    while (v.level == LADDER_RETRY) {
        v = turn(1000);
    }
    assert_int_equal(v.level, LADDER_MODULE);
    assert_int_equal(v.machine, MACHINE_AUTH);
    assert_in_range(now.mono.ms - since.ms, 15000, 15000 + 2 * 10000);
    health_rebuilt(&h, MACHINE_AUTH);
    assert_int_equal(health_late(&h), MACHINE_NONE);
    for (v.level = LADDER_RETRY; v.level == LADDER_RETRY;) {
        v = turn(1000);
    }
    assert_int_equal(v.level, LADDER_PROCESS);
}

/// The process restarts: volatile memory is new, the ladder goes through its record.
static enum ladder_level restart(enum reset_cause cause, bool same_boot)
{
    char bytes[LADDER_RECORD_BYTES];
    struct buf record = BUF(bytes);
    const struct health_limits limits = h.limits;
    const struct reset reset = {.cause = cause, .same_boot = same_boot, .uptime_ms = 600000};

    ladder_encode(&h.ladder, &record);
    assert_int_equal(ladder_decode(&h.ladder, buf_span(&record)), RC_OK);
    if (!same_boot) {
        now.mono.ms = 5000;
    }
    health_init(&h, &limits, now.mono);
    enum ladder_level level = ladder_start(&h.ladder, &reset, &facts, now);
    health_begin(&h, level, now.mono);
    for (unsigned i = 0; i < MACHINES; i++) {
        puppets[i].a.until = mono_after(now.mono, 1000);
    }
    fed.last = now.mono;
    return level;
}

/// Live on with a machine that is frozen whatever is done, obeying every verdict, until `level`.
/// @return restarts of the process on the way
static unsigned live_until(enum ladder_level level, struct mono deadline)
{
    unsigned restarts = 0;

    while (now.mono.ms < deadline.ms) {
        struct health_verdict v = turn(1000);
        if (v.level == level) {
            return restarts;
        }
        if (v.level == LADDER_MODULE) {
            health_rebuilt(&h, v.machine);
        } else if (v.level == LADDER_PROCESS) {
            restarts++;
            assert_int_equal(restart(RESET_ASKED, true), LADDER_RETRY);
        } else {
            assert_int_equal(v.level, LADDER_RETRY);
        }
    }
    fail();
    return 0;
}

static void freeze_for_good(void)
{
    for (unsigned i = 0; i < MACHINES; i++) {
        puppets[i].a.kind = ACTIVITY_WAITING;
    }
    puppets[MACHINE_GRAPH].frozen = true;
}

static void
what_nothing_helps_against_ends_in_a_reset_and_after_three_in_holding_still(void **state)
{
    (void)state;
    freeze_for_good();
    for (unsigned boots = 0; boots < LADDER_REBOOTS_MAX; boots++) {
        unsigned restarts = live_until(LADDER_REBOOT, mono_after(now.mono, 2 * 3600000));
        assert_true(restarts == (boots == 0 ? LADDER_PROCESSES_MAX : 0u));
        assert_true(h.starving);
        unsigned feeds = fed.feeds;
        for (unsigned i = 0; i < 60; i++) { // nothing feeds it any more
            (void)turn(1000);
        }
        assert_int_equal(fed.feeds, feeds);
        assert_int_equal(restart(RESET_WATCHDOG, false), LADDER_RETRY);
    }
    (void)live_until(LADDER_HOLD, mono_after(now.mono, 2 * 3600000));
    assert_true(h.holding);
    unsigned feeds = fed.feeds;
    struct mono end = mono_after(now.mono, LADDER_PROBE_MS - 20000);
    while (now.mono.ms < end.ms) { // it holds still, fed and on
        assert_int_equal(turn(1000).level, LADDER_RETRY);
        assert_false(health_probe(&h, now.mono));
    }
    assert_true(fed.feeds > feeds + 2000);
}

static void while_a_reset_has_to_wait_the_box_is_fed(void **state)
{
    (void)state;
    freeze_for_good();
    (void)live_until(LADDER_REBOOT, mono_after(now.mono, 3600000));
    assert_int_equal(restart(RESET_WATCHDOG, false), LADDER_RETRY);
    struct mono booted = now.mono;
    struct mono last = now.mono;
    while (!h.starving) { // the second has to wait 15 minutes
        assert_true(now.mono.ms - fed.last.ms < TIMEOUT_MS);
        last = now.mono;
        struct health_verdict v = turn(1000);
        if (v.level == LADDER_MODULE) {
            health_rebuilt(&h, v.machine);
        }
    }
    assert_in_range(last.ms - booted.ms, 15 * 60000 - 5000, 15 * 60000 + 30000);
}

static void a_box_that_holds_still_looks_again_and_gets_well(void **state)
{
    (void)state;
    health_begin(&h, LADDER_HOLD, now.mono);
    h.ladder.level = LADDER_HOLD;
    struct mono began = now.mono;
    while (!health_probe(&h, now.mono)) {
        (void)turn(1000);
    }
    assert_true(now.mono.ms - began.ms >= LADDER_PROBE_MS);
    assert_true(now.mono.ms - began.ms <= LADDER_PROBE_MS + 10000);
    assert_false(h.holding);
    while (h.ladder.level == LADDER_HOLD) {
        (void)turn(1000);
    }
    assert_in_range(
        now.mono.ms - began.ms, LADDER_PROBE_MS, LADDER_PROBE_MS + 2 * LADDER_HEALTHY_MS);
}

static void a_watchdog_that_does_not_bite_is_noticed(void **state)
{
    (void)state;
    health_begin(&h, LADDER_REBOOT, now.mono);
    h.ladder.level = LADDER_REBOOT;
    now.mono.ms += 2 * TIMEOUT_MS - 1;
    assert_false(health_unbitten(&h, &dog, now.mono));
    now.mono.ms += 1;
    assert_true(health_unbitten(&h, &dog, now.mono));
    assert_int_equal(h.ladder.level, LADDER_RETRY); // the next life has nothing to wait for
    assert_false(health_unbitten(&h, &dog, now.mono));
    unsigned feeds = fed.feeds;
    for (unsigned i = 0; i < 20; i++) {
        (void)turn(1000);
    }
    assert_true(fed.feeds > feeds);
}

static void half_an_hour_of_health_is_a_new_beginning(void **state)
{
    (void)state;
    h.ladder.level = LADDER_PROCESS;
    h.ladder.cause = MACHINE_AUTH;
    puppets[MACHINE_AUTH].a.kind = ACTIVITY_WAITING;
    struct mono began = now.mono;
    while (h.ladder.level != LADDER_RETRY) {
        (void)turn(1000);
    }
    assert_in_range(now.mono.ms - began.ms, LADDER_HEALTHY_MS, LADDER_HEALTHY_MS + 20000);
    assert_true(h.ladder.changed);
}

// ---- no false alarm ----

/// A machine as they really are: idle, waiting for moments or an hour, busy with pauses that the
/// limits allow.
static void live(struct puppet *p, uint64_t *dice)
{
    if (p->a.kind == ACTIVITY_WAITING && !mono_due(p->a.until, now.mono)) {
        return;
    }
    p->a.progress++;
    switch (seeded_below(dice, 4)) {
    case 0:
        p->a.kind = ACTIVITY_IDLE;
        break;
    case 1:
        p->a.kind = ACTIVITY_BUSY;
        break;
    case 2:
        p->a.kind = ACTIVITY_WAITING;
        p->a.until = mono_after(now.mono, (int64_t)seeded_below(dice, 3600000));
        break;
    default:
        p->a.kind = ACTIVITY_WAITING;
        p->a.until = mono_after(now.mono, (int64_t)seeded_below(dice, 5000));
    }
}

static void disturb(uint64_t *dice)
{
    switch (seeded_below(dice, 4000)) {
    case 0: // the machine sleeps
        now.mono.ms += (int64_t)seeded_below(dice, 8 * 3600000);
        break;
    case 1: // the clock is set, by up to a year, either way
        now.wall.ms += ((int64_t)seeded_below(dice, 2 * 365) - 365) * DAY_MS;
        break;
    case 2: // a flush that takes long
        now.mono.ms += (int64_t)seeded_below(dice, 30000);
        break;
    default:
        break;
    }
}

static void thirty_days_of_ordinary_life_reset_nothing(void **state)
{
    uint64_t dice = 20261123;

    (void)state;
    struct mono end = mono_after(now.mono, 30 * DAY_MS);
    unsigned turns = 0;
    for (; now.mono.ms < end.ms; turns++) {
        bool failed = false;
        for (unsigned i = 0; i < MACHINES; i++) {
            // one that is busy gets an answer within its limit, most often soon
            bool due = puppets[i].a.kind != ACTIVITY_BUSY || seeded_below(&dice, 3) == 0 ||
                       h.machines[i].late_ms > TRANSFER_MS - 20000;
            if (due) {
                live(&puppets[i], &dice);
            }
        }
        struct mono wake = see_all();
        struct health_verdict v = health_judge(&h, &facts, now);
        if (v.level != LADDER_RETRY) {
            fail_msg("machine %u was found late after %u turns", v.machine, turns);
        }
        sleep_until(mono_min(wake, health_feed(&h, &dog, now.mono, &failed)));
        disturb(&dice);
    }
    assert_true(turns > 100000);
    assert_int_equal(h.ladder.processes_count, 0);
}

static void a_sleep_of_hours_makes_nobody_late(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        puppets[i].a.kind = i % 2u == 0 ? ACTIVITY_WAITING : ACTIVITY_BUSY;
    }
    for (unsigned i = 0; i < 100; i++) {
        (void)turn(1000);
        now.mono.ms += 9 * 3600000; // suspended in the middle of the sleep
        assert_int_equal(turn(1000).level, LADDER_RETRY);
    }
    assert_int_equal(health_late(&h), MACHINE_NONE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
    const struct CMUnitTest tests[] = {
        TEST(the_limits_follow_the_timeout_that_the_device_took),
        TEST(a_timeout_without_room_for_a_flush_is_refused),
        TEST(an_idle_box_is_fed_at_least_every_sixth_of_the_timeout),
        TEST(a_box_that_is_awake_anyway_is_fed_then),
        TEST(a_device_that_refuses_is_told_of),
        TEST(a_refusal_is_known_until_a_later_try_is_taken),
        TEST(a_start_that_wants_a_reset_does_not_feed),
        TEST(each_machine_that_misses_its_wake_up_stops_the_feeding),
        TEST(each_machine_that_is_busy_and_does_not_move_stops_the_feeding),
        TEST(a_machine_that_spins_without_doing_anything_is_late_too),
        TEST(a_late_machine_is_built_anew_first_then_the_process),
        TEST(what_nothing_helps_against_ends_in_a_reset_and_after_three_in_holding_still),
        TEST(while_a_reset_has_to_wait_the_box_is_fed),
        TEST(a_box_that_holds_still_looks_again_and_gets_well),
        TEST(a_watchdog_that_does_not_bite_is_noticed),
        TEST(half_an_hour_of_health_is_a_new_beginning),
        TEST(thirty_days_of_ordinary_life_reset_nothing),
        TEST(a_sleep_of_hours_makes_nobody_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

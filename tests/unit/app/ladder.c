// SPDX-License-Identifier: Apache-2.0
/// Every edge of the ladder, with a clock that the test moves.
#include "app/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MIN_MS  INT64_C(60000)
#define HOUR_MS (60 * MIN_MS)
#define CAUSE   2u
#define OTHER   3u

static struct ladder l;
static struct now now;
static struct ladder_facts facts;
static struct mono not_before;

static int begin(void **state)
{
    (void)state;
    ladder_init(&l);
    facts = (struct ladder_facts){.probation = 0};
    now = (struct now){.mono = {.ms = 10 * MIN_MS},
                       .wall = {.ms = 1795392000000, .quality = CLOCK_TRUSTED}};
    return 0;
}

static void pass(int64_t ms)
{
    now.mono.ms += ms;
    now.wall.ms += ms;
}

/// Through the stored form, as every restart goes.
static void store_and_load(void)
{
    char bytes[LADDER_RECORD_BYTES];
    struct buf record = BUF(bytes);

    ladder_encode(&l, &record);
    assert_true(buf_ok(&record));
    assert_int_equal(ladder_decode(&l, buf_span(&record)), RC_OK);
    assert_false(l.changed);
}

static enum ladder_level life(enum reset_cause cause, bool same_boot, int64_t uptime_ms)
{
    const struct reset reset = {
        .cause = cause, .same_boot = same_boot, .uptime_ms = (uint64_t)uptime_ms};

    store_and_load();
    if (!same_boot) {
        now.mono.ms = 10000;
    }
    return ladder_start(&l, &reset, &facts, now);
}

static enum ladder_level climb(uint8_t cause)
{
    return ladder_climb(&l, cause, &facts, now, &not_before);
}

static void first_start(void)
{
    assert_int_equal(life(RESET_FIRST, false, 0), LADDER_RETRY);
    pass(10 * MIN_MS);
}

/// Climb until the level comes, restarting as it says; the cause is always the same.
static enum ladder_level climb_to_reboot(uint8_t cause)
{
    enum ladder_level level = LADDER_RETRY;

    for (unsigned i = 0; i < 20 && level < LADDER_REBOOT; i++) {
        level = climb(cause);
        pass(MIN_MS / 2);
        if (level == LADDER_PROCESS) {
            assert_int_equal(life(RESET_ASKED, true, MIN_MS / 2), LADDER_RETRY);
        }
    }
    return level;
}

static void the_same_cause_again_is_one_level_higher(void **state)
{
    (void)state;
    first_start();
    assert_int_equal(climb(CAUSE), LADDER_MODULE);
    pass(MIN_MS);
    assert_int_equal(climb(CAUSE), LADDER_PROCESS);
}

static void a_module_that_held_for_ten_minutes_begins_below_again(void **state)
{
    (void)state;
    first_start();
    assert_int_equal(climb(CAUSE), LADDER_MODULE);
    pass(10 * MIN_MS - 1);
    assert_int_equal(climb(OTHER), LADDER_MODULE);
    pass(1);
    assert_int_equal(climb(CAUSE), LADDER_MODULE);
}

static void three_modules_in_ten_minutes_are_the_budget_of_level_one(void **state)
{
    (void)state;
    first_start();
    assert_int_equal(climb(1), LADDER_MODULE);
    assert_int_equal(climb(2), LADDER_MODULE);
    assert_int_equal(climb(3), LADDER_MODULE);
    assert_int_equal(climb(4), LADDER_PROCESS);
}

static void a_process_that_was_restarted_for_it_does_not_try_the_module_again(void **state)
{
    (void)state;
    first_start();
    (void)climb(CAUSE);
    assert_int_equal(climb(CAUSE), LADDER_PROCESS);
    assert_int_equal(life(RESET_ASKED, true, MIN_MS), LADDER_RETRY);
    pass(MIN_MS);
    assert_int_equal(climb(OTHER), LADDER_MODULE); // another cause is another story
    assert_int_equal(climb(CAUSE), LADDER_PROCESS);
}

static void five_restarts_of_the_process_are_the_budget_of_level_two(void **state)
{
    (void)state;
    first_start();
    (void)climb(CAUSE);
    for (unsigned i = 0; i < LADDER_PROCESSES_MAX; i++) {
        assert_int_equal(climb(CAUSE), LADDER_PROCESS);
        assert_int_equal(life(RESET_ASKED, true, MIN_MS), LADDER_RETRY);
        pass(MIN_MS);
    }
    assert_int_equal(climb(CAUSE), LADDER_REBOOT);
}

static void restarts_far_apart_count_as_long_as_no_healthy_period_was_between(void **state)
{
    (void)state;
    first_start();
    (void)climb(CAUSE);
    for (unsigned i = 0; i < LADDER_PROCESSES_MAX; i++) {
        assert_int_equal(climb(CAUSE), LADDER_PROCESS);
        assert_int_equal(life(RESET_ASKED, true, MIN_MS), LADDER_RETRY);
        pass(20 * MIN_MS);
    }
    assert_int_equal(climb(CAUSE), LADDER_REBOOT);
}

static void a_healthy_period_and_an_hour_give_the_processes_back(void **state)
{
    (void)state;
    first_start();
    for (unsigned i = 0; i < LADDER_PROCESSES_MAX + 1u; i++) {
        (void)climb(CAUSE);
    }
    pass(59 * MIN_MS);
    ladder_healthy(&l);
    assert_int_equal(l.level, LADDER_RETRY);
    (void)climb(OTHER);
    assert_int_equal(climb(OTHER), LADDER_REBOOT); // still five within the hour
    begin(NULL);
    first_start();
    for (unsigned i = 0; i < LADDER_PROCESSES_MAX + 1u; i++) {
        (void)climb(CAUSE);
    }
    ladder_healthy(&l);
    pass(HOUR_MS);
    (void)climb(OTHER);
    assert_int_equal(climb(OTHER), LADDER_PROCESS);
}

static void reboots_are_spaced_five_fifteen_and_sixty_minutes(void **state)
{
    static const int64_t spacing[] = {5 * MIN_MS, 15 * MIN_MS, 60 * MIN_MS};

    (void)state;
    assert_int_equal(life(RESET_FIRST, false, 0), LADDER_RETRY);
    for (unsigned i = 0; i < LADDER_PROCESSES_MAX + 1u; i++) {
        (void)climb(CAUSE);
    }
    for (unsigned i = 0; i < LADDER_REBOOTS_MAX; i++) {
        int64_t booted = 0;
        now.mono.ms = booted + spacing[i] - 1;
        assert_int_equal(climb(CAUSE), LADDER_REBOOT);
        assert_int_equal(not_before.ms, booted + spacing[i]);
        assert_int_equal(l.reboots_count, i); // not counted as done
        pass(1);
        assert_int_equal(climb(CAUSE), LADDER_REBOOT);
        assert_int_equal(not_before.ms, now.mono.ms);
        assert_int_equal(l.reboots_count, i + 1u);
        assert_int_equal(life(RESET_WATCHDOG, false, spacing[i]), LADDER_RETRY);
    }
}

static void the_fourth_reboot_is_none_the_box_holds_still(void **state)
{
    (void)state;
    first_start();
    for (unsigned i = 0; i < LADDER_REBOOTS_MAX; i++) {
        assert_int_equal(climb_to_reboot(CAUSE), LADDER_REBOOT);
        assert_int_equal(l.reboots_count, i + 1u);
        assert_int_equal(life(RESET_WATCHDOG, false, 10 * MIN_MS), LADDER_RETRY);
        pass(HOUR_MS);
    }
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_HOLD);
    assert_int_equal(l.level, LADDER_HOLD);
    assert_int_equal(l.cause, CAUSE);
    assert_true(l.changed);
    assert_int_equal(climb(OTHER), LADDER_HOLD);
}

static void use_up_reboots(void)
{
    first_start();
    for (unsigned i = 0; i < LADDER_REBOOTS_MAX; i++) {
        (void)climb_to_reboot(CAUSE);
        (void)life(RESET_WATCHDOG, false, 10 * MIN_MS);
        pass(HOUR_MS);
    }
}

static void a_change_on_probation_is_undone_once_then_factory_then_hold(void **state)
{
    (void)state;
    facts.probation = 77;
    use_up_reboots();
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_REVERT);
    store_and_load();
    assert_int_equal(l.reverted, 77);
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_FACTORY);
    store_and_load();
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_HOLD);
}

static void without_a_change_there_is_nothing_to_undo(void **state)
{
    (void)state;
    use_up_reboots();
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_HOLD);
    assert_int_equal(l.reverted, 0);
    assert_false(l.factory);
}

static void what_a_boot_before_used_expires_by_a_trusted_clock(void **state)
{
    (void)state;
    use_up_reboots();
    ladder_healthy(&l);
    now.wall.ms += 24 * HOUR_MS; // switched off for a day
    (void)life(RESET_POWER, false, HOUR_MS);
    pass(HOUR_MS);
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_REBOOT);
}

static void nothing_expires_by_an_untrusted_clock(void **state)
{
    (void)state;
    use_up_reboots();
    ladder_healthy(&l);
    now.wall.quality = CLOCK_FLOOR;
    now.wall.ms += 24 * HOUR_MS * 365;
    (void)life(RESET_POWER, false, HOUR_MS);
    pass(HOUR_MS);
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_HOLD);
}

static void without_a_clock_a_day_in_one_boot_is_a_day(void **state)
{
    (void)state;
    now.wall.quality = CLOCK_UNKNOWN;
    use_up_reboots();
    ladder_healthy(&l);
    pass(24 * HOUR_MS); // whatever was before this boot is at least that old
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_REBOOT);
}

static void a_wall_clock_that_went_back_makes_nothing_younger_or_older(void **state)
{
    (void)state;
    first_start();
    (void)climb_to_reboot(CAUSE);
    now.wall.ms -= 365 * 24 * HOUR_MS;
    (void)life(RESET_WATCHDOG, false, 10 * MIN_MS);
    now.mono.ms = 15 * MIN_MS - 1; // what counts is the time since the boot alone
    assert_int_equal(climb(CAUSE), LADDER_REBOOT);
    assert_int_equal(l.reboots_count, 1);
    pass(1);
    assert_int_equal(climb(CAUSE), LADDER_REBOOT);
    assert_int_equal(l.reboots_count, 2);
}

static void crashes_count_as_restarts_of_the_process(void **state)
{
    (void)state;
    first_start();
    for (unsigned i = 0; i < LADDER_PROCESSES_MAX; i++) {
        assert_int_equal(life(i % 2u == 0 ? RESET_KILLED : RESET_ASSERT, true, 1000), LADDER_RETRY);
        assert_int_equal(l.processes_count, i + 1u);
    }
    now.mono.ms = 5 * MIN_MS - 1;
    assert_int_equal(life(RESET_KILLED, true, 1000), LADDER_RETRY); // too early for a reboot
    pass(1);
    assert_int_equal(life(RESET_KILLED, true, 1000), LADDER_REBOOT);
    assert_int_equal(l.cause, LADDER_CAUSE_CRASH);
}

static void orderly_restarts_and_power_cuts_count_for_nothing(void **state)
{
    static const enum reset_cause harmless[] = {RESET_CLEAN, RESET_POWER};

    (void)state;
    first_start();
    for (unsigned i = 0; i < 60; i++) {
        assert_int_equal(life(harmless[i % 2u], i % 2u == 0, 1000), LADDER_RETRY);
    }
    assert_int_equal(l.processes_count, 0);
    assert_int_equal(l.reboots_count, 0);
    assert_int_equal(l.past_count, LADDER_LIVES_KEPT);
}

static void three_short_boots_in_a_row_are_a_loop(void **state)
{
    (void)state;
    first_start();
    assert_int_equal(life(RESET_WATCHDOG, false, 20000), LADDER_RETRY);
    assert_int_equal(life(RESET_ASKED, true, 1000), LADDER_RETRY); // of the process: no boot
    assert_int_equal(life(RESET_PANIC, false, 0), LADDER_RETRY);   // died before it was noted
    assert_int_equal(life(RESET_WATCHDOG, false, LADDER_LOOP_MS - 1000), LADDER_HOLD);
    assert_int_equal(l.cause, LADDER_CAUSE_BOOT_LOOP);
}

static void a_long_boot_or_an_orderly_one_breaks_the_row(void **state)
{
    (void)state;
    first_start();
    (void)life(RESET_WATCHDOG, false, 20000);
    (void)life(RESET_WATCHDOG, false, 20000);
    assert_int_equal(life(RESET_WATCHDOG, false, LADDER_LOOP_MS), LADDER_RETRY);
    (void)life(RESET_WATCHDOG, false, 20000);
    assert_int_equal(life(RESET_CLEAN, false, 20000), LADDER_RETRY);
    (void)life(RESET_WATCHDOG, false, 20000);
    assert_int_equal(life(RESET_WATCHDOG, false, 20000), LADDER_RETRY);
}

static void a_loop_that_is_over_is_forgotten(void **state)
{
    (void)state;
    first_start();
    for (unsigned i = 0; i < LADDER_LOOP_BOOTS; i++) {
        (void)life(RESET_WATCHDOG, false, 20000);
    }
    assert_int_equal(l.level, LADDER_HOLD);
    pass(LADDER_PROBE_MS + LADDER_HEALTHY_MS);
    ladder_healthy(&l);
    assert_int_equal(life(RESET_KILLED, true, LADDER_PROBE_MS), LADDER_RETRY);
    assert_int_equal(life(RESET_WATCHDOG, false, 20000), LADDER_RETRY);
}

static void a_boot_is_as_long_as_all_its_processes(void **state)
{
    (void)state;
    first_start();
    for (unsigned i = 0; i < LADDER_LOOP_BOOTS; i++) {
        assert_int_equal(life(RESET_CLEAN, true, LADDER_LOOP_MS), LADDER_RETRY);
        assert_int_equal(life(RESET_WATCHDOG, false, 20000), LADDER_RETRY);
    }
    begin(NULL);
    first_start();
    for (unsigned i = 0; i < LADDER_LOOP_BOOTS; i++) {
        assert_int_equal(life(RESET_KILLED, true, LADDER_LOOP_MS - 10000), LADDER_RETRY);
        assert_int_equal(life(RESET_WATCHDOG, false, 10000), LADDER_RETRY);
    }
}

static void a_start_by_hand_breaks_the_row(void **state)
{
    (void)state;
    first_start();
    (void)life(RESET_WATCHDOG, false, 20000);
    (void)life(RESET_WATCHDOG, false, 20000);
    assert_int_equal(life(RESET_CLEAN, true, 1000), LADDER_RETRY);
    assert_int_equal(life(RESET_WATCHDOG, false, 20000), LADDER_RETRY);
}

static void a_process_that_ends_itself_again_and_again_climbs_too(void **state)
{
    (void)state;
    first_start();
    for (unsigned boots = 0; boots < LADDER_REBOOTS_MAX; boots++) {
        for (unsigned i = l.processes_count; i < LADDER_PROCESSES_MAX; i++) {
            assert_int_equal(life(RESET_ASKED, true, 1000), LADDER_RETRY);
            assert_int_equal(l.processes_count, i + 1u);
        }
        pass(HOUR_MS);
        assert_int_equal(life(RESET_ASKED, true, 1000), LADDER_REBOOT);
        assert_int_equal(l.cause, LADDER_CAUSE_ENDED);
        assert_int_equal(life(RESET_WATCHDOG, false, 10 * MIN_MS), LADDER_RETRY);
        pass(HOUR_MS);
    }
    assert_int_equal(life(RESET_ASKED, true, 1000), LADDER_HOLD);
    assert_int_equal(life(RESET_ASKED, true, 1000), LADDER_HOLD);
    assert_int_equal(life(RESET_CLEAN, true, 1000), LADDER_RETRY);
}

static void an_end_by_the_ladders_word_is_counted_once(void **state)
{
    (void)state;
    first_start();
    (void)climb(CAUSE);
    assert_int_equal(climb(CAUSE), LADDER_PROCESS);
    assert_int_equal(life(RESET_ASKED, true, MIN_MS), LADDER_RETRY);
    assert_int_equal(l.processes_count, 1);
    assert_int_equal(life(RESET_ASKED, true, MIN_MS), LADDER_RETRY); // this one was its own
    assert_int_equal(l.processes_count, 2);
    assert_int_equal(l.processes[1].cause, LADDER_CAUSE_ENDED);
}

static void a_reset_that_has_not_come_is_still_due_in_the_next_life(void **state)
{
    static const enum reset_cause ends[] = {RESET_ASKED, RESET_KILLED, RESET_ASSERT};

    (void)state;
    first_start();
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_REBOOT);
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(life(ends[i % 3u], true, 1000), LADDER_REBOOT);
        assert_int_equal(l.reboots_count, 1);
        assert_int_equal(l.cause, CAUSE);
    }
    assert_int_equal(life(RESET_WATCHDOG, false, 1000), LADDER_RETRY);
    assert_int_equal(life(RESET_KILLED, true, 1000), LADDER_RETRY); // that reset has been
    assert_int_equal(l.reboots_count, 1);
}

static void a_reset_that_never_comes_is_no_longer_due(void **state)
{
    (void)state;
    first_start();
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_REBOOT);
    ladder_unbitten(&l);
    assert_true(l.changed);
    assert_int_equal(life(RESET_KILLED, true, 1000), LADDER_RETRY);
    begin(NULL);
    first_start();
    assert_int_equal(climb_to_reboot(CAUSE), LADDER_REBOOT);
    assert_int_equal(life(RESET_CLEAN, true, 1000), LADDER_RETRY); // a person wants it to try
}

static void a_record_that_cannot_be_stored_is_tried_again_each_minute(void **state)
{
    (void)state;
    first_start();
    assert_true(ladder_to_store(&l, now.mono));
    ladder_stored(&l, RC_FULL, now.mono);
    pass(LADDER_STORE_MS - 1);
    assert_false(ladder_to_store(&l, now.mono));
    pass(1);
    assert_true(ladder_to_store(&l, now.mono));
    ladder_stored(&l, RC_IO, now.mono);
    (void)climb(CAUSE);
    assert_int_equal(climb(CAUSE), LADDER_PROCESS);
    assert_true(ladder_to_store(&l, now.mono)); // something new: at once
    ladder_stored(&l, RC_OK, now.mono);
    pass(HOUR_MS);
    assert_false(ladder_to_store(&l, now.mono));
}

static void the_worst_cause_that_was_not_told_is_kept_until_it_is(void **state)
{
    (void)state;
    first_start();
    assert_int_equal(ladder_to_tell(&l, RESET_CLEAN), RESET_CLEAN);
    ladder_untold(&l, RESET_POWER);
    ladder_untold(&l, RESET_ASKED);
    assert_int_equal(ladder_to_tell(&l, RESET_ASKED), RESET_POWER);
    ladder_untold(&l, RESET_WATCHDOG);
    assert_true(l.changed);
    store_and_load();
    assert_int_equal(ladder_to_tell(&l, RESET_ASKED), RESET_WATCHDOG);
    assert_int_equal(ladder_to_tell(&l, RESET_PANIC), RESET_PANIC);
    ladder_untold(&l, RESET_ILLEGAL);
    assert_true(l.changed);
    assert_int_equal(ladder_to_tell(&l, RESET_ASKED), RESET_ASKED);
}

static void mains_that_come_and_go_are_no_loop_but_on_probation(void **state)
{
    (void)state;
    first_start();
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(life(RESET_POWER, false, 10000), LADDER_RETRY);
    }
    facts.probation = 5;
    assert_int_equal(life(RESET_POWER, false, 10000), LADDER_REVERT);
}

static void a_box_that_holds_tries_again_when_a_person_starts_it(void **state)
{
    (void)state;
    use_up_reboots();
    (void)climb_to_reboot(CAUSE);
    assert_int_equal(life(RESET_POWER, false, HOUR_MS), LADDER_RETRY);
    assert_int_equal(l.level, LADDER_HOLD); // until it is healthy: one failure is enough
    assert_int_equal(climb(OTHER), LADDER_HOLD);
    assert_int_equal(life(RESET_KILLED, true, HOUR_MS), LADDER_HOLD); // a probe that crashed
    assert_int_equal(life(RESET_WATCHDOG, false, HOUR_MS), LADDER_HOLD);
    assert_int_equal(life(RESET_CLEAN, true, HOUR_MS), LADDER_RETRY);
    ladder_healthy(&l);
    assert_int_equal(l.level, LADDER_RETRY);
    assert_true(l.changed);
}

static void the_record_changes_only_when_something_happened(void **state)
{
    (void)state;
    first_start();
    store_and_load();
    ladder_healthy(&l); // what was before is forgotten
    assert_true(l.changed);
    store_and_load();
    assert_int_equal(climb(CAUSE), LADDER_MODULE); // of this process only
    assert_false(l.changed);
    ladder_healthy(&l);
    assert_false(l.changed);
    (void)climb(OTHER);
    assert_int_equal(climb(OTHER), LADDER_PROCESS);
    assert_true(l.changed);
    store_and_load();
    ladder_healthy(&l);
    assert_true(l.changed);
}

static void a_record_that_does_not_check_is_no_past_at_all(void **state)
{
    char bytes[LADDER_RECORD_BYTES];
    struct buf record = BUF(bytes);

    (void)state;
    use_up_reboots();
    ladder_encode(&l, &record);
    for (size_t len = 0; len < record.len; len++) {
        struct ladder cut;
        assert_int_equal(ladder_decode(&cut, (struct span){.ptr = bytes, .len = len}), RC_CORRUPT);
        assert_int_equal(cut.boots, 0);
        assert_int_equal(cut.reboots_count, 0);
    }
    bytes[0]++; // of a later version
    assert_int_equal(ladder_decode(&l, buf_span(&record)), RC_CORRUPT);
    assert_int_equal(l.level, LADDER_RETRY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
    const struct CMUnitTest tests[] = {
        TEST(the_same_cause_again_is_one_level_higher),
        TEST(a_module_that_held_for_ten_minutes_begins_below_again),
        TEST(three_modules_in_ten_minutes_are_the_budget_of_level_one),
        TEST(a_process_that_was_restarted_for_it_does_not_try_the_module_again),
        TEST(five_restarts_of_the_process_are_the_budget_of_level_two),
        TEST(restarts_far_apart_count_as_long_as_no_healthy_period_was_between),
        TEST(a_healthy_period_and_an_hour_give_the_processes_back),
        TEST(reboots_are_spaced_five_fifteen_and_sixty_minutes),
        TEST(the_fourth_reboot_is_none_the_box_holds_still),
        TEST(a_change_on_probation_is_undone_once_then_factory_then_hold),
        TEST(without_a_change_there_is_nothing_to_undo),
        TEST(what_a_boot_before_used_expires_by_a_trusted_clock),
        TEST(nothing_expires_by_an_untrusted_clock),
        TEST(without_a_clock_a_day_in_one_boot_is_a_day),
        TEST(a_wall_clock_that_went_back_makes_nothing_younger_or_older),
        TEST(crashes_count_as_restarts_of_the_process),
        TEST(orderly_restarts_and_power_cuts_count_for_nothing),
        TEST(three_short_boots_in_a_row_are_a_loop),
        TEST(a_long_boot_or_an_orderly_one_breaks_the_row),
        TEST(a_loop_that_is_over_is_forgotten),
        TEST(a_boot_is_as_long_as_all_its_processes),
        TEST(a_start_by_hand_breaks_the_row),
        TEST(a_process_that_ends_itself_again_and_again_climbs_too),
        TEST(an_end_by_the_ladders_word_is_counted_once),
        TEST(a_reset_that_has_not_come_is_still_due_in_the_next_life),
        TEST(a_reset_that_never_comes_is_no_longer_due),
        TEST(a_record_that_cannot_be_stored_is_tried_again_each_minute),
        TEST(the_worst_cause_that_was_not_told_is_kept_until_it_is),
        TEST(mains_that_come_and_go_are_no_loop_but_on_probation),
        TEST(a_box_that_holds_tries_again_when_a_person_starts_it),
        TEST(the_record_changes_only_when_something_happened),
        TEST(a_record_that_does_not_check_is_no_past_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

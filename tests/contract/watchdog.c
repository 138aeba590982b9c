// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/watchdog.h promises, for every backend; watchdog_*_hardware.c plays the hardware.
 */
#include "hal/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "watchdog_hardware.h"

#define MINUTE_MS 60000u

static struct watchdog w;

static RC open_watchdog(uint32_t wanted_ms)
{
    return hal_watchdog_open(&w, hardware_state_fd(), wanted_ms);
}

static void open_or_fail(uint32_t wanted_ms)
{
    assert_int_equal(open_watchdog(wanted_ms), RC_OK);
}

static void says(const char *what)
{
    assert_non_null(strstr(w.missing, what));
}

static void opening_arms_with_the_timeout_that_is_wanted(void **unused)
{
    (void)unused;
    open_or_fail(MINUTE_MS);
    struct watchdog_seen seen = hardware_look();
    assert_true(seen.armed);
    assert_int_equal(seen.timeout_ms, MINUTE_MS);
    assert_int_equal(w.timeout_ms, MINUTE_MS);
    assert_true(w.stays_armed);
    assert_string_equal(w.missing, "");
    hal_watchdog_hand_over(&w);
}

static void a_shorter_timeout_that_the_device_takes_is_told(void **unused)
{
    (void)unused;
    hardware_limits(1000, 31000);
    open_or_fail(MINUTE_MS);
    assert_true(w.timeout_ms >= WATCHDOG_TIMEOUT_MS_MIN && w.timeout_ms <= 31000);
    assert_int_equal(hardware_look().timeout_ms, w.timeout_ms);
    hal_watchdog_hand_over(&w);
}

static void a_longer_timeout_that_the_device_takes_is_told(void **unused)
{
    (void)unused;
    hardware_limits(90000, 600000);
    open_or_fail(MINUTE_MS);
    assert_true(w.timeout_ms >= 90000);
    assert_int_equal(hardware_look().timeout_ms, w.timeout_ms);
    hal_watchdog_hand_over(&w);
}

static void a_device_that_bites_too_soon_is_refused_and_disarmed(void **unused)
{
    (void)unused;
    hardware_limits(1000, 15000);
    assert_int_equal(open_watchdog(MINUTE_MS), RC_UNSUPPORTED);
    assert_int_equal(w.fd, -1);
    says("CONFIG_WATCHDOG_TIMEOUT_S");
    says("20 s");
    says("15.000 s");
    assert_false(hardware_look().armed);
    assert_false(hardware_look().open);
}

static void a_device_that_bites_too_soon_and_cannot_be_stopped_is_refused(void **unused)
{
    (void)unused;
    hardware_limits(1000, 15000);
    hardware_nowayout();
    assert_int_equal(open_watchdog(MINUTE_MS), RC_UNSUPPORTED);
    assert_int_equal(w.fd, -1);
    says("is armed");
    assert_true(hardware_look().armed);
    assert_false(hardware_look().open);
}

static void a_device_that_is_not_there_is_named(void **unused)
{
    (void)unused;
    hardware_fault(WATCHDOG_ABSENT);
    assert_int_equal(hal_watchdog_probe(&w, hardware_state_fd()), RC_UNSUPPORTED);
    says("not there");
    assert_int_equal(open_watchdog(MINUTE_MS), RC_UNSUPPORTED);
    assert_int_equal(w.fd, -1);
    says("not there");
}

static void a_device_that_we_may_not_open_is_told(void **unused)
{
    (void)unused;
    hardware_fault(WATCHDOG_FORBIDDEN);
    assert_int_equal(open_watchdog(MINUTE_MS), RC_DENIED);
    says("no permission");
}

static void a_device_in_use_is_told(void **unused)
{
    (void)unused;
    hardware_fault(WATCHDOG_TAKEN);
    assert_int_equal(open_watchdog(MINUTE_MS), RC_AGAIN);
    says("in use");
    hardware_fault(WATCHDOG_WELL);
    open_or_fail(MINUTE_MS);
    hal_watchdog_hand_over(&w);
}

static void a_device_that_fails_when_opened_is_told(void **unused)
{
    (void)unused;
    hardware_fault(WATCHDOG_OPEN_FAILS);
    assert_int_equal(open_watchdog(MINUTE_MS), RC_IO);
    assert_int_equal(w.fd, -1);
    says("fails");
}

static void looking_whether_it_is_there_does_not_arm_it(void **unused)
{
    (void)unused;
    assert_int_equal(hal_watchdog_probe(&w, hardware_state_fd()), RC_OK);
    assert_int_equal(w.fd, -1);
    assert_false(hardware_look().armed);
    assert_false(hardware_look().open);
}

static void feeding_reaches_the_device(void **unused)
{
    (void)unused;
    open_or_fail(MINUTE_MS);
    unsigned before = hardware_look().fed;
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 123456}), RC_OK);
    assert_int_equal(hardware_look().fed, before + 1u);
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 133456}), RC_OK);
    assert_int_equal(hardware_look().fed, before + 2u);
    assert_true(hardware_look().armed);
    hal_watchdog_hand_over(&w);
}

static void a_device_that_refuses_to_be_fed_is_told(void **unused)
{
    (void)unused;
    open_or_fail(MINUTE_MS);
    hardware_fault(WATCHDOG_WRITES_FAIL);
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 5}), RC_IO);
    hardware_fault(WATCHDOG_WELL);
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 6}), RC_OK);
    hal_watchdog_hand_over(&w);
}

static void handing_over_leaves_it_armed_and_free_for_the_next(void **unused)
{
    (void)unused;
    struct watchdog second;
    open_or_fail(MINUTE_MS);
    assert_int_equal(hal_watchdog_open(&second, hardware_state_fd(), MINUTE_MS), RC_AGAIN);
    unsigned fed = hardware_look().fed;
    hal_watchdog_hand_over(&w);
    hal_watchdog_hand_over(&w); // closed already
    assert_int_equal(w.fd, -1);
    struct watchdog_seen seen = hardware_look();
    assert_true(seen.armed);
    assert_false(seen.open);
    assert_int_equal(seen.fed, fed); // not the place where it is fed
    open_or_fail(MINUTE_MS);
    hal_watchdog_hand_over(&w);
}

static void stopping_disarms(void **unused)
{
    (void)unused;
    open_or_fail(MINUTE_MS);
    assert_true(w.can_stop);
    assert_int_equal(hal_watchdog_stop(&w), RC_OK);
    assert_int_equal(w.fd, -1);
    assert_false(hardware_look().armed);
    assert_false(hardware_look().open);
}

static void a_device_without_way_out_says_so_and_stays_armed(void **unused)
{
    (void)unused;
    hardware_nowayout();
    open_or_fail(MINUTE_MS);
    assert_false(w.can_stop);
    assert_int_equal(hal_watchdog_stop(&w), RC_UNSUPPORTED);
    assert_true(hardware_look().armed);
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 7}), RC_OK);
    hal_watchdog_hand_over(&w);
}

static void a_device_that_fails_to_stop_stays_ours_and_armed(void **unused)
{
    (void)unused;
    open_or_fail(MINUTE_MS);
    hardware_fault(WATCHDOG_WRITES_FAIL);
    assert_int_equal(hal_watchdog_stop(&w), RC_IO);
    hardware_fault(WATCHDOG_WELL);
    assert_true(hardware_look().armed);
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 8}), RC_OK);
    hal_watchdog_hand_over(&w);
}

static void the_last_reset_is_told(void **unused)
{
    (void)unused;
    open_or_fail(MINUTE_MS);
    assert_false(w.bitten);
    hal_watchdog_hand_over(&w);
    hardware_bite();
    open_or_fail(MINUTE_MS);
    assert_true(w.bitten);
    hal_watchdog_hand_over(&w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening_arms_with_the_timeout_that_is_wanted),
        TEST(a_shorter_timeout_that_the_device_takes_is_told),
        TEST(a_longer_timeout_that_the_device_takes_is_told),
        TEST(a_device_that_bites_too_soon_is_refused_and_disarmed),
        TEST(a_device_that_bites_too_soon_and_cannot_be_stopped_is_refused),
        TEST(a_device_that_is_not_there_is_named),
        TEST(a_device_that_we_may_not_open_is_told),
        TEST(a_device_in_use_is_told),
        TEST(a_device_that_fails_when_opened_is_told),
        TEST(looking_whether_it_is_there_does_not_arm_it),
        TEST(feeding_reaches_the_device),
        TEST(a_device_that_refuses_to_be_fed_is_told),
        TEST(handing_over_leaves_it_armed_and_free_for_the_next),
        TEST(stopping_disarms),
        TEST(a_device_without_way_out_says_so_and_stays_armed),
        TEST(a_device_that_fails_to_stop_stays_ours_and_armed),
        TEST(the_last_reset_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

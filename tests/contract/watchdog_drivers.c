// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The ways of real drivers that the linux backend of the watchdog must know, beyond the contract.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <linux/watchdog.h>

#include "hal/watchdog.h"

#include "watchdog_kernel.h"

#define k watchdog_kernel

static struct watchdog w;

static RC open_for(uint32_t wanted_ms)
{
    return hal_watchdog_open(&w, -1, wanted_ms);
}

static void a_driver_that_keeps_its_timeout_is_adapted_to(void **unused)
{
    (void)unused;
    k.no_settimeout = true;
    k.timeout_s = 120;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(w.timeout_ms, 120000);
    hal_watchdog_hand_over(&w);
    k.timeout_s = 30;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(w.timeout_ms, 30000);
    hal_watchdog_hand_over(&w);
}

static void a_driver_that_keeps_too_short_a_timeout_is_refused(void **unused)
{
    (void)unused;
    k.no_settimeout = true;
    k.timeout_s = 16;
    assert_int_equal(open_for(60000), RC_UNSUPPORTED);
    assert_non_null(strstr(w.missing, "16.000 s"));
    assert_false(k.armed);
}

static void a_driver_that_tells_no_timeout_at_all_is_refused(void **unused)
{
    (void)unused;
    k.no_settimeout = k.mute = true;
    assert_int_equal(open_for(60000), RC_UNSUPPORTED);
    assert_false(k.armed);
}

static void a_driver_that_rounds_is_believed_and_not_the_wish(void **unused)
{
    (void)unused;
    k.rounds_s = 64;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(w.timeout_ms, 64000);
    hal_watchdog_hand_over(&w);
    k.mute = true; // then the answer of SETTIMEOUT is all there is
    assert_int_equal(open_for(65000), RC_OK);
    assert_int_equal(w.timeout_ms, 128000);
    hal_watchdog_hand_over(&w);
}

static void a_low_maximum_is_used_as_far_as_it_goes(void **unused)
{
    (void)unused;
    k.max_s = 31;
    k.timeout_s = 10;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(w.timeout_ms, 30000);
    assert_int_equal(k.timeout_s, 30);
    hal_watchdog_hand_over(&w);
}

static void parts_of_a_second_are_rounded_up(void **unused)
{
    (void)unused;
    assert_int_equal(open_for(20001), RC_OK);
    assert_int_equal(k.timeout_s, 21);
    hal_watchdog_hand_over(&w);
}

static void a_pretimeout_is_set_where_there_is_one(void **unused)
{
    (void)unused;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(w.pretimeout_ms, 0);
    hal_watchdog_hand_over(&w);
    k.options |= WDIOF_PRETIMEOUT;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(w.pretimeout_ms, 10000);
    assert_int_equal(k.pretimeout_s, 10);
    hal_watchdog_hand_over(&w);
}

static void another_kind_of_device_is_refused_and_not_written_to(void **unused)
{
    (void)unused;
    k.other_device = true;
    assert_int_equal(open_for(60000), RC_UNSUPPORTED);
    assert_non_null(strstr(w.missing, "CONFIG_WATCHDOG_DEVICE"));
    assert_int_equal(k.writes, 0);
    assert_false(k.open);
}

static void a_driver_that_fails_at_once_is_told(void **unused)
{
    (void)unused;
    k.support_fails = true;
    assert_int_equal(open_for(60000), RC_IO);
    assert_false(k.open);
    k.support_fails = false;
    k.fault = WATCHDOG_WRITES_FAIL;
    assert_int_equal(open_for(60000), RC_IO);
    assert_false(k.open);
}

static void a_driver_that_every_close_stops_is_told(void **unused)
{
    (void)unused;
    k.options = WDIOF_SETTIMEOUT;
    assert_int_equal(open_for(60000), RC_OK);
    assert_false(w.stays_armed);
    hal_watchdog_hand_over(&w);
    assert_false(k.armed);
}

static void a_driver_that_every_close_stops_stays_armed_without_way_out(void **unused)
{
    (void)unused;
    k.options = WDIOF_SETTIMEOUT;
    k.nowayout = true;
    assert_int_equal(open_for(60000), RC_OK);
    assert_true(w.stays_armed);
    hal_watchdog_hand_over(&w);
    assert_true(k.armed);
}

static void a_kernel_that_does_not_tell_of_the_way_out_is_taken_to_have_one(void **unused)
{
    (void)unused;
    k.attribute = false;
    assert_int_equal(open_for(60000), RC_OK);
    assert_true(w.can_stop);
    assert_int_equal(hal_watchdog_stop(&w), RC_OK);
    assert_false(k.armed);
}

static void a_killed_process_leaves_it_armed(void **unused)
{
    (void)unused;
    assert_int_equal(open_for(60000), RC_OK);
    assert_int_equal(hal_watchdog_feed(&w, (struct mono){.ms = 1}), RC_OK);
    assert_false(k.release); // nothing that was written lets a close disarm it
    hal_watchdog_hand_over(&w);
    assert_true(k.armed);
}

static void other_causes_of_a_reset_are_not_the_watchdog(void **unused)
{
    (void)unused;
    k.boot_status = WDIOF_POWERUNDER | WDIOF_OVERHEAT;
    assert_int_equal(open_for(60000), RC_OK);
    assert_false(w.bitten);
    hal_watchdog_hand_over(&w);
}

static void a_device_that_we_may_not_use_is_found_without_opening_it(void **unused)
{
    (void)unused;
    k.fault = WATCHDOG_FORBIDDEN;
    assert_int_equal(hal_watchdog_probe(&w, -1), RC_DENIED);
    assert_non_null(strstr(w.missing, "no permission"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_driver_that_keeps_its_timeout_is_adapted_to),
        TEST(a_driver_that_keeps_too_short_a_timeout_is_refused),
        TEST(a_driver_that_tells_no_timeout_at_all_is_refused),
        TEST(a_driver_that_rounds_is_believed_and_not_the_wish),
        TEST(a_low_maximum_is_used_as_far_as_it_goes),
        TEST(parts_of_a_second_are_rounded_up),
        TEST(a_pretimeout_is_set_where_there_is_one),
        TEST(another_kind_of_device_is_refused_and_not_written_to),
        TEST(a_driver_that_fails_at_once_is_told),
        TEST(a_driver_that_every_close_stops_is_told),
        TEST(a_driver_that_every_close_stops_stays_armed_without_way_out),
        TEST(a_kernel_that_does_not_tell_of_the_way_out_is_taken_to_have_one),
        TEST(a_killed_process_leaves_it_armed),
        TEST(other_causes_of_a_reset_are_not_the_watchdog),
        TEST(a_device_that_we_may_not_use_is_found_without_opening_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

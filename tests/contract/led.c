// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/led.h promises, for every backend that has one; led_*_hardware.c looks at it.
 */
#include "hal/led.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "led_hardware.h"

static struct led led;

static void open_or_fail(void)
{
    assert_int_equal(hal_led_open(&led, hardware_state_fd()), RC_OK);
}

static void opening_takes_it_over_dark(void **unused)
{
    (void)unused;
    open_or_fail();
    assert_false(hardware_lit());
    assert_true(hardware_taken_over());
    assert_false(led.none);
    assert_int_equal(led.rgb, hardware_is_rgb());
    assert_string_equal(led.missing, "");
    hal_led_close(&led);
}

static void every_colour_is_shown_and_off_is_dark(void **unused)
{
    (void)unused;
    open_or_fail();
    for (enum led_colour c = LED_GREEN; c < LED_COLOURS; c++) {
        assert_int_equal(hal_led_set(&led, c), RC_OK);
        assert_true(hardware_lit());
        if (hardware_is_rgb()) {
            assert_int_equal(hardware_colour(), c);
        }
        assert_int_equal(hal_led_set(&led, LED_OFF), RC_OK);
        assert_false(hardware_lit());
    }
    hal_led_close(&led);
}

static void closing_leaves_it_dark_and_may_be_done_twice(void **unused)
{
    (void)unused;
    open_or_fail();
    assert_int_equal(hal_led_set(&led, LED_RED), RC_OK);
    hal_led_close(&led);
    assert_false(hardware_lit());
    hal_led_close(&led);
    assert_int_equal(hal_led_set(&led, LED_RED), RC_OK); // closed: nothing happens
    assert_false(hardware_lit());
}

static void looking_whether_it_is_there_changes_nothing(void **unused)
{
    (void)unused;
    assert_true(hardware_lit());
    assert_int_equal(hal_led_probe(&led, hardware_state_fd()), RC_OK);
    assert_true(hardware_lit());
}

static void an_led_that_is_not_there_is_named(void **unused)
{
    (void)unused;
    hardware_fault(LED_ABSENT);
    assert_int_equal(hal_led_probe(&led, hardware_state_fd()), RC_UNSUPPORTED);
    assert_non_null(strstr(led.missing, "not there"));
    assert_int_equal(hal_led_open(&led, hardware_state_fd()), RC_UNSUPPORTED);
    assert_non_null(strstr(led.missing, "not there"));
}

static void an_led_that_we_may_not_drive_is_told(void **unused)
{
    (void)unused;
    hardware_fault(LED_FORBIDDEN);
    assert_int_equal(hal_led_open(&led, hardware_state_fd()), RC_DENIED);
    assert_non_null(strstr(led.missing, "no permission"));
}

static void an_led_that_fails_when_opened_is_told(void **unused)
{
    (void)unused;
    hardware_fault(LED_OPEN_FAILS);
    assert_int_equal(hal_led_open(&led, hardware_state_fd()), RC_IO);
    hal_led_close(&led); // nothing was left open
}

static void an_led_that_fails_is_told_and_works_again(void **unused)
{
    (void)unused;
    open_or_fail();
    hardware_fault(LED_WRITES_FAIL);
    assert_int_equal(hal_led_set(&led, LED_GREEN), RC_IO);
    hardware_fault(LED_WELL);
    assert_int_equal(hal_led_set(&led, LED_GREEN), RC_OK);
    assert_true(hardware_lit());
    hal_led_close(&led);
}

static void colours_have_names(void **unused)
{
    (void)unused;
    assert_string_equal(hal_led_colour_name(LED_OFF), "off");
    assert_string_equal(hal_led_colour_name(LED_GREEN), "green");
    assert_string_equal(hal_led_colour_name(LED_AMBER), "amber");
    assert_string_equal(hal_led_colour_name(LED_RED), "red");
    assert_string_equal(hal_led_colour_name(LED_BLUE), "blue");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(opening_takes_it_over_dark),
        TEST(every_colour_is_shown_and_off_is_dark),
        TEST(closing_leaves_it_dark_and_may_be_done_twice),
        TEST(looking_whether_it_is_there_changes_nothing),
        TEST(an_led_that_is_not_there_is_named),
        TEST(an_led_that_we_may_not_drive_is_told),
        TEST(an_led_that_fails_when_opened_is_told),
        TEST(an_led_that_fails_is_told_and_works_again),
        TEST(colours_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

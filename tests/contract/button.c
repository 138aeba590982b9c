// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/button.h promises, for every backend that has one; button_*_hardware.c is the finger.
 * Time is the test's own.
 */
#include "hal/button.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>

#include "button_hardware.h"

static struct button button;
static struct mono again;

static void open_or_fail(void)
{
    assert_int_equal(hal_button_open(&button, hardware_state_fd()), RC_OK);
    assert_string_equal(button.missing, "");
}

static struct mono at(int64_t ms)
{
    return (struct mono){.ms = 1000000 + ms};
}

static bool has_news(void)
{
    struct pollfd p = {.fd = button.fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void finger(bool down, int64_t ms)
{
    hardware_press(down);
    assert_true(has_news());
    assert_int_equal(hal_button_read(&button, at(ms)), RC_OK);
    assert_false(has_news());
}

static void tells(int64_t ms, enum button_event event)
{
    assert_int_equal(hal_button_event(&button, at(ms), &again), event);
}

static void nothing_pressed_is_nothing_to_wait_for(void **unused)
{
    (void)unused;
    open_or_fail();
    assert_false(has_news());
    assert_int_equal(hal_button_read(&button, at(0)), RC_OK); // without news
    tells(1000000, BUTTON_NOTHING);
    assert_true(again.ms == MONO_NEVER.ms);
    hal_button_close(&button);
}

static void five_seconds_show_the_code_and_fifteen_ask_for_factory(void **unused)
{
    (void)unused;
    open_or_fail();
    finger(true, 0);
    tells(0, BUTTON_NOTHING);
    assert_true(again.ms == at(5000).ms);
    tells(4999, BUTTON_NOTHING);
    tells(5000, BUTTON_CODE);
    assert_true(again.ms == at(15000).ms);
    tells(5001, BUTTON_NOTHING);
    tells(14999, BUTTON_NOTHING);
    tells(15000, BUTTON_FACTORY);
    assert_true(again.ms == MONO_NEVER.ms);
    tells(60000, BUTTON_NOTHING);
    finger(false, 61000);
    finger(true, 62000); // and again
    tells(67000, BUTTON_CODE);
    hal_button_close(&button);
}

static void a_late_question_is_told_both_one_by_one(void **unused)
{
    (void)unused;
    open_or_fail();
    finger(true, 0);
    tells(20000, BUTTON_CODE);
    assert_true(again.ms <= at(20000).ms);
    tells(20000, BUTTON_FACTORY);
    hal_button_close(&button);
}

static void a_short_press_is_nothing(void **unused)
{
    (void)unused;
    open_or_fail();
    finger(true, 0);
    finger(false, 4999);
    tells(20000, BUTTON_NOTHING);
    assert_true(again.ms == MONO_NEVER.ms);
    hal_button_close(&button);
}

static void letting_go_and_pressing_begins_anew(void **unused)
{
    (void)unused;
    open_or_fail();
    finger(true, 0);
    finger(false, 3000);
    finger(true, 3100);
    tells(8000, BUTTON_NOTHING);
    tells(8100, BUTTON_CODE);
    hal_button_close(&button);
}

static void a_press_counts_for_presence_however_short(void **unused)
{
    (void)unused;
    open_or_fail();
    assert_false(hal_button_was_pressed(&button, at(0), 60000));
    hardware_press(true);
    hardware_press(false);
    assert_int_equal(hal_button_read(&button, at(0)), RC_OK); // both at once
    assert_false(button.pressed);
    assert_true(hal_button_was_pressed(&button, at(59999), 60000));
    assert_false(hal_button_was_pressed(&button, at(60000), 60000));
    finger(true, 70000);
    assert_true(hal_button_was_pressed(&button, at(500000), 60000)); // it is held
    finger(false, 500000);
    assert_true(hal_button_was_pressed(&button, at(559999), 60000));
    assert_false(hal_button_was_pressed(&button, at(560000), 60000));
    hal_button_close(&button);
}

static void several_news_at_once_are_taken_in_their_order(void **unused)
{
    (void)unused;
    open_or_fail();
    hardware_press(true);
    hardware_press(false);
    hardware_press(true);
    assert_int_equal(hal_button_read(&button, at(0)), RC_OK);
    tells(5000, BUTTON_CODE);
    hardware_press(false);
    hardware_press(true);
    hardware_press(false);
    assert_int_equal(hal_button_read(&button, at(6000)), RC_OK);
    tells(60000, BUTTON_NOTHING);
    hal_button_close(&button);
}

static void pressed_twice_without_release_counts_from_the_first(void **unused)
{
    (void)unused;
    open_or_fail();
    finger(true, 0);
    finger(true, 4000);
    tells(5000, BUTTON_CODE);
    hal_button_close(&button);
}

static void other_news_of_the_device_are_no_press(void **unused)
{
    (void)unused;
    open_or_fail();
    hardware_noise();
    assert_int_equal(hal_button_read(&button, at(0)), RC_OK);
    tells(60000, BUTTON_NOTHING);
    hal_button_close(&button);
}

static void a_button_that_is_not_there_is_named(void **unused)
{
    (void)unused;
    hardware_fault(BUTTON_ABSENT);
    assert_int_equal(hal_button_probe(&button, hardware_state_fd()), RC_UNSUPPORTED);
    assert_non_null(strstr(button.missing, "not there"));
    assert_int_equal(hal_button_open(&button, hardware_state_fd()), RC_UNSUPPORTED);
    assert_int_equal(button.fd, -1);
    assert_non_null(strstr(button.missing, "not there"));
}

static void a_button_that_is_there_is_found(void **unused)
{
    (void)unused;
    assert_int_equal(hal_button_probe(&button, hardware_state_fd()), RC_OK);
    assert_int_equal(button.fd, -1);
}

static void a_button_that_we_may_not_read_is_told(void **unused)
{
    (void)unused;
    hardware_fault(BUTTON_FORBIDDEN);
    assert_int_equal(hal_button_open(&button, hardware_state_fd()), RC_DENIED);
    assert_non_null(strstr(button.missing, "no permission"));
}

static void a_button_that_fails_when_opened_is_told(void **unused)
{
    (void)unused;
    hardware_fault(BUTTON_OPEN_FAILS);
    assert_int_equal(hal_button_open(&button, hardware_state_fd()), RC_IO);
    assert_int_equal(button.fd, -1);
}

static void a_button_that_goes_away_is_told_and_not_held(void **unused)
{
    (void)unused;
    open_or_fail();
    finger(true, 0);
    hardware_fault(BUTTON_GONE);
    assert_int_equal(hal_button_read(&button, at(1000)), RC_IO);
    tells(60000, BUTTON_NOTHING);
    hal_button_close(&button);
    hal_button_close(&button);
    assert_int_equal(button.fd, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_pressed_is_nothing_to_wait_for),
        TEST(five_seconds_show_the_code_and_fifteen_ask_for_factory),
        TEST(a_late_question_is_told_both_one_by_one),
        TEST(a_short_press_is_nothing),
        TEST(a_press_counts_for_presence_however_short),
        TEST(letting_go_and_pressing_begins_anew),
        TEST(several_news_at_once_are_taken_in_their_order),
        TEST(pressed_twice_without_release_counts_from_the_first),
        TEST(other_news_of_the_device_are_no_press),
        TEST(a_button_that_is_not_there_is_named),
        TEST(a_button_that_is_there_is_found),
        TEST(a_button_that_we_may_not_read_is_told),
        TEST(a_button_that_fails_when_opened_is_told),
        TEST(a_button_that_goes_away_is_told_and_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

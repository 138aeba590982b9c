// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The ways of the kernel's input devices that the linux backend of the button must know, beyond the
 * contract.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/input.h>

#include "hal/button.h"

#include "button_events.h"

#define AUTOREPEAT 2

static struct button button;
static struct mono again;

static void read_at(int64_t ms)
{
    assert_int_equal(hal_button_read(&button, (struct mono){.ms = ms}), RC_OK);
}

static void tells(int64_t ms, enum button_event event)
{
    assert_int_equal(hal_button_event(&button, (struct mono){.ms = ms}, &again), event);
}

static void autorepeat_neither_begins_nor_prolongs_a_press(void **unused)
{
    (void)unused;
    assert_int_equal(hal_button_open(&button, -1), RC_OK);
    button_event_put(EV_KEY, CONFIG_BUTTON_KEY, AUTOREPEAT);
    read_at(0);
    tells(60000, BUTTON_NOTHING);
    hardware_press(true);
    read_at(100000);
    button_event_put(EV_KEY, CONFIG_BUTTON_KEY, AUTOREPEAT);
    read_at(104000);
    tells(105000, BUTTON_CODE);
    hal_button_close(&button);
}

static void a_queue_that_ran_over_ends_the_press_that_was_measured(void **unused)
{
    (void)unused;
    assert_int_equal(hal_button_open(&button, -1), RC_OK);
    hardware_press(true);
    read_at(0);
    button_event_put(EV_SYN, SYN_DROPPED, 0);
    button_event_put(EV_KEY, CONFIG_BUTTON_KEY, 1); // of a report that is not whole
    read_at(1000);
    tells(60000, BUTTON_NOTHING);
    button_event_put(EV_SYN, SYN_REPORT, 0);
    hardware_press(true);
    read_at(100000);
    tells(105000, BUTTON_CODE);
    hal_button_close(&button);
}

static void more_events_than_one_read_takes_are_all_taken(void **unused)
{
    (void)unused;
    assert_int_equal(hal_button_open(&button, -1), RC_OK);
    for (unsigned i = 0; i < 20; i++) {
        hardware_press(i % 2 == 0);
    }
    hardware_press(true);
    for (unsigned i = 0; i < 3; i++) { // the loop calls again while there is news
        read_at(0);
    }
    tells(5000, BUTTON_CODE);
    hal_button_close(&button);
}

static void a_device_without_the_key_is_refused(void **unused)
{
    (void)unused;
    button_without_key();
    assert_int_equal(hal_button_open(&button, -1), RC_UNSUPPORTED);
    assert_non_null(strstr(button.missing, "CONFIG_BUTTON_KEY"));
    assert_int_equal(button.fd, -1);
}

static void another_kind_of_device_is_refused(void **unused)
{
    (void)unused;
    button_other_device();
    assert_int_equal(hal_button_open(&button, -1), RC_UNSUPPORTED);
    assert_non_null(strstr(button.missing, "CONFIG_BUTTON_DEVICE"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(autorepeat_neither_begins_nor_prolongs_a_press),
        TEST(a_queue_that_ran_over_ends_the_press_that_was_measured),
        TEST(more_events_than_one_read_takes_are_all_taken),
        TEST(a_device_without_the_key_is_refused),
        TEST(another_kind_of_device_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

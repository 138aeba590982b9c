// SPDX-License-Identifier: Apache-2.0
// What a board without a device gets: every call does nothing, and a look says that there is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "hal/button.h"
#include "hal/console.h"
#include "hal/led.h"
#include "hal/stall.h"

static void no_led_takes_every_colour(void **unused)
{
    (void)unused;
    struct led led;
    assert_int_equal(hal_led_probe(&led, -1), RC_NOTFOUND);
    assert_false(led.none); // a probe changes nothing
    assert_int_equal(hal_led_open(&led, -1), RC_OK);
    assert_true(led.none);
    for (enum led_colour c = LED_OFF; c < LED_COLOURS; c++) {
        assert_int_equal(hal_led_set(&led, c), RC_OK);
    }
    hal_led_close(&led);
    hal_led_close(&led);
}

static void no_button_is_never_pressed(void **unused)
{
    (void)unused;
    struct button button;
    struct mono again;
    assert_int_equal(hal_button_probe(&button, -1), RC_NOTFOUND);
    assert_int_equal(hal_button_open(&button, -1), RC_OK);
    assert_int_equal(button.fd, -1);
    assert_int_equal(hal_button_event(&button, (struct mono){.ms = 1000000}, &again),
                     BUTTON_NOTHING);
    assert_true(again.ms == MONO_NEVER.ms);
    hal_button_close(&button);
}

static void no_console_takes_every_line(void **unused)
{
    (void)unused;
    struct console console;
    assert_int_equal(hal_console_probe(&console, -1), RC_NOTFOUND);
    assert_int_equal(hal_console_open(&console, -1), RC_OK);
    assert_int_equal(console.fd, -1);
    assert_int_equal(hal_console_write(&console, SPAN("one line\n")), RC_OK);
    assert_int_equal(hal_console_write(&console, SPAN_NONE), RC_TOOBIG);
    hal_console_close(&console);
    hal_console_close(&console);
}

static void no_stall_hook_never_stalls(void **unused)
{
    (void)unused;
    struct stall stall;
    assert_int_equal(hal_stall_open(&stall, -1), RC_OK);
    for (unsigned machine = 0; machine < STALL_BYTES; machine++) {
        assert_false(hal_stalled(&stall, machine));
    }
    hal_stall_close(&stall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_led_takes_every_colour),
        cmocka_unit_test(no_button_is_never_pressed),
        cmocka_unit_test(no_console_takes_every_line),
        cmocka_unit_test(no_stall_hook_never_stalls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

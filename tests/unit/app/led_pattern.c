// SPDX-License-Identifier: Apache-2.0
/// The ways of flashing, against a second copy written as the text that people read.
#include "app/led_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STEPS_MAX 16u

/// One round: light and for how long, in milliseconds; the last has 0.
struct step {
    enum led_colour colour;
    int64_t ms;
};

// clang-format off
static const struct step golden[LED_CODES][STEPS_MAX] = {
    [LED_CODE_DEAD] = {{LED_OFF, 1000}},
    [LED_CODE_RESET] = {{LED_RED, 180}, {LED_OFF, 180}},
    [LED_CODE_APPLYING] = {{LED_BLUE, 150}, {LED_OFF, 150}, {LED_BLUE, 150}, {LED_OFF, 700}},
    [LED_CODE_ROLLED_BACK] = {{LED_RED, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 200},
                              {LED_RED, 150}, {LED_OFF, 1200}},
    [LED_CODE_UNPROVISIONED] = {{LED_BLUE, 100}, {LED_OFF, 1900}},
    [LED_CODE_NETWORK] = {{LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 200},
                          {LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 1200}},
    [LED_CODE_TIME] = {{LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 200},
                       {LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 200},
                       {LED_AMBER, 150}, {LED_OFF, 1200}},
    [LED_CODE_REFUSED] = {{LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 200},
                          {LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 200},
                          {LED_AMBER, 150}, {LED_OFF, 200}, {LED_AMBER, 150}, {LED_OFF, 1200}},
    [LED_CODE_BUFFERING] = {{LED_AMBER, 1000}, {LED_OFF, 1000}},
    [LED_CODE_FULL] = {{LED_AMBER, 1500}, {LED_OFF, 200}},
    [LED_CODE_NORMAL] = {{LED_GREEN, 50}, {LED_OFF, 2950}},
};
// clang-format on

static struct led_pattern p;
static struct mono now, again;

static void begin(enum led_code code)
{
    now.ms = 1000000;
    led_pattern_init(&p, now);
    if (code != LED_CODE_NORMAL) {
        now.ms += LED_DWELL_MS;
        led_pattern_want(&p, code);
    }
}

static enum led_colour look(void)
{
    return led_pattern_at(&p, now, &again);
}

static void every_code_flashes_as_agreed(void **state)
{
    (void)state;
    for (unsigned code = 0; code < LED_CODES; code++) {
        begin((enum led_code)code);
        for (unsigned round = 0; round < 3; round++) {
            for (unsigned i = 0; i < STEPS_MAX && golden[code][i].ms != 0; i++) {
                assert_int_equal(look(), golden[code][i].colour);
                assert_int_equal(again.ms - now.ms, golden[code][i].ms);
                now = again;
            }
        }
    }
}

static void
no_code_but_dead_is_a_steady_light_or_flashes_more_than_three_times_a_second(void **state)
{
    (void)state;
    for (unsigned code = LED_CODE_RESET; code < LED_CODES; code++) {
        unsigned lit = 0;
        unsigned dark = 0;
        begin((enum led_code)code);
        for (struct mono end = mono_after(now, 60000); now.ms < end.ms; now = again) {
            bool on = look() != LED_OFF;
            lit += on;
            dark += !on;
        }
        assert_true(lit > 0 && dark > 0);
        assert_in_range(lit, 20, 3 * 60);
    }
}

static void a_look_in_between_changes_nothing(void **state)
{
    (void)state;
    begin(LED_CODE_NORMAL);
    assert_int_equal(look(), LED_GREEN);
    now.ms += 49;
    assert_int_equal(look(), LED_GREEN);
    assert_int_equal(again.ms, now.ms + 1);
    now.ms += 1;
    assert_int_equal(look(), LED_OFF);
    now.ms += 30000; // a machine that slept
    (void)look();
    assert_true(again.ms > now.ms);
}

static void a_code_stays_long_enough_to_be_read(void **state)
{
    (void)state;
    begin(LED_CODE_BUFFERING);
    assert_int_equal(look(), LED_AMBER);
    led_pattern_want(&p, LED_CODE_NETWORK);
    now.ms += LED_DWELL_MS - 1;
    (void)look();
    assert_int_equal(p.code, LED_CODE_BUFFERING);
    assert_int_equal(again.ms, now.ms + 1);
    now = again;
    (void)look();
    assert_int_equal(p.code, LED_CODE_NETWORK);
}

static void what_passes_within_that_time_is_never_shown(void **state)
{
    (void)state;
    begin(LED_CODE_BUFFERING);
    (void)look();
    now.ms += 1000;
    led_pattern_want(&p, LED_CODE_FULL);
    (void)look();
    led_pattern_want(&p, LED_CODE_BUFFERING);
    now.ms += LED_DWELL_MS;
    (void)look();
    assert_int_equal(p.code, LED_CODE_BUFFERING);
}

static void about_to_reset_is_shown_at_once(void **state)
{
    (void)state;
    begin(LED_CODE_BUFFERING);
    (void)look();
    now.ms += 1;
    led_pattern_want(&p, LED_CODE_RESET);
    assert_int_equal(look(), LED_RED);
}

static void the_code_in_full_is_counted_out_three_times(void **state)
{
    unsigned flashes = 0;

    (void)state;
    begin(LED_CODE_BUFFERING);
    (void)look();
    led_pattern_show(&p, now);
    while (now.ms < p.shown_until.ms) {
        flashes += look() == LED_AMBER;
        now = again;
    }
    assert_int_equal(flashes, LED_SHOW_REPEATS * LED_CODE_BUFFERING);
    (void)look(); // and then as before
    assert_int_equal(p.code, LED_CODE_BUFFERING);
    assert_in_range(again.ms - now.ms, 1, 1000);
}

static void the_normal_heartbeat_wakes_the_box_twice_in_three_seconds(void **state)
{
    unsigned wakes = 0;

    (void)state;
    begin(LED_CODE_NORMAL);
    for (struct mono end = mono_after(now, 300000); now.ms < end.ms; now = again) {
        (void)look();
        wakes++;
    }
    assert_int_equal(wakes, 200);
}

static void without_an_led_no_code_wakes_the_box(void **state)
{
    (void)state;
    for (unsigned code = 0; code < LED_CODES; code++) {
        begin((enum led_code)code);
        for (unsigned i = 0; i < STEPS_MAX; i++) {
            assert_int_equal(led_pattern_unseen(&p, now).ms, MONO_NEVER.ms);
            now.ms += 777;
        }
        assert_int_equal(p.code, code);
    }
}

static void without_an_led_the_codes_change_as_with_one(void **state)
{
    (void)state;
    begin(LED_CODE_BUFFERING);
    assert_int_equal(led_pattern_unseen(&p, now).ms, MONO_NEVER.ms);
    led_pattern_want(&p, LED_CODE_NETWORK);
    again = led_pattern_unseen(&p, now);
    assert_int_equal(p.code, LED_CODE_BUFFERING);
    assert_int_equal(again.ms, now.ms + LED_DWELL_MS);
    now = again;
    assert_int_equal(led_pattern_unseen(&p, now).ms, MONO_NEVER.ms);
    assert_int_equal(p.code, LED_CODE_NETWORK);
    led_pattern_want(&p, LED_CODE_RESET);
    assert_int_equal(led_pattern_unseen(&p, now).ms, MONO_NEVER.ms);
    assert_int_equal(p.code, LED_CODE_RESET);
}

static void
without_an_led_a_button_that_asks_for_the_code_keeps_it_no_longer_than_with_one(void **state)
{
    (void)state;
    begin(LED_CODE_BUFFERING);
    (void)led_pattern_unseen(&p, now);
    led_pattern_show(&p, now);
    led_pattern_want(&p, LED_CODE_NETWORK);
    now.ms += LED_DWELL_MS;
    again = led_pattern_unseen(&p, now);
    assert_int_equal(again.ms, p.shown_until.ms);
    now = again;
    assert_int_equal(led_pattern_unseen(&p, now).ms, MONO_NEVER.ms);
    assert_int_equal(p.code, LED_CODE_NETWORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_flashes_as_agreed),
        cmocka_unit_test(
            no_code_but_dead_is_a_steady_light_or_flashes_more_than_three_times_a_second),
        cmocka_unit_test(a_look_in_between_changes_nothing),
        cmocka_unit_test(a_code_stays_long_enough_to_be_read),
        cmocka_unit_test(what_passes_within_that_time_is_never_shown),
        cmocka_unit_test(about_to_reset_is_shown_at_once),
        cmocka_unit_test(the_code_in_full_is_counted_out_three_times),
        cmocka_unit_test(the_normal_heartbeat_wakes_the_box_twice_in_three_seconds),
        cmocka_unit_test(without_an_led_no_code_wakes_the_box),
        cmocka_unit_test(without_an_led_the_codes_change_as_with_one),
        cmocka_unit_test(
            without_an_led_a_button_that_asks_for_the_code_keeps_it_no_longer_than_with_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/// What of the machines' troubles the LED shows, and from when on.
#include "app/led_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct led_facts well(void)
{
    return (struct led_facts){.time_known = true};
}

static void a_box_without_trouble_is_normal(void **state)
{
    struct led_facts f = well();

    (void)state;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
    f.auth = AUTH_CAUSE_STARTING;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
}

static void a_cable_that_is_pulled_is_seen_while_the_token_is_still_good(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.graph = FETCH_FAIL_NETWORK;
    f.graph_failures = LED_FAILURES_MANY - 1u;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
    f.graph_failures++;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f = well();
    f.time = TIMESYNC_CAUSE_NETWORK;
    f.time_failures = LED_FAILURES_MANY - 1u;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
    f.time_failures++;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f.time = TIMESYNC_CAUSE_TRUST;
    assert_int_equal(led_code_of(&f), LED_CODE_TIME);
}

static void trouble_of_the_service_that_lasts_is_shown_as_such(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.graph_failures = LED_FAILURES_MANY;
    f.graph = FETCH_FAIL_SERVER;
    assert_int_equal(led_code_of(&f), LED_CODE_BUFFERING);
    f.graph = FETCH_FAIL_THROTTLED;
    assert_int_equal(led_code_of(&f), LED_CODE_BUFFERING);
    f.graph = FETCH_FAIL_NOTFOUND; // of a record, not of the service
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
    f.forbidden = true;
    assert_int_equal(led_code_of(&f), LED_CODE_REFUSED);
}

static void a_box_that_has_just_started_has_no_trouble_with_the_time_yet(void **state)
{
    struct led_facts f = {.auth = AUTH_CAUSE_CLOCK, .time = TIMESYNC_CAUSE_STARTING};

    (void)state;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
    f.time_failures = 1;
    f.time = TIMESYNC_CAUSE_NETWORK;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f.time = TIMESYNC_CAUSE_DISAGREE;
    assert_int_equal(led_code_of(&f), LED_CODE_TIME);
    f = well();
    f.auth = AUTH_CAUSE_CLOCK; // the service says that ours is wrong
    assert_int_equal(led_code_of(&f), LED_CODE_TIME);
}

static void the_lowest_code_wins(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.filled = true;
    assert_int_equal(led_code_of(&f), LED_CODE_FULL);
    f.sink_failing = true;
    assert_int_equal(led_code_of(&f), LED_CODE_BUFFERING);
    f.auth = AUTH_CAUSE_SECRET_EXPIRED;
    assert_int_equal(led_code_of(&f), LED_CODE_REFUSED);
    f.graph = FETCH_FAIL_NETWORK;
    f.graph_failures = LED_FAILURES_MANY;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f.auth = AUTH_CAUSE_NO_CREDENTIAL;
    assert_int_equal(led_code_of(&f), LED_CODE_UNPROVISIONED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_without_trouble_is_normal),
        cmocka_unit_test(a_cable_that_is_pulled_is_seen_while_the_token_is_still_good),
        cmocka_unit_test(trouble_of_the_service_that_lasts_is_shown_as_such),
        cmocka_unit_test(a_box_that_has_just_started_has_no_trouble_with_the_time_yet),
        cmocka_unit_test(the_lowest_code_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

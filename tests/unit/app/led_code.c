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
}

static void a_box_that_waits_for_its_setup_says_so_and_that_is_no_fault(void **state)
{
    static const enum auth_cause setting_up[] = {AUTH_CAUSE_NO_CREDENTIAL,
                                                 AUTH_CAUSE_CERT_REJECTED,
                                                 AUTH_CAUSE_SECRET_WRONG,
                                                 AUTH_CAUSE_APP_UNKNOWN};

    static const enum life_state states[] = {
        LIFE_AWAITING_CONSENT, LIFE_VALIDATING, LIFE_PROPAGATING};
    struct led_facts f = well();

    (void)state;
    f.life = LIFE_UNCONFIGURED;
    f.auth = AUTH_CAUSE_STARTING;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL); // nobody said anything yet
    for (size_t i = 0; i < sizeof(setting_up) / sizeof(setting_up[0]); i++) {
        f.auth = setting_up[i];
        assert_int_equal(led_code_of(&f), LED_CODE_UNPROVISIONED);
    }
    f = well();
    f.permission_refused = true;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        f.life = states[i];
        assert_int_equal(led_code_of(&f), LED_CODE_UNPROVISIONED);
    }
    f.life = LIFE_AWAITING_CONSENT;
    f.auth = AUTH_CAUSE_CONSENT;
    f.forbidden = f.sink_failing = f.filled = true; // the lowest code wins
    assert_int_equal(led_code_of(&f), LED_CODE_UNPROVISIONED);
}

static void a_box_that_collected_before_is_not_set_up_again_by_a_restart(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.life = LIFE_VALIDATING;
    f.collected = true;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
}

static void network_and_time_have_to_be_there_before_a_setup(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.life = LIFE_UNCONFIGURED;
    f.auth = AUTH_CAUSE_NO_CREDENTIAL;
    f.time_known = false;
    f.time_failures = 1;
    f.time = TIMESYNC_CAUSE_NETWORK;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f.time = TIMESYNC_CAUSE_DISAGREE;
    assert_int_equal(led_code_of(&f), LED_CODE_TIME);
    f = well();
    f.life = LIFE_UNCONFIGURED;
    f.auth = AUTH_CAUSE_NETWORK;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f.auth = AUTH_CAUSE_TRUST;
    assert_int_equal(led_code_of(&f), LED_CODE_TIME);
    f.auth = AUTH_CAUSE_SERVICE;
    assert_int_equal(led_code_of(&f), LED_CODE_BUFFERING);
    f = well();
    f.life = LIFE_AWAITING_CONSENT; // and the cable is pulled
    f.time = TIMESYNC_CAUSE_NETWORK;
    f.time_failures = LED_FAILURES_MANY;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
}

static void a_box_without_a_configuration_waits_for_its_setup(void **state)
{
    struct led_facts f = {.auth = AUTH_CAUSE_STARTING, .life = LIFE_UNCONFIGURED};

    (void)state;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL); // it is about to ask somebody
    f.no_configuration = true;                          // it is not: nobody to ask, not even for
    assert_int_equal(led_code_of(&f), LED_CODE_UNPROVISIONED); // the time
}

static void what_a_person_has_to_see_to_is_a_refusal(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.life = LIFE_ATTENTION;
    assert_int_equal(led_code_of(&f), LED_CODE_REFUSED);
    f.life = LIFE_DEGRADED;
    f.permission_refused = true;
    assert_int_equal(led_code_of(&f), LED_CODE_REFUSED);
    f.permission_refused = false; // there is no token: the sign-in says why
    f.auth = AUTH_CAUSE_SERVICE;
    assert_int_equal(led_code_of(&f), LED_CODE_BUFFERING);
    f.auth = AUTH_CAUSE_NETWORK;
    f.life = LIFE_ATTENTION;
    assert_int_equal(led_code_of(&f), LED_CODE_NETWORK);
    f = well();
    f.life = LIFE_COLLECTING;
    assert_int_equal(led_code_of(&f), LED_CODE_NORMAL);
}

static void a_credential_that_ends_soon_is_shown_while_nothing_else_is_wrong(void **state)
{
    struct led_facts f = well();

    (void)state;
    f.life = LIFE_COLLECTING;
    f.credential_ends = true;
    assert_int_equal(led_code_of(&f), LED_CODE_TIME);
    f.sink_failing = true;
    assert_int_equal(led_code_of(&f), LED_CODE_BUFFERING);
    f.life = LIFE_ATTENTION;
    assert_int_equal(led_code_of(&f), LED_CODE_REFUSED);
    f.life = LIFE_PROPAGATING;
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
        cmocka_unit_test(a_box_that_waits_for_its_setup_says_so_and_that_is_no_fault),
        cmocka_unit_test(a_box_that_collected_before_is_not_set_up_again_by_a_restart),
        cmocka_unit_test(network_and_time_have_to_be_there_before_a_setup),
        cmocka_unit_test(a_box_without_a_configuration_waits_for_its_setup),
        cmocka_unit_test(what_a_person_has_to_see_to_is_a_refusal),
        cmocka_unit_test(a_credential_that_ends_soon_is_shown_while_nothing_else_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

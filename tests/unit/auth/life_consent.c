// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Lives in which administrators consent, or not, and Graph answers, or not yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "life_tests.h"
#include "tale.h"

#define ALL (CALLS | USERS | DEVICES)

// ---- the way in -------------------------------------------------------------

static void a_new_box_is_authorised_and_collects_without_anybody(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_expect(LIFE_UNCONFIGURED);
    tale.facts.configured = false;
    tale_turn();
    tale_expect(LIFE_UNCONFIGURED);
    tale.facts.configured = true;
    tale_auth(AUTH_CAUSE_NETWORK);
    tale_expect(LIFE_UNCONFIGURED);
    tale_auth(AUTH_CAUSE_CERT_REJECTED); // not uploaded yet
    tale_expect(LIFE_UNCONFIGURED);
    assert_int_equal(tale.life.reason, AUTH_CAUSE_CERT_REJECTED);
    tale_say(ALL, VERDICT_MISSING);
    tale_expect(LIFE_AWAITING_CONSENT);
    assert_int_equal(tale.life.lacking, ALL);
    tale_say(ALL, VERDICT_NONE);
    tale_expect(LIFE_VALIDATING);
    assert_int_equal(tale_allowed(), 0);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_NONE);
    tale_expect(LIFE_VALIDATING); // a round is shown when it is over
    tale_say(ALL, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    assert_int_equal(tale_allowed(), ALL);
    assert_int_equal(tale.life.kept.collecting_since_ms, tale.now.wall.ms);
    assert_int_equal(tale.due.ms, MONO_NEVER.ms);
}

static void
without_a_configuration_every_state_is_unconfigured_and_nothing_is_forgotten(void **unused)
{
    (void)unused;

    static const struct {
        enum verdict verdict;
        enum auth_cause auth;
        enum life_state state;
    } rows[] = {
        {VERDICT_MISSING, AUTH_CAUSE_NONE, LIFE_AWAITING_CONSENT},
        {VERDICT_NONE, AUTH_CAUSE_NONE, LIFE_VALIDATING},
        {VERDICT_FORBIDDEN, AUTH_CAUSE_NONE, LIFE_PROPAGATING},
        {VERDICT_GOOD, AUTH_CAUSE_NONE, LIFE_COLLECTING},
        {VERDICT_GOOD, AUTH_CAUSE_NETWORK, LIFE_DEGRADED},
        {VERDICT_GOOD, AUTH_CAUSE_SECRET_EXPIRED, LIFE_ATTENTION},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tale_begin(__func__);
        tale_say(ALL, rows[i].verdict);
        tale_auth(rows[i].auth);
        tale_expect(rows[i].state);
        const struct life_facts before = tale.facts;
        const unsigned saves = tale.saves;
        tale.facts = (struct life_facts){
            .auth = AUTH_CAUSE_NO_CREDENTIAL, .config_at = "/etc/x", .next = MONO_NEVER};
        tale_turn();
        tale_expect(LIFE_UNCONFIGURED);
        assert_string_equal(life_code(&tale.life), "C01");
        assert_int_equal(tale_allowed(), 0);
        assert_false(life_can_enable(&tale.life));
        assert_int_equal(tale.saves, saves);
        tale.facts = before;
        tale_turn();
        tale_expect(rows[i].state == LIFE_DEGRADED ? LIFE_UNCONFIGURED : rows[i].state);
        assert_string_not_equal(life_code(&tale.life), "C01");
    }
}

static void an_application_that_nobody_knows_yet_is_no_fault_of_a_new_box(void **unused)
{
    (void)unused;

    static const enum auth_cause setting_up[] = {AUTH_CAUSE_NO_CREDENTIAL,
                                                 AUTH_CAUSE_CERT_REJECTED,
                                                 AUTH_CAUSE_SECRET_WRONG,
                                                 AUTH_CAUSE_APP_UNKNOWN};

    for (size_t i = 0; i < sizeof(setting_up) / sizeof(setting_up[0]); i++) {
        tale_begin(__func__);
        tale_auth(setting_up[i]);
        tale_expect(LIFE_UNCONFIGURED);
        tale_restart();
        tale_expect(LIFE_UNCONFIGURED);
    }
    for (size_t i = 1; i < sizeof(setting_up) / sizeof(setting_up[0]); i++) {
        tale_begin(__func__);
        tale_say(ALL, VERDICT_GOOD);
        tale_auth(setting_up[i]); // it worked once
        tale_expect(LIFE_ATTENTION);
        assert_int_equal(tale.life.reason, setting_up[i]);
        assert_string_equal(life_code(&tale.life), auth_cause_info(setting_up[i])->code);
    }
}

static void consent_that_comes_late_is_waited_for_over_restarts(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_auth(AUTH_CAUSE_CONSENT);
    for (unsigned hours = 0; hours < 72; hours++) {
        tale_pass(HOUR);
        tale_expect(LIFE_AWAITING_CONSENT);
        if (hours == 24) {
            tale_say(ALL, VERDICT_MISSING); // signed in, and no role in the token
            tale_restart();
            tale_expect(LIFE_VALIDATING); // nothing is known yet
            tale_say(ALL, VERDICT_MISSING);
        }
    }
    tale_say(ALL, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
}

static void consent_that_is_declined_goes_on_waiting_and_says_so(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_MISSING);
    tale_auth(AUTH_CAUSE_CONSENT); // AADSTS65004
    tale_expect(LIFE_AWAITING_CONSENT);
    assert_int_equal(tale.life.reason, AUTH_CAUSE_CONSENT);
    assert_string_equal(life_code(&tale.life), "A15");
    tale_auth(AUTH_CAUSE_SERVICE);
    tale_expect(LIFE_AWAITING_CONSENT);
    tale_auth(AUTH_CAUSE_STARTING);
    tale_expect(LIFE_AWAITING_CONSENT);
    assert_int_equal(tale.life.reason, AUTH_CAUSE_CONSENT); // nothing newer was said
    tale_say(ALL, VERDICT_NO_ANSWER);
    tale_expect(LIFE_VALIDATING);
}

static void consent_in_part_runs_what_it_covers_and_names_the_rest(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_MISSING);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_MISSING);
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), CALLS);
    assert_int_equal(tale.life.lacking, USERS | DEVICES);
    assert_int_equal(tale.life.refused, USERS | DEVICES);
    assert_string_equal(life_code(&tale.life), "P01");
    tale_restart();
    tale_expect(LIFE_VALIDATING);
    tale_say(CALLS, VERDICT_GOOD);
    assert_int_equal(tale_allowed(), CALLS); // it did before: no need to wait for the others
    tale_say(USERS | DEVICES, VERDICT_MISSING);
    tale_expect(LIFE_DEGRADED);
    tale_say(USERS, VERDICT_GOOD);
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), CALLS | USERS);
    tale_say(DEVICES, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
}

static void consent_that_is_withdrawn_is_awaited_again_and_what_is_left_goes_on(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_GOOD);
    tale_say(USERS, VERDICT_MISSING);
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), CALLS | DEVICES);
    tale_say(ALL, VERDICT_MISSING);
    tale_expect(LIFE_AWAITING_CONSENT);
    assert_int_equal(tale_allowed(), 0);
    tale_say(ALL, VERDICT_FORBIDDEN); // given anew, and not everywhere yet
    tale_expect(LIFE_PROPAGATING);
    tale_say(ALL, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    tale_say(ALL, VERDICT_MISSING);
    tale_expect(LIFE_AWAITING_CONSENT);
}

static void any_subset_of_the_permissions_runs_what_it_covers(void **unused)
{
    (void)unused;
    for (unsigned wanted = 1; wanted <= ALL; wanted++) {
        tale_begin(__func__);
        tale.facts.wanted = wanted | 1u << PERMISSION_USER; // a person's: never waited for
        tale_say(ALL & ~wanted, VERDICT_FORBIDDEN);         // of no matter
        tale_say(wanted, VERDICT_GOOD);
        tale_expect(LIFE_COLLECTING);
        assert_int_equal(tale_allowed(), wanted);
    }
    tale_begin(__func__);
    tale.facts.wanted = 0;
    tale_say(0, VERDICT_NONE);
    tale_expect(LIFE_COLLECTING); // nothing is in the way of nothing
    assert_int_equal(tale_allowed(), 0);
}

// ---- 403 --------------------------------------------------------------------

static void graph_that_refuses_for_two_hours_is_waited_for_with_a_countdown(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_NONE);
    tale_say(ALL, VERDICT_FORBIDDEN);
    for (int64_t minutes = 0; minutes < 120; minutes += 5) {
        tale_expect(LIFE_PROPAGATING);
        int64_t left_ms = LIFE_PROPAGATION_MS - minutes * MINUTE;
        assert_int_equal(life_left_ms(&tale.life, tale.now), left_ms);
        assert_int_equal(tale.due.ms, tale.now.mono.ms + left_ms);
        assert_string_equal(life_code(&tale.life), "P02");
        tale_pass(5 * MINUTE);
    }
    tale_auth(AUTH_CAUSE_STARTING); // a newer token is fetched meanwhile
    tale_expect(LIFE_PROPAGATING);
    tale_auth(AUTH_CAUSE_NETWORK);
    tale_expect(LIFE_PROPAGATING);
    tale_say(ALL, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    assert_int_equal(life_left_ms(&tale.life, tale.now), 0);
    assert_int_equal(tale.life.kept.forbidden_since_ms[PERMISSION_CALL_RECORDS], 0);
}

static void graph_that_refuses_for_ever_becomes_a_persons_matter_and_is_still_asked(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_GOOD);
    tale_expect(LIFE_PROPAGATING);
    assert_int_equal(tale_allowed(), 0);
    tale_pass(LIFE_PROPAGATION_MS - 1);
    tale_expect(LIFE_PROPAGATING);
    tale_pass(1);
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(tale.life.reason, AUTH_CAUSE_NONE);
    assert_int_equal(tale.life.refused, CALLS);
    assert_string_equal(life_code(&tale.life), "P03");
    assert_int_equal(tale_allowed(), USERS | DEVICES); // waiting is over for what answers
    tale_pass(100 * 24 * HOUR);
    tale_expect(LIFE_ATTENTION);
    tale_restart();
    tale_expect(LIFE_ATTENTION);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_GOOD);
    tale_expect(LIFE_ATTENTION);
    tale_say(CALLS, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
}

static void what_is_granted_later_has_its_own_two_hours(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_MISSING);
    tale_pass(2 * HOUR);
    tale_say(USERS, VERDICT_FORBIDDEN); // granted now
    tale_expect(LIFE_PROPAGATING);
    assert_int_equal(life_left_ms(&tale.life, tale.now), LIFE_PROPAGATION_MS - 2 * HOUR);
    tale_say(CALLS, VERDICT_GOOD);
    tale_expect(LIFE_PROPAGATING);
    assert_int_equal(life_left_ms(&tale.life, tale.now), LIFE_PROPAGATION_MS);
    int64_t end_ms = tale.now.wall.ms + LIFE_PROPAGATION_MS;
    tale_pass(HOUR);
    tale_restart();
    tale_expect(LIFE_PROPAGATING);
    assert_int_equal(life_left_ms(&tale.life, tale.now), end_ms - tale.now.wall.ms);
    tale_say_both(CALLS, VERDICT_GOOD, USERS, VERDICT_FORBIDDEN);
    tale_pass(end_ms - tale.now.wall.ms - 1);
    tale_expect(LIFE_PROPAGATING);
    tale_pass(1);
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(tale.life.overdue, USERS);
    tale_say(USERS, VERDICT_MISSING);
    tale_say(USERS, VERDICT_FORBIDDEN); // granted once more
    assert_int_equal(life_left_ms(&tale.life, tale.now), LIFE_PROPAGATION_MS);
}

static void one_that_is_over_is_a_persons_matter_while_another_is_in_its_time(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_MISSING);
    tale_pass(2 * HOUR);
    tale_say(DEVICES, VERDICT_FORBIDDEN);
    tale_pass(LIFE_PROPAGATION_MS - 2 * HOUR);
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(tale.life.overdue, CALLS);
    assert_int_equal(tale.due.ms, tale.now.mono.ms + 2 * HOUR); // then it is over for the other
    tale_restart();
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(tale.life.overdue, CALLS);
    tale_pass(2 * HOUR);
    assert_int_equal(tale.life.overdue, CALLS | DEVICES);
    assert_int_equal(tale.due.ms, MONO_NEVER.ms);
}

static void a_restart_goes_on_with_the_countdown(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_FORBIDDEN);
    int64_t since_ms = tale.now.wall.ms;
    for (unsigned i = 0; i < 3; i++) {
        tale_pass(20 * MINUTE);
        tale_restart();
        tale_expect(LIFE_PROPAGATING);
        assert_int_equal(tale.life.lacking, ALL);
        assert_int_equal(tale.life.kept.forbidden_since_ms[PERMISSION_USERS], since_ms);
        tale_say(ALL, VERDICT_NO_ANSWER); // says nothing
        tale_expect(LIFE_PROPAGATING);
        tale_say(ALL, VERDICT_FORBIDDEN);
        tale_expect(LIFE_PROPAGATING);
    }
    tale_pass(since_ms + LIFE_PROPAGATION_MS - tale.now.wall.ms);
    tale_expect(LIFE_ATTENTION);
}

static void time_counts_only_while_it_is_known_and_never_backwards(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale.now.wall.quality = CLOCK_FLOOR;
    tale_say(ALL, VERDICT_FORBIDDEN);
    tale_pass(10 * HOUR);
    tale_expect(LIFE_PROPAGATING);
    assert_int_equal(tale.life.kept.forbidden_since_ms[PERMISSION_CALL_RECORDS], 0);
    assert_int_equal(life_left_ms(&tale.life, tale.now), 0);
    tale.now.wall.quality = CLOCK_TRUSTED;
    tale_pass(0);
    assert_int_equal(life_left_ms(&tale.life, tale.now), LIFE_PROPAGATION_MS);
    tale_pass(HOUR);
    tale.now.wall.ms -= 365 * 24 * HOUR; // set back: the wait is not a year longer
    tale_pass(0);
    assert_int_equal(life_left_ms(&tale.life, tale.now), LIFE_PROPAGATION_MS);
    tale_pass(LIFE_PROPAGATION_MS);
    tale_expect(LIFE_ATTENTION);
    tale.now.wall.ms -= 10 * HOUR;
    tale_pass(0);
    tale_expect(LIFE_PROPAGATING);
    tale.now.wall.ms += 365 * 24 * HOUR; // set forward: over, and not negative
    tale_pass(0);
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(life_left_ms(&tale.life, tale.now), 0);
}

static void enabling_with_a_warning_collects_what_answers_until_all_does(void **unused)
{
    (void)unused;
    bool changed = true;

    tale_begin(__func__);
    life_enable_with_warning(&tale.life, &changed); // nothing to enable yet
    assert_false(changed || tale.life.kept.enabled_with_warning);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_GOOD);
    assert_true(life_can_enable(&tale.life));
    life_enable_with_warning(&tale.life, &changed);
    assert_true(changed);
    tale_turn();
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), USERS | DEVICES);
    assert_false(life_can_enable(&tale.life));
    tale_pass(2 * LIFE_PROPAGATION_MS);
    tale_expect(LIFE_DEGRADED); // somebody knows already
    tale_restart();
    tale_expect(LIFE_DEGRADED);
    assert_true(tale.life.kept.enabled_with_warning);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_GOOD);
    tale_expect(LIFE_DEGRADED);
    tale_say(CALLS, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    assert_false(tale.life.kept.enabled_with_warning);
}

static void enabling_while_nothing_answers_is_for_what_will(void **unused)
{
    (void)unused;
    bool changed = false;

    tale_begin(__func__);
    tale_say(ALL, VERDICT_FORBIDDEN);
    life_enable_with_warning(&tale.life, &changed);
    tale_turn();
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), 0);
    tale_pass(LIFE_PROPAGATION_MS);
    tale_expect(LIFE_ATTENTION); // it is no answer to everything being refused
    tale_say(USERS, VERDICT_GOOD);
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), USERS);
}

static void a_person_may_enable_it_when_the_time_is_over_as_well(void **unused)
{
    (void)unused;
    bool changed = false;

    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_FORBIDDEN);
    tale_pass(LIFE_PROPAGATION_MS);
    tale_expect(LIFE_ATTENTION);
    assert_true(life_can_enable(&tale.life));
    life_enable_with_warning(&tale.life, &changed);
    tale_turn();
    tale_expect(LIFE_DEGRADED);
}

static void refusal_of_one_permission_never_stops_what_was_collected(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_GOOD);
    tale_say(USERS, VERDICT_FORBIDDEN);
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), CALLS | DEVICES);
    tale_restart();
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), 0); // until it answered again
    tale_say_both(CALLS | DEVICES, VERDICT_GOOD, USERS, VERDICT_FORBIDDEN);
    tale_expect(LIFE_DEGRADED);
    tale_pass(LIFE_PROPAGATION_MS);
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(tale_allowed(), CALLS | DEVICES);
    tale_say(USERS, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    tale_say(ALL, VERDICT_FORBIDDEN); // no fresh consent: this is no propagation
    tale_expect(LIFE_DEGRADED);
    tale_say(ALL, VERDICT_FORBIDDEN);
    tale_expect(LIFE_DEGRADED);
    tale_say(ALL, VERDICT_MISSING);
    tale_expect(LIFE_AWAITING_CONSENT);
}

static void what_is_said_while_another_permission_is_waited_for_counts(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_MISSING);
    tale_expect(LIFE_PROPAGATING);
    tale_say_both(CALLS, VERDICT_MISSING, USERS | DEVICES, VERDICT_NONE);
    tale_expect(LIFE_VALIDATING);
    tale_say(ALL, VERDICT_FORBIDDEN);
    tale_expect(LIFE_PROPAGATING);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_MISSING);
    tale_expect(LIFE_DEGRADED);
    tale_say_both(CALLS, VERDICT_MISSING, USERS | DEVICES, VERDICT_NONE);
    tale_expect(LIFE_VALIDATING);
    tale_say(ALL, VERDICT_MISSING);
    tale_expect(LIFE_AWAITING_CONSENT);
    tale_say(ALL, VERDICT_FORBIDDEN);
    tale_say(ALL, VERDICT_MISSING);
    tale_expect(LIFE_AWAITING_CONSENT);
}

const struct CMUnitTest life_consent_tests[] = {
    cmocka_unit_test(a_new_box_is_authorised_and_collects_without_anybody),
    cmocka_unit_test(without_a_configuration_every_state_is_unconfigured_and_nothing_is_forgotten),
    cmocka_unit_test(an_application_that_nobody_knows_yet_is_no_fault_of_a_new_box),
    cmocka_unit_test(consent_that_comes_late_is_waited_for_over_restarts),
    cmocka_unit_test(consent_that_is_declined_goes_on_waiting_and_says_so),
    cmocka_unit_test(consent_in_part_runs_what_it_covers_and_names_the_rest),
    cmocka_unit_test(consent_that_is_withdrawn_is_awaited_again_and_what_is_left_goes_on),
    cmocka_unit_test(any_subset_of_the_permissions_runs_what_it_covers),
    cmocka_unit_test(graph_that_refuses_for_two_hours_is_waited_for_with_a_countdown),
    cmocka_unit_test(graph_that_refuses_for_ever_becomes_a_persons_matter_and_is_still_asked),
    cmocka_unit_test(what_is_granted_later_has_its_own_two_hours),
    cmocka_unit_test(one_that_is_over_is_a_persons_matter_while_another_is_in_its_time),
    cmocka_unit_test(a_restart_goes_on_with_the_countdown),
    cmocka_unit_test(time_counts_only_while_it_is_known_and_never_backwards),
    cmocka_unit_test(enabling_with_a_warning_collects_what_answers_until_all_does),
    cmocka_unit_test(enabling_while_nothing_answers_is_for_what_will),
    cmocka_unit_test(a_person_may_enable_it_when_the_time_is_over_as_well),
    cmocka_unit_test(refusal_of_one_permission_never_stops_what_was_collected),
    cmocka_unit_test(what_is_said_while_another_permission_is_waited_for_counts),
};
const size_t life_consent_tests_count = sizeof(life_consent_tests) / sizeof(life_consent_tests[0]);

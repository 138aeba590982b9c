// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Lives in which answers say nothing, services go away, and the sign-in is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "life_tests.h"
#include "tale.h"

#define ALL (CALLS | USERS | DEVICES)

// ---- answers that are none, and services that go away -----------------------

static void an_answer_that_says_nothing_changes_nothing(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_NO_ANSWER);
    tale_expect(LIFE_VALIDATING);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_NO_ANSWER);
    tale_expect(LIFE_DEGRADED); // what answers is not held up
    assert_int_equal(tale_allowed(), CALLS);
    assert_int_equal(tale.life.refused, 0);
    assert_string_equal(life_code(&tale.life), "P05");
    tale_say(ALL, VERDICT_GOOD);
    tale_say(ALL, VERDICT_NO_ANSWER);
    tale_expect(LIFE_COLLECTING);
    tale_say(ALL, VERDICT_NONE); // whoever asks was built anew
    tale_expect(LIFE_COLLECTING);
    assert_int_equal(tale_allowed(), ALL);
    tale_say(USERS, VERDICT_FORBIDDEN);
    tale_say(ALL, VERDICT_NO_ANSWER);
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale.life.refused, USERS);
}

static void a_service_that_throttles_holds_up_no_other_permission(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(CALLS, VERDICT_GOOD);
    tale_expect(LIFE_VALIDATING);
    tale_say(USERS, VERDICT_NO_ANSWER); // and with Retry-After, so that DEVICES has to wait
    tale_expect(LIFE_DEGRADED);
    assert_int_equal(tale_allowed(), CALLS);
    tale_say(USERS | DEVICES, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
}

static void what_graphs_beta_takes_away_is_not_waited_for(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS | USERS, VERDICT_GOOD, DEVICES, VERDICT_UNAVAILABLE);
    tale_expect(LIFE_COLLECTING);
    assert_int_equal(tale_allowed(), CALLS | USERS);
    assert_int_equal(tale.life.lacking, 0);
    assert_string_equal(life_code(&tale.life), "");
    tale_say(DEVICES, VERDICT_GOOD);
    assert_int_equal(tale_allowed(), ALL);
    tale_begin(__func__);
    tale.facts.wanted = DEVICES;
    tale_say(DEVICES, VERDICT_UNAVAILABLE);
    tale_expect(LIFE_ATTENTION); // nothing else is wanted: somebody should know
    assert_int_equal(tale_allowed(), 0);
}

static void what_graph_does_not_offer_is_a_persons_matter(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale.facts.wanted = CALLS;
    tale_say(CALLS, VERDICT_UNAVAILABLE);
    tale_expect(LIFE_ATTENTION);
    assert_string_equal(life_code(&tale.life), "P04");
    tale_say(CALLS, VERDICT_UNAVAILABLE);
    tale_expect(LIFE_ATTENTION);
    tale_say(CALLS, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    tale_say(CALLS, VERDICT_UNAVAILABLE);
    tale_expect(LIFE_ATTENTION);

    static const enum verdict before[] = {VERDICT_MISSING, VERDICT_NONE, VERDICT_FORBIDDEN};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        tale_begin(__func__);
        tale.facts.wanted = CALLS;
        tale_say(CALLS, before[i]);
        tale_say(CALLS, VERDICT_UNAVAILABLE);
        tale_expect(LIFE_ATTENTION);
    }
    tale_begin(__func__);
    tale.facts.wanted = CALLS | USERS;
    tale_say_both(CALLS, VERDICT_UNAVAILABLE, USERS, VERDICT_GOOD);
    tale_expect(LIFE_DEGRADED);
    tale_say(USERS, VERDICT_UNAVAILABLE);
    tale_expect(LIFE_ATTENTION);
}

// ---- the sign-in ------------------------------------------------------------

static void a_token_endpoint_that_is_down_is_waited_for(void **unused)
{
    (void)unused;

    static const enum auth_cause down[] = {AUTH_CAUSE_NETWORK,
                                           AUTH_CAUSE_SERVICE,
                                           AUTH_CAUSE_THROTTLED,
                                           AUTH_CAUSE_TRUST,
                                           AUTH_CAUSE_NONSENSE,
                                           AUTH_CAUSE_STORE_BUSY};

    for (size_t i = 0; i < sizeof(down) / sizeof(down[0]); i++) {
        tale_begin(__func__);
        tale_say(ALL, VERDICT_GOOD);
        tale_auth(AUTH_CAUSE_STARTING); // Graph refused the token: another one is fetched
        tale_expect(LIFE_COLLECTING);
        tale_auth(down[i]);
        tale_expect(LIFE_DEGRADED);
        assert_int_equal(tale.life.refused, 0);
        assert_string_equal(life_code(&tale.life), auth_cause_info(down[i])->code);
        tale_auth(AUTH_CAUSE_STARTING);
        tale_expect(LIFE_DEGRADED);
        tale_pass(12 * HOUR);
        tale_auth(AUTH_CAUSE_NONE);
        tale_expect(LIFE_COLLECTING); // verdicts hold: nothing has to be asked first
        tale_restart();
        tale_auth(down[i]);
        tale_expect(LIFE_VALIDATING);
        tale_say(ALL, VERDICT_GOOD);
        tale_expect(LIFE_COLLECTING);
    }
}

static void a_clock_that_is_wrong_holds_nothing_against_the_tenant(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale.now.wall.quality = CLOCK_UNKNOWN;
    tale_auth(AUTH_CAUSE_CLOCK);
    tale_expect(LIFE_UNCONFIGURED);
    tale.now.wall.quality = CLOCK_TRUSTED;
    tale_say(ALL, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
    tale_auth(AUTH_CAUSE_CLOCK); // Entra finds fault with our assertions
    tale_expect(LIFE_DEGRADED);
    tale_auth(AUTH_CAUSE_NONE);
    tale_expect(LIFE_COLLECTING);
}

static void a_secret_that_expired_needs_a_person_and_a_new_one_is_enough(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_GOOD);
    tale_auth(AUTH_CAUSE_SECRET_EXPIRED);
    tale_expect(LIFE_ATTENTION);
    assert_string_equal(life_code(&tale.life), "A09");
    assert_int_equal(tale_allowed(), 0);
    tale_auth(AUTH_CAUSE_NETWORK);
    tale_expect(LIFE_ATTENTION);
    assert_int_equal(tale.life.reason, AUTH_CAUSE_SECRET_EXPIRED); // the last that was said
    tale_auth(AUTH_CAUSE_STARTING);
    tale_expect(LIFE_ATTENTION);
    tale_restart();
    tale_expect(LIFE_VALIDATING);
    tale_auth(AUTH_CAUSE_SECRET_EXPIRED);
    tale_expect(LIFE_ATTENTION);
    tale_auth(AUTH_CAUSE_NO_CREDENTIAL); // taken out
    tale_expect(LIFE_UNCONFIGURED);
    tale_auth(AUTH_CAUSE_SECRET_EXPIRED);
    tale_expect(LIFE_ATTENTION);
    tale_say(ALL, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);
}

static void a_certificate_that_was_replaced_is_taken_without_anybody(void **unused)
{
    (void)unused;

    static const enum verdict after[] = {
        VERDICT_MISSING, VERDICT_NONE, VERDICT_FORBIDDEN, VERDICT_GOOD};

    static const enum life_state lead_to[] = {
        LIFE_AWAITING_CONSENT, LIFE_VALIDATING, LIFE_PROPAGATING, LIFE_COLLECTING};

    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
        tale_begin(__func__);
        tale_say(ALL, VERDICT_MISSING);
        tale_auth(AUTH_CAUSE_CERT_EXPIRED);
        tale_expect(LIFE_ATTENTION);
        tale_auth(AUTH_CAUSE_CERT_REJECTED); // the next one, not uploaded yet
        tale_expect(LIFE_ATTENTION);
        tale_say(ALL, after[i]);
        tale_expect(lead_to[i]);
    }
    tale_begin(__func__);
    tale_say(ALL, VERDICT_MISSING);
    tale_auth(AUTH_CAUSE_CERT_EXPIRED);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_MISSING);
    tale_expect(LIFE_DEGRADED);
}

static void a_refusal_that_needs_a_person_is_seen_from_every_state(void **unused)
{
    (void)unused;

    static const enum auth_cause refusals[] = {AUTH_CAUSE_WRONG_CLOUD,
                                               AUTH_CAUSE_TENANT_UNKNOWN,
                                               AUTH_CAUSE_POLICY,
                                               AUTH_CAUSE_CONFIGURATION,
                                               AUTH_CAUSE_SECRET_EXPIRED};

    static const enum verdict before[] = {
        VERDICT_MISSING, VERDICT_NONE, VERDICT_FORBIDDEN, VERDICT_GOOD};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        for (size_t k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
            tale_begin(__func__);
            tale_say(ALL, before[k]);
            tale_auth(refusals[i]);
            tale_expect(LIFE_ATTENTION);
            assert_int_equal(tale.life.reason, refusals[i]);
            tale_pass(24 * HOUR);
            tale_say(ALL, VERDICT_GOOD);
            tale_expect(LIFE_COLLECTING);
        }
    }
}

static void a_tenant_of_another_cloud_is_named_before_anything_else_is(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_auth(AUTH_CAUSE_WRONG_CLOUD);
    tale_expect(LIFE_ATTENTION);
    assert_string_equal(life_code(&tale.life), "A14");
    tale_restart();
    tale_auth(AUTH_CAUSE_WRONG_CLOUD);
    tale_expect(LIFE_ATTENTION);
    tale_say(ALL, VERDICT_MISSING); // corrected
    tale_expect(LIFE_AWAITING_CONSENT);
}

static void a_conditional_access_block_ends_by_itself_when_it_is_lifted(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_GOOD, USERS | DEVICES, VERDICT_MISSING);
    tale_expect(LIFE_DEGRADED);
    tale_auth(AUTH_CAUSE_POLICY);
    tale_expect(LIFE_ATTENTION);
    assert_string_equal(life_code(&tale.life), "A16");
    tale_pass(HOUR);
    tale_auth(AUTH_CAUSE_NONE);
    tale_expect(LIFE_DEGRADED);
}

static void a_credential_that_is_taken_away_is_missed_in_every_state(void **unused)
{
    (void)unused;

    static const enum verdict before[] = {
        VERDICT_MISSING, VERDICT_NONE, VERDICT_FORBIDDEN, VERDICT_GOOD};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        for (size_t k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
            tale_begin(__func__);
            tale_say_both(CALLS, before[i], USERS | DEVICES, before[k]);
            tale_auth(AUTH_CAUSE_NO_CREDENTIAL);
            tale_expect(LIFE_UNCONFIGURED);
            assert_int_equal(tale_allowed(), 0);
            tale_say_both(CALLS, before[i], USERS | DEVICES, before[k]);
            assert_true(tale.life.state != LIFE_UNCONFIGURED);
        }
    }
    tale_begin(__func__);
    tale.facts.wanted = CALLS;
    tale_say(CALLS, VERDICT_UNAVAILABLE);
    tale_auth(AUTH_CAUSE_NO_CREDENTIAL);
    tale_auth(AUTH_CAUSE_NONE);
    tale_expect(LIFE_ATTENTION);
}

static void time_of_403_runs_on_while_there_is_no_token(void **unused)
{
    (void)unused;

    static const enum auth_cause without[] = {
        AUTH_CAUSE_NO_CREDENTIAL, AUTH_CAUSE_SECRET_EXPIRED, AUTH_CAUSE_NETWORK};

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        tale_begin(__func__);
        tale_say(ALL, VERDICT_FORBIDDEN);
        tale_auth(without[i]);
        tale_pass(LIFE_PROPAGATION_MS);
        tale_auth(AUTH_CAUSE_NONE);
        tale_expect(LIFE_ATTENTION);
        assert_int_equal(tale.life.event, LIFE_EV_OVERDUE);
    }
}

static void a_round_that_never_ends_does_not_hide_what_is_overdue(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_GOOD);
    tale_restart();
    tale_say_both(CALLS, VERDICT_GOOD, USERS, VERDICT_FORBIDDEN);
    tale_expect(LIFE_VALIDATING);
    tale_pass(LIFE_PROPAGATION_MS);
    tale_expect(LIFE_ATTENTION);
}

static void another_configuration_is_looked_at_anew(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale.facts.wanted = CALLS;
    tale_say(CALLS, VERDICT_GOOD);
    tale.facts.wanted = USERS;
    tale_turn();
    tale_expect(LIFE_VALIDATING);
    tale_say(USERS, VERDICT_GOOD);
    tale_expect(LIFE_COLLECTING);

    static const enum verdict before[] = {VERDICT_GOOD, VERDICT_MISSING};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        tale_begin(__func__);
        tale.facts.wanted = CALLS;
        tale_say_both(CALLS, before[i], USERS, VERDICT_FORBIDDEN);
        tale_auth(AUTH_CAUSE_STARTING);
        tale.facts.wanted = CALLS | USERS;
        tale_turn();
        tale_pass(LIFE_PROPAGATION_MS);
        tale_auth(AUTH_CAUSE_NONE);
        tale_expect(LIFE_ATTENTION);
    }
}

static void what_is_kept_is_written_seldom(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_FORBIDDEN);
    tale_say(ALL, VERDICT_GOOD);
    unsigned saves = tale.saves;
    for (unsigned i = 0; i < 1000; i++) {
        tale_pass(HOUR);
        tale_auth(i % 2 == 0 ? AUTH_CAUSE_NETWORK : AUTH_CAUSE_NONE);
    }
    assert_int_equal(tale.saves, saves);
    assert_in_range(saves, 1, 2);
}

const struct CMUnitTest life_signin_tests[] = {
    cmocka_unit_test(an_answer_that_says_nothing_changes_nothing),
    cmocka_unit_test(a_service_that_throttles_holds_up_no_other_permission),
    cmocka_unit_test(what_graphs_beta_takes_away_is_not_waited_for),
    cmocka_unit_test(what_graph_does_not_offer_is_a_persons_matter),
    cmocka_unit_test(a_token_endpoint_that_is_down_is_waited_for),
    cmocka_unit_test(a_clock_that_is_wrong_holds_nothing_against_the_tenant),
    cmocka_unit_test(a_secret_that_expired_needs_a_person_and_a_new_one_is_enough),
    cmocka_unit_test(a_certificate_that_was_replaced_is_taken_without_anybody),
    cmocka_unit_test(a_refusal_that_needs_a_person_is_seen_from_every_state),
    cmocka_unit_test(a_tenant_of_another_cloud_is_named_before_anything_else_is),
    cmocka_unit_test(a_conditional_access_block_ends_by_itself_when_it_is_lifted),
    cmocka_unit_test(a_credential_that_is_taken_away_is_missed_in_every_state),
    cmocka_unit_test(time_of_403_runs_on_while_there_is_no_token),
    cmocka_unit_test(a_round_that_never_ends_does_not_hide_what_is_overdue),
    cmocka_unit_test(another_configuration_is_looked_at_anew),
    cmocka_unit_test(what_is_kept_is_written_seldom),
};
const size_t life_signin_tests_count = sizeof(life_signin_tests) / sizeof(life_signin_tests[0]);

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Every row of the reference of Entra's errors, with the cause and the pace that a person gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "auth/auth_cause.h"

struct row {
    int aadsts;
    const char *error;
    enum auth_cause cause;
};

static const struct row rows[] = {
    {7000215, "invalid_client", AUTH_CAUSE_SECRET_WRONG},
    {70002, "invalid_client", AUTH_CAUSE_SECRET_WRONG},
    {7000222, "invalid_client", AUTH_CAUSE_SECRET_EXPIRED},
    {7000218, "invalid_client", AUTH_CAUSE_CONFIGURATION},
    {700027, "invalid_client", AUTH_CAUSE_CERT_REJECTED},
    {50012, "invalid_client", AUTH_CAUSE_CERT_REJECTED},
    {50013, "invalid_client", AUTH_CAUSE_CERT_REJECTED},
    {500133, "invalid_client", AUTH_CAUSE_CLOCK},
    {700024, "invalid_client", AUTH_CAUSE_CLOCK},
    {700025, "invalid_client", AUTH_CAUSE_CONFIGURATION},
    {700016, "unauthorized_client", AUTH_CAUSE_APP_UNKNOWN},
    {70001, "unauthorized_client", AUTH_CAUSE_APP_UNKNOWN},
    {7000112, "unauthorized_client", AUTH_CAUSE_APP_UNKNOWN},
    {90002, "invalid_request", AUTH_CAUSE_TENANT_UNKNOWN},
    {90038, "invalid_request", AUTH_CAUSE_WRONG_CLOUD},
    {900382, "", AUTH_CAUSE_WRONG_CLOUD},
    {900432, "", AUTH_CAUSE_WRONG_CLOUD},
    {500011, "invalid_resource", AUTH_CAUSE_CONFIGURATION},
    {650057, "invalid_resource", AUTH_CAUSE_CONFIGURATION},
    {650052, "invalid_resource", AUTH_CAUSE_CONFIGURATION},
    {70011, "invalid_scope", AUTH_CAUSE_CONFIGURATION},
    {28002, "invalid_scope", AUTH_CAUSE_CONFIGURATION},
    {700022, "invalid_scope", AUTH_CAUSE_CONFIGURATION},
    {65001, "invalid_grant", AUTH_CAUSE_CONSENT},
    {90094, "consent_required", AUTH_CAUSE_CONSENT},
    {65004, "invalid_grant", AUTH_CAUSE_CONSENT},
    {50076, "interaction_required", AUTH_CAUSE_POLICY},
    {50079, "interaction_required", AUTH_CAUSE_POLICY},
    {50072, "interaction_required", AUTH_CAUSE_POLICY},
    {50074, "interaction_required", AUTH_CAUSE_POLICY},
    {50078, "interaction_required", AUTH_CAUSE_POLICY},
    {53003, "access_denied", AUTH_CAUSE_POLICY},
    {53000, "interaction_required", AUTH_CAUSE_POLICY},
    {50131, "interaction_required", AUTH_CAUSE_POLICY},
    {530032, "interaction_required", AUTH_CAUSE_POLICY},
    {70008, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {700082, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {700084, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {70000, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {50089, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {50173, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {50133, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {50132, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {70043, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
    {70016, "authorization_pending", AUTH_CAUSE_CONFIGURATION},
    {70018, "bad_verification_code", AUTH_CAUSE_CONFIGURATION},
    {70019, "expired_token", AUTH_CAUSE_CONFIGURATION},
    {50196, "invalid_grant", AUTH_CAUSE_THROTTLED},
    {90055, "", AUTH_CAUSE_THROTTLED},
    {90055, "temporarily_unavailable", AUTH_CAUSE_THROTTLED},
    {90033, "temporarily_unavailable", AUTH_CAUSE_SERVICE},
    {90090, "server_error", AUTH_CAUSE_SERVICE},
    {90006, "server_error", AUTH_CAUSE_SERVICE},
    {90024, "temporarily_unavailable", AUTH_CAUSE_SERVICE},
    {90012, "temporarily_unavailable", AUTH_CAUSE_SERVICE},
    {50033, "server_error", AUTH_CAUSE_SERVICE},
    {50087, "temporarily_unavailable", AUTH_CAUSE_SERVICE},
};

static void every_number_of_the_reference_has_its_cause(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum auth_cause got = auth_cause_of(span_from_str(rows[i].error), rows[i].aadsts, 400);
        if (got != rows[i].cause) {
            fail_msg("AADSTS%d %s: %d", rows[i].aadsts, rows[i].error, (int)got);
        }
    }
}

static void unknown_numbers_are_judged_by_error(void **unused)
{
    (void)unused;
    static const struct row by_error[] = {
        {1, "temporarily_unavailable", AUTH_CAUSE_SERVICE},
        {1, "server_error", AUTH_CAUSE_SERVICE},
        {0, "slow_down", AUTH_CAUSE_THROTTLED},
        {0, "invalid_client", AUTH_CAUSE_CERT_REJECTED},
        {0, "unauthorized_client", AUTH_CAUSE_APP_UNKNOWN},
        {0, "consent_required", AUTH_CAUSE_CONSENT},
        {0, "interaction_required", AUTH_CAUSE_POLICY},
        {0, "access_denied", AUTH_CAUSE_POLICY},
        {0, "invalid_request", AUTH_CAUSE_CONFIGURATION},
        {99999999, "invalid_grant", AUTH_CAUSE_CONFIGURATION},
        {0, "something_new", AUTH_CAUSE_CONFIGURATION},
        {0, "unsupported_grant_type", AUTH_CAUSE_CONFIGURATION},
    };
    for (size_t i = 0; i < sizeof(by_error) / sizeof(by_error[0]); i++) {
        assert_int_equal(auth_cause_of(span_from_str(by_error[i].error), by_error[i].aadsts, 401),
                         by_error[i].cause);
    }
}

static void a_number_never_makes_a_passing_error_wait_for_a_person(void **unused)
{
    (void)unused;
    assert_int_equal(auth_cause_of(SPAN("temporarily_unavailable"), 7000215, 400),
                     AUTH_CAUSE_SERVICE);
    assert_int_equal(auth_cause_of(SPAN("server_error"), 700016, 500), AUTH_CAUSE_SERVICE);
}

static void without_error_the_status_says_what_it_is(void **unused)
{
    (void)unused;
    assert_int_equal(auth_cause_of(SPAN_NONE, 0, 429), AUTH_CAUSE_THROTTLED);
    assert_int_equal(auth_cause_of(SPAN_NONE, 0, 500), AUTH_CAUSE_SERVICE);
    assert_int_equal(auth_cause_of(SPAN_NONE, 0, 503), AUTH_CAUSE_SERVICE);
    assert_int_equal(auth_cause_of(SPAN_NONE, 0, 200), AUTH_CAUSE_NONSENSE);
    assert_int_equal(auth_cause_of(SPAN_NONE, 0, 302), AUTH_CAUSE_NONSENSE);
    assert_int_equal(auth_cause_of(SPAN_NONE, 0, 407), AUTH_CAUSE_NONSENSE);
    assert_int_equal(auth_cause_of(SPAN("odd"), 0, 503), AUTH_CAUSE_SERVICE);
    assert_int_equal(auth_cause_of(SPAN("odd"), 0, 429), AUTH_CAUSE_THROTTLED);
}

static void every_cause_has_a_code_of_its_own_and_words(void **unused)
{
    (void)unused;
    for (int i = 0; i < AUTH_CAUSE_COUNT; i++) {
        const struct auth_cause_info *info = auth_cause_info((enum auth_cause)i);
        assert_true(strlen(info->code) == 3 && info->code[0] == 'A');
        assert_true(strlen(info->key) > 2);
        assert_true(info->what[0] != '\0' && info->what[strlen(info->what) - 1u] == '.');
        assert_true(info->advice[0] == '\0' || info->advice[strlen(info->advice) - 1u] == '.');
        assert_true(info->pace == AUTH_PACE_QUICK || info->pace == AUTH_PACE_SLOW);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(info->code, auth_cause_info((enum auth_cause)k)->code);
            assert_string_not_equal(info->key, auth_cause_info((enum auth_cause)k)->key);
        }
    }
}

static void what_needs_a_person_is_slow_and_the_rest_quick(void **unused)
{
    (void)unused;
    for (int i = 0; i < AUTH_CAUSE_COUNT; i++) {
        bool slow = i >= AUTH_CAUSE_SECRET_WRONG && i <= AUTH_CAUSE_CONFIGURATION;
        assert_int_equal(auth_cause_info((enum auth_cause)i)->pace,
                         slow ? AUTH_PACE_SLOW : AUTH_PACE_QUICK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_the_reference_has_its_cause),
        cmocka_unit_test(unknown_numbers_are_judged_by_error),
        cmocka_unit_test(a_number_never_makes_a_passing_error_wait_for_a_person),
        cmocka_unit_test(without_error_the_status_says_what_it_is),
        cmocka_unit_test(every_cause_has_a_code_of_its_own_and_words),
        cmocka_unit_test(what_needs_a_person_is_slow_and_the_rest_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

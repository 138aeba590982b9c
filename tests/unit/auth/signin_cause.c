// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What errors of the sign-in host mean for a person, row by row of the reference.
 */
#include "auth/signin_cause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/signin_answer.h"

static enum signin_cause of(enum signin_ask ask, const char *error, int aadsts)
{
    return signin_cause_of(ask, span_from_str(error), aadsts, 400);
}

static void every_row_of_the_reference_has_its_cause(void **unused)
{
    (void)unused;

    static const struct {
        const char *error;
        enum signin_cause code, refresh; ///< what it means for a code, and for a refresh token
        int aadsts[13];
    } rows[] = {
        {"invalid_client",
         SIGNIN_CAUSE_CONFIGURATION,
         SIGNIN_CAUSE_CONFIGURATION,
         {7000215, 70002, 7000222, 7000218, 700027, 50012, 50013, 500133, 700025}},
        {"unauthorized_client",
         SIGNIN_CAUSE_CONFIGURATION,
         SIGNIN_CAUSE_CONFIGURATION,
         {700016, 70001, 7000112}},
        {"invalid_request",
         SIGNIN_CAUSE_CONFIGURATION,
         SIGNIN_CAUSE_CONFIGURATION,
         {90002, 90038, 900382, 900432, 50011}},
        {"invalid_resource",
         SIGNIN_CAUSE_CONFIGURATION,
         SIGNIN_CAUSE_CONFIGURATION,
         {500011, 650057, 650052}},
        {"invalid_scope",
         SIGNIN_CAUSE_CONFIGURATION,
         SIGNIN_CAUSE_CONFIGURATION,
         {70011, 28002, 700022}},
        {"invalid_grant", SIGNIN_CAUSE_CONSENT, SIGNIN_CAUSE_CONSENT, {65001, 90094}},
        {"consent_required", SIGNIN_CAUSE_CONSENT, SIGNIN_CAUSE_CONSENT, {65001, 90094, 1}},
        {"consent_required", SIGNIN_CAUSE_DECLINED, SIGNIN_CAUSE_DECLINED, {65004}},
        {"interaction_required",
         SIGNIN_CAUSE_MFA,
         SIGNIN_CAUSE_MFA,
         {50076, 50079, 50072, 50074, 50078, 1}},
        {"interaction_required",
         SIGNIN_CAUSE_BLOCKED,
         SIGNIN_CAUSE_BLOCKED,
         {53003, 53000, 50131, 530032, 50199}},
        {"access_denied",
         SIGNIN_CAUSE_BLOCKED,
         SIGNIN_CAUSE_BLOCKED,
         {53003, 53000, 50131, 530032}},
        {"invalid_grant",
         SIGNIN_CAUSE_EXPIRED,
         SIGNIN_CAUSE_REVOKED,
         {70008, 700082, 700084, 70000, 50089, 50173, 50133, 50132, 70043, 54005, 1}},
        {"invalid_grant", SIGNIN_CAUSE_TENANT, SIGNIN_CAUSE_TENANT, {50020, 50034}},
        {"invalid_grant", SIGNIN_CAUSE_NETWORK, SIGNIN_CAUSE_NETWORK, {50196}},
        {"temporarily_unavailable",
         SIGNIN_CAUSE_NETWORK,
         SIGNIN_CAUSE_NETWORK,
         {90033, 90090, 90006, 90024, 90012, 50033, 50087, 90055, 53003, 1}},
        {"server_error", SIGNIN_CAUSE_NETWORK, SIGNIN_CAUSE_NETWORK, {90033, 1}},
        {"", SIGNIN_CAUSE_BLOCKED, SIGNIN_CAUSE_BLOCKED, {53003}},
        {"", SIGNIN_CAUSE_NETWORK, SIGNIN_CAUSE_NETWORK, {90055, 1}},
        {"what_may_come", SIGNIN_CAUSE_CONFIGURATION, SIGNIN_CAUSE_CONFIGURATION, {1}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t n = 0; n < 13 && rows[i].aadsts[n] != 0; n++) {
            int aadsts = rows[i].aadsts[n];
            assert_int_equal(of(SIGNIN_ASK_CODE, rows[i].error, aadsts), rows[i].code);
            assert_int_equal(of(SIGNIN_ASK_REFRESH, rows[i].error, aadsts), rows[i].refresh);
        }
    }
}

static void the_states_of_a_device_code_are_told_by_their_words(void **unused)
{
    (void)unused;
    assert_int_equal(of(SIGNIN_ASK_DEVICE, "authorization_declined", 0), SIGNIN_CAUSE_DECLINED);
    assert_int_equal(of(SIGNIN_ASK_DEVICE, "expired_token", 70019), SIGNIN_CAUSE_EXPIRED);
    assert_int_equal(of(SIGNIN_ASK_DEVICE, "bad_verification_code", 70018), SIGNIN_CAUSE_EXPIRED);
    assert_int_equal(of(SIGNIN_ASK_DEVICE, "invalid_grant", 50134), SIGNIN_CAUSE_EXPIRED);
}

static void a_status_that_says_later_is_believed_first(void **unused)
{
    (void)unused;
    static const int passing[] = {429, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        assert_int_equal(
            signin_cause_of(SIGNIN_ASK_REFRESH, SPAN("invalid_grant"), 50173, passing[i]),
            SIGNIN_CAUSE_NETWORK);
    }
    assert_int_equal(signin_cause_of(SIGNIN_ASK_REFRESH, SPAN_NONE, 0, 200), SIGNIN_CAUSE_NETWORK);
}

static void every_cause_has_a_name_and_says_what_to_do(void **unused)
{
    (void)unused;
    assert_string_equal(signin_cause_text(SIGNIN_CAUSE_NONE), "");
    for (int c = SIGNIN_CAUSE_NONE + 1; c < SIGNIN_CAUSES; c++) {
        const char *text = signin_cause_text((enum signin_cause)c);
        assert_true(strlen(text) > 60);
        assert_int_equal(text[strlen(text) - 1u], '.');
        assert_null(strchr(text, '"')); // it stands in log lines between quotes
        for (int d = SIGNIN_CAUSE_NONE; d < c; d++) {
            assert_string_not_equal(signin_cause_name((enum signin_cause)c),
                                    signin_cause_name((enum signin_cause)d));
        }
    }
}

// ---- names ------------------------------------------------------------------

static void check_me(const char *body, const char *who)
{
    static struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
    char out[SIGNIN_WHO_BYTES];
    enum rc rc = signin_read_me(span_from_str(body), arena, out);
    assert_int_equal(rc, who != NULL ? RC_OK : RC_PARSE);
    if (who != NULL) {
        assert_string_equal(out, who);
    }
}

static void a_name_is_taken_without_what_a_terminal_would_obey(void **unused)
{
    (void)unused;
    check_me("{\"displayName\":\"Zo\\u00eb\",\"userPrincipalName\":\"z@x\"}", "Zo\xC3\xAB");
    check_me("{\"displayName\":null,\"userPrincipalName\":\"z@x\"}", "z@x");
    check_me("{\"displayName\":\"\",\"userPrincipalName\":\"z@x\"}", "z@x");
    check_me("{\"displayName\":\"a\\u001b[2Jb\\n\\u0000c\\u007f\"}", "a[2Jbc");
    check_me("{\"displayName\":\"\\u0007\"}", NULL);
    check_me("{\"displayName\":1}", NULL);
    check_me("[]", NULL);
    check_me("", NULL);
}

static void a_long_name_is_cut_between_characters(void **unused)
{
    (void)unused;
    char body[1024], who[SIGNIN_WHO_BYTES];
    memset(who, 0, sizeof(who));
    for (size_t pad = 0; pad < 3; pad++) {
        struct buf b = BUF(body), expected = buf_of(who, sizeof(who) - 1u);
        buf_put_str(&b, "{\"displayName\":\"");
        for (size_t i = 0; i < pad; i++) {
            buf_put_char(&b, 'x');
            buf_put_char(&expected, 'x');
        }
        for (size_t i = 0; i < 100; i++) {
            buf_put_str(&b, "\xE2\x82\xAC");
            buf_put_str(&expected, "\xE2\x82\xAC"); // one that does not fit is not put
        }
        buf_put_str(&b, "\"}");
        who[expected.len] = '\0';
        assert_true(buf_terminate(&b));
        check_me(body, who);
        assert_true(strlen(who) <= SIGNIN_WHO_BYTES - 1u && strlen(who) >= SIGNIN_WHO_BYTES - 4u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_reference_has_its_cause),
        cmocka_unit_test(the_states_of_a_device_code_are_told_by_their_words),
        cmocka_unit_test(a_status_that_says_later_is_believed_first),
        cmocka_unit_test(every_cause_has_a_name_and_says_what_to_do),
        cmocka_unit_test(a_name_is_taken_without_what_a_terminal_would_obey),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/auth.h"
#include "auth/auth_answer.h"

#define TOKEN(rest) "{\"token_type\":\"Bearer\",\"access_token\":\"abc.def\"," rest "}"

static struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
static char token_bytes[AUTH_TOKEN_BYTES_MAX];
static struct buf token;
static struct auth_answer answer;

static enum rc read_text(const char *text)
{
    token = BUF(token_bytes);
    return auth_answer_read(span_from_str(text), arena, &token, &answer);
}

static void a_token_comes_with_its_life(void **unused)
{
    (void)unused;
    assert_int_equal(read_text(TOKEN("\"expires_in\":3599,\"ext_expires_in\":3599")), RC_OK);
    assert_int_equal(answer.expires_s, 3599);
    assert_true(span_equal(buf_span(&token), SPAN("abc.def")));
    assert_string_equal(answer.error, "");
}

static void a_life_is_a_number_or_the_text_of_one(void **unused)
{
    (void)unused;
    assert_int_equal(read_text(TOKEN("\"expires_in\":\"3600\"")), RC_OK);
    assert_int_equal(answer.expires_s, 3600);
    assert_int_equal(read_text(TOKEN("\"expires_in\":1")), RC_OK);
    assert_int_equal(answer.expires_s, 1);
    assert_int_equal(read_text(TOKEN("\"expires_in\":9000000000000")), RC_OK);
    assert_int_equal(answer.expires_s, AUTH_EXPIRES_S_MAX);
}

static void a_life_that_is_none_is_nonsense(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        TOKEN("\"expires_in\":0"),
        TOKEN("\"expires_in\":-1"),
        TOKEN("\"expires_in\":3599.5"),
        TOKEN("\"expires_in\":\"\""),
        TOKEN("\"expires_in\":\"1h\""),
        TOKEN("\"expires_in\":null"),
        TOKEN("\"expires_in\":[1]"),
        TOKEN("\"x\":1"),
        TOKEN("\"expires_in\":\"-5\""),
        TOKEN("\"expires_in\":true"),
        TOKEN("\"expires_in\":\"99999999999999999999999999\""),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(bad[i]), RC_PARSE);
    }
}

static void the_type_is_bearer_in_any_case(void **unused)
{
    (void)unused;
    assert_int_equal(
        read_text("{\"token_type\":\"bearer\",\"access_token\":\"a\",\"expires_in\":5}"), RC_OK);
    assert_int_equal(
        read_text("{\"token_type\":\"BEARER\",\"access_token\":\"a\",\"expires_in\":5}"), RC_OK);
    assert_int_equal(read_text("{\"token_type\":\"pop\",\"access_token\":\"a\",\"expires_in\":5}"),
                     RC_PARSE);
    assert_int_equal(read_text("{\"access_token\":\"a\",\"expires_in\":5}"), RC_PARSE);
}

static void a_token_that_would_break_a_header_is_nonsense(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "", "a b", "a\\r\\nX: y", "a\\n", "a\\u0000b", "a\\u0007", "\\u00fc", "a\\u007f", "a\\t"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[256];
        snprintf(text,
                 sizeof(text),
                 "{\"token_type\":\"Bearer\",\"expires_in\":5,\"access_token\":\"%s\"}",
                 bad[i]);
        assert_int_equal(read_text(text), RC_PARSE);
    }
    assert_int_equal(read_text("{\"token_type\":\"Bearer\",\"expires_in\":5,\"access_token\":5}"),
                     RC_PARSE);
}

static void a_token_of_the_largest_size_is_taken_and_no_larger_one(void **unused)
{
    (void)unused;
    static char text[AUTH_TOKEN_BYTES_MAX + 128u];
    for (unsigned more = 0; more < 2; more++) {
        struct buf b = BUF(text);
        buf_put_str(&b, "{\"token_type\":\"Bearer\",\"expires_in\":5,\"access_token\":\"");
        for (unsigned i = 0; i < AUTH_TOKEN_BYTES_MAX + more; i++) {
            buf_put_char(&b, 'x');
        }
        buf_put_str(&b, "\"}");
        assert_true(buf_terminate(&b));
        assert_int_equal(read_text(text), more == 0 ? RC_OK : RC_PARSE);
    }
}

static void an_error_of_entra_is_read_with_number_and_trace(void **unused)
{
    (void)unused;
    assert_int_equal(
        read_text(
            "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client "
            "secret.\\r\\n\","
            "\"error_codes\":[7000215],\"timestamp\":\"2026-11-23 10:00:00Z\","
            "\"trace_id\":\"0f0e0d0c-0000-1111-2222-333344445555\",\"correlation_id\":\"c\"}"),
        RC_DENIED);
    assert_string_equal(answer.error, "invalid_client");
    assert_int_equal(answer.aadsts, 7000215);
    assert_string_equal(answer.trace_id, "0f0e0d0c-0000-1111-2222-333344445555");
}

static void an_error_of_any_other_server_is_read_too(void **unused)
{
    (void)unused;
    assert_int_equal(read_text("{\"error\":\"invalid_client\",\"error_description\":\"client "
                               "authentication failed\"}"),
                     RC_DENIED);
    assert_int_equal(answer.aadsts, 0);
    assert_string_equal(answer.trace_id, "");
}

static void an_error_beats_a_token(void **unused)
{
    (void)unused;
    assert_int_equal(read_text(TOKEN("\"expires_in\":5,\"error\":\"invalid_client\"")), RC_DENIED);
    assert_int_equal(token.len, 0);
}

static void odd_members_of_an_error_are_left_out(void **unused)
{
    (void)unused;
    assert_int_equal(
        read_text(
            "{\"error\":\"invalid_client\",\"error_codes\":[\"x\"],\"trace_id\":\"a\\nev=fake\"}"),
        RC_DENIED);
    assert_int_equal(answer.aadsts, 0);
    assert_string_equal(answer.trace_id, "");
    assert_int_equal(read_text("{\"error\":\"x\",\"error_codes\":[99999999999],\"trace_id\":"
                               "\"0123456789012345678901234567890123456789\"}"),
                     RC_DENIED);
    assert_int_equal(answer.aadsts, 0);
    assert_string_equal(answer.trace_id, "");
    assert_int_equal(read_text("{\"error\":{\"code\":\"x\"}}"),
                     RC_PARSE); // Graph's shape is not this endpoint's
    assert_int_equal(read_text("{\"error\":\"Has Blanks\",\"error_codes\":[7]}"), RC_DENIED);
    assert_string_equal(answer.error, "");
    assert_int_equal(answer.aadsts, 7);
}

static void what_is_no_json_object_is_nonsense(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "", "<html>", "[]", "null", "{", "\"x\"", "{\"error\":\"a\"}x", "{}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(bad[i]), RC_PARSE);
    }
}

static void every_cut_of_an_answer_is_nonsense(void **unused)
{
    (void)unused;
    static const char text[] = TOKEN("\"expires_in\":3599");
    for (size_t len = 0; len < sizeof(text) - 1u; len++) {
        token = BUF(token_bytes);
        assert_int_equal(auth_answer_read((struct span){text, len}, arena, &token, &answer),
                         RC_PARSE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_comes_with_its_life),
        cmocka_unit_test(a_life_is_a_number_or_the_text_of_one),
        cmocka_unit_test(a_life_that_is_none_is_nonsense),
        cmocka_unit_test(the_type_is_bearer_in_any_case),
        cmocka_unit_test(a_token_that_would_break_a_header_is_nonsense),
        cmocka_unit_test(a_token_of_the_largest_size_is_taken_and_no_larger_one),
        cmocka_unit_test(an_error_of_entra_is_read_with_number_and_trace),
        cmocka_unit_test(an_error_of_any_other_server_is_read_too),
        cmocka_unit_test(an_error_beats_a_token),
        cmocka_unit_test(odd_members_of_an_error_are_left_out),
        cmocka_unit_test(what_is_no_json_object_is_nonsense),
        cmocka_unit_test(every_cut_of_an_answer_is_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

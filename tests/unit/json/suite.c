// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * JSONTestSuite (https://github.com/nst/JSONTestSuite): three readers, one answer for each file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cut_feed.h"
#include "json/json.h"
#include "shared.h"

#define DIRECTORY     "corpora/JSONTestSuite"
#define TOKENS_MAX    4096u
#define SPLIT_MAX     300u ///< a file of up to so many bytes is cut at every byte
#define WRAPPED_BYTES (768u * 1024u)
#define TRACE_BYTES   (256u * 1024u)

static struct json_token tokens[TOKENS_MAX];
static char wrapped_bytes[WRAPPED_BYTES];
static char trace_bytes[2][TRACE_BYTES], joined_bytes[2][TRACE_BYTES], compact_bytes[TRACE_BYTES];

static bool accepted_byte_by_byte(struct span text)
{
    struct json_scan s;
    json_scan_init(&s);
    for (size_t i = 0; i < text.len; i++) {
        size_t used = 0;
        if (json_scan_push(&s, span_sub(text, i, 1), &used) != RC_OK) {
            // What is refused once stays refused.
            assert_int_equal(json_scan_push(&s, SPAN(" "), &used), RC_PARSE);
            assert_int_equal(json_scan_end(&s), RC_PARSE);
            return false;
        }
        assert_int_equal(used, 1);
    }
    return json_scan_end(&s) == RC_OK;
}

static void expect(const char *name, struct span text, bool good)
{
    struct json doc;
    enum rc wanted = good ? RC_OK : RC_PARSE;
    if (json_validate(text) != wanted || json_parse(&doc, text, tokens, TOKENS_MAX) != wanted ||
        accepted_byte_by_byte(text) != good) {
        fail_msg("%s is not %s by all", name, good ? "accepted" : "refused");
    }
}

static void refused(void *context, const char *name, struct span text)
{
    (void)context;
    expect(name, text, false);
}

static void accepted(void *context, const char *name, struct span text)
{
    (void)context;
    expect(name, text, true);
}

static void every_n_file_is_refused(void **state)
{
    (void)state;
    unsigned count = shared_each(DIRECTORY, "n_", refused, NULL);
    if (count == 0) {
        skip();
    }
    assert_int_equal(count, 188);
}

static void every_y_file_is_accepted(void **state)
{
    (void)state;
    unsigned count = shared_each(DIRECTORY, "y_", accepted, NULL);
    if (count == 0) {
        skip();
    }
    assert_int_equal(count, 95);
}

// Numbers are kept as text, so no size is too large. What is no Unicode text is refused, and so is
// what is nested deeper than CONFIG_JSON_DEPTH_MAX.
static const struct {
    const char *name;
    bool good;
} answers[] = {
    {"i_number_double_huge_neg_exp.json", true},
    {"i_number_huge_exp.json", true},
    {"i_number_neg_int_huge_exp.json", true},
    {"i_number_pos_double_huge_exp.json", true},
    {"i_number_real_neg_overflow.json", true},
    {"i_number_real_pos_overflow.json", true},
    {"i_number_real_underflow.json", true},
    {"i_number_too_big_neg_int.json", true},
    {"i_number_too_big_pos_int.json", true},
    {"i_number_very_big_negative_int.json", true},
    {"i_object_key_lone_2nd_surrogate.json", false},
    {"i_string_1st_surrogate_but_2nd_missing.json", false},
    {"i_string_1st_valid_surrogate_2nd_invalid.json", false},
    {"i_string_UTF-16LE_with_BOM.json", false},
    {"i_string_UTF-8_invalid_sequence.json", false},
    {"i_string_UTF8_surrogate_U+D800.json", false},
    {"i_string_incomplete_surrogate_and_escape_valid.json", false},
    {"i_string_incomplete_surrogate_pair.json", false},
    {"i_string_incomplete_surrogates_escape_valid.json", false},
    {"i_string_invalid_lonely_surrogate.json", false},
    {"i_string_invalid_surrogate.json", false},
    {"i_string_invalid_utf-8.json", false},
    {"i_string_inverted_surrogates_U+1D11E.json", false},
    {"i_string_iso_latin_1.json", false},
    {"i_string_lone_second_surrogate.json", false},
    {"i_string_lone_utf8_continuation_byte.json", false},
    {"i_string_not_in_unicode_range.json", false},
    {"i_string_overlong_sequence_2_bytes.json", false},
    {"i_string_overlong_sequence_6_bytes.json", false},
    {"i_string_overlong_sequence_6_bytes_null.json", false},
    {"i_string_truncated-utf-8.json", false},
    {"i_string_utf16BE_no_BOM.json", false},
    {"i_string_utf16LE_no_BOM.json", false},
    {"i_structure_500_nested_arrays.json", false},
    {"i_structure_UTF-8_BOM_empty_object.json", false},
};

#define ANSWERS_COUNT (sizeof(answers) / sizeof(answers[0]))

static void answered(void *context, const char *name, struct span text)
{
    (void)context;
    for (size_t i = 0; i < ANSWERS_COUNT; i++) {
        if (span_equal(span_from_str(name), span_from_str(answers[i].name))) {
            expect(name, text, answers[i].good);
            return;
        }
    }
    fail_msg("no answer is stated for %s", name);
}

static void every_i_file_has_its_stated_answer(void **state)
{
    (void)state;
    unsigned count = shared_each(DIRECTORY, "i_", answered, NULL);
    if (count == 0) {
        skip();
    }
    assert_int_equal(count, ANSWERS_COUNT);
}

static struct cut_outcome outcome(unsigned which)
{
    return (struct cut_outcome){.trace = BUF(trace_bytes[which]),
                                .joined = BUF(joined_bytes[which])};
}

static void expect_same(const char *name, struct span text, struct cut_feed *how)
{
    struct cut_outcome whole = outcome(0);
    struct cut_outcome pieces = outcome(1);
    how->pieces = CUT_FEED_WHOLE;
    cut_feed(text, how, &whole);
    bool good = json_validate(text) == RC_OK;
    if ((whole.end == JSON_CUT_END) != good || whole.invalid != 0 || !buf_ok(&whole.joined)) {
        fail_msg("%s: cut as a whole", name);
    }
    if (good) {
        struct buf compact = BUF(compact_bytes);
        json_compact(text, &compact);
        assert_true(span_equal(buf_span(&whole.joined), buf_span(&compact)));
    }
    for (size_t at = 1; at < text.len && at <= SPLIT_MAX; at++) {
        how->pieces = CUT_FEED_SPLIT;
        how->bytes = text.len <= SPLIT_MAX ? at : text.len * at / (SPLIT_MAX + 1u);
        cut_feed(text, how, &pieces);
        if (!span_equal(buf_span(&whole.trace), buf_span(&pieces.trace)) ||
            whole.bytes != pieces.bytes) {
            fail_msg("%s: cut in two behind byte %zu", name, how->bytes);
        }
    }
    how->pieces = CUT_FEED_EVEN;
    how->bytes = 1;
    cut_feed(text, how, &pieces);
    assert_true(span_equal(buf_span(&whole.trace), buf_span(&pieces.trace)));
}

static void cut(void *context, const char *name, struct span text)
{
    (void)context;
    struct cut_feed how = {.arrays = {SPAN("value"), SPAN("a")},
                           .arrays_count = 2,
                           .element_bytes = CUT_FEED_ELEMENT_BYTES,
                           .rest_bytes = CUT_FEED_ELEMENT_BYTES};
    struct buf wrapped = BUF(wrapped_bytes);
    expect_same(name, text, &how);
    buf_put_str(&wrapped, "{ \"n\":0, \"value\": [");
    buf_put(&wrapped, text);
    buf_put_str(&wrapped, ",");
    buf_put(&wrapped, text);
    buf_put_str(&wrapped, " ] }");
    assert_true(buf_ok(&wrapped));
    expect_same(name, buf_span(&wrapped), &how);
}

static void every_file_is_cut_the_same_whatever_the_pieces(void **state)
{
    (void)state;
    unsigned count = shared_each(DIRECTORY, "", cut, NULL);
    if (count == 0) {
        skip();
    }
    assert_int_equal(count, 188 + 95 + ANSWERS_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_n_file_is_refused),
        cmocka_unit_test(every_y_file_is_accepted),
        cmocka_unit_test(every_i_file_has_its_stated_answer),
        cmocka_unit_test(every_file_is_cut_the_same_whatever_the_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

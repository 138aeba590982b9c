// SPDX-License-Identifier: Apache-2.0
#include "status/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void comes_out(enum text_place place, struct span in, size_t max, const char *wanted)
{
    char out[256];
    struct buf b = BUF(out);

    text_put(&b, place, in, max);
    assert_true(buf_ok(&b));
    assert_true(b.len <= max);
    assert_true(buf_terminate(&b));
    assert_string_equal(out, wanted);
}

static void each_place_has_its_escapes(void **state)
{
    (void)state;
    struct span in = SPAN("<a href=\"x\">'&\\");
    comes_out(TEXT_HTML, in, 100, "&lt;a href=&#34;x&#34;&gt;&#39;&amp;\\");
    comes_out(TEXT_JSON, in, 100, "<a href=\\\"x\\\">'&\\\\");
    comes_out(TEXT_LABEL, in, 100, "<a href=\\\"x\\\">'&\\\\");
}

static void what_cannot_be_seen_becomes_a_blank(void **state)
{
    (void)state;
    comes_out(TEXT_JSON,
              SPAN("a\nb\0c\x7F"
                   "d\x1B"),
              100,
              "a b c d ");
    comes_out(TEXT_HTML,
              SPAN("a\xE2\x80\xA8"
                   "b\xE2\x80\xAE"
                   "c\xE2\x81\xA6"),
              100,
              "a b c ");
    comes_out(TEXT_HTML, SPAN("\xC2\x85|\xD8\x9C|\xE2\x80\x8F|\xEF\xBB\xBF|"), 100, " | | | |");
    // Their neighbours are letters and signs like any other.
    comes_out(TEXT_HTML,
              SPAN("\xC2\xA0\xD8\x9B\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5"),
              100,
              "\xC2\xA0\xD8\x9B\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5");
}

static void what_is_no_utf_8_is_marked(void **state)
{
    (void)state;
    comes_out(TEXT_LABEL,
              SPAN("a\xFF\xC3(\xED\xA0\x80"),
              100,
              "a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    comes_out(TEXT_LABEL, SPAN("\xE2\x82"), 100, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void it_is_cut_between_characters_and_never_longer_than_was_said(void **state)
{
    (void)state;
    comes_out(TEXT_JSON, SPAN("abcdef"), 6, "abcdef");
    comes_out(TEXT_JSON, SPAN("abcdefg"), 6, "abc\xE2\x80\xA6");
    comes_out(TEXT_HTML, SPAN("&&"), 10, "&amp;&amp;");
    comes_out(TEXT_HTML, SPAN("&&&"), 10, "&amp;\xE2\x80\xA6");
    comes_out(
        TEXT_HTML, SPAN("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F"), 7, "\xC3\xA4\xC3\xB6\xE2\x80\xA6");
    for (size_t max = 3; max < 40; max++) {
        char out[64];
        struct buf b = BUF(out);
        text_put(
            &b, TEXT_HTML, SPAN("\"<a>\xE2\x82\xAC\xF0\x9F\x94\xA5&\xFF'\"<a>\xE2\x82\xAC"), max);
        assert_true(b.len <= max);
    }
}

static void a_missing_string_is_no_text(void **state)
{
    (void)state;
    assert_int_equal(text_of(NULL).len, 0);
    assert_true(span_equal(text_of("x"), SPAN("x")));
}

static void levels_have_words(void **state)
{
    (void)state;
    assert_string_equal(text_level(SNAPSHOT_GOOD), "good");
    assert_string_equal(text_level(SNAPSHOT_BAD), "bad");
    assert_string_equal(text_level((enum snapshot_level)0), "none");
    assert_string_equal(text_level((enum snapshot_level)99), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_has_its_escapes),
        cmocka_unit_test(what_cannot_be_seen_becomes_a_blank),
        cmocka_unit_test(what_is_no_utf_8_is_marked),
        cmocka_unit_test(it_is_cut_between_characters_and_never_longer_than_was_said),
        cmocka_unit_test(a_missing_string_is_no_text),
        cmocka_unit_test(levels_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

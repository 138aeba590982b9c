// SPDX-License-Identifier: Apache-2.0
#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void text_is(const struct buf *b, const char *wanted)
{
    assert_true(buf_ok(b));
    assert_int_equal(b->len, strlen(wanted));
    assert_memory_equal(b->ptr, wanted, b->len);
}

static void equal_means_same_length_and_bytes(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN("abc"), span_from_str("abc")));
    assert_true(span_equal(SPAN_NONE, SPAN("")));
    assert_false(span_equal(SPAN("abc"), SPAN("abd")));
    assert_false(span_equal(SPAN("abc"), SPAN("ab")));
    assert_true(span_equal(SPAN("a\0b"), SPAN("a\0b")));
    assert_false(span_equal(SPAN("a\0b"), SPAN("a\0c")));
}

static void case_is_ignored_in_ascii_only(void **state)
{
    (void)state;
    assert_true(span_equal_nocase(SPAN("Retry-AFTER"), SPAN("retry-after")));
    assert_true(span_equal_nocase(SPAN_NONE, SPAN_NONE));
    assert_false(span_equal_nocase(SPAN("a"), SPAN("ab")));
    assert_false(span_equal_nocase(SPAN("\xC4"), SPAN("\xE4")));
    // The neighbours of the letters differ by the same bit and are other characters.
    assert_false(span_equal_nocase(SPAN("@["), SPAN("`{")));
}

static void secrets_are_equal_only_if_every_byte_is(void **state)
{
    (void)state;
    assert_true(span_equal_secret(SPAN("0123456789abcdef"), SPAN("0123456789abcdef")));
    assert_true(span_equal_secret(SPAN_NONE, SPAN("")));
    assert_false(span_equal_secret(SPAN("0123"), SPAN("01234")));
    char other[] = "0123456789abcdef";
    for (size_t i = 0; i + 1 < sizeof(other); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            other[i] = (char)(other[i] ^ (1 << bit));
            assert_false(span_equal_secret(SPAN("0123456789abcdef"), span_from_str(other)));
            other[i] = (char)(other[i] ^ (1 << bit));
        }
    }
}

static void a_part_never_leaves_the_whole(void **state)
{
    (void)state;
    struct span s = SPAN("abcdef");
    assert_true(span_equal(span_sub(s, 0, 6), s));
    assert_true(span_equal(span_sub(s, 2, 3), SPAN("cde")));
    assert_true(span_equal(span_sub(s, 5, SIZE_MAX), SPAN("f")));
    assert_int_equal(span_sub(s, 6, 1).len, 0);
    assert_int_equal(span_sub(s, SIZE_MAX, SIZE_MAX).len, 0);
    assert_int_equal(span_sub(s, 3, 0).len, 0);
}

static void a_prefix_is_found_at_the_start_only(void **state)
{
    (void)state;
    assert_true(span_starts(SPAN("https://x"), SPAN("https://")));
    assert_true(span_starts(SPAN("x"), SPAN_NONE));
    assert_false(span_starts(SPAN("http"), SPAN("https")));
    assert_false(span_starts(SPAN("xhttp"), SPAN("http")));
}

static void the_index_of_a_missing_byte_is_the_length(void **state)
{
    (void)state;
    assert_int_equal(span_index(SPAN("a/b/c"), '/'), 1);
    assert_int_equal(span_index(SPAN("abc"), '/'), 3);
    assert_int_equal(span_index(SPAN_NONE, '/'), 0);
}

static void decimal_numbers_are_digits_and_fit(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(span_u64(SPAN("0"), &v) && v == 0);
    assert_true(span_u64(SPAN("0042"), &v) && v == 42);
    assert_true(span_u64(SPAN("18446744073709551615"), &v) && v == UINT64_MAX);
    static const char *const refused[] = {
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "1.0",
        "0x1",
        "1e3",
        "\xB2",
        "18446744073709551616",
        "18446744073709551620",
        "99999999999999999999999",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        v = 7;
        assert_false(span_u64(span_from_str(refused[i]), &v));
        assert_int_equal(v, 7);
    }
    assert_false(span_u64(SPAN("1\0"), &v));
}

static void numbers_are_written_to_their_last_digit(void **state)
{
    (void)state;
    char array[160];
    struct buf b = BUF(array);
    buf_put_u64(&b, 0);
    buf_put_char(&b, ' ');
    buf_put_u64(&b, UINT64_MAX);
    buf_put_char(&b, ' ');
    buf_put_i64(&b, INT64_MIN);
    buf_put_char(&b, ' ');
    buf_put_i64(&b, INT64_MAX);
    buf_put_char(&b, ' ');
    buf_put_i64(&b, -1);
    text_is(&b, "0 18446744073709551615 -9223372036854775808 9223372036854775807 -1");
}

static void hexadecimal_is_lower_case(void **state)
{
    (void)state;
    char array[16];
    struct buf b = BUF(array);
    buf_put_hex(&b, SPAN("\x00\x7F\xAB\xFF"));
    text_is(&b, "007fabff");
}

static void all_but_unreserved_characters_are_percent_encoded(void **state)
{
    (void)state;
    char array[128];
    struct buf b = BUF(array);
    buf_put_urlencoded(&b, SPAN("AZaz09-._~"));
    text_is(&b, "AZaz09-._~");
    buf_reset(&b);
    buf_put_urlencoded(&b, SPAN("@[`{/:? &=+%\"\0\n\x7F\xC3\xBC"));
    text_is(&b, "%40%5B%60%7B%2F%3A%3F%20%26%3D%2B%25%22%00%0A%7F%C3%BC");
}

static void an_overflow_sticks_and_writes_nothing(void **state)
{
    (void)state;
    char array[9] = "........!";
    struct buf b = buf_of(array, 8);
    buf_put_str(&b, "abcdef");
    buf_put_str(&b, "ghi");
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 6);
    buf_put_str(&b, "g");
    assert_false(buf_ok(&b));
    assert_int_equal(array[8], '!');
    buf_reset(&b);
    assert_true(buf_ok(&b));
    buf_put_str(&b, "abcdefgh");
    text_is(&b, "abcdefgh");
    buf_put(&b, SPAN_NONE);
    assert_true(buf_ok(&b));
    buf_put_char(&b, 'x');
    assert_false(buf_ok(&b));
    assert_int_equal(array[8], '!');
}

static void the_end_of_the_text_needs_a_byte_of_its_own(void **state)
{
    (void)state;
    char array[4] = "....";
    struct buf b = buf_of(array, 4);
    buf_put_str(&b, "abc");
    assert_true(buf_terminate(&b));
    assert_string_equal(array, "abc");
    assert_int_equal(b.len, 3);
    buf_put_char(&b, 'd');
    assert_true(buf_ok(&b));
    assert_false(buf_terminate(&b));
    assert_false(buf_ok(&b));
}

static void a_wiped_buffer_holds_zeros_to_its_capacity(void **state)
{
    (void)state;
    char array[32];
    static const char zeros[sizeof(array)];
    memset(array, 'x', sizeof(array));
    struct buf b = BUF(array);
    buf_put_str(&b, "secret");
    buf_wipe(&b);
    assert_memory_equal(array, zeros, sizeof(array));
    assert_int_equal(buf_span(&b).len, 0);
    bytes_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_means_same_length_and_bytes),
        cmocka_unit_test(case_is_ignored_in_ascii_only),
        cmocka_unit_test(secrets_are_equal_only_if_every_byte_is),
        cmocka_unit_test(a_part_never_leaves_the_whole),
        cmocka_unit_test(a_prefix_is_found_at_the_start_only),
        cmocka_unit_test(the_index_of_a_missing_byte_is_the_length),
        cmocka_unit_test(decimal_numbers_are_digits_and_fit),
        cmocka_unit_test(numbers_are_written_to_their_last_digit),
        cmocka_unit_test(hexadecimal_is_lower_case),
        cmocka_unit_test(all_but_unreserved_characters_are_percent_encoded),
        cmocka_unit_test(an_overflow_sticks_and_writes_nothing),
        cmocka_unit_test(the_end_of_the_text_needs_a_byte_of_its_own),
        cmocka_unit_test(a_wiped_buffer_holds_zeros_to_its_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

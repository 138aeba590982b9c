// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "seeded.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
    const char *text;
    int64_t ms;
};

static struct wall trusted(int64_t ms)
{
    return (struct wall){.ms = ms, .quality = CLOCK_TRUSTED};
}

static void iso_is(int64_t ms, const char *wanted, const char *wanted_s)
{
    char array[CLOCK_TEXT_BYTES];
    struct buf b = BUF(array);
    time_put_iso(&b, ms);
    assert_true(buf_terminate(&b));
    assert_string_equal(array, wanted);
    buf_reset(&b);
    time_put_iso_s(&b, ms);
    assert_true(buf_terminate(&b));
    assert_string_equal(array, wanted_s);
}

static void monotonic_time_saturates_and_compares(void **state)
{
    (void)state;
    struct mono a = {.ms = 5};
    struct mono b = {.ms = 6};
    assert_int_equal(mono_min(a, b).ms, 5);
    assert_int_equal(mono_min(b, a).ms, 5);
    assert_int_equal(mono_min(MONO_NEVER, b).ms, 6);
    assert_int_equal(mono_after(a, 10).ms, 15);
    assert_true(mono_after(a, INT64_MAX).ms == INT64_MAX);
    assert_true(mono_after(MONO_NEVER, 1).ms == INT64_MAX);
    assert_true(mono_after((struct mono){.ms = -2}, INT64_MIN).ms == INT64_MIN);
    assert_true(mono_due(a, b));
    assert_true(mono_due(a, a));
    assert_false(mono_due(b, a));
    assert_false(mono_due(MONO_NEVER, b));
}

static void every_quality_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(clock_quality_name(CLOCK_UNKNOWN), "unknown");
    assert_string_equal(clock_quality_name(CLOCK_FLOOR), "floor");
    assert_string_equal(clock_quality_name(CLOCK_TRUSTED), "trusted");
}

static void times_are_written_in_utc(void **state)
{
    (void)state;
    iso_is(0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z");
    iso_is(951782400000, "2000-02-29T00:00:00.000Z", "2000-02-29T00:00:00Z");
    iso_is(1795392000123, "2026-11-23T00:00:00.123Z", "2026-11-23T00:00:00Z");
    iso_is(1795478399999, "2026-11-23T23:59:59.999Z", "2026-11-23T23:59:59Z");
    iso_is(253402300799999, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z");
}

static void times_that_have_no_four_digits_are_written_as_the_nearest(void **state)
{
    (void)state;
    iso_is(-1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z");
    iso_is(-62135596800000, "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z");
    iso_is(INT64_MIN, "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z");
    iso_is(INT64_MAX, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z");
}

static void times_of_graph_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2020-02-25T18:52:21.2169889Z", 1582656741216},
        {"2020-02-25T18:52:21.2Z", 1582656741200},
        {"2020-02-25T18:52:21.21Z", 1582656741210},
        {"2020-02-25T18:52:21.216Z", 1582656741216},
        {"2020-02-25T18:52:21.0009Z", 1582656741000},
        {"2020-02-25T18:52:21.999999999Z", 1582656741999},
        {"2020-02-25T18:52:21+00:00", 1582656741000},
        {"2020-02-25T18:52:21-00:00", 1582656741000},
        {"2020-02-25T20:22:21+01:30", 1582656741000},
        {"2020-02-25T10:52:21.5-08:00", 1582656741500},
        {"2020-03-01T00:30:00+01:00", 1583019000000},
        {"2000-02-29T23:59:59Z", 951868799000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2016-12-31T23:59:60Z", 1483228799999},
        {"0001-01-01T00:00:00Z", -62135596800000},
        {"9999-12-31T23:59:59.9999999Z", 253402300799999},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 7;
        assert_int_equal(time_parse_iso(span_from_str(rows[i].text), &ms), RC_OK);
        assert_true(ms == rows[i].ms);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "2020",
        "2020-02-25",
        "2020-02-25T18:52:21",
        "2020-02-25T18:52Z",
        "2020-02-25 18:52:21Z",
        "2020-02-25t18:52:21Z",
        "2020-02-25T18:52:21z",
        "2020-02-25T18:52:21ZZ",
        " 2020-02-25T18:52:21Z",
        "2020-02-25T18:52:21Z ",
        "2020-02-25T18:52:21.Z",
        "2020-02-25T18:52:21.1234567890Z",
        "2020-02-25T18:52:21,5Z",
        "2020-02-25T18:52:21.5",
        "2020-02-25T18:52:21+0100",
        "2020-02-25T18:52:21+01",
        "2020-02-25T18:52:21+01:60",
        "2020-02-25T18:52:21+24:00",
        "2020-02-25T18:52:21*01:00",
        "2020-02-25T24:00:00Z",
        "2020-02-25T18:60:00Z",
        "2020-02-25T18:00:61Z",
        "2020-02-30T00:00:00Z",
        "2021-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2020-04-31T00:00:00Z",
        "2020-00-01T00:00:00Z",
        "2020-13-01T00:00:00Z",
        "2020-01-00T00:00:00Z",
        "2020-01-32T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "-2020-01-01T00:00:00Z",
        "+2020-01-01T00:00:00Z",
        "20200-01-01T00:00:00Z",
        "2020/01/01T00:00:00Z",
        "2020-1-1T0:0:0Z",
        "2020-0a-01T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        int64_t ms = 7;
        assert_int_equal(time_parse_iso(span_from_str(refused[i]), &ms), RC_PARSE);
        assert_int_equal(ms, 7);
    }
}

static void a_time_cut_anywhere_is_refused(void **state)
{
    (void)state;
    static const struct span iso = {.ptr = "2020-02-25T18:52:21.216+01:00", .len = 29};
    static const struct span http = {.ptr = "Sun, 06 Nov 1994 08:49:37 GMT", .len = 29};
    int64_t ms = 0;
    for (size_t len = 0; len < iso.len; len++) {
        assert_int_equal(time_parse_iso(span_sub(iso, 0, len), &ms), RC_PARSE);
        assert_int_equal(time_parse_http(span_sub(http, 0, len), &ms), RC_PARSE);
    }
    assert_int_equal(time_parse_iso(iso, &ms), RC_OK);
    assert_int_equal(time_parse_http(http, &ms), RC_OK);
}

static void calendar_agrees_with_the_c_library(void **state)
{
    (void)state;
    uint64_t seed = 20261123;
    for (unsigned i = 0; i < 20000; i++) {
        // Years 1 to 9999.
        int64_t s = (int64_t)(seeded_next(&seed) % 315537897600u) - 62135596800;
        time_t t = (time_t)s;
        struct tm tm;
        char wanted[32];
        char array[CLOCK_TEXT_BYTES];
        struct buf b = BUF(array);
        int64_t back = 0;
        assert_non_null(gmtime_r(&t, &tm));
        (void)snprintf(wanted,
                       sizeof(wanted),
                       "%04d-%02d-%02dT%02d:%02d:%02dZ",
                       (tm.tm_year + 1900) % 10000,
                       (tm.tm_mon + 1) % 100,
                       tm.tm_mday % 100,
                       tm.tm_hour % 100,
                       tm.tm_min % 100,
                       tm.tm_sec % 100);
        time_put_iso_s(&b, s * 1000);
        assert_true(span_equal(buf_span(&b), span_from_str(wanted)));
        assert_int_equal(time_parse_iso(buf_span(&b), &back), RC_OK);
        assert_true(back == s * 1000);
    }
}

static void the_three_dates_of_http_are_one(void **state) // RFC 9110 5.6.7
{
    (void)state;
    static const struct row rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777000},
        {"Sun Nov  6 08:49:37 1994", 784111777000},
        {"Wed Nov 16 08:49:37 1994", 784975777000},
        {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
        {"Tuesday, 31-Dec-69 23:59:59 GMT", 3155759999000},
        {"Sat, 29 Feb 2020 12:00:00 GMT", 1582977600000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 7;
        assert_int_equal(time_parse_http(span_from_str(rows[i].text), &ms), RC_OK);
        assert_true(ms == rows[i].ms);
    }
}

static void what_is_no_http_date_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "Sun",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday Nov  6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov   6 08:49:37 1994",
        "2020-02-25T18:52:21Z",
        ",",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        int64_t ms = 7;
        assert_int_equal(time_parse_http(span_from_str(refused[i]), &ms), RC_PARSE);
        assert_int_equal(ms, 7);
    }
}

static void a_wait_is_read_and_kept_within_its_bounds(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"10", 10000},
        {"2.128", 2128},
        {"2.1", 2100},
        {"2.1289", 2128},
        {"1.00000000000000000000000001", 1000},
        {"  30\t", 30000},
        {"\t30  ", 30000},
        {"0", RETRY_AFTER_MIN_MS},
        {"0.25", RETRY_AFTER_MIN_MS},
        {"000060", 60000},
        {"899.999", 899999},
        {"900", RETRY_AFTER_MAX_MS},
        {"901", RETRY_AFTER_MAX_MS},
        {"18446744073709551617", RETRY_AFTER_MAX_MS},
        {"99999999999999999999999999999999999999.9", RETRY_AFTER_MAX_MS},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 37000},
        {"Sun Nov  6 08:51:00 1994", 120000},
        {"Sun, 06 Nov 1994 08:49:00 GMT", RETRY_AFTER_MIN_MS},
        {"Sun, 06 Nov 1971 08:49:00 GMT", RETRY_AFTER_MIN_MS},
        {"Sun, 06 Nov 2094 08:49:00 GMT", RETRY_AFTER_MAX_MS},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 7;
        struct wall now = trusted(784111740000); // 08:49:00 that day
        assert_int_equal(time_parse_retry_after(span_from_str(rows[i].text), now, &ms), RC_OK);
        assert_true(ms == rows[i].ms);
    }
}

static void an_absurd_wait_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        " ",
        "-1",
        "-2.5",
        "+1",
        "1.",
        ".5",
        ".",
        "1.5.5",
        "1e3",
        "0x1",
        "10s",
        "NaN",
        "inf",
        "1 0",
        "1,5",
        "soon",
        "\xEF\xBC\x91",
        "1\n",
        "PT10S",
        "10;",
        "1_0",
        "Sun, 99 Nov 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        int64_t ms = 7;
        struct span text = span_from_str(refused[i]);
        assert_int_equal(time_parse_retry_after(text, trusted(0), &ms), RC_PARSE);
        assert_int_equal(ms, 7);
    }
    int64_t ms = 7;
    assert_int_equal(time_parse_retry_after(SPAN("1\0"), trusted(0), &ms), RC_PARSE);
}

static void a_date_says_nothing_to_a_clock_that_is_not_trusted(void **state)
{
    (void)state;
    struct span date = SPAN("Sun, 06 Nov 1994 08:49:37 GMT");
    struct wall now = {.ms = 784111740000, .quality = CLOCK_FLOOR};
    int64_t ms = 7;
    assert_int_equal(time_parse_retry_after(date, now, &ms), RC_PARSE);
    now.quality = CLOCK_UNKNOWN;
    assert_int_equal(time_parse_retry_after(date, now, &ms), RC_PARSE);
    assert_int_equal(ms, 7);
    assert_int_equal(time_parse_retry_after(SPAN("5"), now, &ms), RC_OK);
    assert_int_equal(ms, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_saturates_and_compares),
        cmocka_unit_test(every_quality_has_a_name),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(times_that_have_no_four_digits_are_written_as_the_nearest),
        cmocka_unit_test(times_of_graph_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_time_cut_anywhere_is_refused),
        cmocka_unit_test(calendar_agrees_with_the_c_library),
        cmocka_unit_test(the_three_dates_of_http_are_one),
        cmocka_unit_test(what_is_no_http_date_is_refused),
        cmocka_unit_test(a_wait_is_read_and_kept_within_its_bounds),
        cmocka_unit_test(an_absurd_wait_is_refused),
        cmocka_unit_test(a_date_says_nothing_to_a_clock_that_is_not_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

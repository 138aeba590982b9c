// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cut_feed.h"
#include "json/json.h"

#define TRACE_BYTES (64u * 1024u)

static char trace_bytes[2][TRACE_BYTES], joined_bytes[2][TRACE_BYTES];
static char text_bytes[TRACE_BYTES];

static struct cut_feed feed_of(const char *array)
{
    return (struct cut_feed){.arrays = {span_from_str(array)},
                             .arrays_count = 1,
                             .element_bytes = CUT_FEED_ELEMENT_BYTES,
                             .rest_bytes = CUT_FEED_ELEMENT_BYTES};
}

static struct cut_outcome outcome(unsigned which)
{
    return (struct cut_outcome){.trace = BUF(trace_bytes[which]),
                                .joined = BUF(joined_bytes[which])};
}

static void expect_text(struct span got, const char *wanted)
{
    if (!span_equal(got, span_from_str(wanted))) {
        fail_msg("got <%" PRISPAN ">\nnot <%s>", SPANARG(got), wanted);
    }
}

// The whole text, every cut in two, and byte by byte: all must give the same trace.
static void expect_span(struct span text, struct cut_feed how, const char *trace)
{
    struct cut_outcome out = outcome(0);
    how.pieces = CUT_FEED_WHOLE;
    cut_feed(text, &how, &out);
    assert_int_equal(out.invalid, 0);
    assert_int_equal(out.elements, out.cut + out.toobig);
    expect_text(buf_span(&out.trace), trace);
    how.pieces = CUT_FEED_SPLIT;
    for (how.bytes = 1; how.bytes < text.len; how.bytes++) {
        cut_feed(text, &how, &out);
        expect_text(buf_span(&out.trace), trace);
    }
    how.pieces = CUT_FEED_EVEN;
    how.bytes = 1;
    cut_feed(text, &how, &out);
    expect_text(buf_span(&out.trace), trace);
}

static void expect(const char *text, struct cut_feed how, const char *trace)
{
    expect_span(span_from_str(text), how, trace);
}

static void cut_value(const char *text, const char *trace)
{
    expect(text, feed_of("value"), trace);
}

static void elements_come_one_by_one_and_the_rest_at_the_end(void **state)
{
    (void)state;
    cut_value("{\"@odata.context\": \"x\", \"value\": [ {\"id\": 1}, {\"id\" : 2, \"a\": [ ] } ],\n"
              " \"@odata.nextLink\": \"y z\" }",
              "value: {\"id\":1}\n"
              "value: {\"id\":2,\"a\":[]}\n"
              "{\"@odata.context\":\"x\",\"value\":[],\"@odata.nextLink\":\"y z\"}");
}

static void elements_may_be_of_any_type(void **state)
{
    (void)state;
    cut_value("{\"value\":[1, -2.5e+3 ,\"a,]\",true,null , [1,[2]],{},[],0]}",
              "value: 1\nvalue: -2.5e+3\nvalue: \"a,]\"\nvalue: true\nvalue: null\n"
              "value: [1,[2]]\nvalue: {}\nvalue: []\nvalue: 0\n{\"value\":[]}");
}

static void an_empty_array_has_no_elements(void **state)
{
    (void)state;
    cut_value("{\"value\":[ ]}", "{\"value\":[]}");
    cut_value(" {\"value\" : [] , \"b\":2} ", "{\"value\":[],\"b\":2}");
    cut_value("{}", "{}");
}

static void a_chosen_name_without_an_array_stays_in_the_rest(void **state)
{
    (void)state;
    cut_value("{\"value\":null,\"b\":[1]}", "{\"value\":null,\"b\":[1]}");
    cut_value("{\"value\":{\"value\":[1,2]}}", "{\"value\":{\"value\":[1,2]}}");
    cut_value("{\"value\":\"value\",\"a\":[2]}", "{\"value\":\"value\",\"a\":[2]}");
    cut_value("{\"value\":17}", "{\"value\":17}");
    cut_value("{\"value\":{}}", "{\"value\":{}}");
}

static void a_key_that_comes_twice_is_cut_twice(void **state)
{
    (void)state;
    cut_value("{\"value\":[1],\"a\":0,\"value\":[2,3]}",
              "value: 1\nvalue: 2\nvalue: 3\n{\"value\":[],\"a\":0,\"value\":[]}");
}

static void a_key_written_with_escapes_is_the_same_key(void **state)
{
    (void)state;
    cut_value("{\"v\\u0061lu\\u0065\":[1]}", "value: 1\n{\"v\\u0061lu\\u0065\":[]}");
    cut_value("{\"value\\\\\":[1]}", "{\"value\\\\\":[1]}");
}

static void only_arrays_of_the_top_object_are_cut(void **state)
{
    (void)state;
    cut_value("{\"a\":{\"value\":[1,2]},\"b\":[{\"value\":[3]}]}",
              "{\"a\":{\"value\":[1,2]},\"b\":[{\"value\":[3]}]}");
    cut_value("{\"value\":[{\"value\":[4,5]}]}", "value: {\"value\":[4,5]}\n{\"value\":[]}");
    cut_value("[{\"value\":[1]}]", "[{\"value\":[1]}]");
    cut_value("[\"value\",[1,2]]", "[\"value\",[1,2]]");
    cut_value("{\"values\":[1],\"valu\":[2],\"\":[3]}", "{\"values\":[1],\"valu\":[2],\"\":[3]}");
}

static void several_arrays_are_told_apart(void **state)
{
    (void)state;
    struct cut_feed how = feed_of("a");
    how.arrays[1] = SPAN("b");
    how.arrays_count = 2;
    expect("{\"b\":[1],\"a\":[2],\"c\":[3]}", how, "b: 1\na: 2\n{\"b\":[],\"a\":[],\"c\":[3]}");
    how.arrays_count = 0;
    expect("{\"b\":[1],\"a\":[2]}", how, "{\"b\":[1],\"a\":[2]}");
}

static void what_is_no_object_is_all_rest(void **state)
{
    (void)state;
    cut_value("[1,2]", "[1,2]");
    cut_value(" \"value\" ", "\"value\"");
    cut_value("42 ", "42");
    cut_value("42", "42");
}

static void an_element_too_big_is_told_once_and_the_array_goes_on(void **state)
{
    (void)state;
    struct cut_feed how = feed_of("value");
    how.element_bytes = 8;
    expect("{\"value\":[{\"a\": 1},{\"a\" : 12},\"12345678901234567890\",\"123456\",[1]]}",
           how,
           "value: {\"a\":1}\nvalue: {\"a\":12}\ntoobig\nvalue: \"123456\"\nvalue: [1]\n"
           "{\"value\":[]}");
    expect("{\"value\":[123456789]}", how, "toobig\n{\"value\":[]}");
    how.element_bytes = 7;
    expect("{\"value\":[{\"a\" : 12},[[],[],[],[]]],\"b\":1}",
           how,
           "toobig\ntoobig\n{\"value\":[],\"b\":1}");
}

static void nonsense_in_an_element_too_big_is_still_nonsense(void **state)
{
    (void)state;
    struct cut_feed how = feed_of("value");
    how.element_bytes = 4;
    expect("{\"value\":[1,{\"abcdef\":1,}]}", how, "value: 1\nbad");
}

static void a_rest_too_big_is_bad(void **state)
{
    (void)state;
    struct cut_feed how = feed_of("value");
    how.rest_bytes = sizeof("{\"value\":[],\"b\":1}") - 1u;
    expect("{\"value\":[1], \"b\": 1}", how, "value: 1\n{\"value\":[],\"b\":1}");
    expect("{\"value\":[1], \"b\":12}", how, "value: 1\nbad");
    how.rest_bytes = sizeof("{\"value\":[") - 1u;
    expect("{\"value\":[1]}", how, "value: 1\nbad");
    how.rest_bytes = 3;
    expect("{\"value\":[1]}", how, "bad");
}

static void a_key_that_does_not_fit_into_the_rest_is_bad(void **state)
{
    (void)state;
    struct cut_feed how = feed_of("value");
    for (how.rest_bytes = 0; how.rest_bytes < 23; how.rest_bytes++) {
        expect("{\"key\":0,\"v\\u0061lue\":[1]}", how, "bad");
    }
}

static void what_follows_the_text_is_bad(void **state)
{
    (void)state;
    cut_value("{\"value\":[1]} {}", "value: 1\nbad");
    cut_value("{\"value\":[1]}]", "value: 1\nbad");
    cut_value("{\"value\":[1]},", "value: 1\nbad");
    cut_value("{\"value\":[1]}\n \t\r", "value: 1\n{\"value\":[]}");
}

static void a_text_without_its_end_is_bad_at_every_byte(void **state)
{
    (void)state;
    struct span whole =
        SPAN("{\"a\":{\"b\":[1,2]},\"value\":[{\"c\":\"\\u00e9\"}, -1.5e3,true],\"d\":0}");
    struct cut_feed how = feed_of("value");
    struct cut_outcome out = outcome(0);
    for (size_t len = 0; len < whole.len; len++) {
        for (unsigned bytes = 0; bytes < 2; bytes++) {
            how.pieces = bytes == 0 ? CUT_FEED_WHOLE : CUT_FEED_EVEN;
            how.bytes = bytes;
            cut_feed(span_sub(whole, 0, len), &how, &out);
            assert_int_equal(out.end, JSON_CUT_BAD);
            assert_int_equal(out.bytes, len);
        }
    }
    cut_feed(whole, &how, &out);
    assert_int_equal(out.end, JSON_CUT_END);
}

static void no_text_at_all_is_bad(void **state)
{
    (void)state;
    cut_value("", "bad");
    cut_value(" \n", "bad");
}

static void what_is_no_unicode_text_is_bad(void **state)
{
    (void)state;
    struct cut_feed how = feed_of("value");
    expect_span(SPAN("{\"value\":[1,\0 2]}"), how, "value: 1\nbad");
    expect_span(SPAN("{\"value\":[1,\"\0\"]}"), how, "value: 1\nbad");
    expect("\xEF\xBB\xBF{\"value\":[1]}", how, "bad");
    expect("{\"value\":[1,\"\\uD800\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\\uDC00\\uD800\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\\uD800\\uD800\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\\uD800\\n\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\xED\xA0\x80\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\xC0\x80\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\xF4\x90\x80\x80\"]}", how, "value: 1\nbad");
    expect("{\"value\":[1,\"\xE2\x82\"]}", how, "value: 1\nbad");
    expect("{\"value\":[\"\xF0\x9D\x84\x9E\xE2\x82\xAC\xC3\xA9\",\"\\uD834\\uDD1E\"]}",
           how,
           "value: \"\xF0\x9D\x84\x9E\xE2\x82\xAC\xC3\xA9\"\n"
           "value: \"\\uD834\\uDD1E\"\n{\"value\":[]}");
}

static void a_number_of_any_size_is_kept_as_it_is(void **state)
{
    (void)state;
    struct buf text = BUF(text_bytes);
    char wanted_bytes[3000];
    struct buf wanted = BUF(wanted_bytes);
    buf_put_str(&text, "{\"value\":[");
    buf_put_str(&wanted, "value: ");
    for (unsigned i = 0; i < 1000; i++) {
        buf_put_char(&text, (char)('1' + i % 9u));
        buf_put_char(&wanted, (char)('1' + i % 9u));
    }
    buf_put_str(&text, "e-99999]}");
    buf_put_str(&wanted, "e-99999\n{\"value\":[]}");
    assert_true(buf_terminate(&wanted));
    expect_span(buf_span(&text), feed_of("value"), wanted_bytes);
}

static void put_nested(struct buf *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        buf_put_char(b, '[');
    }
    for (unsigned i = 0; i < depth; i++) {
        buf_put_char(b, ']');
    }
}

static void nesting_is_accepted_to_the_maximum_and_no_deeper(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct buf text = BUF(text_bytes);
        struct cut_feed how = feed_of("value");
        struct cut_outcome out = outcome(0);
        buf_put_str(&text, "{\"value\":[");
        put_nested(&text, CONFIG_JSON_DEPTH_MAX - 2u + more);
        buf_put_str(&text, "]}");
        cut_feed(buf_span(&text), &how, &out);
        assert_int_equal(out.end, more == 0 ? JSON_CUT_END : JSON_CUT_BAD);
        assert_int_equal(out.cut, more == 0 ? 1 : 0);

        buf_reset(&text);
        put_nested(&text, CONFIG_JSON_DEPTH_MAX + more);
        assert_int_equal(json_validate(buf_span(&text)), more == 0 ? RC_OK : RC_PARSE);
    }
}

static void nothing_is_taken_after_the_end_or_after_nonsense(void **state)
{
    (void)state;
    struct json_cut cut;
    char element[8];
    char rest[8];
    size_t used = 7;
    json_cut_init(&cut, NULL, 0, BUF(element), BUF(rest));
    assert_int_equal(json_cut_push(&cut, SPAN("{}"), &used), JSON_CUT_MORE);
    assert_int_equal(used, 2);
    assert_int_equal(json_cut_array(&cut).len, 0);
    assert_int_equal(json_cut_finish(&cut), JSON_CUT_END);
    assert_int_equal(json_cut_push(&cut, SPAN(" "), &used), JSON_CUT_BAD);
    assert_int_equal(used, 0);
    assert_int_equal(json_cut_finish(&cut), JSON_CUT_BAD);

    json_cut_init(&cut, NULL, 0, BUF(element), BUF(rest));
    assert_int_equal(json_cut_push(&cut, SPAN("{} x"), &used), JSON_CUT_BAD);
    assert_int_equal(used, 3);
    assert_int_equal(json_cut_push(&cut, SPAN(" "), &used), JSON_CUT_BAD);
    assert_int_equal(json_cut_finish(&cut), JSON_CUT_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_one_by_one_and_the_rest_at_the_end),
        cmocka_unit_test(elements_may_be_of_any_type),
        cmocka_unit_test(an_empty_array_has_no_elements),
        cmocka_unit_test(a_chosen_name_without_an_array_stays_in_the_rest),
        cmocka_unit_test(a_key_that_comes_twice_is_cut_twice),
        cmocka_unit_test(a_key_written_with_escapes_is_the_same_key),
        cmocka_unit_test(only_arrays_of_the_top_object_are_cut),
        cmocka_unit_test(several_arrays_are_told_apart),
        cmocka_unit_test(what_is_no_object_is_all_rest),
        cmocka_unit_test(an_element_too_big_is_told_once_and_the_array_goes_on),
        cmocka_unit_test(nonsense_in_an_element_too_big_is_still_nonsense),
        cmocka_unit_test(a_rest_too_big_is_bad),
        cmocka_unit_test(a_key_that_does_not_fit_into_the_rest_is_bad),
        cmocka_unit_test(what_follows_the_text_is_bad),
        cmocka_unit_test(a_text_without_its_end_is_bad_at_every_byte),
        cmocka_unit_test(no_text_at_all_is_bad),
        cmocka_unit_test(what_is_no_unicode_text_is_bad),
        cmocka_unit_test(a_number_of_any_size_is_kept_as_it_is),
        cmocka_unit_test(nesting_is_accepted_to_the_maximum_and_no_deeper),
        cmocka_unit_test(nothing_is_taken_after_the_end_or_after_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

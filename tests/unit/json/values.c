// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"

#define TOKENS_MAX 2000u
#define TEXT_BYTES (16u * 1024u)

static struct json_token tokens[TOKENS_MAX];
static char text_bytes[TEXT_BYTES];

static struct json parsed_span(struct span text)
{
    struct json doc = {.text = NULL};
    assert_int_equal(json_parse(&doc, text, tokens, TOKENS_MAX), RC_OK);
    return doc;
}

static struct json parsed(const char *text)
{
    return parsed_span(span_from_str(text));
}

static void text_is(struct span got, const char *wanted)
{
    if (!span_equal(got, span_from_str(wanted))) {
        fail_msg("got <%" PRISPAN ">, not <%s>", SPANARG(got), wanted);
    }
}

static void the_last_of_equal_keys_counts(void **state)
{
    (void)state;
    struct json doc = parsed("{\"a\":1,\"b\":2,\"a\":[3],\"c\":4,\"\\u0061\":\"x\"}");
    text_is(json_text(&doc, json_get(&doc, 0, SPAN("a"))), "\"x\"");
    text_is(json_text(&doc, json_get(&doc, 0, SPAN("b"))), "2");
    assert_int_equal(json_get(&doc, 0, SPAN("d")), JSON_NONE);
}

static void members_are_found_in_one_pass(void **state)
{
    (void)state;
    static const struct span names[] = {SPAN("a"), SPAN("b"), SPAN("none"), SPAN("")};
    int nodes[4] = {7, 7, 7, 7};
    struct json doc = parsed("{\"a\":1,\"\\u0062\":{\"a\":2,\"none\":3},\"\":4,\"a\":5}");
    json_get_each(&doc, 0, names, nodes, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nodes[i], json_get(&doc, 0, names[i]));
    }
    text_is(json_raw(&doc, nodes[0]), "5");
    text_is(json_raw(&doc, nodes[3]), "4");
    assert_true(json_is_object(&doc, nodes[1]));
    assert_int_equal(nodes[2], JSON_NONE);
    json_get_each(&doc, nodes[0], names, nodes, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(nodes[i], JSON_NONE);
    }
}

static void a_key_with_escapes_is_understood(void **state)
{
    (void)state;
    struct json doc =
        parsed("{\"\\u0040odata.next\\u004cink\":1,\"a\\\\b\\n\":2,\"\\uD834\\uDD1E\":3}");
    text_is(json_raw(&doc, json_get(&doc, 0, SPAN("@odata.nextLink"))), "1");
    text_is(json_raw(&doc, json_get(&doc, 0, SPAN("a\\b\n"))), "2");
    text_is(json_raw(&doc, json_get(&doc, 0, SPAN("\xF0\x9D\x84\x9E"))), "3");
    assert_int_equal(json_get(&doc, 0, SPAN("a\\\\b\\n")), JSON_NONE);
}

static void a_very_long_key_with_escapes_is_no_name_of_ours(void **state)
{
    (void)state;
    struct buf b = BUF(text_bytes);
    buf_put_str(&b, "{\"");
    for (unsigned i = 0; i < 200; i++) {
        buf_put_str(&b, "\\n");
    }
    buf_put_str(&b, "\":1,\"a\":2}");
    struct json doc = parsed_span(buf_span(&b));
    text_is(json_raw(&doc, json_get(&doc, 0, SPAN("a"))), "2");
}

static void big_siblings_are_skipped(void **state)
{
    (void)state;
    struct buf b = BUF(text_bytes);
    buf_put_str(&b, "{\"big\":[");
    for (unsigned i = 0; i < 300; i++) {
        buf_put_str(&b, "{\"z\":[1,2]},");
    }
    buf_put_str(&b, "0],\"z\":\"end\",\"more\":{\"z\":{\"z\":7}},\"last\":[]}");
    struct json doc = parsed_span(buf_span(&b));
    text_is(json_raw(&doc, json_get(&doc, 0, SPAN("z"))), "end");
    text_is(json_raw(&doc, json_get(&doc, 0, SPAN("last"))), "[]");
    unsigned keys = 0;
    for (int key = json_first(&doc, 0); key != JSON_NONE; key = json_next(&doc, key)) {
        keys++;
    }
    assert_int_equal(keys, 4);
}

static void children_come_in_their_order_whatever_they_are(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "1",
        "\"a\"",
        "[2,[3]]",
        "{\"b\":{\"c\":[4]}}",
        "null",
        "[]",
        "{}",
        "true",
        "\"\"",
    };
    struct json doc = parsed("[1,\"a\",[2,[3]],{\"b\":{\"c\":[4]}},null,[],{},true,\"\"]");
    unsigned count = 0;
    for (int n = json_first(&doc, 0); n != JSON_NONE; n = json_next(&doc, n)) {
        text_is(json_text(&doc, n), wanted[count++]);
    }
    assert_int_equal(count, sizeof(wanted) / sizeof(wanted[0]));
}

static void children_end_with_their_container(void **state)
{
    (void)state;
    struct json doc = parsed("{\"a\":[1,2],\"b\":{\"c\":3},\"d\":4}");
    int b = json_get(&doc, 0, SPAN("b"));
    int c = json_first(&doc, b);
    text_is(json_raw(&doc, c), "c");
    assert_int_equal(json_next(&doc, c), JSON_NONE);
    int two = json_next(&doc, json_first(&doc, json_get(&doc, 0, SPAN("a"))));
    text_is(json_raw(&doc, two), "2");
    assert_int_equal(json_next(&doc, two), JSON_NONE);
}

static void members_behind_an_empty_value_are_found(void **state)
{
    (void)state;
    static const char *const values[] = {"\"\"", "[]", "{}", "0", "[\"\"]", "{\"\":\"\"}"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct buf b = BUF(text_bytes);
        buf_put_str(&b, "{\"a\":");
        buf_put_str(&b, values[i]);
        buf_put_str(&b, ",\"\":");
        buf_put_str(&b, values[i]);
        buf_put_str(&b, ",\"b\":[");
        buf_put_str(&b, values[i]);
        buf_put_str(&b, ",2]}");
        struct json doc = parsed_span(buf_span(&b));
        text_is(json_text(&doc, json_get(&doc, 0, SPAN(""))), values[i]);
        int list = json_get(&doc, 0, SPAN("b"));
        text_is(json_text(&doc, json_first(&doc, list)), values[i]);
        text_is(json_text(&doc, json_next(&doc, json_first(&doc, list))), "2");
    }
}

static void no_node_answers_no_to_everything(void **state)
{
    (void)state;
    struct json doc = parsed("{\"a\":1}");
    char out_bytes[8];
    struct buf out = BUF(out_bytes);
    int64_t number = 5;
    bool flag = true;
    assert_false(json_is_object(&doc, JSON_NONE));
    assert_false(json_is_array(&doc, JSON_NONE));
    assert_false(json_is_string(&doc, JSON_NONE));
    assert_false(json_is_null(&doc, JSON_NONE));
    assert_int_equal(json_first(&doc, JSON_NONE), JSON_NONE);
    assert_int_equal(json_next(&doc, JSON_NONE), JSON_NONE);
    assert_int_equal(json_value(&doc, JSON_NONE), JSON_NONE);
    assert_int_equal(json_get(&doc, JSON_NONE, SPAN("a")), JSON_NONE);
    assert_int_equal(json_raw(&doc, JSON_NONE).len, 0);
    assert_int_equal(json_text(&doc, JSON_NONE).len, 0);
    assert_int_equal(json_string(&doc, JSON_NONE, &out), RC_PARSE);
    assert_int_equal(json_i64(&doc, JSON_NONE, &number), RC_PARSE);
    assert_int_equal(json_bool(&doc, JSON_NONE, &flag), RC_PARSE);
    assert_int_equal(number, 5);
}

static void a_node_of_another_type_answers_no(void **state)
{
    (void)state;
    struct json doc = parsed("[\"1\",2,true,null,{},[]]");
    char out_bytes[8];
    struct buf out = BUF(out_bytes);
    int64_t number = 0;
    bool flag = false;
    int text = 1, two = 2, yes = 3, null = 4, object = 5, array = 6;
    assert_true(json_is_string(&doc, text) && !json_is_null(&doc, text));
    assert_true(json_is_null(&doc, null) && !json_is_null(&doc, two) && !json_is_null(&doc, yes));
    assert_true(json_is_object(&doc, object) && !json_is_array(&doc, object));
    assert_true(json_is_array(&doc, array) && !json_is_object(&doc, array));
    assert_int_equal(json_first(&doc, object), JSON_NONE);
    assert_int_equal(json_first(&doc, array), JSON_NONE);
    assert_int_equal(json_first(&doc, text), JSON_NONE);
    assert_int_equal(json_get(&doc, array, SPAN("a")), JSON_NONE);
    assert_int_equal(json_string(&doc, two, &out), RC_PARSE);
    assert_int_equal(json_i64(&doc, text, &number), RC_PARSE);
    assert_int_equal(json_i64(&doc, yes, &number), RC_PARSE);
    assert_int_equal(json_i64(&doc, object, &number), RC_PARSE);
    assert_int_equal(json_bool(&doc, two, &flag), RC_PARSE);
    assert_int_equal(json_bool(&doc, null, &flag), RC_PARSE);
    assert_int_equal(json_bool(&doc, text, &flag), RC_PARSE);
}

static void integers_are_read_to_their_last_bit(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-1", -1},
        {"9007199254740993", 9007199254740993},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {" 42 ", 42},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct json doc = parsed(good[i].text);
        int64_t value = 99;
        assert_int_equal(json_i64(&doc, 0, &value), RC_OK);
        assert_true(value == good[i].value);
    }
}

static void what_is_no_integer_of_64_bits_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "1.0",
        "0.5",
        "1e3",
        "1E0",
        "-1.5",
        "123456789012345678901234567890",
        "true",
        "null",
        "\"1\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct json doc = parsed(bad[i]);
        int64_t value = 99;
        assert_int_equal(json_i64(&doc, 0, &value), RC_PARSE);
        assert_int_equal(value, 99);
    }
}

static void booleans_are_read(void **state)
{
    (void)state;
    struct json doc = parsed("[true,false]");
    bool flag = false;
    assert_int_equal(json_bool(&doc, 1, &flag), RC_OK);
    assert_true(flag);
    assert_int_equal(json_bool(&doc, 2, &flag), RC_OK);
    assert_false(flag);
}

static void strings_are_decoded(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        const char *value;
    } cases[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC"},
        {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"},
        {"\"\\ud834\\uDD1E\"", "\xF0\x9D\x84\x9E"},
        {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
        {"\"\xC3\xA9 \\uD83D\\uDE00 x\"", "\xC3\xA9 \xF0\x9F\x98\x80 x"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json doc = parsed(cases[i].text);
        char out_bytes[64];
        struct buf out = BUF(out_bytes);
        assert_int_equal(json_string(&doc, 0, &out), RC_OK);
        text_is(buf_span(&out), cases[i].value);
    }
}

static void a_decoded_nul_is_a_byte_like_any_other(void **state)
{
    (void)state;
    struct json doc = parsed("\"a\\u0000b\"");
    char out_bytes[8];
    struct buf out = BUF(out_bytes);
    assert_int_equal(json_string(&doc, 0, &out), RC_OK);
    assert_true(span_equal(buf_span(&out), SPAN("a\0b")));
}

static void a_string_is_appended_and_one_too_long_is_told(void **state)
{
    (void)state;
    struct json doc = parsed("\"\\u20AC\"");
    char out_bytes[4];
    struct buf out = BUF(out_bytes);
    buf_put_char(&out, '>');
    assert_int_equal(json_string(&doc, 0, &out), RC_OK);
    text_is(buf_span(&out), ">\xE2\x82\xAC");
    assert_int_equal(json_string(&doc, 0, &out), RC_TOOBIG);
}

static void a_lone_primitive_is_a_document(void **state)
{
    (void)state;
    static const char *const texts[] = {"0", " -12 ", "\ttrue\r\n", "null", "1e5", " false"};
    static const char *const values[] = {"0", "-12", "true", "null", "1e5", "false"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct json doc = parsed(texts[i]);
        assert_int_equal(doc.count, 1);
        text_is(json_raw(&doc, 0), values[i]);
    }
    struct json doc;
    assert_int_equal(json_parse(&doc, SPAN("1"), tokens, 0), RC_TOOBIG);
    assert_int_equal(json_parse(&doc, SPAN(""), tokens, TOKENS_MAX), RC_PARSE);
    assert_int_equal(json_parse(&doc, SPAN_NONE, tokens, TOKENS_MAX), RC_PARSE);
}

static void an_arena_too_small_is_told(void **state)
{
    (void)state;
    struct span text = SPAN("{\"a\":[1,2,{\"b\":null}],\"c\":\"d\"}"); // 10 tokens
    struct json doc;
    for (unsigned count = 0; count < 10; count++) {
        assert_int_equal(json_parse(&doc, text, tokens, count), RC_TOOBIG);
    }
    assert_int_equal(json_parse(&doc, text, tokens, 10), RC_OK);
    assert_int_equal(doc.count, 10);
}

static void a_text_longer_than_positions_can_be_is_too_big(void **state)
{
    (void)state;
    struct json doc;
    struct span huge = {.ptr = "1", .len = (size_t)INT32_MAX}; // only its length is looked at
    assert_int_equal(json_parse(&doc, huge, tokens, TOKENS_MAX), RC_TOOBIG);
}

static void strings_are_written_with_the_escapes_they_need(void **state)
{
    (void)state;

    static const struct {
        struct span value;
        const char *text;
    } cases[] = {
        {SPAN(""), "\"\""},
        {SPAN("plain text of more than eight bytes"), "\"plain text of more than eight bytes\""},
        {SPAN("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {SPAN("\n\r\t\b\f"), "\"\\n\\r\\t\\u0008\\u000c\""},
        {SPAN("\0\x1F\x7F"), "\"\\u0000\\u001f\x7F\""},
        {SPAN("\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E\xF4\x8F\xBF\xBF"),
         "\"\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E\xF4\x8F\xBF\xBF\""},
        {SPAN("a\xFFz"), "\"a\xEF\xBF\xBDz\""},
        {SPAN("\x80"), "\"\xEF\xBF\xBD\""},
        {SPAN("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {SPAN("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {SPAN("\xF4\x90\x80\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {SPAN("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {SPAN("\xE2\x82z"), "\"\xEF\xBF\xBD\xEF\xBF\xBDz\""},
        {SPAN("\xC3"), "\"\xEF\xBF\xBD\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out_bytes[64];
        struct buf out = BUF(out_bytes);
        json_put_string(&out, cases[i].value);
        text_is(buf_span(&out), cases[i].text);
        assert_int_equal(json_validate(buf_span(&out)), RC_OK);
    }
}

static void a_string_that_does_not_fit_overflows(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 11; cap++) {
        char out_bytes[16];
        struct buf out = buf_of(out_bytes, cap);
        json_put_string(&out, SPAN("ab\ncd\xC3\xA9z")); // 11 bytes
        assert_false(buf_ok(&out));
    }
    char out_bytes[11];
    struct buf out = BUF(out_bytes);
    json_put_string(&out, SPAN("ab\ncd\xC3\xA9z"));
    assert_true(buf_ok(&out));
}

static void the_scanner_says_how_many_bytes_were_good(void **state)
{
    (void)state;
    struct json_scan s;
    size_t used = 0;
    json_scan_init(&s);
    assert_int_equal(json_scan_push(&s, SPAN("[1, 2"), &used), RC_OK);
    assert_int_equal(used, 5);
    assert_int_equal(json_scan_push(&s, SPAN(" , x"), &used), RC_PARSE);
    assert_int_equal(used, 3);
    assert_int_equal(json_scan_push(&s, SPAN("1]"), &used), RC_PARSE);
    assert_int_equal(used, 0);
    assert_int_equal(json_scan_push(&s, SPAN_NONE, &used), RC_PARSE);
}

static void every_byte_in_every_place_is_judged_by_the_grammar(void **state)
{
    (void)state;

    // What may stand for '?' so that the text is valid.
    static const struct {
        const char *before, *after, *valid;
    } places[] = {
        {"", "", "0123456789"},
        {"1", "", " \t\r\n0123456789"},
        {"[", "]", " \t\r\n0123456789"},
        {"[1", "]", " \t\r\n0123456789"},
        {"[0", "]", " \t\r\n"},
        {"[-", "]", "0123456789"},
        {"[-", "1]", "123456789"},
        {"[1", "5]", "0123456789.,eE"},
        {"[0", "5]", ".,eE"},
        {"[1.", "]", "0123456789"},
        {"[1.5", "]", " \t\r\n0123456789"},
        {"[1.5", "5]", "0123456789,eE"},
        {"[1e", "]", "0123456789"},
        {"[1e", "5]", "0123456789+-"},
        {"[1e+", "]", "0123456789"},
        {"[1e5", "]", " \t\r\n0123456789"},
        {"[1e5", "5]", "0123456789,"},
        {"[1 ", "2]", ","},
        {"[tru", "]", "e"},
        {"[t", "ue]", "r"},
        {"[f", "lse]", "a"},
        {"[nul", "]", "l"},
        {"[\"\\", "\"]", "\"\\/bfnrt"},
        {"[\"\\u00", "9\"]", "0123456789abcdefABCDEF"},
        {"[\"\\uD83D\\uDE0", "\"]", "0123456789abcdefABCDEF"},
        {"[\"\\uD83D\\", "DE00\"]", "u"},
        {"[\"\\uD83D", "uDE00\"]", "\\"},
        {"{", "\"a\":1}", " \t\r\n"},
        {"{\"a\"", "1}", ":"},
        {"{\"a\":1", "\"b\":2}", ","},
        {"{\"a\":1,", "\"b\":2}", " \t\r\n"},
        {"{\"a\":1", "}", " \t\r\n0123456789"},
        {"{\"a\":[]", "}", " \t\r\n"},
        {"{}", "", " \t\r\n"},
        {"[[]", "", "]"},
        {"[{}", "[]]", ","},
    };

    for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
        for (unsigned c = 0; c < 256; c++) {
            struct buf b = BUF(text_bytes);
            buf_put_str(&b, places[p].before);
            buf_put_char(&b, (char)c);
            buf_put_str(&b, places[p].after);
            struct span valid = span_from_str(places[p].valid);
            bool good = span_index(valid, (char)c) < valid.len;
            if ((json_validate(buf_span(&b)) == RC_OK) != good) {
                fail_msg("%s<%02x>%s", places[p].before, c, places[p].after);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_equal_keys_counts),
        cmocka_unit_test(members_are_found_in_one_pass),
        cmocka_unit_test(a_key_with_escapes_is_understood),
        cmocka_unit_test(a_very_long_key_with_escapes_is_no_name_of_ours),
        cmocka_unit_test(big_siblings_are_skipped),
        cmocka_unit_test(children_come_in_their_order_whatever_they_are),
        cmocka_unit_test(children_end_with_their_container),
        cmocka_unit_test(members_behind_an_empty_value_are_found),
        cmocka_unit_test(no_node_answers_no_to_everything),
        cmocka_unit_test(a_node_of_another_type_answers_no),
        cmocka_unit_test(integers_are_read_to_their_last_bit),
        cmocka_unit_test(what_is_no_integer_of_64_bits_is_refused),
        cmocka_unit_test(booleans_are_read),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(a_decoded_nul_is_a_byte_like_any_other),
        cmocka_unit_test(a_string_is_appended_and_one_too_long_is_told),
        cmocka_unit_test(a_lone_primitive_is_a_document),
        cmocka_unit_test(an_arena_too_small_is_told),
        cmocka_unit_test(a_text_longer_than_positions_can_be_is_too_big),
        cmocka_unit_test(strings_are_written_with_the_escapes_they_need),
        cmocka_unit_test(a_string_that_does_not_fit_overflows),
        cmocka_unit_test(the_scanner_says_how_many_bytes_were_good),
        cmocka_unit_test(every_byte_in_every_place_is_judged_by_the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

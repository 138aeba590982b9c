// SPDX-License-Identifier: Apache-2.0
/// What the optional body of a 2xx means, in any pieces.
#include "ship/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ship_answer answer;

static void push_in_pieces(const char *text, size_t piece_bytes)
{
    struct span all = span_from_str(text);
    for (size_t at = 0; at < all.len; at += piece_bytes) {
        ship_answer_push(&answer, span_sub(all, at, piece_bytes));
    }
}

static void expect_next(uint64_t seq, const char *reason)
{
    uint64_t got = 0;
    struct span why = SPAN_NONE;
    assert_true(ship_answer_next(&answer, &got, &why));
    assert_int_equal(got, seq);
    assert_int_equal(why.len, strlen(reason));
    assert_memory_equal(why.ptr, reason, why.len);
    ship_answer_unmark(&answer, got);
}

static void expect_none(void)
{
    uint64_t got = 0;
    struct span why = SPAN_NONE;
    assert_false(ship_answer_next(&answer, &got, &why));
    assert_int_equal(answer.marked, 0);
}

static void rejected_events_are_marked_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] =
        "{\"accepted\": 8, \"rejected\": [ {\"seq\": 12, \"error\": \"no type\"},\n"
        "{\"error\": {\"code\": 3}, \"seq\": 10} ], \"more\": [1, 2]}";
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        ship_answer_init(&answer, 10, 10);
        push_in_pieces(text, piece);
        assert_int_equal(answer.marked, 2);
        expect_next(10, "rejected");
        expect_next(12, "rejected: no type");
        expect_none();
    }
}

static void anything_else_means_accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "OK",
        "<html>fine</html>",
        "{}",
        "[]",
        "null",
        "{\"accepted\":10}",
        "{\"rejected\":null}",
        "{\"rejected\":3}",
        "{\"rejected\":[]}",
        "{\"rejected\":[1,\"2\",null,[10],{}]}",
        "{\"rejected\":[{\"seq\":\"12\"},{\"seq\":12.0},{\"seq\":-12},{\"seq\":0},{\"seq\":null}]}",
        "{\"rejected\":[{\"seq\":9},{\"seq\":20},{\"seq\":99999999999999999999999}]}",
        "{\"other\":{\"rejected\":[{\"seq\":12}]}}",
        "[{\"rejected\":[{\"seq\":12}]}]",
        "{\"rejected\":[{\"seq\":1",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ship_answer_init(&answer, 10, 10);
        push_in_pieces(texts[i], 7);
        expect_none();
    }
}

static void what_was_read_before_the_body_broke_stands(void **state)
{
    (void)state;
    ship_answer_init(&answer, 1, 5);
    push_in_pieces("{\"rejected\":[{\"seq\":2}, garbage {\"seq\":3}]}", 64);
    expect_next(2, "rejected");
    expect_none();
}

static void a_mark_survives_the_next_answer_about_the_batch(void **state)
{
    (void)state;
    ship_answer_init(&answer, 1, 5);
    push_in_pieces("{\"rejected\":[{\"seq\":2},{\"se", 64);
    ship_answer_begin(&answer);
    push_in_pieces("{\"rejected\":[{\"seq\":2},{\"seq\":4}]}", 64);
    expect_next(2, "rejected");
    expect_next(4, "rejected");
    expect_none();
}

static void a_new_batch_knows_nothing_of_the_last_one(void **state)
{
    (void)state;
    ship_answer_init(&answer, 1, 5);
    push_in_pieces("{\"rejected\":[{\"seq\":2}]}", 64);
    ship_answer_init(&answer, 1, 5);
    expect_none();
}

static void an_element_too_big_to_read_is_passed_over(void **state)
{
    (void)state;
    static char text[3u * SHIP_ELEMENT_BYTES];
    int len = snprintf(text,
                       sizeof(text),
                       "{\"rejected\":[{\"seq\":1,\"error\":\"%0*d\"},{\"seq\":3}]}",
                       (int)(2u * SHIP_ELEMENT_BYTES),
                       0);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    ship_answer_init(&answer, 1, 5);
    push_in_pieces(text, 1000);
    expect_next(3, "rejected");
    expect_none();
}

static void a_list_of_every_event_is_read_to_its_end(void **state)
{
    (void)state;
    char element[64];
    ship_answer_init(&answer, 500, SHIP_BATCH_EVENTS_MAX);
    push_in_pieces("{\"rejected\":[", 64);
    for (unsigned i = 0; i < SHIP_BATCH_EVENTS_MAX; i++) {
        (void)snprintf(element,
                       sizeof(element),
                       "%s{\"seq\":%u,\"error\":\"schema\"}",
                       i == 0 ? "" : ",",
                       500 + i);
        push_in_pieces(element, 64);
    }
    push_in_pieces("]}", 64);
    assert_int_equal(answer.marked, SHIP_BATCH_EVENTS_MAX);
    for (unsigned i = 0; i < SHIP_REASONS_MAX; i++) {
        expect_next(500 + i, "rejected: schema");
    }
    expect_next(500 + SHIP_REASONS_MAX, "rejected");
}

static void a_reason_is_printable_and_bounded(void **state)
{
    (void)state;
    ship_answer_init(&answer, 1, 5);
    push_in_pieces("{\"rejected\":[{\"seq\":1,\"error\":\"a\\nb\\u0000c\\u00e9 "
                   "0123456789012345678901234567890123456789012345678901234567890123456789\"}]}",
                   64);
    expect_next(1, "rejected: a?b?c?? 0123456789012345678901234567890123456789012345");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejected_events_are_marked_in_any_pieces),
        cmocka_unit_test(anything_else_means_accepted),
        cmocka_unit_test(what_was_read_before_the_body_broke_stands),
        cmocka_unit_test(a_mark_survives_the_next_answer_about_the_batch),
        cmocka_unit_test(a_new_batch_knows_nothing_of_the_last_one),
        cmocka_unit_test(an_element_too_big_to_read_is_passed_over),
        cmocka_unit_test(a_list_of_every_event_is_read_to_its_end),
        cmocka_unit_test(a_reason_is_printable_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

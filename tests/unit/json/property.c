// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Random texts: what was cut and what is around it, put together again, is the compacted original,
 * in whatever pieces the text came; and a damaged text gets one answer from everybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cut_feed.h"
#include "json/json.h"
#include "random_json.h"
#include "seeded.h"

#define SEEDS      1500u
#define TEXT_BYTES (64u * 1024u)
#define TOKENS_MAX 4096u

static char text_bytes[TEXT_BYTES], compact_bytes[TEXT_BYTES];
static char trace_bytes[2][TEXT_BYTES], joined_bytes[2][TEXT_BYTES];
static struct json_token tokens[TOKENS_MAX];

static struct cut_outcome outcome(unsigned which)
{
    return (struct cut_outcome){.trace = BUF(trace_bytes[which]),
                                .joined = BUF(joined_bytes[which])};
}

static struct cut_feed feed_of(uint64_t seed)
{
    return (struct cut_feed){.arrays = {SPAN("value"), SPAN("a")},
                             .arrays_count = 2,
                             .element_bytes = CUT_FEED_ELEMENT_BYTES,
                             .rest_bytes = CUT_FEED_ELEMENT_BYTES,
                             .seed = seed};
}

static void expect_same(struct span text, struct cut_feed how, const struct cut_outcome *whole)
{
    struct cut_outcome pieces = outcome(1);
    how.pieces = CUT_FEED_RANDOM;
    for (how.bytes = 1; how.bytes < 300; how.bytes *= 6) {
        cut_feed(text, &how, &pieces);
        if (!span_equal(buf_span(&pieces.trace), buf_span(&whole->trace))) {
            fail_msg("seed %llu, pieces of up to %zu", (unsigned long long)how.seed, how.bytes);
        }
    }
}

static void elements_and_rest_make_the_original_again(void **state)
{
    (void)state;
    unsigned cut = 0;
    for (uint64_t n = 1; n <= SEEDS; n++) {
        uint64_t seed = n;
        struct buf text = BUF(text_bytes);
        struct buf compact = BUF(compact_bytes);
        struct cut_outcome whole = outcome(0);
        struct cut_feed how = feed_of(n);
        random_json(&text, &seed, 1u + seeded_below(&seed, 60));
        json_compact(buf_span(&text), &compact);
        cut_feed(buf_span(&text), &how, &whole);
        if (whole.end != JSON_CUT_END || whole.invalid != 0 || whole.bytes != text.len ||
            !span_equal(buf_span(&whole.joined), buf_span(&compact))) {
            fail_msg("seed %llu: <%" PRISPAN ">", (unsigned long long)n, SPANARG(buf_span(&text)));
        }
        expect_same(buf_span(&text), how, &whole);
        cut += whole.cut;
    }
    assert_true(cut > SEEDS); // the texts are worth the test
}

static void small_buffers_change_no_answer_with_the_pieces(void **state)
{
    (void)state;
    unsigned toobig = 0;
    unsigned bad = 0;
    for (uint64_t n = 1; n <= SEEDS; n++) {
        uint64_t seed = n;
        struct buf text = BUF(text_bytes);
        struct cut_outcome whole = outcome(0);
        struct cut_feed how = feed_of(n);
        random_json(&text, &seed, 40);
        how.element_bytes = seeded_below(&seed, 30);
        how.rest_bytes = 20u + seeded_below(&seed, 200);
        cut_feed(buf_span(&text), &how, &whole);
        expect_same(buf_span(&text), how, &whole);
        toobig += whole.toobig;
        bad += whole.end == JSON_CUT_BAD;
    }
    assert_true(toobig > 100 && bad > 100);
}

static void damage(struct buf *text, uint64_t *seed)
{
    static const char bytes[] = "{}[],:\"\\ 019-+.eEtfnu\x00\x1F\x7F\x80\xC3\xED\xF4\xFF";
    for (unsigned n = 1u + seeded_below(seed, 2); n > 0; n--) {
        text->ptr[seeded_below(seed, (unsigned)text->len)] =
            bytes[seeded_below(seed, sizeof(bytes) - 1u)];
    }
}

static void a_damaged_text_has_one_answer(void **state)
{
    (void)state;
    unsigned good = 0;
    for (uint64_t n = 1; n <= 2u * SEEDS; n++) {
        uint64_t seed = n;
        struct buf text = BUF(text_bytes);
        struct cut_outcome whole = outcome(0);
        struct cut_feed how = feed_of(n);
        struct json doc;
        random_json(&text, &seed, 20);
        damage(&text, &seed);
        cut_feed(buf_span(&text), &how, &whole);
        bool valid = json_validate(buf_span(&text)) == RC_OK;
        bool parsed = json_parse(&doc, buf_span(&text), tokens, TOKENS_MAX) == RC_OK;
        if (valid != (whole.end == JSON_CUT_END) || valid != parsed) {
            fail_msg("seed %llu: <%" PRISPAN ">", (unsigned long long)n, SPANARG(buf_span(&text)));
        }
        expect_same(buf_span(&text), how, &whole);
        good += valid;
    }
    assert_true(good > SEEDS / 10u && good < 2u * SEEDS);
}

// Independent of json_put_string: what it writes must be read as what was put in, as far as that
// was UTF-8 at all.
static void a_written_string_is_read_as_it_was(void **state)
{
    (void)state;
    unsigned replaced = 0;
    for (uint64_t n = 1; n <= SEEDS; n++) {
        uint64_t seed = n;
        char raw_bytes[200];
        char back_bytes[600];
        struct buf raw = BUF(raw_bytes);
        struct buf text = BUF(text_bytes);
        struct buf again = BUF(compact_bytes);
        struct buf back = BUF(back_bytes);
        struct json doc;
        random_bytes(&raw, &seed, 40);
        json_put_string(&text, buf_span(&raw));
        assert_true(buf_ok(&raw) && buf_ok(&text));
        assert_int_equal(json_parse(&doc, buf_span(&text), tokens, TOKENS_MAX), RC_OK);
        assert_int_equal(json_string(&doc, 0, &back), RC_OK);
        json_put_string(&again, buf_span(&back)); // U+FFFD stays
        assert_true(span_equal(buf_span(&again), buf_span(&text)));
        bool kept = span_equal(buf_span(&back), buf_span(&raw));
        bool has_replacement = memmem(back.ptr, back.len, "\xEF\xBF\xBD", 3) != NULL;
        assert_true(kept != has_replacement);
        replaced += !kept;
    }
    assert_true(replaced > SEEDS / 10u && replaced < SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_and_rest_make_the_original_again),
        cmocka_unit_test(small_buffers_change_no_answer_with_the_pieces),
        cmocka_unit_test(a_damaged_text_has_one_answer),
        cmocka_unit_test(a_written_string_is_read_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Answers that Graph and its documentation really gave: every one is read, and is the same cut in
 * pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cut_feed.h"
#include "graph/record.h"
#include "shared.h"

#define TOKENS_MAX  8192u
#define TRACE_BYTES (128u * 1024u)

static struct json_token tokens[TOKENS_MAX], element_tokens[TOKENS_MAX];
static char trace_bytes[2][TRACE_BYTES], joined_bytes[2][TRACE_BYTES], shell_bytes[TRACE_BYTES];

static void reads_and_cuts(void *context, const char *name, struct span text)
{
    (void)context;
    struct json doc;
    struct cut_outcome whole = {.trace = BUF(trace_bytes[0]), .joined = BUF(joined_bytes[0])};
    struct cut_outcome pieces = {.trace = BUF(trace_bytes[1]), .joined = BUF(joined_bytes[1])};
    struct cut_feed how = {.arrays = {SPAN("value"), SPAN("sessions")},
                           .arrays_count = 2,
                           .element_bytes = CUT_FEED_ELEMENT_BYTES,
                           .rest_bytes = CUT_FEED_ELEMENT_BYTES};
    if (json_parse(&doc, text, tokens, TOKENS_MAX) != RC_OK) {
        fail_msg("%s is not read", name);
    }
    cut_feed(text, &how, &whole);
    assert_int_equal(whole.end, JSON_CUT_END);
    assert_int_equal(whole.invalid + whole.toobig, 0);
    how.pieces = CUT_FEED_EVEN;
    for (how.bytes = 1; how.bytes < 2000; how.bytes = how.bytes * 3u + 1u) {
        cut_feed(text, &how, &pieces);
        assert_true(span_equal(buf_span(&pieces.trace), buf_span(&whole.trace)));
    }
}

static void every_sample_is_read_and_cut_in_any_pieces(void **state)
{
    (void)state;
    if (shared_each("samples/graph", "", reads_and_cuts, NULL) +
            shared_each("samples/calls", "", reads_and_cuts, NULL) ==
        0) {
        skip();
    }
}

static void is_record(const char *name, const struct json *doc, int node)
{
    struct callrec r;
    struct json shell;
    struct buf b = BUF(shell_bytes);
    const char *reason = NULL;
    if (callrec_read(doc, node, &r, &reason) != RC_OK) {
        fail_msg("%s: %s", name, reason);
    }
    assert_true(r.version >= 1 && r.end_ms >= r.start_ms);
    assert_int_equal(callrec_put_shell(doc, node, &b), RC_OK);
    assert_int_equal(json_parse(&shell, buf_span(&b), element_tokens, TOKENS_MAX), RC_OK);
    assert_int_equal(json_get(&shell, 0, SPAN("sessions")), JSON_NONE);
    assert_int_equal(json_get(&shell, 0, SPAN("participants_v2")), JSON_NONE);
    assert_true(span_equal(json_raw(&shell, json_get(&shell, 0, SPAN("id"))),
                           json_raw(doc, json_get(doc, node, SPAN("id")))));
}

static void holds_records(void *context, const char *name, struct span text)
{
    unsigned *records = context;
    struct json doc;
    assert_int_equal(json_parse(&doc, text, tokens, TOKENS_MAX), RC_OK);
    int list = json_get(&doc, 0, SPAN("value"));
    if (!json_is_array(&doc, list)) {
        is_record(name, &doc, 0);
        (*records)++;
        return;
    }
    for (int n = json_first(&doc, list); n != JSON_NONE; n = json_next(&doc, n)) {
        is_record(name, &doc, n);
        (*records)++;
    }
}

static void every_call_record_of_the_samples_is_one(void **state)
{
    (void)state;
    unsigned records = 0;
    unsigned files = shared_each("samples/graph", "callrecord", holds_records, &records) +
                     shared_each("samples/calls", "", holds_records, &records);
    if (files == 0) {
        skip();
    }
    assert_true(records >= files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_is_read_and_cut_in_any_pieces),
        cmocka_unit_test(every_call_record_of_the_samples_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

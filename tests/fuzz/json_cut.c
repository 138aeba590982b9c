// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as a body that is cut: the same elements and rest whatever the pieces; what is handed
 * out is valid; what the validator refuses is refused; rest and elements together are the body.
 */
#include "base/assert.h"

#include "cut_feed.h"

#define TRACE_BYTES (256u * 1024u)
#define TEXT_BYTES  (32u * 1024u)
#define SMALL_BYTES 24u ///< element and rest buffers that some inputs do not fit into

static char traces[2][TRACE_BYTES], joins[2][TRACE_BYTES], compact[TRACE_BYTES];
static struct cut_outcome whole, pieces;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A rest that overflows is bad at once in any pieces, but it overflows by a run of bytes, and where
// runs end depends on the pieces.
static void check_same(bool small)
{
    ASSERT(whole.end == pieces.end);
    ASSERT(whole.elements == pieces.elements);
    ASSERT(whole.cut == pieces.cut && whole.toobig == pieces.toobig);
    ASSERT(whole.bytes == pieces.bytes || (small && whole.end == JSON_CUT_BAD));
    ASSERT(span_equal(buf_span(&whole.trace), buf_span(&pieces.trace)));
    ASSERT(span_equal(buf_span(&whole.joined), buf_span(&pieces.joined)));
}

static void check_cut(struct span text, struct cut_feed how)
{
    whole.trace = buf_of(traces[0], TRACE_BYTES);
    whole.joined = buf_of(joins[0], TRACE_BYTES);
    pieces.trace = buf_of(traces[1], TRACE_BYTES);
    pieces.joined = buf_of(joins[1], TRACE_BYTES);
    how.pieces = CUT_FEED_WHOLE;
    cut_feed(text, &how, &whole);
    ASSERT(whole.invalid == 0);
    ASSERT(whole.elements == whole.cut + whole.toobig);
    how.pieces = CUT_FEED_EVEN;
    how.bytes = 1;
    cut_feed(text, &how, &pieces);
    check_same(how.rest_bytes == SMALL_BYTES);
    how.pieces = CUT_FEED_RANDOM;
    how.bytes = 40;
    how.seed = text.len;
    cut_feed(text, &how, &pieces);
    check_same(how.rest_bytes == SMALL_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {.ptr = (const char *)data, .len = size};
    struct cut_feed how = {
        .arrays = {SPAN("value"), SPAN("a"), SPAN("")},
        .arrays_count = 3,
        .element_bytes = TEXT_BYTES,
        .rest_bytes = TEXT_BYTES,
    };
    if (size > TEXT_BYTES) {
        return 0;
    }
    check_cut(text, how);
    ASSERT((whole.end == JSON_CUT_END) == (json_validate(text) == RC_OK));
    if (whole.end == JSON_CUT_END) {
        struct buf wanted = BUF(compact);
        json_compact(text, &wanted);
        ASSERT(span_equal(buf_span(&whole.joined), buf_span(&wanted)));
        ASSERT(whole.toobig == 0);
    }
    how.element_bytes = SMALL_BYTES;
    how.rest_bytes = SMALL_BYTES;
    check_cut(text, how);
    return 0;
}

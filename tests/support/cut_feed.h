// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Feeds a text to json_cut in pieces and writes down what happens, so that two ways of feeding can
 * be compared, and what was cut can be held against the original.
 */
#ifndef TESTS_SUPPORT_CUT_FEED_H
#define TESTS_SUPPORT_CUT_FEED_H
#include "json/json.h"

#define CUT_FEED_ELEMENT_BYTES (64u * 1024u)

enum cut_feed_pieces {
    CUT_FEED_WHOLE,
    CUT_FEED_SPLIT,  ///< two pieces, the first of `bytes`
    CUT_FEED_EVEN,   ///< pieces of `bytes`
    CUT_FEED_RANDOM, ///< pieces of 0..bytes, by `seed`
};

struct cut_feed {
    enum cut_feed_pieces pieces;
    size_t bytes;
    uint64_t seed;
    struct span arrays[JSON_CUT_ARRAYS_MAX];
    unsigned arrays_count;
    size_t element_bytes, rest_bytes; ///< capacities; at most CUT_FEED_ELEMENT_BYTES each
};

struct cut_outcome {
    enum json_cut_got end; ///< JSON_CUT_END or JSON_CUT_BAD
    uint64_t elements;     ///< as json_cut counts them
    unsigned cut, toobig;  ///< answers of that kind
    unsigned invalid;      ///< elements that json_validate refuses: there must be none
    uint64_t bytes;        ///< taken
    struct buf trace;      ///< "array: element" lines, "toobig" lines, then the rest or "bad"
    struct buf joined;     ///< rest with the elements put back where they were
};

/// trace and joined are the caller's buffers, passed in `out`, emptied first.
void cut_feed(struct span text, const struct cut_feed *how, struct cut_outcome *out);

/// A valid text without the white space between its tokens, appended.
void json_compact(struct span text, struct buf *out);

#endif

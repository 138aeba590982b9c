// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The body of a sink's 2xx, in pieces: never a crash, and only events of the batch are ever marked.
 * First byte: size of the pieces. Second: how many events the batch has.
 */
#include "base/assert.h"

#include "ship/answer.h"

static struct ship_answer answer;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t piece_bytes = data[0] == 0 ? size : data[0];
    uint32_t count = 1u + data[1];
    struct span body = {.ptr = (const char *)data + 2, .len = size - 2u};
    ship_answer_init(&answer, 10, count);
    for (size_t at = 0; at < body.len; at += piece_bytes) {
        ship_answer_push(&answer, span_sub(body, at, piece_bytes));
    }
    ASSERT(answer.marked <= count);
    uint64_t seq = 0;
    uint64_t last = 0;
    struct span reason = SPAN_NONE;
    while (ship_answer_next(&answer, &seq, &reason)) { // each turn unmarks one
        ASSERT(seq >= 10 && seq < 10u + count && seq > last);
        ASSERT(reason.len > 0 && reason.len <= SHIP_REASON_BYTES);
        last = seq;
        ship_answer_unmark(&answer, seq);
    }
    ASSERT(answer.marked == 0);
    return 0;
}

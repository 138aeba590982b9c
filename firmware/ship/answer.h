// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a sink says about a batch that it took: optionally
 * {"accepted":n,"rejected":[{"seq":k,"error":".."}]}. Model:  the body is cut into the elements of
 * "rejected" as it arrives, whatever its length, and every number that belongs to the batch is
 * marked. A body that is something else says nothing, which is acceptance; so is an element without
 *         a readable "seq". What was marked stays marked while the same batch is sent again: a
 * refusal that was read once is not forgotten because the rest of that answer was cut off. Memory:
 * struct ship_answer.
 */
#ifndef SHIP_ANSWER_H
#define SHIP_ANSWER_H
#include "json/json.h"
#include "ship/ship.h"

#define SHIP_ANSWER_BYTES_MAX (4u * 1024u * 1024u) ///< of the body, decoded
#define SHIP_ELEMENT_BYTES    4096u                ///< one element of "rejected"
#define SHIP_REST_BYTES       4096u                ///< what is around it
#define SHIP_REASONS_MAX      16u ///< texts kept; further refusals are just "rejected"
#define SHIP_REASON_BYTES     64u

struct ship_reason {
    uint64_t seq;
    uint32_t len;
    char text[SHIP_REASON_BYTES]; ///< printable ASCII
};

struct ship_answer {
    uint64_t first_seq;
    uint32_t count;
    uint32_t marked; ///< events that wait to be buried
    uint8_t marks[(SHIP_BATCH_EVENTS_MAX + 7u) / 8u];
    struct ship_reason reasons[SHIP_REASONS_MAX];
    unsigned reasons_count;
    bool deaf; ///< not the JSON we look for, or complete: the rest says nothing
    struct json_cut cut;
    char element[SHIP_ELEMENT_BYTES];
    char rest[SHIP_REST_BYTES];
};

/// A new batch of 1..SHIP_BATCH_EVENTS_MAX events: nothing is marked.
void ship_answer_init(struct ship_answer *a, uint64_t first_seq, uint32_t count);
/// Another answer about the same batch begins.
void ship_answer_begin(struct ship_answer *a);
/// The next piece of a 2xx body, of any size.
void ship_answer_push(struct ship_answer *a, struct span piece);
/// Mark one event as refused for good. A number outside the batch is ignored. @param reason  cut to
/// SHIP_REASON_BYTES.
void ship_answer_mark(struct ship_answer *a, uint64_t seq, struct span reason);
/// First marked event and why; false if there is none. reason is valid until the next call with a.
bool ship_answer_next(const struct ship_answer *a, uint64_t *seq, struct span *reason);
void ship_answer_unmark(struct ship_answer *a, uint64_t seq);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The ndjson sink's rule: what a status means, and what the optional body adds to it.
 */
#include "ship/answer.h"

#include <string.h>

#include "base/assert.h"

#define ELEMENT_TOKENS_MAX 64u

static const struct span array_name[] = {{.ptr = "rejected", .len = 8}};

static enum ship_class classify_status(int status)
{
    switch (status) {
    case 409: // the receiver has this key already
        return SHIP_OK;
    case 400:
    case 413:
    case 422:
        return SHIP_SPLIT;
    case 408:
    case 425:
    case 429:
        return SHIP_RETRY;
    default:
        break;
    }
    if (status >= 200 && status <= 299) {
        return SHIP_OK;
    }
    // 401, 402, 403, 404, redirects and whatever nobody expects: a person has to look, nothing is
    // dropped meanwhile.
    return status >= 500 && status <= 599 ? SHIP_RETRY : SHIP_HOLD;
}

enum ship_class ship_classify(enum http_fail fail, int status)
{
    switch (fail) {
    case HTTP_OK:
    case HTTP_FAIL_TOOBIG: // the verdict stands in the status; the body was only too long or
                           // garbled
    case HTTP_FAIL_ENCODING:
        return status == 0 ? SHIP_RETRY : classify_status(status);
    case HTTP_FAIL_TRUST:
    case HTTP_FAIL_REFUSED: // our own URL or header breaks a rule: only another configuration helps
        return SHIP_HOLD;
    case HTTP_FAIL_CUT:
    case HTTP_FAIL_TIMEOUT:
        // A server that refuses early (413, 401) often closes before it has read the request: its
        // word counts. A 2xx whose body did not arrive may have named refusals: ask again under the
        // same key.
        return status >= 300 ? classify_status(status) : SHIP_RETRY;
    case HTTP_FAIL_RESOLVE:
    case HTTP_FAIL_CONNECT:
    case HTTP_FAIL_TLS:
    case HTTP_FAIL_MEMORY:
        break;
    }
    return SHIP_RETRY;
}

void ship_answer_init(struct ship_answer *a, uint64_t first_seq, uint32_t count)
{
    ASSERT(count >= 1 && count <= SHIP_BATCH_EVENTS_MAX);
    a->first_seq = first_seq;
    a->count = count;
    a->marked = 0;
    a->reasons_count = 0;
    memset(a->marks, 0, sizeof(a->marks));
    ship_answer_begin(a);
}

void ship_answer_begin(struct ship_answer *a)
{
    a->deaf = false;
    json_cut_init(&a->cut, array_name, 1, BUF(a->element), BUF(a->rest));
}

/// Peer's text, for people who look into the quarantine: what is not printable ASCII becomes '?'.
static void keep_reason(struct ship_answer *a, uint64_t seq, struct span text)
{
    if (a->reasons_count == SHIP_REASONS_MAX) {
        return;
    }
    struct ship_reason *r = &a->reasons[a->reasons_count++];
    struct span kept = span_sub(text, 0, sizeof(r->text));
    r->seq = seq;
    r->len = (uint32_t)kept.len;
    for (size_t i = 0; i < kept.len; i++) {
        char c = kept.ptr[i];
        r->text[i] = c;
        if (c < ' ' || c > '~') {
            r->text[i] = '?';
        }
    }
}

void ship_answer_mark(struct ship_answer *a, uint64_t seq, struct span reason)
{
    if (seq < a->first_seq || seq - a->first_seq >= a->count) {
        return;
    }
    uint32_t at = (uint32_t)(seq - a->first_seq);
    uint8_t bit = (uint8_t)(1u << (at % 8u));
    if ((a->marks[at / 8u] & bit) != 0) {
        return;
    }
    a->marks[at / 8u] |= bit;
    a->marked++;
    keep_reason(a, seq, reason);
}

void ship_answer_unmark(struct ship_answer *a, uint64_t seq)
{
    ASSERT(seq >= a->first_seq && seq - a->first_seq < a->count);
    uint32_t at = (uint32_t)(seq - a->first_seq);
    uint8_t bit = (uint8_t)(1u << (at % 8u));
    ASSERT((a->marks[at / 8u] & bit) != 0);
    a->marks[at / 8u] &= (uint8_t)~bit;
    a->marked--;
}

static struct span reason_of(const struct ship_answer *a, uint64_t seq)
{
    for (unsigned i = 0; i < a->reasons_count; i++) {
        if (a->reasons[i].seq == seq) {
            return (struct span){.ptr = a->reasons[i].text, .len = a->reasons[i].len};
        }
    }
    return SPAN("rejected");
}

bool ship_answer_next(const struct ship_answer *a, uint64_t *seq, struct span *reason)
{
    if (a->marked == 0) {
        return false;
    }
    for (uint32_t at = 0; at < a->count; at++) {
        if ((a->marks[at / 8u] >> (at % 8u) & 1u) != 0) {
            *seq = a->first_seq + at;
            *reason = reason_of(a, *seq);
            return true;
        }
    }
    ASSERT(false); // marked counts the bits
    return false;
}

static void take_element(struct ship_answer *a)
{
    struct json_token tokens[ELEMENT_TOKENS_MAX];
    struct json doc;
    int64_t seq = 0;
    char text[SHIP_REASON_BYTES * 4u];
    struct buf reason = BUF(text);
    if (json_parse(&doc, json_cut_element(&a->cut), tokens, ELEMENT_TOKENS_MAX) != RC_OK ||
        json_i64(&doc, json_get(&doc, 0, SPAN("seq")), &seq) != RC_OK || seq < 1) {
        return;
    }
    buf_put_str(&reason, "rejected: ");
    rc_ignore(json_string(&doc, json_get(&doc, 0, SPAN("error")), &reason), "only for people");
    bool told = reason.len > sizeof("rejected: ") - 1u;
    ship_answer_mark(a, (uint64_t)seq, told ? buf_span(&reason) : SPAN("rejected"));
}

void ship_answer_push(struct ship_answer *a, struct span piece)
{
    while (piece.len > 0 && !a->deaf) { // each turn takes at least a byte or ends it
        size_t used = 0;
        enum json_cut_got got = json_cut_push(&a->cut, piece, &used);
        ASSERT(used <= piece.len);
        piece = span_sub(piece, used, piece.len - used);
        if (got == JSON_CUT_ELEMENT) {
            take_element(a);
        }
        a->deaf = got == JSON_CUT_BAD || got == JSON_CUT_END || used == 0;
    }
}

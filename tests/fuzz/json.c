// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as JSON: the same verdict and the same good bytes whatever the pieces; what is valid is
 * parsed into nodes that are valid texts themselves; what is decoded comes back when it is written.
 */
#include "json/json.h"

#include "base/assert.h"

#include "seeded.h"

#define TOKENS_MAX 4096u
#define TEXT_BYTES (64u * 1024u)

static struct json_token tokens[TOKENS_MAX], again[4];
static char decoded[TEXT_BYTES], written[6u * TEXT_BYTES + 2u], back[TEXT_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc scan_in_pieces(struct span text, unsigned piece_max, uint64_t seed, size_t *good)
{
    struct json_scan s;
    json_scan_init(&s);
    *good = 0;
    for (size_t at = 0; at < text.len;) {
        struct span piece = span_sub(text, at, seeded_below(&seed, piece_max) + 1u);
        size_t used = 0;
        enum rc rc = json_scan_push(&s, piece, &used);
        *good += used;
        ASSERT(rc == RC_OK ? used == piece.len : used < piece.len);
        if (rc != RC_OK) {
            ASSERT(json_scan_end(&s) == RC_PARSE);
            return rc;
        }
        at += piece.len;
    }
    return json_scan_end(&s);
}

static void check_string(const struct json *doc, int node)
{
    struct buf first = BUF(decoded);
    struct buf json = BUF(written);
    struct buf second = BUF(back);
    struct json one;
    ASSERT(json_string(doc, node, &first) == RC_OK);
    json_put_string(&json, buf_span(&first));
    ASSERT(buf_ok(&json));
    ASSERT(json_parse(&one, buf_span(&json), again, 1) == RC_OK);
    ASSERT(json_string(&one, 0, &second) == RC_OK);
    ASSERT(span_equal(buf_span(&first), buf_span(&second)));
}

// A name is looked up as decoded; the last member of that name is the one that is found.
static void check_member(const struct json *doc, int object, int key)
{
    char name_bytes[128];
    struct buf name = BUF(name_bytes);
    int value = json_value(doc, key);
    if (json_string(doc, key, &name) == RC_OK) {
        int found = json_get(doc, object, buf_span(&name));
        ASSERT(found >= value);
    }
    ASSERT(json_next(doc, value) == JSON_NONE);
}

// Children follow one another in the text and none is left out: each node is reached exactly once.
static unsigned check_children(const struct json *doc, int node)
{
    unsigned count = 0;
    const char *behind = json_text(doc, node).ptr;
    for (int child = json_first(doc, node); child != JSON_NONE; child = json_next(doc, child)) {
        struct span text = json_text(doc, child);
        ASSERT(text.ptr > behind);
        behind = text.ptr + text.len - 1;
        count++;
        if (json_is_object(doc, node)) {
            check_member(doc, node, child);
            text = json_text(doc, json_value(doc, child));
            behind = text.ptr + text.len - 1;
            count++;
        }
    }
    return count;
}

static void check_nodes(const struct json *doc)
{
    unsigned reached = 1;
    unsigned looked_up = 0;
    for (int node = 0; (unsigned)node < doc->count; node++) {
        int64_t number = 0;
        bool truth = false;
        ASSERT(json_validate(json_text(doc, node)) == RC_OK);
        if (json_is_string(doc, node)) {
            check_string(doc, node);
        }
        bool is_number = json_i64(doc, node, &number) == RC_OK;
        bool is_bool = json_bool(doc, node, &truth) == RC_OK;
        ASSERT(json_is_object(doc, node) + json_is_array(doc, node) + json_is_string(doc, node) +
                   json_is_null(doc, node) + is_number + is_bool <=
               1);
        unsigned children = check_children(doc, node);
        reached += children;
        looked_up += children * children; // json_get is linear: keep the whole bounded
        if (looked_up > 1000000u) {
            return;
        }
    }
    ASSERT(reached == doc->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {.ptr = (const char *)data, .len = size};
    if (size > TEXT_BYTES) {
        return 0;
    }
    enum rc verdict = json_validate(text);
    size_t good = 0;
    size_t good_in_pieces = 0;
    ASSERT(scan_in_pieces(text, 1, 0, &good) == verdict);
    ASSERT(scan_in_pieces(text, 40, size, &good_in_pieces) == verdict);
    ASSERT(good == good_in_pieces);
    struct json doc;
    enum rc parsed = json_parse(&doc, text, tokens, TOKENS_MAX);
    ASSERT(parsed == verdict || (verdict == RC_OK && parsed == RC_TOOBIG && size > TOKENS_MAX));
    if (parsed == RC_OK) {
        check_nodes(&doc);
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A call record with its sessions, as lane.c takes it apart: sessions cut out one by one, the shell
 * written from the rest. The shell has every other member, byte for byte, and none of the big ones.
 * First byte: size of the pieces.
 */
#include "graph/record.h"

#include "base/assert.h"

#define GRAPH_URL     "https://graph.microsoft.com"
#define TOKENS_MAX    4096u
#define ELEMENT_BYTES (16u * 1024u)

static struct json_token tokens[TOKENS_MAX], shell_tokens[TOKENS_MAX];
static char element_bytes[ELEMENT_BYTES], rest_bytes[ELEMENT_BYTES], shell_bytes[ELEMENT_BYTES];
static char link_bytes[LINK_BYTES_MAX + 1u];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_big(struct span key)
{
    return span_equal(key, SPAN("sessions")) || span_starts(key, SPAN("sessions@")) ||
           span_equal(key, SPAN("participants_v2")) || span_starts(key, SPAN("participants_v2@"));
}

// Members of the record and of its shell, side by side.
static void check_members(const struct json *record, const struct json *shell)
{
    int kept = json_first(shell, 0);
    for (int key = json_first(record, 0); key != JSON_NONE; key = json_next(record, key)) {
        if (is_big(json_raw(record, key))) {
            continue;
        }
        ASSERT(kept != JSON_NONE);
        ASSERT(span_equal(json_text(record, key), json_text(shell, kept)));
        ASSERT(span_equal(json_text(record, json_value(record, key)),
                          json_text(shell, json_value(shell, kept))));
        kept = json_next(shell, kept);
    }
    ASSERT(kept == JSON_NONE);
}

static void check_rest(struct span rest)
{
    struct json doc;
    struct json shell_doc;
    struct callrec r;
    const char *reason = NULL;
    struct buf shell = BUF(shell_bytes);
    struct buf link = BUF(link_bytes);
    if (json_parse(&doc, rest, tokens, TOKENS_MAX) != RC_OK || !json_is_object(&doc, 0)) {
        return;
    }
    enum rc rc = callrec_read(&doc, 0, &r, &reason);
    ASSERT(rc == RC_OK || rc == RC_PARSE || rc == RC_TOOBIG);
    ASSERT(reason != NULL);
    ASSERT(callrec_put_shell(&doc, 0, &shell) == RC_OK);
    ASSERT(json_parse(&shell_doc, buf_span(&shell), shell_tokens, TOKENS_MAX) == RC_OK);
    check_members(&doc, &shell_doc);
    if (link_read(&doc, 0, SPAN("sessions@odata.nextLink"), &link) == RC_OK &&
        link_check(&link, SPAN(GRAPH_URL)) == RC_OK) {
        ASSERT(span_starts(buf_span(&link), SPAN(GRAPH_URL "/")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > ELEMENT_BYTES) {
        return 0;
    }
    struct json_cut cut;
    struct span array = SPAN("sessions");
    struct span body = {.ptr = (const char *)data + 1, .len = size - 1u};
    size_t piece_bytes = data[0] == 0 ? size : data[0];
    uint64_t elements = 0;
    json_cut_init(&cut, &array, 1, BUF(element_bytes), BUF(rest_bytes));
    for (size_t at = 0; at < body.len;) {
        size_t used = 0;
        enum json_cut_got got = json_cut_push(&cut, span_sub(body, at, piece_bytes), &used);
        at += used;
        if (got == JSON_CUT_BAD) {
            return 0;
        }
        if (got == JSON_CUT_ELEMENT) {
            ASSERT(json_validate(json_cut_element(&cut)) == RC_OK);
            elements++;
        }
    }
    ASSERT(cut.elements == elements); // none can be too big here
    if (json_cut_finish(&cut) == JSON_CUT_END) {
        check_rest(json_cut_rest(&cut));
    }
    return 0;
}

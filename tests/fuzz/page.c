// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A page of listed call records, as list.c takes it apart: cut, each element read, the next link
 * checked. A link that passes never leads a bearer token to another origin.
 * First byte: size of the pieces.
 */
#include "base/assert.h"

#include "graph/record.h"

#define GRAPH_URL     "https://graph.microsoft.com"
#define TOKENS_MAX    4096u
#define ELEMENT_BYTES (16u * 1024u)

static struct json_token tokens[TOKENS_MAX];
static char element_bytes[ELEMENT_BYTES], rest_bytes[ELEMENT_BYTES], shell_bytes[ELEMENT_BYTES];
static char link_bytes[LINK_BYTES_MAX + 1u];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct callrec *r)
{
    struct span id = record_id_span(&r->id);
    struct rows_key key = seen_key(r->start_ms, id);
    struct record_id again;
    ASSERT(r->version >= 1 && r->version <= INT64_MAX);
    ASSERT(r->start_ms >= 0 && r->end_ms >= r->start_ms);
    ASSERT(id.len >= 1 && record_id_set(&again, id) == RC_OK);
    ASSERT(seen_key_start_ms(rows_key_span(&key)) == r->start_ms);
}

static void check_element(struct span element)
{
    struct json doc;
    struct callrec r;
    const char *reason = NULL;
    struct buf shell = BUF(shell_bytes);
    ASSERT(json_validate(element) == RC_OK);
    if (json_parse(&doc, element, tokens, TOKENS_MAX) != RC_OK ||
        callrec_read(&doc, 0, &r, &reason) != RC_OK) {
        return;
    }
    check_record(&r);
    ASSERT(callrec_put_shell(&doc, 0, &shell) == RC_OK); // never longer than the element
    ASSERT(shell.len <= element.len);
    ASSERT(json_validate(buf_span(&shell)) == RC_OK);
}

static void check_link(struct span rest)
{
    struct json doc;
    struct buf link = BUF(link_bytes);
    if (json_parse(&doc, rest, tokens, TOKENS_MAX) != RC_OK ||
        link_read(&doc, 0, SPAN("@odata.nextLink"), &link) != RC_OK ||
        link_check(&link, SPAN(GRAPH_URL)) != RC_OK) {
        return;
    }
    ASSERT(link.len <= LINK_BYTES_MAX);
    ASSERT(span_starts(buf_span(&link), SPAN(GRAPH_URL "/")));
    for (size_t i = 0; i < link.len; i++) {
        ASSERT(link_bytes[i] > ' ' && link_bytes[i] <= '~' && link_bytes[i] != '#');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > ELEMENT_BYTES) {
        return 0;
    }
    struct json_cut cut;
    struct span array = SPAN("value");
    struct span body = {.ptr = (const char *)data + 1, .len = size - 1u};
    size_t piece_bytes = data[0] == 0 ? size : data[0];
    json_cut_init(&cut, &array, 1, BUF(element_bytes), BUF(rest_bytes));
    for (size_t at = 0; at < body.len;) {
        size_t used = 0;
        enum json_cut_got got = json_cut_push(&cut, span_sub(body, at, piece_bytes), &used);
        at += used;
        if (got == JSON_CUT_BAD) {
            return 0;
        }
        if (got == JSON_CUT_ELEMENT) {
            check_element(json_cut_element(&cut));
        }
    }
    if (json_cut_finish(&cut) == JSON_CUT_END) {
        check_link(json_cut_rest(&cut));
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// The fence around jsmn. jsmn alone is no validator, even in its strict mode, so nothing reaches it
// that json_validate did not accept; with parent links, because without them every closing bracket
// searches backwards.
#include "json/json.h"

#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#define JSMN_STATIC
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <jsmn.h>
#pragma GCC diagnostic pop

#include <limits.h>
#include <string.h>

#include "base/assert.h"

_Static_assert(sizeof(struct json_token) == sizeof(jsmntok_t),
               "the public token is jsmn's in disguise");
_Static_assert(_Alignof(struct json_token) >= _Alignof(jsmntok_t), "and aligned like it");

/// jsmn's strict mode refuses a lone number, true, false or null, because it looks for the
/// delimiter behind it.
static int lone_primitive(struct span text, struct json_token *tokens, unsigned tokens_max)
{
    static const char space[] = " \t\r\n";
    size_t start = 0;
    size_t end = text.len;

    while (strchr(space, text.ptr[start]) != NULL) { // the text is valid: there is something else
        start++;
    }
    while (strchr(space, text.ptr[end - 1]) != NULL) {
        end--;
    }
    if (strchr("{[\"", text.ptr[start]) != NULL) {
        return 0;
    }
    if (tokens_max == 0) {
        return JSMN_ERROR_NOMEM;
    }
    *(jsmntok_t *)(void *)tokens =
        (jsmntok_t){.type = JSMN_PRIMITIVE, .start = (int)start, .end = (int)end, .parent = -1};
    return 1;
}

/// Tokens of a text that the automaton has accepted.
static RC tokenize(struct json *doc, struct span text, struct json_token *tokens, unsigned max)
{
    jsmn_parser parser;

    int count = lone_primitive(text, tokens, max);
    if (count == 0) {
        jsmn_init(&parser);
        count = jsmn_parse(&parser, text.ptr, text.len, (jsmntok_t *)(void *)tokens, max);
    }
    if (count < 0) {
        return RC_TOOBIG; // the text is valid: only the arena can be too small
    }
    *doc = (struct json){
        .text = text.ptr, .len = text.len, .tokens = tokens, .count = (unsigned)count};
    return RC_OK;
}

RC json_parse(struct json *doc, struct span text, struct json_token *tokens, unsigned tokens_max)
{
    ASSERT(tokens != NULL);    // jsmn would only count
    if (text.len >= INT_MAX) { // positions in tokens are int
        return RC_TOOBIG;
    }
    TRY(json_validate(text));
    return tokenize(doc, text, tokens, tokens_max);
}

RC json_parse_element(struct json *doc,
                      const struct json_cut *cut,
                      struct json_token *tokens,
                      unsigned tokens_max)
{
    ASSERT(tokens != NULL);
    ASSERT(cut->handed_out && !cut->element.overflow); // what the cutter hands out is validated
    struct span text = json_cut_element(cut);
    return text.len < INT_MAX ? tokenize(doc, text, tokens, tokens_max) : RC_TOOBIG;
}

static const jsmntok_t *token(const struct json *doc, int node)
{
    ASSERT(node >= 0 && (unsigned)node < doc->count);
    return (const jsmntok_t *)(const void *)&doc->tokens[node];
}

static bool is_type(const struct json *doc, int node, jsmntype_t type)
{
    return node != JSON_NONE && token(doc, node)->type == type;
}

bool json_is_object(const struct json *doc, int node)
{
    return is_type(doc, node, JSMN_OBJECT);
}

bool json_is_array(const struct json *doc, int node)
{
    return is_type(doc, node, JSMN_ARRAY);
}

bool json_is_string(const struct json *doc, int node)
{
    return is_type(doc, node, JSMN_STRING);
}

bool json_is_null(const struct json *doc, int node)
{
    return is_type(doc, node, JSMN_PRIMITIVE) && doc->text[token(doc, node)->start] == 'n';
}

struct span json_raw(const struct json *doc, int node)
{
    if (node == JSON_NONE) {
        return SPAN_NONE;
    }
    const jsmntok_t *t = token(doc, node);
    return (struct span){.ptr = doc->text + t->start, .len = (size_t)(t->end - t->start)};
}

struct span json_text(const struct json *doc, int node)
{
    struct span raw = json_raw(doc, node);

    if (json_is_string(doc, node)) {
        return (struct span){.ptr = raw.ptr - 1, .len = raw.len + 2};
    }
    return raw;
}

int json_first(const struct json *doc, int container)
{
    if (!json_is_object(doc, container) && !json_is_array(doc, container)) {
        return JSON_NONE;
    }
    return token(doc, container)->size > 0 ? container + 1 : JSON_NONE;
}

/// First token behind the node and everything in it; a key's value is in the key. Skips by
/// position, from the end of the text backwards would be no better: tokens are in the order of
/// their starts, so a binary search finds the first that starts behind `end`.
static int token_behind(const struct json *doc, int node, int end)
{
    unsigned low = (unsigned)node + 1;
    unsigned step = 1;

    while (low + step < doc->count &&
           token(doc, (int)(low + step))->start < end) { // gallop: siblings are usually near
        low += step;
        step *= 2;
    }
    unsigned high = low + step < doc->count ? low + step : doc->count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (token(doc, (int)middle)->start < end) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < doc->count ? (int)low : JSON_NONE;
}

int json_value(const struct json *doc, int key)
{
    if (key == JSON_NONE) {
        return JSON_NONE;
    }
    ASSERT(json_is_string(doc, key));
    ASSERT(token(doc, key)->size == 1);
    return key + 1;
}

int json_next(const struct json *doc, int child)
{
    if (child == JSON_NONE) {
        return JSON_NONE;
    }
    const jsmntok_t *t = token(doc, child);
    bool is_key = t->type == JSMN_STRING && t->size == 1;
    int last = is_key ? child + 1 : child; // an empty value starts where it ends: begin behind it
    int next = token_behind(doc, last, token(doc, last)->end);

    return next != JSON_NONE && token(doc, next)->parent == t->parent ? next : JSON_NONE;
}

// ---- values ---------------------------------------------------------------------------------

static void put_utf8(struct buf *b, uint32_t code)
{
    if (code < 0x80) {
        buf_put_char(b, (char)code);
    } else if (code < 0x800) {
        buf_put_char(b, (char)(0xC0u | code >> 6));
        buf_put_char(b, (char)(0x80u | (code & 0x3Fu)));
    } else if (code < 0x10000) {
        buf_put_char(b, (char)(0xE0u | code >> 12));
        buf_put_char(b, (char)(0x80u | (code >> 6 & 0x3Fu)));
        buf_put_char(b, (char)(0x80u | (code & 0x3Fu)));
    } else {
        buf_put_char(b, (char)(0xF0u | code >> 18));
        buf_put_char(b, (char)(0x80u | (code >> 12 & 0x3Fu)));
        buf_put_char(b, (char)(0x80u | (code >> 6 & 0x3Fu)));
        buf_put_char(b, (char)(0x80u | (code & 0x3Fu)));
    }
}

/// Four hexadecimal digits that the validator has seen.
static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a') + 10u;
        v = v << 4 | digit;
    }
    return v;
}

/// Decode the escape at s[at] == '\\'. @return how many bytes it has
static size_t put_escape(struct buf *b, struct span s, size_t at)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    char c = s.ptr[at + 1];

    if (c != 'u') {
        const char *found = strchr(names, c);
        ASSERT(found != NULL);
        buf_put_char(b, values[found - names]);
        return 2;
    }
    uint32_t code = hex4(s.ptr + at + 2);
    if (code < 0xD800 || code > 0xDBFF) {
        put_utf8(b, code);
        return 6;
    }
    put_utf8(b, 0x10000u + ((code - 0xD800u) << 10) + (hex4(s.ptr + at + 8) - 0xDC00u));
    return 12;
}

static void put_decoded(struct buf *b, struct span raw)
{
    size_t at = 0;

    while (at < raw.len) {
        size_t plain = span_index(span_sub(raw, at, raw.len), '\\');
        buf_put(b, span_sub(raw, at, plain));
        at += plain;
        if (at < raw.len) {
            at += put_escape(b, raw, at);
        }
    }
}

RC json_string(const struct json *doc, int node, struct buf *out)
{
    if (!json_is_string(doc, node)) {
        return RC_PARSE;
    }
    put_decoded(out, json_raw(doc, node));
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

/// Apart, so that the usual key does not pay for the buffer.
static __attribute__((noinline)) bool escaped_key_is(struct span raw, struct span name)
{
    char decoded[128];
    struct buf b = BUF(decoded);

    put_decoded(&b, raw);
    return buf_ok(&b) && span_equal(buf_span(&b), name);
}

bool json_key_is(struct span raw, struct span name)
{
    if (raw.len <= name.len) { // an escape only makes it longer
        return span_equal(raw, name) && span_index(raw, '\\') == raw.len;
    }
    return span_index(raw, '\\') != raw.len && escaped_key_is(raw, name);
}

void json_get_each(
    const struct json *doc, int object, const struct span *names, int *nodes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        nodes[i] = JSON_NONE;
    }
    if (!json_is_object(doc, object)) {
        return;
    }
    for (int key = json_first(doc, object); key != JSON_NONE; key = json_next(doc, key)) {
        struct span raw = json_raw(doc, key);
        for (unsigned i = 0; i < count; i++) {
            if (json_key_is(raw, names[i])) {
                nodes[i] = json_value(doc, key); // the last of equal keys counts
            }
        }
    }
}

int json_get(const struct json *doc, int object, struct span name)
{
    int found = JSON_NONE;

    json_get_each(doc, object, &name, &found, 1);
    return found;
}

RC json_i64(const struct json *doc, int node, int64_t *out)
{
    uint64_t magnitude = 0;

    if (!is_type(doc, node, JSMN_PRIMITIVE)) {
        return RC_PARSE;
    }
    struct span raw = json_raw(doc, node);
    bool negative = raw.ptr[0] == '-';
    if (!span_u64(span_sub(raw, negative, raw.len), &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative) {
        return RC_PARSE;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return RC_OK;
}

RC json_bool(const struct json *doc, int node, bool *out)
{
    if (!is_type(doc, node, JSMN_PRIMITIVE)) {
        return RC_PARSE;
    }
    char c = json_raw(doc, node).ptr[0];
    if (c != 't' && c != 'f') {
        return RC_PARSE;
    }
    *out = c == 't';
    return RC_OK;
}

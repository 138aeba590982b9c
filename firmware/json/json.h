// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * JSON in bounded memory: a strict incremental validator, tokens, and a cutter for bodies of any
 * size.
 * Model:  json_scan is one RFC 8259 automaton that takes bytes in any pieces. json_validate and
 *         json_cut both run on it, so what one accepts the other accepts. json_parse is
 *         json_validate, then jsmn (this is the fence around it) into the caller's token arena.
 *         Nothing is copied; results point into the text.
 * Choices (tested): UTF-8 is checked (no overlongs, no surrogates); a lone \uD800-\uDFFF escape is
 *         refused; NUL bytes and a byte order mark are refused; nesting deeper than
 *         CONFIG_JSON_DEPTH_MAX is refused; numbers of any size are accepted as text; duplicate
 *         keys are accepted and the last one counts (Graph sends them, see its own example of
 *         List sessions).
 * Memory: none kept. No recursion.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H
#include "base/rc.h"
#include "base/span.h"

// ---- validator ------------------------------------------------------------------------------

#define JSON_SCAN_STACK_BYTES (CONFIG_JSON_DEPTH_MAX)

struct json_scan {
    uint8_t state;
    uint8_t literal;   ///< which of true, false, null
    uint8_t at;        ///< progress in it, or in \uXXXX
    uint8_t utf8_need; ///< bytes of a UTF-8 sequence still to come
    uint8_t utf8_low;  ///< the next of them is within [low, high]
    uint8_t utf8_high;
    bool key;       ///< the string is a key
    bool low_waits; ///< a high surrogate was escaped: its low half must follow
    uint16_t unit;  ///< \uXXXX so far
    uint16_t depth;
    uint8_t stack[JSON_SCAN_STACK_BYTES]; ///< '{' or '[' per level
};

void json_scan_init(struct json_scan *s);
/// Feed any piece. *used says how many bytes were good, the same for all ways to cut the text.
/// @retval RC_OK     fine so far.
/// @retval RC_PARSE  no JSON text begins so; final.
RC json_scan_push(struct json_scan *s, struct span in, size_t *used);
/// The text ended here. @retval RC_PARSE  it was not complete.
RC json_scan_end(struct json_scan *s);

RC json_validate(struct span text);

// ---- tokens ---------------------------------------------------------------------------------

struct json_token {
    int opaque[5];
};

struct json {
    const char *text;
    size_t len;
    struct json_token *tokens;
    unsigned count;
};

#define JSON_NONE (-1) ///< "no such node"

/**
 * @param text    borrowed while the document is used.
 * @param tokens  arena, borrowed likewise.
 * @retval RC_PARSE   not RFC 8259.
 * @retval RC_TOOBIG  more tokens than the arena has.
 */
RC json_parse(struct json *doc, struct span text, struct json_token *tokens, unsigned tokens_max);

/// Nodes are token indexes; 0 is the root. All of these accept JSON_NONE and then answer "no".
bool json_is_object(const struct json *doc, int node);
bool json_is_array(const struct json *doc, int node);
bool json_is_string(const struct json *doc, int node);
bool json_is_null(const struct json *doc, int node);
/// Value of a member of an object, the last one of that name (escapes in keys are understood), or
/// JSON_NONE.
int json_get(const struct json *doc, int object, struct span key);
/// Does a key, as it stands between its quotes, name this? Escapes are understood; `name` is at
/// most 128 bytes.
bool json_key_is(struct span raw, struct span name);
/// Several members in one pass: nodes[i] becomes what json_get would give for names[i].
void json_get_each(
    const struct json *doc, int object, const struct span *names, int *nodes, unsigned count);
/// Iteration: first child (for an object: first key), and the next sibling of a child, or
/// JSON_NONE.
int json_first(const struct json *doc, int container);
int json_next(const struct json *doc, int child);
/// Value behind a key node.
int json_value(const struct json *doc, int key);
/// The node's text as it stands, strings without their quotes and with their escapes.
struct span json_raw(const struct json *doc, int node);
/// The node's text as it stands, strings with their quotes.
struct span json_text(const struct json *doc, int node);
/// Decoded string, appended to out. @retval RC_PARSE no string. @retval RC_TOOBIG out is too small.
RC json_string(const struct json *doc, int node, struct buf *out);
/// Integers without a detour through floating point. @retval RC_PARSE no integer, a fraction, an
/// exponent, or out of range.
RC json_i64(const struct json *doc, int node, int64_t *out);
/// @retval RC_PARSE  neither true nor false; *out is then untouched.
RC json_bool(const struct json *doc, int node, bool *out);

// ---- writing --------------------------------------------------------------------------------

/// Appends "text" with quotes and escapes. Invalid UTF-8 becomes U+FFFD.
void json_put_string(struct buf *b, struct span text);
/// Length of the well-formed UTF-8 sequence at s.ptr[at], at < s.len (RFC 3629); 0: there is none.
size_t json_utf8_len(struct span s, size_t at);

// ---- cutter ---------------------------------------------------------------------------------

#define JSON_CUT_ARRAYS_MAX 4u

enum json_cut_got {
    JSON_CUT_MORE,    ///< give more bytes
    JSON_CUT_ELEMENT, ///< one complete element stands in json_cut_element(), until the next push
    JSON_CUT_TOOBIG,  ///< one element was longer than the buffer: it was validated and dropped; its
                      ///< array goes on
    JSON_CUT_END,     ///< the text is complete; json_cut_rest() holds what is around the arrays
    JSON_CUT_BAD,     ///< not RFC 8259 (or the rest is longer than its buffer): final
};

/**
 * Cuts the elements out of chosen arrays of the top-level object, while its bytes arrive.
 * What is around them ("rest") is kept with the arrays emptied:
 * {"a":1,"value":[],"@odata.nextLink":"..."}. Elements and rest come out without white space
 * between tokens, otherwise byte for byte as sent.
 * A key means the same however it is written: with escapes, or twice (the elements of both arrays
 * are cut). A chosen name whose value is no array stays in the rest as it is; a body that is no
 * object is all rest.
 * Memory: element and rest buffers are the caller's; bounded by the largest single element,
 * whatever the body's size.
 */
struct json_cut {
    struct json_scan scan;
    struct buf element, rest;
    struct span arrays[JSON_CUT_ARRAYS_MAX];
    unsigned arrays_count;
    int array; ///< the array we are in, or whose element was handed out last (index into arrays),
               ///< or -1
    uint8_t mode;
    bool in_element;
    bool handed_out;   ///< the element in the buffer was returned: the next push begins a new one
    bool close_waits;  ///< the ']' behind the element is taken, but not yet in rest
    uint64_t bytes;    ///< taken so far
    uint64_t elements; ///< cut so far, dropped ones included
    size_t key_at;     ///< where the latest top-level key starts in rest
};

void json_cut_init(struct json_cut *c,
                   const struct span *arrays,
                   unsigned arrays_count,
                   struct buf element,
                   struct buf rest);
/// Takes at most in.len bytes and stops behind a complete element. *used says how many were taken
/// (also on BAD). After JSON_CUT_BAD and after json_cut_finish() it is always JSON_CUT_BAD.
enum json_cut_got json_cut_push(struct json_cut *c, struct span in, size_t *used);
/// The body ended. JSON_CUT_END or JSON_CUT_BAD (truncated).
enum json_cut_got json_cut_finish(struct json_cut *c);
struct span json_cut_element(const struct json_cut *c);
struct span json_cut_array(const struct json_cut *c); ///< name of the array that the element was in
struct span json_cut_rest(const struct json_cut *c);

/**
 * Tokens of the element that the cutter has just handed out (JSON_CUT_ELEMENT). Cutting validated
 * it, so it is not validated again.
 * @retval RC_TOOBIG  more tokens than the arena has.
 */
RC json_parse_element(struct json *doc,
                      const struct json_cut *cut,
                      struct json_token *tokens,
                      unsigned tokens_max);

#endif

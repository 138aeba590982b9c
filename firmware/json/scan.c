// SPDX-License-Identifier: Apache-2.0
// One automaton for RFC 8259. It keeps its whole state between bytes, so that any split of the
// input gives the same answer; the fast path only skips bytes that would leave the state as it is.
#include "json/scan.h"

#include <string.h>

#include <endian.h>

#include "base/assert.h"

enum scan_state {
    SCAN_ILLEGAL = 0,
    SCAN_VALUE,       // a value must come
    SCAN_FIRST_VALUE, // behind '[': a value or ']'
    SCAN_FIRST_KEY,   // behind '{': a key or '}'
    SCAN_KEY,         // behind ',' in an object: a key
    SCAN_COLON,
    SCAN_AFTER, // behind a value: ',' or the end of the container
    SCAN_DONE,  // the text is complete; only white space may follow
    SCAN_STRING,
    SCAN_ESCAPE,  // behind '\'
    SCAN_HEX,     // in \uXXXX
    SCAN_LOW,     // behind a high surrogate: '\' must come
    SCAN_LOW_U,   // then 'u'
    SCAN_UTF8,    // inside a sequence
    SCAN_LITERAL, // in true, false, null
    SCAN_MINUS,
    SCAN_ZERO,
    SCAN_INT,
    SCAN_DOT,
    SCAN_FRACTION,
    SCAN_E,
    SCAN_E_SIGN,
    SCAN_E_DIGITS,
    SCAN_BAD,
};

static const char *const literals[] = {"true", "false", "null"};

void json_scan_init(struct json_scan *s)
{
    memset(s, 0, sizeof(*s));
    s->state = SCAN_VALUE;
}

static bool is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_plain(unsigned char c)
{
    return c != '"' && c != '\\' && c >= 0x20 && c < 0x80;
}

/// White space is insignificant here (and, behind a number, ends it).
static bool between_tokens(uint8_t state)
{
    return state <= SCAN_DONE || state == SCAN_ZERO || state == SCAN_INT ||
           state == SCAN_FRACTION || state == SCAN_E_DIGITS;
}

static void value_ends(struct json_scan *s)
{
    s->state = s->depth == 0 ? SCAN_DONE : SCAN_AFTER;
}

static bool open_container(struct json_scan *s, unsigned char c)
{
    if (s->depth == JSON_SCAN_STACK_BYTES) {
        return false;
    }
    s->stack[s->depth++] = c;
    s->state = c == '{' ? SCAN_FIRST_KEY : SCAN_FIRST_VALUE;
    return true;
}

static bool close_container(struct json_scan *s, unsigned char open)
{
    if (s->depth == 0 || s->stack[s->depth - 1] != open) {
        return false;
    }
    s->depth--;
    value_ends(s);
    return true;
}

static void begin_string(struct json_scan *s, bool key)
{
    s->key = key;
    s->state = SCAN_STRING;
}

static void begin_literal(struct json_scan *s, uint8_t which)
{
    s->literal = which;
    s->at = 1;
    s->state = SCAN_LITERAL;
}

static bool begin_value(struct json_scan *s, unsigned char c)
{
    switch (c) {
    case '{':
    case '[':
        return open_container(s, c);
    case '"':
        begin_string(s, false);
        return true;
    case 't':
        begin_literal(s, 0);
        return true;
    case 'f':
        begin_literal(s, 1);
        return true;
    case 'n':
        begin_literal(s, 2);
        return true;
    case '-':
        s->state = SCAN_MINUS;
        return true;
    case '0':
        s->state = SCAN_ZERO;
        return true;
    default:
        s->state = SCAN_INT;
        return is_digit(c);
    }
}

/// Behind a complete value.
static bool after_value(struct json_scan *s, unsigned char c)
{
    if (c == '}' || c == ']') {
        return close_container(s, c == '}' ? '{' : '[');
    }
    if (c != ',' || s->depth == 0) {
        return false;
    }
    s->state = s->stack[s->depth - 1] == '{' ? SCAN_KEY : SCAN_VALUE;
    return true;
}

/// A byte >= 0x80 in a string: first of a sequence. Ranges of RFC 3629 (no overlongs, no
/// surrogates, nothing above U+10FFFF).
static bool begin_utf8(struct json_scan *s, unsigned char c)
{
    s->state = SCAN_UTF8;
    s->utf8_low = 0x80;
    s->utf8_high = 0xBF;
    if (c >= 0xC2 && c <= 0xDF) {
        s->utf8_need = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
        s->utf8_need = 2;
        s->utf8_low = c == 0xE0 ? 0xA0 : 0x80;
        s->utf8_high = c == 0xED ? 0x9F : 0xBF;
    } else if (c >= 0xF0 && c <= 0xF4) {
        s->utf8_need = 3;
        s->utf8_low = c == 0xF0 ? 0x90 : 0x80;
        s->utf8_high = c == 0xF4 ? 0x8F : 0xBF;
    } else {
        return false;
    }
    return true;
}

static bool continue_utf8(struct json_scan *s, unsigned char c)
{
    if (c < s->utf8_low || c > s->utf8_high) {
        return false;
    }
    s->utf8_low = 0x80;
    s->utf8_high = 0xBF;
    if (--s->utf8_need == 0) {
        s->state = SCAN_STRING;
    }
    return true;
}

static bool in_string(struct json_scan *s, unsigned char c)
{
    if (c == '"') {
        if (s->key) {
            s->state = SCAN_COLON;
        } else {
            value_ends(s);
        }
        return true;
    }
    if (c == '\\') {
        s->state = SCAN_ESCAPE;
        return true;
    }
    return c >= 0x80 ? begin_utf8(s, c) : c >= 0x20;
}

static bool in_escape(struct json_scan *s, unsigned char c)
{
    if (c == 'u') {
        s->state = SCAN_HEX;
        s->at = 0;
        s->unit = 0;
        return true;
    }
    s->state = SCAN_STRING;
    return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
}

/// The fourth digit is in: halves of a surrogate pair must come together, high one first.
static bool end_hex(struct json_scan *s)
{
    bool high = s->unit >= 0xD800 && s->unit <= 0xDBFF;
    bool low = s->unit >= 0xDC00 && s->unit <= 0xDFFF;
    bool waits = s->low_waits;

    s->low_waits = high;
    s->state = high ? SCAN_LOW : SCAN_STRING;
    return waits == low;
}

static bool in_hex(struct json_scan *s, unsigned char c)
{
    unsigned char lower = c | 0x20u;
    unsigned digit = 0;

    if (is_digit(c)) {
        digit = (unsigned)(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
        digit = (unsigned)(lower - 'a') + 10u;
    } else {
        return false;
    }
    s->unit = (uint16_t)((unsigned)s->unit << 4 | digit);
    return ++s->at < 4 || end_hex(s);
}

static bool in_literal(struct json_scan *s, unsigned char c)
{
    const char *word = literals[s->literal];

    if (c != (unsigned char)word[s->at]) {
        return false;
    }
    if (word[++s->at] == '\0') {
        value_ends(s);
    }
    return true;
}

/// States in which a digit (or more of the number) may come. A byte that ends the number is judged
/// as what comes after a value.
static bool in_number(struct json_scan *s, unsigned char c)
{
    uint8_t state = s->state;
    bool digit = is_digit(c);

    if (state == SCAN_MINUS) {
        s->state = c == '0' ? SCAN_ZERO : SCAN_INT;
        return digit;
    }
    if (state == SCAN_DOT || state == SCAN_E_SIGN) {
        s->state = state == SCAN_DOT ? SCAN_FRACTION : SCAN_E_DIGITS;
        return digit;
    }
    if (state == SCAN_E) {
        s->state = digit ? SCAN_E_DIGITS : SCAN_E_SIGN;
        return digit || c == '+' || c == '-';
    }
    if (digit) {
        return state != SCAN_ZERO;
    }
    if (c == '.' && (state == SCAN_ZERO || state == SCAN_INT)) {
        s->state = SCAN_DOT;
        return true;
    }
    if ((c == 'e' || c == 'E') && state != SCAN_E_DIGITS) {
        s->state = SCAN_E;
        return true;
    }
    value_ends(s);
    return after_value(s, c);
}

/// One byte that is not insignificant white space.
static bool take(struct json_scan *s, unsigned char c)
{
    switch (s->state) {
    case SCAN_VALUE:
        return begin_value(s, c);
    case SCAN_FIRST_VALUE:
        return c == ']' ? close_container(s, '[') : begin_value(s, c);
    case SCAN_FIRST_KEY:
        if (c == '}') {
            return close_container(s, '{');
        }
        begin_string(s, true);
        return c == '"';
    case SCAN_KEY:
        begin_string(s, true);
        return c == '"';
    case SCAN_COLON:
        s->state = SCAN_VALUE;
        return c == ':';
    case SCAN_AFTER:
        return after_value(s, c);
    case SCAN_STRING:
        return in_string(s, c);
    case SCAN_ESCAPE:
        return in_escape(s, c);
    case SCAN_HEX:
        return in_hex(s, c);
    case SCAN_LOW:
        s->state = SCAN_LOW_U;
        return c == '\\';
    case SCAN_LOW_U:
        s->state = SCAN_HEX;
        s->at = 0;
        s->unit = 0;
        return c == 'u';
    case SCAN_UTF8:
        return continue_utf8(s, c);
    case SCAN_LITERAL:
        return in_literal(s, c);
    case SCAN_DONE:
    case SCAN_BAD:
        return false;
    default:
        return in_number(s, c);
    }
}

#define EACH_BYTE(x) ((x)*UINT64_C(0x0101010101010101))

size_t json_scan_plain(struct span in)
{
    size_t at = 0;

    for (; in.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t v;
        memcpy(&v, in.ptr + at, sizeof(v));
        v = le64toh(v); // the first byte is the lowest
        uint64_t quote = v ^ EACH_BYTE('"');
        uint64_t slash = v ^ EACH_BYTE('\\');
        // A byte's top bit is set if it is zero after the xor, below 0x20, or was set before. A
        // borrow goes upwards only, so the lowest alarm is never a false one.
        uint64_t hit = (quote - EACH_BYTE(1)) | (slash - EACH_BYTE(1)) | (v - EACH_BYTE(0x20)) | v;
        hit &= EACH_BYTE(0x80);
        if (hit != 0) {
            return at + (size_t)__builtin_ctzll(hit) / 8;
        }
    }
    while (at < in.len && is_plain((unsigned char)in.ptr[at])) {
        at++;
    }
    return at;
}

static bool is_structural(unsigned char c)
{
    return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':';
}

enum json_scan_stop json_scan_run(struct json_scan *s, struct span in, unsigned watch, size_t *used)
{
    size_t at = 0;
    enum json_scan_stop stop = JSON_SCAN_INPUT;

    while (at < in.len) {
        if (s->state == SCAN_STRING) {
            at += json_scan_plain(span_sub(in, at, in.len));
            if (at == in.len) {
                break;
            }
        }
        unsigned char c = (unsigned char)in.ptr[at];
        bool outside = between_tokens(s->state);
        if (outside && is_space(c)) {
            stop = JSON_SCAN_SPACE;
            break;
        }
        if (!take(s, c)) {
            s->state = SCAN_BAD;
            stop = JSON_SCAN_ERROR;
            break;
        }
        at++;
        if (outside && s->depth <= watch && is_structural(c)) {
            stop = JSON_SCAN_MARK;
            break;
        }
    }
    *used = at;
    return stop;
}

size_t json_scan_space(struct json_scan *s, struct span in)
{
    size_t at = 1;

    while (at < in.len && is_space((unsigned char)in.ptr[at])) {
        at++;
    }
    if (s->state > SCAN_DONE) {
        value_ends(s); // a number ends at white space
    }
    return at;
}

RC json_scan_push(struct json_scan *s, struct span in, size_t *used)
{
    size_t at = 0;

    while (at < in.len) {
        size_t took = 0;
        enum json_scan_stop stop = json_scan_run(s, span_sub(in, at, in.len), 0, &took);
        at += took;
        if (stop == JSON_SCAN_ERROR) {
            *used = at;
            return RC_PARSE;
        }
        if (stop == JSON_SCAN_SPACE) {
            at += json_scan_space(s, span_sub(in, at, in.len));
        }
    }
    *used = at;
    return s->state == SCAN_BAD ? RC_PARSE : RC_OK;
}

RC json_scan_end(struct json_scan *s)
{
    bool number = s->state == SCAN_ZERO || s->state == SCAN_INT || s->state == SCAN_FRACTION ||
                  s->state == SCAN_E_DIGITS;

    if (s->state == SCAN_DONE || (number && s->depth == 0)) {
        s->state = SCAN_DONE;
        return RC_OK;
    }
    s->state = SCAN_BAD;
    return RC_PARSE;
}

RC json_validate(struct span text)
{
    struct json_scan s;
    size_t used = 0;

    json_scan_init(&s);
    TRY(json_scan_push(&s, text, &used));
    return json_scan_end(&s);
}

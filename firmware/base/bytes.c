// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include "base/assert.h"

void buf_put_u8(struct buf *b, uint8_t v)
{
    buf_put_char(b, (char)v);
}

void buf_put_be32(struct buf *b, uint32_t v)
{
    char bytes[4];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(uint8_t)(v >> (24 - 8 * i));
    }
    buf_put(b, (struct span){.ptr = bytes, .len = sizeof(bytes)});
}

void buf_put_be64(struct buf *b, uint64_t v)
{
    char bytes[8]; // one put: after an overflow there is the whole number or nothing of it
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(uint8_t)(v >> (56 - 8 * i));
    }
    buf_put(b, (struct span){.ptr = bytes, .len = sizeof(bytes)});
}

struct span reader_bytes(struct reader *r, size_t len)
{
    if (r->short_ || len > r->left.len) {
        r->short_ = true;
        return SPAN_NONE;
    }
    struct span taken = span_sub(r->left, 0, len);
    r->left = span_sub(r->left, len, r->left.len);
    return taken;
}

static uint64_t reader_be(struct reader *r, size_t len)
{
    struct span s = reader_bytes(r, len);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        v = v << 8 | (uint8_t)s.ptr[i];
    }
    return v;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)reader_be(r, 1);
}

uint32_t reader_be32(struct reader *r)
{
    return (uint32_t)reader_be(r, 4);
}

uint64_t reader_be64(struct reader *r)
{
    return reader_be(r, 8);
}

bool reader_ok(const struct reader *r)
{
    return !r->short_ && r->left.len == 0;
}

// 1 to 3 bytes as 2 to 4 characters.
static void put_group(struct buf *b, struct span s, const char *alphabet)
{
    char text[4];
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; i++) {
        bits = bits << 8 | (i < s.len ? (uint8_t)s.ptr[i] : 0u);
    }
    for (size_t i = 0; i < 4; i++) {
        text[i] = alphabet[bits >> (18 - 6 * i) & 63];
    }
    buf_put(b, (struct span){.ptr = text, .len = s.len + 1});
}

static void put_groups(struct buf *b, struct span s, const char *alphabet)
{
    for (size_t i = 0; i < s.len; i += 3) {
        put_group(b, span_sub(s, i, 3), alphabet);
    }
}

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void buf_put_base64(struct buf *b, struct span s)
{
    put_groups(b, s, ALPHANUMERIC "+/");
    for (size_t i = s.len; i % 3 != 0; i++) {
        buf_put_char(b, '=');
    }
}

void buf_put_base64url(struct buf *b, struct span s)
{
    put_groups(b, s, ALPHANUMERIC "-_");
}

// 0..63, or 64 for a byte of neither alphabet.
static unsigned base64_value(char c)
{
    if (c == '-' || c == '_') { // the URL alphabet's two
        c = c == '-' ? '+' : '/';
    }
    return (unsigned)span_index(SPAN(ALPHANUMERIC "+/"), c);
}

RC base64_decode(struct span text, struct buf *out)
{
    struct span s = text;
    for (unsigned i = 0; i < 2 && text.len % 4 == 0 && s.len > 0 && s.ptr[s.len - 1] == '='; i++) {
        s.len--;
    }
    if (s.len % 4 == 1) {
        return RC_PARSE;
    }
    uint32_t bits = 0;
    unsigned bits_count = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned value = base64_value(s.ptr[i]);
        if (value > 63) {
            return RC_PARSE;
        }
        bits = (bits << 6 | value) & 0xffffu;
        bits_count += 6;
        if (bits_count >= 8) {
            bits_count -= 8;
            buf_put_u8(out, (uint8_t)(bits >> bits_count));
        }
    }
    if ((bits & ((1u << bits_count) - 1)) != 0) {
        return RC_PARSE; // two texts for the same bytes: RFC 4648 3.5
    }
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

static bool dash_at(size_t i) // in text: 8-4-4-4-12
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void buf_put_guid(struct buf *b, const uint8_t random[static GUID_BYTES])
{
    char text[GUID_TEXT_BYTES];
    size_t nibble = 0;
    for (size_t i = 0; i < sizeof(text); i++) {
        if (dash_at(i)) {
            text[i] = '-';
            continue;
        }
        unsigned v = random[nibble / 2] >> (nibble % 2 == 0 ? 4 : 0) & 15;
        v = nibble == 12 ? 4 : v;            // version 4, RFC 9562 5.4
        v = nibble == 16 ? (v & 3) | 8u : v; // variant 10xx
        text[i] = "0123456789abcdef"[v];
        nibble++;
    }
    ASSERT(nibble == 2 * GUID_BYTES);
    buf_put(b, (struct span){.ptr = text, .len = sizeof(text)});
}

static unsigned hex_value(char c) // 0..15, 16 or more for another byte
{
    size_t at = span_index(SPAN("0123456789abcdefABCDEF"), c);
    return (unsigned)(at < 16 ? at : at < 22 ? at - 6 : 16);
}

RC guid_parse(struct span text, uint8_t out[static GUID_BYTES])
{
    if (text.len != GUID_TEXT_BYTES) {
        return RC_PARSE;
    }
    uint8_t bytes[GUID_BYTES];
    size_t nibble = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (dash_at(i)) {
            if (text.ptr[i] != '-') {
                return RC_PARSE;
            }
            continue;
        }
        unsigned v = hex_value(text.ptr[i]);
        if (v > 15) {
            return RC_PARSE;
        }
        bytes[nibble / 2] = (uint8_t)(nibble % 2 == 0 ? v << 4 : bytes[nibble / 2] | v);
        nibble++;
    }
    for (size_t i = 0; i < GUID_BYTES; i++) {
        out[i] = bytes[i];
    }
    return RC_OK;
}

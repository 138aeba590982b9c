// SPDX-License-Identifier: Apache-2.0
#include "base/span.h"

#include <string.h>

#include "base/assert.h"

// memcpy and memcmp must not see NULL, not even for no bytes: the empty span is kept away from
// both.

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

struct span span_from_str(const char *nul_terminated)
{
    return (struct span){.ptr = nul_terminated, .len = strlen(nul_terminated)};
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool span_starts(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_equal(span_sub(s, 0, prefix.len), prefix);
}

struct span span_sub(struct span s, size_t from, size_t len)
{
    if (from >= s.len) {
        return SPAN_NONE;
    }
    size_t left = s.len - from;
    return (struct span){.ptr = s.ptr + from, .len = len < left ? len : left};
}

size_t span_index(struct span s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

bool span_u64(struct span s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.ptr[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, digit, &v)) {
            return false;
        }
    }
    if (s.len == 0) {
        return false;
    }
    *out = v;
    return true;
}

bool span_equal_secret(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    // volatile: the loop may not be turned into one that stops at the first difference.
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference = (unsigned char)(difference | (a.ptr[i] ^ b.ptr[i]));
    }
    return difference == 0;
}

struct buf buf_of(char *array, size_t cap)
{
    return (struct buf){.ptr = array, .len = 0, .cap = cap, .overflow = false};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
}

void buf_put(struct buf *b, struct span s)
{
    ASSERT(b->len <= b->cap);
    if (s.len > b->cap - b->len) {
        b->overflow = true; // sticky: buf_ok() is the single question asked at the end
        return;
    }
    if (s.len > 0) {
        memcpy(b->ptr + b->len, s.ptr, s.len);
        b->len += s.len;
    }
}

void buf_put_char(struct buf *b, char c)
{
    buf_put(b, (struct span){.ptr = &c, .len = 1});
}

void buf_put_str(struct buf *b, const char *nul_terminated)
{
    buf_put(b, span_from_str(nul_terminated));
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    char digits[20]; // UINT64_MAX has 20
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_put(b, (struct span){.ptr = digits + at, .len = sizeof(digits) - at});
}

void buf_put_i64(struct buf *b, int64_t v)
{
    if (v < 0) {
        buf_put_char(b, '-');
        buf_put_u64(b, 0 - (uint64_t)v); // INT64_MIN has no positive twin in int64_t
        return;
    }
    buf_put_u64(b, (uint64_t)v);
}

void buf_put_hex(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        buf_put_char(b, "0123456789abcdef"[c >> 4]);
        buf_put_char(b, "0123456789abcdef"[c & 15]);
    }
}

static bool unreserved(char c) // RFC 3986 2.3
{
    char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

void buf_put_urlencoded(struct buf *b, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (unreserved(s.ptr[i])) {
            buf_put_char(b, s.ptr[i]);
            continue;
        }
        buf_put_char(b, '%');
        buf_put_char(b, "0123456789ABCDEF"[c >> 4]);
        buf_put_char(b, "0123456789ABCDEF"[c & 15]);
    }
}

bool buf_terminate(struct buf *b)
{
    if (b->len == b->cap) {
        b->overflow = true;
        return false;
    }
    b->ptr[b->len] = '\0';
    return true;
}

bool buf_ok(const struct buf *b)
{
    return !b->overflow;
}

struct span buf_span(const struct buf *b)
{
    return (struct span){.ptr = b->ptr, .len = b->len};
}

void buf_wipe(struct buf *b)
{
    bytes_wipe(b->ptr, b->cap);
    buf_reset(b);
}

void bytes_wipe(void *p, size_t len)
{
    if (len > 0) {
        memset(p, 0, len);
        __asm__ volatile("" : : "r"(p) : "memory"); // someone may look at it: the memset stays
    }
}

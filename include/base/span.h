// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Borrowed and owned bytes.
 * Model:  `struct span` is borrowed, read-only, by value. `struct buf` is writable, of fixed
 *         capacity, with a sticky overflow: writers have no branches, the owner asks once with
 *         buf_ok(). A put that does not fit writes nothing.
 * Memory: neither owns anything; the array behind them is the caller's.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *ptr; ///< not NUL-terminated; may be NULL only if len is 0
    size_t len;      ///< bytes
};

struct buf {
    char *ptr;
    size_t len; ///< bytes in use, <= cap
    size_t cap; ///< bytes there are
    bool overflow;
};

/// Of a string literal.
#define SPAN(literal) ((struct span){.ptr = ("" literal), .len = sizeof(literal) - 1u})
#define SPAN_NONE     ((struct span){.ptr = NULL, .len = 0})
/// Of a char array, empty.
#define BUF(array) ((struct buf){.ptr = (array), .len = 0, .cap = sizeof(array), .overflow = false})
#define PRISPAN    ".*s"
/// Arguments for PRISPAN; for spans of at most INT_MAX bytes.
#define SPANARG(s) (int)(s).len, (s).ptr

struct span span_from_str(const char *nul_terminated);
bool span_equal(struct span a, struct span b);
bool span_equal_nocase(struct span a, struct span b); ///< ASCII only
bool span_starts(struct span s, struct span prefix);
/// Bytes [from, from + len) of s, both clamped to s.
struct span span_sub(struct span s, size_t from, size_t len);
/// Index of the first c in s, or s.len.
size_t span_index(struct span s, char c);
/// Decimal digits only, no sign, no blanks. False on anything else or on overflow.
bool span_u64(struct span s, uint64_t *out);
/// Constant time in the content (not in the length): for secrets and digests.
bool span_equal_secret(struct span a, struct span b);

struct buf buf_of(char *array, size_t cap);
void buf_reset(struct buf *b); ///< len 0, overflow cleared
void buf_put(struct buf *b, struct span s);
void buf_put_char(struct buf *b, char c);
void buf_put_str(struct buf *b, const char *nul_terminated);
void buf_put_u64(struct buf *b, uint64_t v);    ///< decimal
void buf_put_i64(struct buf *b, int64_t v);     ///< decimal
void buf_put_hex(struct buf *b, struct span s); ///< lower case
/// application/x-www-form-urlencoded / URI component: all but unreserved characters become %XX.
void buf_put_urlencoded(struct buf *b, struct span s);
/// Ends the text with NUL without counting it; false if there is no room (then overflow is set).
bool buf_terminate(struct buf *b);
bool buf_ok(const struct buf *b);
struct span buf_span(const struct buf *b);
/// Overwrites ptr[0..cap) in a way the compiler keeps, and resets. For secrets.
void buf_wipe(struct buf *b);
void bytes_wipe(void *p, size_t len);

#endif

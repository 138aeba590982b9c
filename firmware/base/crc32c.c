// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/bytes.h"

// Castagnoli polynomial, reflected. Two ways to the same number: the processor's instruction if the
// build may use it, else slicing by 8 (Kounavis and Berry): eight tables, one step per eight bytes.
#ifdef __SSE4_2__
#include <nmmintrin.h>

static uint32_t update(uint32_t crc, const unsigned char *p, size_t len)
{
    uint64_t wide = crc;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof(word));
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; len--, p++) {
        crc = _mm_crc32_u8(crc, *p);
    }
    return crc;
}
#else

// A CRC is linear over its bits: each entry is the sum of the entries of its single bits, so 8
// numbers make a table of 256 while compiling. The 64 numbers are the CRCs of one set bit, followed
// by 0 to 7 zero bytes.
// clang-format off
#define BIT(n, k, c) (((n) >> (k) & 1u) != 0 ? (c) : 0u)
#define E(n, a, b, c, d, e, f, g, h)                                                               \
    (BIT(n, 0, a) ^ BIT(n, 1, b) ^ BIT(n, 2, c) ^ BIT(n, 3, d) ^ BIT(n, 4, e) ^ BIT(n, 5, f) ^     \
     BIT(n, 6, g) ^ BIT(n, 7, h))
#define E2(n, ...)   E((n), __VA_ARGS__), E((n) + 1, __VA_ARGS__)
#define E4(n, ...)   E2((n), __VA_ARGS__), E2((n) + 2, __VA_ARGS__)
#define E8(n, ...)   E4((n), __VA_ARGS__), E4((n) + 4, __VA_ARGS__)
#define E16(n, ...)  E8((n), __VA_ARGS__), E8((n) + 8, __VA_ARGS__)
#define E32(n, ...)  E16((n), __VA_ARGS__), E16((n) + 16, __VA_ARGS__)
#define E64(n, ...)  E32((n), __VA_ARGS__), E32((n) + 32, __VA_ARGS__)
#define E128(n, ...) E64((n), __VA_ARGS__), E64((n) + 64, __VA_ARGS__)
#define ROW(...)     { E128(0u, __VA_ARGS__), E128(128u, __VA_ARGS__) }

static const uint32_t tables[8][256] = {
    ROW(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
        0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    ROW(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
        0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    ROW(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
        0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    ROW(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
        0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    ROW(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
        0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
    ROW(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
        0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
    ROW(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
        0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
    ROW(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
        0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};

// clang-format on

static uint32_t update(uint32_t crc, const unsigned char *p, size_t len)
{
    for (; len >= 8; len -= 8, p += 8) {
        crc = tables[7][p[0] ^ (crc & 255)] ^ tables[6][p[1] ^ (crc >> 8 & 255)] ^
              tables[5][p[2] ^ (crc >> 16 & 255)] ^ tables[4][p[3] ^ crc >> 24] ^ tables[3][p[4]] ^
              tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    }
    for (; len > 0; len--, p++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 255];
    }
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, struct span s)
{
    return ~update(~crc, (const unsigned char *)s.ptr, s.len);
}

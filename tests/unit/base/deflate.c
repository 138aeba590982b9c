// SPDX-License-Identifier: Apache-2.0
#include "base/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#define RAW_BYTES (600u * 1024u)

static char raw[RAW_BYTES];
static char packed[RAW_BYTES + RAW_BYTES / 8u];
static char member[RAW_BYTES + RAW_BYTES / 8u];
static char unpacked[RAW_BYTES + 1u];

static void fill_random(struct span s, uint32_t seed)
{
    char *bytes = (char *)(uintptr_t)s.ptr;
    for (size_t i = 0; i < s.len; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (char)(seed >> 24);
    }
}

static void fill_text(size_t bytes)
{
    static const char words[] = "{\"id\":\"12345\",\"name\":\"Adele Vance\",\"state\":null}\n";
    for (size_t i = 0; i < bytes; i++) {
        raw[i] = i % 977u == 0 ? (char)('a' + i % 26u) : words[i % (sizeof(words) - 1u)];
    }
}

static struct span text(size_t bytes)
{
    return (struct span){.ptr = raw, .len = bytes};
}

static void pack(struct deflate *d, struct span in, struct buf *out)
{
    assert_int_equal(deflate_begin(d), RC_OK);
    assert_int_equal(deflate_put(d, in, out), RC_OK);
    assert_int_equal(deflate_end(d, out), RC_OK);
}

static void a_block_comes_back_as_it_was(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 4096, 70000, RAW_BYTES};
    struct deflate d = {.is_open = false};
    fill_text(RAW_BYTES);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf out = BUF(packed);
        struct buf back = BUF(unpacked);
        pack(&d, text(sizes[i]), &out);
        assert_int_equal(d.raw_bytes, sizes[i]);
        assert_int_equal(inflate_block(buf_span(&out), &back), RC_OK);
        assert_int_equal(back.len, sizes[i]);
        assert_memory_equal(unpacked, raw, sizes[i]);
    }
    deflate_close(&d);
    deflate_close(&d); // closed already
}

static void what_cannot_be_compressed_stays_within_the_bound(void **state)
{
    (void)state;
    struct deflate d = {.is_open = false};
    for (size_t bytes = 1; bytes <= RAW_BYTES; bytes = bytes * 3u + 5u) {
        struct buf out = BUF(packed);
        fill_random(text(bytes), (uint32_t)bytes);
        pack(&d, text(bytes), &out);
        assert_true(out.len <= DEFLATE_BOUND(bytes));
    }
    deflate_close(&d);
}

static void no_more_is_held_back_than_is_said(void **state)
{
    (void)state;
    struct deflate d = {.is_open = false};
    struct buf out = BUF(packed);
    size_t shown = 0;
    assert_int_equal(deflate_begin(&d), RC_OK);
    for (size_t at = 0; at < RAW_BYTES / 2u; at += 64u) {
        struct span piece = {.ptr = raw + at, .len = 64u};
        // Short far matches among noise: the most bits for a byte of input.
        fill_random(piece, (uint32_t)at / 3u * 2u);
        if (at > 32000u) {
            memcpy(raw + at + 8u, raw + at - 31000u, 3u);
            memcpy(raw + at + 30u, raw + at - 29000u, 4u);
        }
        assert_int_equal(deflate_put(&d, piece, &out), RC_OK);
        shown = out.len;
    }
    assert_int_equal(deflate_end(&d, &out), RC_OK);
    assert_true(out.len - shown <= DEFLATE_HELD_BYTES);
    deflate_close(&d);
}

static void a_full_buffer_is_told_at_every_size(void **state)
{
    (void)state;
    struct deflate d = {.is_open = false};
    fill_random(text(200), 9);
    for (size_t cap = 0; cap < 205u; cap++) {
        struct buf out = buf_of(packed, cap);
        assert_int_equal(deflate_begin(&d), RC_OK);
        enum rc rc = deflate_put(&d, text(200), &out);
        rc = rc != RC_OK ? rc : deflate_end(&d, &out);
        assert_int_equal(rc, RC_FULL);
        assert_true(out.len <= cap);
    }
    struct buf large = buf_of(packed, DEFLATE_BOUND(200u));
    pack(&d, text(200), &large); // a spoiled block leaves nothing behind
    deflate_close(&d);
}

static void blocks_in_a_row_make_one_gzip_member(void **state)
{
    (void)state;
    struct deflate d = {.is_open = false};
    struct gzip g;
    struct buf out = BUF(member);
    size_t at = 0;
    fill_text(RAW_BYTES);
    gzip_begin(&g, &out);
    while (at < RAW_BYTES) {
        size_t bytes = at % 50021u + 1u;
        bytes = bytes < RAW_BYTES - at ? bytes : RAW_BYTES - at;
        struct buf block = BUF(packed);
        pack(&d, (struct span){.ptr = raw + at, .len = bytes}, &block);
        gzip_block(&g, buf_span(&block), d.raw_bytes, d.raw_crc32, &out);
        at += bytes;
    }
    gzip_end(&g, &out);
    deflate_close(&d);
    assert_true(buf_ok(&out));
    assert_int_equal(g.raw_bytes, RAW_BYTES);

    z_stream z;
    memset(&z, 0, sizeof(z));
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK); // gzip only, its CRC and length checked
    z.next_in = (Bytef *)member;
    z.avail_in = (uInt)out.len;
    z.next_out = (Bytef *)unpacked;
    z.avail_out = sizeof(unpacked);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, RAW_BYTES);
    assert_memory_equal(unpacked, raw, RAW_BYTES);
    (void)inflateEnd(&z);
}

static void an_empty_member_is_a_member(void **state)
{
    (void)state;
    struct gzip g;
    char bytes[GZIP_EXTRA_BYTES];
    struct buf out = BUF(bytes);
    gzip_begin(&g, &out);
    gzip_end(&g, &out);
    assert_true(buf_ok(&out));
    assert_int_equal(out.len, GZIP_EXTRA_BYTES);
}

static void a_cut_or_changed_block_is_never_taken_for_whole(void **state)
{
    (void)state;
    struct deflate d = {.is_open = false};
    struct buf out = BUF(packed);
    fill_text(3000);
    pack(&d, text(3000), &out);
    deflate_close(&d);
    for (size_t len = 0; len < out.len; len++) {
        struct buf back = BUF(unpacked);
        assert_int_equal(inflate_block((struct span){.ptr = packed, .len = len}, &back),
                         RC_CORRUPT);
        assert_int_equal(back.len, 0);
    }
    packed[out.len] = 0x55; // trailing bytes
    struct buf back = BUF(unpacked);
    struct span longer = {.ptr = packed, .len = out.len + 1u};
    assert_int_equal(inflate_block(longer, &back), RC_CORRUPT);
    packed[out.len] = 0x03; // a final block behind it
    packed[out.len + 1u] = 0x00;
    buf_reset(&back);
    longer.len = out.len + 2u;
    assert_int_equal(inflate_block(longer, &back), RC_CORRUPT);
}

static void a_block_larger_than_its_buffer_is_too_big(void **state)
{
    (void)state;
    struct deflate d = {.is_open = false};
    struct buf out = BUF(packed);
    fill_text(3000);
    pack(&d, text(3000), &out);
    deflate_close(&d);
    for (size_t cap = 0; cap < 3000u; cap += 37u) {
        struct buf back = buf_of(unpacked, cap);
        assert_int_equal(inflate_block(buf_span(&out), &back), RC_TOOBIG);
    }
    struct buf exact = buf_of(unpacked, 3000);
    assert_int_equal(inflate_block(buf_span(&out), &exact), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_comes_back_as_it_was),
        cmocka_unit_test(what_cannot_be_compressed_stays_within_the_bound),
        cmocka_unit_test(no_more_is_held_back_than_is_said),
        cmocka_unit_test(a_full_buffer_is_told_at_every_size),
        cmocka_unit_test(blocks_in_a_row_make_one_gzip_member),
        cmocka_unit_test(an_empty_member_is_a_member),
        cmocka_unit_test(a_cut_or_changed_block_is_never_taken_for_whole),
        cmocka_unit_test(a_block_larger_than_its_buffer_is_too_big),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The fence around zlib.
 * Level 1, a 32 KiB window and memory level 7 were measured on call records of 1.5 and 14 KB: level
 * 2 packs 1 to 5 % better and costs the whole road 5 % of its CPU, a 16 KiB window costs 15 % of
 * the ratio of large records (the record before is out of reach), memory level 8 gains 1 % and
 * costs 64 KiB.
 */
#include "base/deflate.h"

#include <limits.h>
#include <string.h>

#include <zlib.h>

#include "base/assert.h"

#define WINDOW_BITS  (-15) // negative: raw deflate
#define MEMORY_LEVEL 7
#define LEVEL        1
// 7 bytes are an empty stored block and a byte of alignment; zlib repeats the marker if fewer than
// that are free.
#define FLUSH_BYTES 7u

_Static_assert(sizeof(z_stream) <= sizeof(((struct deflate *)0)->library), "handle does not fit");
_Static_assert(_Alignof(z_stream) <= _Alignof(uint64_t), "handle is not aligned");

static z_stream *handle(struct deflate *d)
{
    return (z_stream *)(void *)
        d->library; // zlib checks the handle's address: it has to stay where it was opened
}

RC deflate_begin(struct deflate *d)
{
    if (d->is_open) {
        int reset = deflateReset(handle(d));
        ASSERT(reset == Z_OK);
    } else {
        memset(d->library, 0, sizeof(d->library));
        int opened = deflateInit2(
            handle(d), LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
        if (opened != Z_OK) {
            ASSERT(opened == Z_MEM_ERROR);
            return RC_RETRY;
        }
        d->is_open = true;
    }
    d->raw_bytes = 0;
    d->raw_crc32 = 0;
    return RC_OK;
}

static void point_at(z_stream *z, struct span in, const struct buf *out)
{
    size_t room = out->cap - out->len;
    ASSERT(in.len <= UINT_MAX);
    z->next_in = (z_const Bytef *)in.ptr;
    z->avail_in = (uInt)in.len;
    z->next_out = (Bytef *)out->ptr + out->len;
    z->avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
}

static void take_output(const z_stream *z, struct buf *out)
{
    out->len = (size_t)((char *)z->next_out - out->ptr);
    ASSERT(out->len <= out->cap);
}

RC deflate_put(struct deflate *d, struct span in, struct buf *out)
{
    ASSERT(d->is_open);
    ASSERT(in.len <= UINT32_MAX - d->raw_bytes);
    if (in.len == 0) {
        return RC_OK;
    }
    z_stream *z = handle(d);
    point_at(z, in, out);
    if (z->avail_out == 0) {
        return RC_FULL;
    }
    int put = deflate(z, Z_NO_FLUSH);
    ASSERT(put == Z_OK || put == Z_BUF_ERROR);
    take_output(z, out);
    if (z->avail_in != 0) {
        return RC_FULL;
    }
    d->raw_bytes += (uint32_t)in.len;
    d->raw_crc32 = (uint32_t)crc32_z(d->raw_crc32, (const Bytef *)in.ptr, in.len);
    return RC_OK;
}

RC deflate_end(struct deflate *d, struct buf *out)
{
    ASSERT(d->is_open);
    z_stream *z = handle(d);
    point_at(z, SPAN_NONE, out);
    if (z->avail_out < FLUSH_BYTES) {
        return RC_FULL;
    }
    int flushed = deflate(z, Z_FULL_FLUSH);
    ASSERT(flushed == Z_OK);
    take_output(z, out);
    return z->avail_out == 0 ? RC_FULL : RC_OK; // no room left over: there may be more to come
}

void deflate_close(struct deflate *d)
{
    if (d->is_open) {
        (void)deflateEnd(
            handle(d)); // complains about a block that was not ended, and frees all the same
        d->is_open = false;
    }
}

// The end of a block is where a header of the next one is awaited, on a byte boundary (zlib.h,
// data_type of inflate).
static bool at_block_end(const z_stream *z)
{
    const int awaits_header = 128;
    const int in_last_block = 64;
    const int unused_bits = 7;
    return (z->data_type & (awaits_header | in_last_block | unused_bits)) == awaits_header;
}

// What a flush leaves at the end: without it a block could be cut where one of its inner parts
// ends.
static bool ends_with_marker(struct span block)
{
    static const char marker[] = {0, 0, '\xff', '\xff'};
    return block.len >= sizeof(marker) &&
           memcmp(block.ptr + block.len - sizeof(marker), marker, sizeof(marker)) == 0;
}

static enum rc inflate_result(const z_stream *z, int result)
{
    if (result == Z_MEM_ERROR) {
        return RC_RETRY;
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        return RC_CORRUPT; // Z_STREAM_END is one of them: a block of ours is never final
    }
    if (z->avail_in == 0 && at_block_end(z)) {
        return RC_OK;
    }
    return z->avail_out == 0 ? RC_TOOBIG : RC_CORRUPT;
}

RC inflate_block(struct span block, struct buf *out)
{
    z_stream z;
    memset(&z, 0, sizeof(z));
    if (!ends_with_marker(block)) {
        return RC_CORRUPT;
    }
    int opened = inflateInit2(&z, WINDOW_BITS);
    if (opened != Z_OK) {
        ASSERT(opened == Z_MEM_ERROR);
        return RC_RETRY;
    }
    point_at(&z, block, out);
    int result = inflate(&z, Z_SYNC_FLUSH);
    enum rc rc = inflate_result(&z, result);
    if (rc == RC_OK) {
        out->len += z.total_out;
    }
    (void)inflateEnd(&z);
    return rc;
}

// RFC 1952 2.3: magic, deflate, no flags, no time, no extra flags, system unknown. No time: equal
// events give equal bytes.
static const char gzip_header[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff";
// A final block with fixed codes that holds nothing but its end: 3 bits of header, 7 of
// end-of-block, 6 of padding.
static const char final_block[] = "\x03\x00";

_Static_assert(sizeof(gzip_header) - 1u + sizeof(final_block) - 1u + 8u <= GZIP_EXTRA_BYTES,
               "gzip framing is larger than promised");

static void put_le32(struct buf *out, uint32_t v)
{
    for (unsigned shift = 0; shift < 32u; shift += 8u) {
        buf_put_char(out, (char)(uint8_t)(v >> shift));
    }
}

void gzip_begin(struct gzip *g, struct buf *out)
{
    g->crc32 = 0;
    g->raw_bytes = 0;
    buf_put(out, (struct span){.ptr = gzip_header, .len = sizeof(gzip_header) - 1u});
}

void gzip_block(
    struct gzip *g, struct span block, uint32_t raw_bytes, uint32_t raw_crc32, struct buf *out)
{
    g->crc32 = (uint32_t)crc32_combine(g->crc32, raw_crc32, (z_off_t)raw_bytes);
    g->raw_bytes += raw_bytes;
    buf_put(out, block);
}

void gzip_end(struct gzip *g, struct buf *out)
{
    buf_put(out, (struct span){.ptr = final_block, .len = sizeof(final_block) - 1u});
    put_le32(out, g->crc32);
    put_le32(out, (uint32_t)g->raw_bytes); // modulo 2^32, as the format has it
}

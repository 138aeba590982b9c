// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Compression that is done once: events are deflated into blocks when they are appended, and a
 * request body is made of those very blocks, without compressing again.
 * Model:  a block is raw deflate (RFC 1951) that starts with an empty window, ends on a byte
 * boundary (full flush) and is not final. Blocks can therefore be concatenated; gzip_* put a header
 *         before and a trailer behind them, which gives one ordinary gzip member (RFC 1952).
 * Memory: the library's state comes from the process pool (about DEFLATE_STATE_KIB); deflate_close
 *         gives it back.
 * This is the fence around zlib.
 */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H
#include "base/rc.h"
#include "base/span.h"

#define DEFLATE_STATE_KIB 200u ///< what an open state takes from the pool

/// All zero: closed. Not to be copied or moved while it is open.
struct deflate {
    uint64_t library[16]; ///< the library's handle
    bool is_open;         ///< the state is in the pool
    uint32_t raw_bytes;   ///< bytes fed since deflate_begin
    uint32_t raw_crc32;   ///< CRC-32 (ISO-HDLC, as gzip) of them
};

/// Largest growth of incompressible input, plus the flush.
#define DEFLATE_BOUND(raw) ((raw) + (raw) / 1000u * 2u + 64u)

/// Most compressed bytes that the library may hold back before they appear in `out`: a caller that
/// decides by out->len when a block is full keeps this much room besides.
#define DEFLATE_HELD_BYTES (32u * 1024u)

/// Start a block; opens the state if it is closed. @retval RC_RETRY the pool has no room now.
RC deflate_begin(struct deflate *d);
/// Compress `in` behind what is in `out`.
/// @retval RC_FULL  out is full: the block is spoiled, the caller starts it again.
RC deflate_put(struct deflate *d, struct span in, struct buf *out);
/// End the block on a byte boundary. @retval RC_FULL as above.
RC deflate_end(struct deflate *d, struct buf *out);
/// Give the state back to the pool.
void deflate_close(struct deflate *d);

/**
 * The raw bytes of one block.
 * @retval RC_TOOBIG   more than out has room for.
 * @retval RC_CORRUPT  not a block, or trailing bytes.
 * @retval RC_RETRY    the pool has no room now.
 */
RC inflate_block(struct span block, struct buf *out);

/// A gzip member that is being made of blocks.
struct gzip {
    uint32_t crc32;
    uint64_t raw_bytes;
};

#define GZIP_EXTRA_BYTES 20u ///< header, final empty block and trailer together

void gzip_begin(struct gzip *g, struct buf *out);
void gzip_block(
    struct gzip *g, struct span block, uint32_t raw_bytes, uint32_t raw_crc32, struct buf *out);
void gzip_end(struct gzip *g, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Encodings of bytes: fixed-width integers for stored rows, base64, GUID text, CRC32C.
 * Stored rows are written with these, field by field; no struct is ever copied to disk or wire.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

#define GUID_BYTES      16u
#define GUID_TEXT_BYTES 36u

void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_be32(struct buf *b, uint32_t v);
void buf_put_be64(struct buf *b, uint64_t v);

/// A reading cursor over stored bytes with a sticky shortage: ask reader_ok() once at the end.
struct reader {
    struct span left;
    bool short_;
};

uint8_t reader_u8(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);
struct span reader_bytes(struct reader *r, size_t len);
bool reader_ok(const struct reader *r); ///< nothing was missing and nothing is left over

void buf_put_base64(struct buf *b, struct span s);    ///< RFC 4648 4, with padding
void buf_put_base64url(struct buf *b, struct span s); ///< RFC 4648 5, without padding

/**
 * Either alphabet; padding, if any, must be right; no white space.
 * @param out  the bytes are appended.
 * @retval RC_PARSE   no base64, or not the one way to write these bytes (RFC 4648 3.5).
 * @retval RC_TOOBIG  out is too small.
 */
RC base64_decode(struct span text, struct buf *out);

/// Appends a version-4 GUID made of 16 random bytes, lower case.
void buf_put_guid(struct buf *b, const uint8_t random[static GUID_BYTES]);
/// 8-4-4-4-12 hexadecimal, any case, nothing else.
RC guid_parse(struct span text, uint8_t out[static GUID_BYTES]);

uint32_t crc32c(uint32_t crc, struct span s); ///< Castagnoli; start with 0; chainable

#endif

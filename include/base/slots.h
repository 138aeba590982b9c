// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A small record that survives power cuts: one file of two slots. The older slot is overwritten,
 * flushed and read back; the newer valid one counts. Needs a device that writes 512-byte sectors
 * whole or not at all, or not: a torn slot fails its checksum, and the other one stands.
 * Model:  slot = magic, sequence number, length, payload, CRC32C; each slot starts on a sector.
 * Format: magic (32 bit, the caller's, with its format version) | sequence (64) | length (32) |
 *         payload | CRC32C (32) of all before it; big endian; padded with zeros to the slot's size.
 * Memory: none kept.
 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

#define SLOTS_SECTOR_BYTES 512u
#define SLOTS_FRAME_BYTES  20u
#define SLOTS_PAYLOAD_MAX  (16u * SLOTS_SECTOR_BYTES - SLOTS_FRAME_BYTES)

struct slots {
    int dir_fd;       ///< borrowed
    const char *name; ///< file in it, mode 0600, made by the first write; literal
    uint32_t magic;
    uint32_t payload_max; ///< <= SLOTS_PAYLOAD_MAX; with it the file's size is fixed
};

/**
 * The newest valid payload, appended to out.
 * @param sequence  its number; may be NULL.
 * @retval RC_NOTFOUND  no file.  @retval RC_CORRUPT  a file, and no valid slot.
 * @retval RC_DENIED    not a regular file of ours with mode 0600.
 * @retval RC_TOOBIG    out has not enough room.  @retval RC_IO @covtest
 */
RC slots_read(const struct slots *s, struct buf *out, uint64_t *sequence);
/**
 * Write the next one. Durable on return; on failure the old one stands.
 * A file without any valid slot is begun anew.
 * @retval RC_TOOBIG  longer than payload_max.  @retval RC_FULL  the disk is full.
 * @retval RC_IO      the device fails or what was read back differs. @covtest
 */
RC slots_write(const struct slots *s, struct span payload);

#endif

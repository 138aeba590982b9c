// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Stored formats, all integers big endian. LMDB's pages carry no checksum: every value carries
 * one, which covers its key too.
 *   row:    u8 format, u32 CRC32C (table u8, key, payload), payload
 *   event:  u8 format, u32 CRC32C (key, rest of the value), u32 count, u32 raw bytes,
 *           u32 CRC-32 of them, raw deflate block;
 *           the key is the u64 sequence number of its first event
 *   meta:   a row of table 0 beside the names of the databases: u64 next sequence number,
 *           36 characters GUID of the store
 * A page is rewritten by every commit that touches it: the meta row stands on one that each
 * commit writes anyhow.
 */
#include <string.h>

#include "base/assert.h"

#include "spool/spool_db.h"

#define META_BYTES (8u + GUID_TEXT_BYTES)

struct span event_key(uint64_t seq, char out[static 8])
{
    struct buf b = buf_of(out, 8);
    buf_put_be64(&b, seq);
    return buf_span(&b);
}

RC event_key_read(MDB_val key, uint64_t *seq)
{
    struct reader r = {.left = db_span(key), .short_ = false};
    *seq = reader_be64(&r);
    return reader_ok(&r) && *seq != 0 ? RC_OK : RC_CORRUPT;
}

static uint32_t event_crc(uint64_t first_seq, struct span rest)
{
    char key[8];
    return crc32c(crc32c(0, event_key(first_seq, key)), rest);
}

void event_seal(
    uint64_t first_seq, uint32_t count, const struct deflate *d, char *value, size_t value_bytes)
{
    ASSERT(value_bytes > SPOOL_EVENT_HEADER_BYTES && count > 0);
    struct buf rest =
        buf_of(value + SPOOL_ROW_HEADER_BYTES, SPOOL_EVENT_HEADER_BYTES - SPOOL_ROW_HEADER_BYTES);
    buf_put_be32(&rest, count);
    buf_put_be32(&rest, d->raw_bytes);
    buf_put_be32(&rest, d->raw_crc32);
    struct buf head = buf_of(value, SPOOL_ROW_HEADER_BYTES);
    struct span covered = {.ptr = value + SPOOL_ROW_HEADER_BYTES,
                           .len = value_bytes - SPOOL_ROW_HEADER_BYTES};
    buf_put_u8(&head, SPOOL_FORMAT);
    buf_put_be32(&head, event_crc(first_seq, covered));
    ASSERT(buf_ok(&rest) && buf_ok(&head));
}

RC event_read(MDB_val key, MDB_val value, struct event_block *block)
{
    struct reader r = {.left = db_span(value), .short_ = false};
    memset(block, 0, sizeof(*block));
    TRY(event_key_read(key, &block->first_seq));
    uint8_t format = reader_u8(&r);
    uint32_t crc = reader_be32(&r);
    struct span covered = r.left;
    block->count = reader_be32(&r);
    block->raw_bytes = reader_be32(&r);
    block->raw_crc32 = reader_be32(&r);
    block->deflated = reader_bytes(&r, r.left.len);
    if (!reader_ok(&r) || format != SPOOL_FORMAT || crc != event_crc(block->first_seq, covered)) {
        return RC_CORRUPT;
    }
    return block->count != 0 ? RC_OK : RC_CORRUPT;
}

RC event_inflate(const struct event_block *block, struct buf *out)
{
    size_t from = out->len;
    enum rc rc = inflate_block(block->deflated, out);
    if (rc == RC_TOOBIG || (rc == RC_OK && out->len - from != block->raw_bytes)) {
        return RC_CORRUPT;
    }
    return rc;
}

static uint32_t row_crc(unsigned table, struct span key, struct span value)
{
    char name = (char)table;
    uint32_t crc = crc32c(0, (struct span){.ptr = &name, .len = 1});
    return crc32c(crc32c(crc, key), value);
}

struct buf row_begin(char *array, size_t cap)
{
    struct buf value = buf_of(array, cap);
    ASSERT(cap >= SPOOL_ROW_HEADER_BYTES);
    value.len = SPOOL_ROW_HEADER_BYTES;
    return value;
}

MDB_val row_seal(unsigned table, struct span key, const struct buf *value)
{
    ASSERT(buf_ok(value) && value->len >= SPOOL_ROW_HEADER_BYTES);
    struct buf head = buf_of(value->ptr, SPOOL_ROW_HEADER_BYTES);
    struct span payload = span_sub(buf_span(value), SPOOL_ROW_HEADER_BYTES, value->len);
    buf_put_u8(&head, SPOOL_FORMAT);
    buf_put_be32(&head, row_crc(table, key, payload));
    ASSERT(buf_ok(&head));
    return db_val(buf_span(value));
}

RC row_read(unsigned table, struct span key, MDB_val stored, struct span *value)
{
    struct reader r = {.left = db_span(stored), .short_ = false};
    uint8_t format = reader_u8(&r);
    uint32_t crc = reader_be32(&r);
    *value = reader_bytes(&r, r.left.len);
    if (!reader_ok(&r) || format != SPOOL_FORMAT || crc != row_crc(table, key, *value)) {
        return RC_CORRUPT;
    }
    return RC_OK;
}

// Handle 1 is LMDB's own tree of names; a row beside them is allowed as long as it is not named
// like one.
static int open_main(MDB_txn *txn, MDB_dbi *dbi)
{
    return mdb_dbi_open(txn, NULL, 0, dbi);
}

int meta_put(MDB_txn *txn, const struct meta *meta)
{
    char value_bytes[SPOOL_ROW_HEADER_BYTES + META_BYTES];
    struct buf value = row_begin(value_bytes, sizeof(value_bytes));
    buf_put_be64(&value, meta->next_seq);
    buf_put(&value, (struct span){.ptr = meta->guid, .len = sizeof(meta->guid)});
    MDB_dbi dbi;
    MDB_val k = db_val(SPOOL_META_KEY);
    MDB_val v = row_seal(0, SPOOL_META_KEY, &value);
    int code = open_main(txn, &dbi);
    return code != 0 ? code : mdb_put(txn, dbi, &k, &v, 0);
}

RC meta_get(MDB_txn *txn, struct meta *meta)
{
    MDB_dbi dbi;
    MDB_val k = db_val(SPOOL_META_KEY);
    MDB_val stored = {0};
    int code = open_main(txn, &dbi);
    code = code != 0 ? code : mdb_get(txn, dbi, &k, &stored);
    TRY(db_rc(code));
    if (stored.mv_size > 0 && *(const uint8_t *)stored.mv_data > SPOOL_FORMAT) {
        return RC_UNSUPPORTED;
    }
    struct span payload;
    TRY(row_read(0, SPOOL_META_KEY, stored, &payload));
    struct reader r = {.left = payload, .short_ = false};
    meta->next_seq = reader_be64(&r);
    struct span guid = reader_bytes(&r, GUID_TEXT_BYTES);
    if (!reader_ok(&r) || meta->next_seq == 0) {
        return RC_CORRUPT;
    }
    memcpy(meta->guid, guid.ptr, sizeof(meta->guid));
    return RC_OK;
}

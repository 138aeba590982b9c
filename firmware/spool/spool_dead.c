// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The quarantine: events that a sink refused for good, each in a row of its own so that the block
 * can be released.
 *   key:   sink name, NUL, u64 sequence number
 *   value: u8 length of the reason, reason, u32 raw bytes, u32 CRC-32 of them, raw deflate block
 */
#include <string.h>

#include "base/assert.h"

#include "spool/spool_db.h"

#define REASON_BYTES_MAX 128u

static enum rc pack_row(struct span line, struct span reason, struct buf *value)
{
    struct deflate d = {.is_open = false};
    reason = span_sub(reason, 0, REASON_BYTES_MAX);
    buf_put_u8(value, (uint8_t)reason.len);
    buf_put(value, reason);
    struct buf sizes = *value;
    buf_put_be64(value, 0); // in its place, until they are known
    if (!buf_ok(value)) {
        return RC_TOOBIG;
    }
    TRY(deflate_begin(&d));
    enum rc rc = deflate_put(&d, line, value);
    rc = rc != RC_OK ? rc : deflate_end(&d, value);
    buf_put_be32(&sizes, d.raw_bytes);
    buf_put_be32(&sizes, d.raw_crc32);
    deflate_close(&d);
    return rc == RC_FULL ? RC_TOOBIG : rc;
}

static struct span dead_key(const struct spool_sink *sink, uint64_t seq, struct buf *key)
{
    buf_put(key, (struct span){.ptr = sink->name, .len = sink->name_bytes});
    buf_put_u8(key, 0);
    buf_put_be64(key, seq);
    ASSERT(buf_ok(key));
    return buf_span(key);
}

RC spool_bury(struct spool *s, unsigned index, uint64_t seq, struct span reason, struct buf scratch)
{
    char key_bytes[SPOOL_KEY_BYTES_MAX];
    struct buf key_buf = BUF(key_bytes);
    ASSERT(index < s->sinks_count && scratch.cap >= SPOOL_BLOCK_RAW_BYTES_MAX);
    if (seq == 0 || seq > s->durable_seq || seq < s->counts.first_held) {
        return RC_NOTFOUND;
    }
    if (s->counts.dead_rows >= SPOOL_DEAD_ROWS_MAX) {
        return RC_FULL;
    }
    MDB_txn *txn;
    TRY(db_begin(s, 0, &txn));
    buf_reset(&scratch);
    enum rc rc = event_line(s, txn, seq, &scratch);
    struct buf value = row_begin(scratch.ptr + scratch.len, scratch.cap - scratch.len);
    rc = rc != RC_OK ? rc : pack_row(buf_span(&scratch), reason, &value);
    if (rc == RC_OK) {
        struct span key = dead_key(&s->sinks[index], seq, &key_buf);
        MDB_val k = db_val(key);
        MDB_val v = row_seal(SPOOL_DEAD, key, &value);
        rc = db_rc(mdb_put(txn, s->dbi[SPOOL_DEAD], &k, &v, 0));
    }
    if (rc != RC_OK) {
        mdb_txn_abort(txn);
        return rc;
    }
    return db_commit(s, txn, false);
}

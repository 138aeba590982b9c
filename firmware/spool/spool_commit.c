// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Appending events to the open block, and the commit of block and rows in one transaction.
 * A commit can be said again after any failure, even one that turns out to have reached the file:
 * the same keys get the same values.
 */
#include <string.h>

#include "base/assert.h"

#include "spool/spool_db.h"
#include "sys/pages.h"

// Pages besides the values that a commit is reckoned with: leaves and branches on the way to them.
#define COMMIT_EXTRA_PAGES 16u
// Staging is given to a commit while there is room for the rows of what is in the works.
#define STAGE_WANTS_BYTES (SPOOL_STAGED_BYTES / 4u * 3u)
#define STAGE_WANTS_OPS   (SPOOL_OPS_MAX / 4u * 3u)

uint64_t spool_next_seq(const struct spool *s)
{
    return s->durable_seq + s->block.count + 1u;
}

bool spool_has_staged(const struct spool *s)
{
    return s->block.count != 0 || s->stage.ops_count != 0;
}

bool spool_has_room(const struct spool *s)
{
    if (s->page_bytes == 0) {
        return false;
    }
    uint64_t staged =
        ((uint64_t)s->block.bytes + s->stage.bytes_used) / s->page_bytes + COMMIT_EXTRA_PAGES;
    return (s->counts.used_pages + staged) * 100u < s->map_bytes / s->page_bytes * s->high_percent;
}

static bool block_is_full(const struct spool_block *b)
{
    return b->bytes >= SPOOL_BLOCK_SEAL_BYTES ||
           b->deflate.raw_bytes > SPOOL_BLOCK_RAW_BYTES_MAX - SPOOL_EVENT_BYTES_MAX - 1u;
}

bool spool_wants_commit(const struct spool *s)
{
    return s->block.sealed || (s->block.count != 0 && block_is_full(&s->block)) ||
           s->stage.bytes_used > STAGE_WANTS_BYTES || s->stage.ops_count > STAGE_WANTS_OPS;
}

static struct buf block_out(struct spool_block *b)
{
    struct buf out = buf_of(b->value + SPOOL_EVENT_HEADER_BYTES, SPOOL_BLOCK_BYTES_MAX);
    out.len = b->bytes;
    return out;
}

RC spool_append(struct spool *s, struct span line)
{
    struct spool_block *b = &s->block;
    ASSERT(s->is_open);
    ASSERT(line.len > 0);
    if (line.len > SPOOL_EVENT_BYTES_MAX) {
        return RC_TOOBIG;
    }
    if (b->sealed || !spool_has_room(s) || (b->count != 0 && block_is_full(b))) {
        return RC_FULL;
    }
    if (b->count == 0) {
        TRY(deflate_begin(&b->deflate));
        b->bytes = 0;
    }
    struct buf out = block_out(b);
    enum rc rc = deflate_put(&b->deflate, line, &out);
    rc = rc != RC_OK ? rc : deflate_put(&b->deflate, SPAN("\n"), &out);
    ASSERT(rc == RC_OK); // SPOOL_BLOCK_BYTES_MAX has room for whatever one more line becomes
    b->bytes = (uint32_t)out.len;
    b->count++;
    return RC_OK;
}

static void seal(struct spool *s)
{
    struct spool_block *b = &s->block;
    if (b->count == 0 || b->sealed) {
        return;
    }
    struct buf out = block_out(b);
    enum rc rc = deflate_end(&b->deflate, &out);
    ASSERT(rc == RC_OK);
    b->bytes = (uint32_t)out.len;
    event_seal(
        s->durable_seq + 1u, b->count, &b->deflate, b->value, SPOOL_EVENT_HEADER_BYTES + out.len);
    b->sealed = true;
}

static int write_block(struct spool *s, MDB_txn *txn)
{
    char key_bytes[8];
    if (s->block.count == 0) {
        return 0;
    }
    MDB_val key = db_val(event_key(s->durable_seq + 1u, key_bytes));
    MDB_val value = {.mv_size = SPOOL_EVENT_HEADER_BYTES + s->block.bytes,
                     .mv_data = s->block.value};
    struct meta meta = {.next_seq = spool_next_seq(s)};
    memcpy(meta.guid, s->guid, sizeof(meta.guid));
    // MDB_APPEND would refuse the key when a commit is said again; plain puts in ascending order
    // fill pages as well.
    int code = mdb_put(txn, s->dbi[SPOOL_EVENTS], &key, &value, 0);
    return code != 0 ? code : meta_put(txn, &meta);
}

static int write_op(struct spool *s, MDB_cursor *cursor, const struct spool_op *op)
{
    char stored_bytes[SPOOL_ROW_HEADER_BYTES + SPOOL_ROW_BYTES_MAX];
    struct span key = op_key(&s->stage, op);
    MDB_val k = db_val(key);
    if (op->removes) {
        MDB_val old;
        int code = mdb_cursor_get(cursor, &k, &old, MDB_SET);
        code = code != 0 ? code : mdb_cursor_del(cursor, 0);
        return code == MDB_NOTFOUND ? 0 : code;
    }
    struct buf stored = row_begin(stored_bytes, sizeof(stored_bytes));
    buf_put(&stored, op_value(&s->stage, op));
    MDB_val v = row_seal(op->table, key, &stored);
    return mdb_cursor_put(cursor, &k, &v, 0);
}

// In key order with one cursor a table: neighbours are found without a descent, and pages fill from
// one end.
static int write_ops(struct spool *s, MDB_txn *txn)
{
    int code = 0;
    unsigned table = 0;
    MDB_cursor *cursor = NULL;
    stage_sort(&s->stage);
    for (uint32_t i = 0; i < s->stage.ops_count && code == 0; i++) {
        const struct spool_op *op = &s->stage.ops[s->stage.order[i]];
        if (op->table != table) {
            if (cursor != NULL) {
                mdb_cursor_close(cursor);
            }
            cursor = NULL;
            table = op->table;
            code = mdb_cursor_open(txn, s->dbi[table], &cursor);
        }
        code = code != 0 ? code : write_op(s, cursor, op);
    }
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    return code;
}

static enum rc commit(struct spool *s)
{
    MDB_txn *txn;
    TRY(db_reserve_disk(s));
    TRY(db_begin(s, 0, &txn));
    int code = write_block(s, txn);
    code = code != 0 ? code : write_ops(s, txn);
    if (code != 0) {
        mdb_txn_abort(txn);
        return db_rc(code);
    }
    return db_commit(s, txn, false);
}

RC spool_commit(struct spool *s)
{
    ASSERT(s->is_open);
    if (!spool_has_staged(s)) {
        return RC_OK;
    }
    seal(s);
    enum rc rc = commit(s);
    if (rc != RC_OK) {
        s->commit_failures++;
        return rc;
    }
    s->commits++;
    s->durable_seq += s->block.count;
    s->block.count = 0;
    s->block.bytes = 0;
    s->block.sealed = false;
    stage_clear(&s->stage);
    return RC_OK;
}

void spool_idle(struct spool *s)
{
    if (s->block.count == 0 || s->block.sealed) { // an open block needs its state to the end
        deflate_close(&s->block.deflate);
    }
    if (!spool_has_staged(s) && s->page_bytes != 0) {
        (void)pages_drop(s->block.value, sizeof(s->block.value)); // only saves memory
        (void)pages_drop(s->stage.bytes, sizeof(s->stage.bytes));
    }
}

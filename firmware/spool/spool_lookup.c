// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Reading rows: what is staged hides what is committed.
 */
#include "base/assert.h"

#include "spool/spool_db.h"

// A value of the caller's that does not fit is told at once: unlike a text it must not be used in
// part.
static enum rc give(struct span value, struct buf *out)
{
    buf_put(out, value);
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

static enum rc get_committed(
    struct spool *s, MDB_txn *txn, enum spool_table table, struct span key, struct buf *out)
{
    MDB_val k = db_val(key);
    MDB_val stored;
    struct span value;
    TRY(db_rc(mdb_get(txn, s->dbi[table], &k, &stored)));
    TRY(row_read(table, key, stored, &value));
    return give(value, out);
}

RC spool_get(struct spool *s, enum spool_table table, struct span key, struct buf *out)
{
    ASSERT(table > 0 && table < SPOOL_TABLES);
    ASSERT(key.len >= 1 && key.len <= SPOOL_KEY_BYTES_MAX);
    const struct spool_op *op = stage_find(&s->stage, table, key);
    if (op != NULL) {
        return op->removes ? RC_NOTFOUND : give(op_value(&s->stage, op), out);
    }
    MDB_txn *txn;
    TRY(db_begin(s, MDB_RDONLY, &txn));
    enum rc rc = get_committed(s, txn, table, key, out);
    mdb_txn_abort(txn);
    return rc;
}

struct seek {
    enum spool_table table;
    struct spool_from from;
    const struct spool_op *staged; // the first staged one, or NULL
};

// First committed row that no op hides. Each op hides at most one row, which bounds the loop.
static enum rc first_committed(const struct spool *s,
                               MDB_cursor *cursor,
                               const struct seek *seek,
                               MDB_val *key,
                               MDB_val *stored)
{
    struct span from = seek->from.key;
    *key = db_val(from);
    int code = mdb_cursor_get(cursor, key, stored, from.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
    if (code == 0 && seek->from.after && key_compare(db_span(*key), from) == 0) {
        code = mdb_cursor_get(cursor, key, stored, MDB_NEXT);
    }
    for (uint32_t hidden = 0; code == 0 && hidden <= s->stage.ops_count; hidden++) {
        if (s->stage.ops_count == 0 || stage_find(&s->stage, seek->table, db_span(*key)) == NULL) {
            return RC_OK;
        }
        code = mdb_cursor_get(cursor, key, stored, MDB_NEXT);
    }
    ASSERT(code != 0);
    return db_rc(code);
}

static enum rc seek_both(const struct spool *s,
                         MDB_cursor *cursor,
                         const struct seek *seek,
                         struct buf *key,
                         struct buf *value)
{
    MDB_val committed;
    MDB_val stored;
    enum rc rc = first_committed(s, cursor, seek, &committed, &stored);
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        return rc;
    }
    const struct spool_op *op = seek->staged;
    if (op != NULL &&
        (rc == RC_NOTFOUND || key_compare(op_key(&s->stage, op), db_span(committed)) < 0)) {
        TRY(give(op_key(&s->stage, op), key));
        return give(op_value(&s->stage, op), value);
    }
    if (rc == RC_NOTFOUND) {
        return rc;
    }
    struct span payload;
    TRY(give(db_span(committed), key)); // of a damaged row too: its owner can remove it and go on
    TRY(row_read(seek->table, db_span(committed), stored, &payload));
    return give(payload, value);
}

RC spool_seek(struct spool *s,
              enum spool_table table,
              struct spool_from from,
              struct buf *key,
              struct buf *value)
{
    ASSERT(table > 0 && table < SPOOL_TABLES);
    ASSERT(from.key.len <= SPOOL_KEY_BYTES_MAX);
    struct seek seek = {.table = table, .from = from};
    seek.staged = stage_first(&s->stage, table, from);
    MDB_txn *txn;
    MDB_cursor *cursor;
    TRY(db_begin(s, MDB_RDONLY, &txn));
    enum rc rc = db_rc(mdb_cursor_open(txn, s->dbi[table], &cursor));
    if (rc == RC_OK) {
        rc = seek_both(s, cursor, &seek, key, value);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc;
}

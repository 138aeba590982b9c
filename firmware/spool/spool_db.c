// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The LMDB environment: default durability (a commit is on the device when it returns), no lock
 * table because spool.lock keeps other processes out and no reader outlives a call.
 * Caveats of LMDB that are handled here:
 * - A failed write of its meta page leaves an environment that refuses everything: it is closed
 *   and opened again.
 * - A page that a transaction freed can be used again by the second transaction after it, so that
 *   a full map can lack pages even to delete: commits stop short of the quota, and db_grow is the
 *   last resort of a delete.
 */
#include "spool/spool_db.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"

#define KEPT_SHARE 20u // one page in 20 is kept for deletes
#define GROW_BYTES (256u * 1024u)
#define DB_MODE    0600

const char *const db_names[SPOOL_TABLES] = {
    [SPOOL_EVENTS] = "event",
    [SPOOL_SEEN] = "seen",
    [SPOOL_WORK] = "work",
    [SPOOL_WINDOW] = "window",
    [SPOOL_CURSOR] = "cursor",
    [SPOOL_SINK] = "sink",
    [SPOOL_LEDGER] = "ledger",
    [SPOOL_DEAD] = "dead",
};

RC db_rc(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return RC_OK;
    case MDB_NOTFOUND:
        return RC_NOTFOUND;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return RC_FULL;
    case ENOMEM:
        return RC_RETRY;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
        return RC_CORRUPT;
    default:
        return RC_IO;
    }
}

MDB_val db_val(struct span s)
{
    return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.ptr}; // LMDB only reads it
}

struct span db_span(MDB_val v)
{
    return (struct span){.ptr = v.mv_data, .len = v.mv_size};
}

int db_open_env(const char *path, uint64_t map_bytes, unsigned flags, MDB_env **env)
{
    int code = mdb_env_create(env);
    if (code != 0) {
        return code;
    }
    code = mdb_env_set_maxdbs(*env, SPOOL_TABLES);
    if (code == 0) {
        code = mdb_env_set_mapsize(*env,
                                   map_bytes); // LMDB takes the size of the data if that is larger
    }
    if (code == 0) {
        code = mdb_env_open(*env, path, flags | MDB_NOLOCK | MDB_NOTLS, DB_MODE);
    }
    if (code != 0) {
        mdb_env_close(*env);
        *env = NULL;
    }
    return code;
}

int db_open_tables(MDB_txn *txn, unsigned flags, unsigned dbi[static SPOOL_TABLES])
{
    int code = 0;
    for (unsigned i = 0; i < SPOOL_TABLES && code == 0; i++) {
        code = mdb_dbi_open(txn, db_names[i], flags, &dbi[i]);
    }
    return code;
}

// LMDB's own two trees have the handles 0 (free pages) and 1 (names and the meta row); two pages
// are its meta pages.
static uint32_t count_pages(const struct spool *s, MDB_txn *txn)
{
    size_t pages = 2;
    for (unsigned i = 0; i < SPOOL_TABLES + 2u; i++) {
        MDB_stat st;
        if (mdb_stat(txn, i < 2u ? i : s->dbi[i - 2u], &st) == 0) {
            pages += st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
        }
    }
    return pages > UINT32_MAX ? UINT32_MAX : (uint32_t)pages;
}

static int
read_counts(const struct spool *s, MDB_txn *txn, uint64_t durable_seq, struct spool_counts *counts)
{
    MDB_stat events;
    MDB_stat dead;
    MDB_cursor *cursor;
    int code = mdb_stat(txn, s->dbi[SPOOL_EVENTS], &events);
    code = code != 0 ? code : mdb_stat(txn, s->dbi[SPOOL_DEAD], &dead);
    code = code != 0 ? code : mdb_cursor_open(txn, s->dbi[SPOOL_EVENTS], &cursor);
    if (code != 0) {
        return code;
    }
    counts->used_pages = count_pages(s, txn);
    counts->event_bytes = (uint64_t)events.ms_overflow_pages * events.ms_psize;
    counts->dead_rows = (uint32_t)dead.ms_entries;
    counts->first_held = durable_seq + 1u;
    MDB_val key;
    MDB_val value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    mdb_cursor_close(cursor);
    if (code == MDB_NOTFOUND) {
        return 0;
    }
    if (code == 0 && event_key_read(key, &counts->first_held) != RC_OK) {
        return MDB_CORRUPTED;
    }
    return code;
}

static enum rc load(struct spool *s, MDB_txn *txn)
{
    struct meta meta;
    int code = db_open_tables(txn, 0, s->dbi);
    if (code != 0) {
        return code == MDB_NOTFOUND ? RC_CORRUPT : db_rc(code);
    }
    TRY(meta_get(txn, &meta));
    memcpy(s->guid, meta.guid, sizeof(s->guid));
    // After a failure memory knows better: a commit that failed is said again, whether or not it
    // had reached the file.
    if (!s->is_open) {
        s->durable_seq = meta.next_seq - 1u;
    }
    return db_rc(read_counts(s, txn, s->durable_seq, &s->counts));
}

RC db_open(struct spool *s)
{
    MDB_env *env;
    MDB_txn *txn = NULL;
    int code = db_open_env(s->path, s->map_bytes, 0, &env);
    if (code != 0) {
        return db_rc(code);
    }
    s->env = env;
    s->file_bytes = 0;
    MDB_stat st;
    code = mdb_env_stat(env, &st);
    s->page_bytes = code == 0 ? st.ms_psize : 0;
    code = code != 0 ? code : mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    enum rc rc = db_rc(code);
    if (rc == RC_OK) {
        rc = load(s, txn);
        // Handles opened in a transaction live on only if it is committed.
        code = mdb_txn_commit(txn);
        rc = rc != RC_OK ? rc : db_rc(code);
    }
    if (rc != RC_OK) {
        db_close(s);
    }
    return rc;
}

void db_close(struct spool *s)
{
    if (s->env != NULL) {
        mdb_env_close(s->env);
        s->env = NULL;
    }
}

RC db_begin(struct spool *s, unsigned flags, MDB_txn **txn)
{
    ASSERT(s->is_open);
    if (s->env == NULL) {
        TRY(db_open(s));
    }
    int code = mdb_txn_begin(s->env, NULL, flags, txn);
    if (code == MDB_PANIC) {
        db_close(s);
    }
    return db_rc(code);
}

static bool spares_kept_pages(const struct spool *s, uint32_t used_pages)
{
    uint64_t quota_pages = s->map_bytes / s->page_bytes;
    return used_pages <= s->counts.used_pages ||
           used_pages <= quota_pages - quota_pages / KEPT_SHARE;
}

RC db_commit(struct spool *s, MDB_txn *txn, bool may_fill)
{
    struct meta meta = {.next_seq = 0};
    struct spool_counts counts = s->counts;
    enum rc rc = meta_get(txn, &meta);
    if (rc == RC_OK) {
        rc = db_rc(read_counts(s, txn, meta.next_seq - 1u, &counts));
    }
    if (rc == RC_OK && !may_fill && !spares_kept_pages(s, counts.used_pages)) {
        rc = RC_FULL;
    }
    if (rc != RC_OK) {
        mdb_txn_abort(txn);
        return rc;
    }
    int code = mdb_txn_commit(txn);
    if (code != 0) {
        db_close(s); // it may be unusable from now on, and opening costs less than finding out
        return db_rc(code);
    }
    s->counts = counts;
    return RC_OK;
}

RC db_grow(struct spool *s)
{
    MDB_envinfo info;
    if (s->env == NULL) { // the failure was one of the commit itself
        TRY(db_open(s));
    }
    int code = mdb_env_info(s->env, &info);
    code = code != 0 ? code : mdb_env_set_mapsize(s->env, info.me_mapsize + GROW_BYTES);
    return db_rc(code);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the spool's own files share: transactions, stored formats, staging. Not for anyone else: it
 * shows LMDB.
 */
#ifndef SPOOL_SPOOL_DB_H
#define SPOOL_SPOOL_DB_H
#include <lmdb.h>

#include "spool/spool_state.h"

#define SPOOL_FORMAT           1u ///< of every value and of the store as a whole
#define SPOOL_ROW_HEADER_BYTES 5u ///< format, CRC32C
#define SPOOL_EVENTS           0u ///< index of the events in spool.dbi
#define SPOOL_DIR              "spool"
#define SPOOL_META_KEY         SPAN("meta")

// ---- spool_db.c: environment and transactions

extern const char *const db_names[SPOOL_TABLES]; ///< of the LMDB databases, by index in spool.dbi

RC db_rc(int code); ///< what LMDB or errno said -> what the caller does next
MDB_val db_val(struct span s);
struct span db_span(MDB_val v);

/// An environment at `path` with our settings, or the LMDB code. @param flags MDB_RDONLY or 0.
int db_open_env(const char *path, uint64_t map_bytes, unsigned flags, MDB_env **env);
int db_open_tables(MDB_txn *txn, unsigned flags, unsigned dbi[static SPOOL_TABLES]);
/// Open s->path and load what stands in it.
RC db_open(struct spool *s);
void db_close(struct spool *s);

/// Opens the environment again if a failure closed it. The transaction must end before the caller
/// returns.
RC db_begin(struct spool *s, unsigned flags, MDB_txn **txn);
/**
 * Commit. On failure the store is as before.
 * @param may_fill  the pages that are kept for deletes may be used.
 */
RC db_commit(struct spool *s, MDB_txn *txn, bool may_fill);
/// Let the map outgrow the quota by a little, for a delete that found no page. No transaction may
/// be alive.
RC db_grow(struct spool *s);
/// spool_disk.c: make sure that the disk has room for a commit and for the deletes after it.
RC db_reserve_disk(struct spool *s);

// ---- spool_rows.c: stored formats

struct span event_key(uint64_t seq, char out[static 8]);
RC event_key_read(MDB_val key, uint64_t *seq);

/// One committed block as it stands in the store.
struct event_block {
    uint64_t first_seq;
    uint32_t count, raw_bytes, raw_crc32;
    struct span deflated; ///< in the map: valid while the transaction lives
};

/// Writes the header in front of `value_bytes` of block; value points at the header.
void event_seal(
    uint64_t first_seq, uint32_t count, const struct deflate *d, char *value, size_t value_bytes);
/// @retval RC_CORRUPT  then first_seq is valid if the key was.
RC event_read(MDB_val key, MDB_val value, struct event_block *block);

/// Cursor to the block that holds seq, or the first after it. LMDB code or 0.
int event_find(MDB_cursor *cursor, uint64_t seq, MDB_val *key, MDB_val *value);
/// The raw lines of a block. @retval RC_CORRUPT not what its header says. @retval RC_RETRY
RC event_inflate(const struct event_block *block, struct buf *out);
/// `lines` lines of raw behind the first `skip`, newlines included; false: there are fewer.
bool event_cut(struct span raw, uint32_t skip, uint32_t lines, struct span *out);
/// The line of one event, inflated, at the beginning of scratch.
RC event_line(struct spool *s, MDB_txn *txn, uint64_t seq, struct buf *scratch);

/// A row's value in the making: its payload is appended, row_seal writes what stands before it.
/// Table 0 is the meta row.
struct buf row_begin(char *array, size_t cap);
MDB_val row_seal(unsigned table, struct span key, const struct buf *value);
RC row_read(unsigned table, struct span key, MDB_val stored, struct span *value);

struct meta {
    uint64_t next_seq;
    char guid[GUID_TEXT_BYTES];
};

/// LMDB code or 0.
int meta_put(MDB_txn *txn, const struct meta *meta);
/// @retval RC_UNSUPPORTED  written by a newer version. @retval RC_NOTFOUND @retval RC_CORRUPT
RC meta_get(MDB_txn *txn, struct meta *meta);

// ---- spool_stage.c: staged rows

struct span op_key(const struct spool_stage *stage, const struct spool_op *op);
struct span op_value(const struct spool_stage *stage, const struct spool_op *op);
const struct spool_op *
stage_find(const struct spool_stage *stage, enum spool_table table, struct span key);
/// First op of the table at or behind `from` that puts; NULL none.
const struct spool_op *
stage_first(const struct spool_stage *stage, enum spool_table table, struct spool_from from);
/// Fills stage->order.
void stage_sort(struct spool_stage *stage);
void stage_clear(struct spool_stage *stage);
int key_compare(struct span a, struct span b);

// ---- spool_walk.c, spool_check.c, spool_files.c: opening

enum check_verdict {
    CHECK_GOOD = 1,
    CHECK_BROKEN,
    CHECK_FAILED, /* the device or system: says nothing about the store */
    CHECK_LATE    /* neither does this: no end of it in the time there is */
};

/// What walk_store says when it could not look: that is no word about the store.
extern const char walk_no_memory[];
/// What is wrong with the store, as a short printable text; NULL: nothing. May crash.
const char *walk_store(MDB_env *env);
/// Walk the store in a child process. Reason is appended when it is broken.
enum check_verdict
check_store(const struct spool *s, const struct spool_options *options, struct buf *reason);

/// All in the directory `dir_fd`, whose path is the beginning of s->path.
/// RC_OK there is something named spool. @retval RC_NOTFOUND
RC files_probe(int dir_fd);
RC files_set_aside(int dir_fd);
RC files_create(struct spool *s, int dir_fd);

#endif

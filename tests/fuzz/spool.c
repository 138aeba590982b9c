// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as blocks of events and as rows, in a store that LMDB itself finds whole: reading gets
 * past what is damaged to the last event, an acknowledgement releases all of it, and a damaged row
 * is found and can be removed, after which none is left.
 */
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"

#include "spool/spool_db.h"

#define BLOCKS_MAX 6u
#define ROWS_MAX   8u
#define MAP_MIB    8u
#define TURNS_MAX  64u // more than there can be blocks and rows

static struct spool store;
static char body[512u * 1024u], scratch[SPOOL_BLOCK_RAW_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int dir_fd = -1;
static const char *dir;

static void clean_up(void)
{
    (void)unlinkat(dir_fd, "spool/data.mdb", 0);
    (void)unlinkat(dir_fd, "spool", AT_REMOVEDIR);
    (void)unlinkat(dir_fd, "spool.lock", 0);
    (void)rmdir(dir);
}

static void open_once(void)
{
    static char in_memory[] = "/dev/shm/anteroom-fuzz-XXXXXX";
    static char on_disk[] = "/tmp/anteroom-fuzz-XXXXXX";
    char reason_array[64];
    struct buf reason = BUF(reason_array);
    struct spool_options options = {.map_mib = MAP_MIB, .high_percent = 80};
    enum spool_found found = 0;
    if (store.is_open) {
        return;
    }
    dir = mkdtemp(in_memory) != NULL ? in_memory : mkdtemp(on_disk);
    ASSERT(dir != NULL);
    options.state_dir = dir;
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)atexit(clean_up);
    enum rc rc = spool_open(&store, &options, &found, &reason);
    ASSERT(rc == RC_OK);
    // Nothing here outlives the process.
    ASSERT(mdb_env_set_flags(store.env, MDB_NOSYNC, 1) == 0);
}

static struct span take(struct reader *r, size_t bytes)
{
    return reader_bytes(r, bytes < r->left.len ? bytes : r->left.len);
}

// A block under the next sequence number: as any bytes, or with a header that fits them.
static uint32_t put_block(struct reader *r, MDB_txn *txn, uint64_t first_seq)
{
    static char value_array[SPOOL_EVENT_HEADER_BYTES + 4096u];
    struct buf value = BUF(value_array);
    char key_array[8];
    uint8_t kind = reader_u8(r);
    uint32_t count = 1u + reader_u8(r) % 8u;
    struct deflate d = {.raw_bytes = (uint32_t)reader_u8(r) * 3u, .raw_crc32 = reader_be32(r)};
    struct span bytes = take(r, reader_u8(r));
    if (kind % 3u == 0) {
        buf_put(&value, bytes);
    } else {
        value.len = SPOOL_EVENT_HEADER_BYTES;
        buf_put(&value, bytes.len > 0 ? bytes : SPAN("\x03"));
        event_seal(first_seq, count, &d, value.ptr, value.len);
    }
    MDB_val k = db_val(event_key(first_seq, key_array));
    MDB_val v = db_val(buf_span(&value));
    ASSERT(mdb_put(txn, store.dbi[SPOOL_EVENTS], &k, &v, 0) == 0);
    return count;
}

static void put_row(struct reader *r, MDB_txn *txn)
{
    static char value_array[SPOOL_ROW_HEADER_BYTES + 256u];
    struct buf value = row_begin(value_array, sizeof(value_array));
    unsigned table = 1u + reader_u8(r) % (SPOOL_TABLES - 1u);
    bool sealed = reader_u8(r) % 2u == 0;
    struct span key = take(r, 1u + reader_u8(r) % SPOOL_KEY_BYTES_MAX);
    struct span bytes = take(r, reader_u8(r));
    if (key.len == 0) {
        return;
    }
    buf_put(&value, bytes);
    MDB_val k = db_val(key);
    MDB_val v = sealed ? row_seal(table, key, &value) : db_val(bytes);
    ASSERT(mdb_put(txn, store.dbi[table], &k, &v, 0) == 0);
}

// What was there goes; then what the input says.
static void fill(struct reader *r)
{
    MDB_txn *txn;
    struct meta meta = {.next_seq = 1};
    ASSERT(mdb_txn_begin(store.env, NULL, 0, &txn) == 0);
    memcpy(meta.guid, store.guid, sizeof(meta.guid));
    for (unsigned i = 0; i < SPOOL_TABLES; i++) {
        ASSERT(mdb_drop(txn, store.dbi[i], 0) == 0);
    }
    for (unsigned i = reader_u8(r) % (BLOCKS_MAX + 1u); i > 0; i--) {
        meta.next_seq += put_block(r, txn, meta.next_seq);
    }
    for (unsigned i = reader_u8(r) % (ROWS_MAX + 1u); i > 0; i--) {
        put_row(r, txn);
    }
    ASSERT(meta_put(txn, &meta) == 0 && mdb_txn_commit(txn) == 0);
    store.is_open = false; // as when it is opened: what stands in the file counts
    db_close(&store);
    enum rc rc = db_open(&store);
    ASSERT(rc == RC_OK);
    store.is_open = true;
    ASSERT(mdb_env_set_flags(store.env, MDB_NOSYNC, 1) == 0);
}

static void check_events(uint32_t events_max)
{
    struct span sink = SPAN("sink");
    struct spool_batch batch;
    uint64_t after = 0;
    enum rc rc = spool_set_sinks(&store, &sink, 1);
    ASSERT(rc == RC_OK);
    after = spool_acked(&store, 0);
    for (unsigned i = 0; i < TURNS_MAX && after < store.durable_seq; i++) {
        struct spool_want want = {
            .after_seq = after, .events_max = events_max, .raw_max = sizeof(body)};
        struct buf out = BUF(body);
        rc = spool_read(&store, &want, BUF(scratch), &out, &batch);
        ASSERT(rc == RC_OK || rc == RC_CORRUPT);
        ASSERT(batch.last_seq > after && batch.last_seq <= store.durable_seq);
        if (i == 0) { // opens a compressor: slow
            rc = spool_bury(&store, 0, after + 1u, SPAN("why"), BUF(scratch));
            ASSERT(rc == RC_OK || rc == RC_CORRUPT);
        }
        after = batch.last_seq;
    }
    ASSERT(after == store.durable_seq);
    rc = spool_ack(&store, 0, after);
    ASSERT(rc == RC_OK);
    ASSERT(spool_stats(&store).events_held == 0);
}

// How many rows of a table are damaged; `removes` them.
static unsigned damaged_rows(enum spool_table table, bool removes)
{
    static char value_array[1u << 20];
    char keys[2][SPOOL_KEY_BYTES_MAX];
    struct spool_from from = {.after = false};
    unsigned damaged = 0;
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        struct buf key = BUF(keys[i % 2u]);
        struct buf value = BUF(value_array);
        enum rc rc = spool_seek(&store, table, from, &key, &value);
        if (rc == RC_NOTFOUND) {
            return damaged;
        }
        ASSERT((rc == RC_OK || rc == RC_CORRUPT) && key.len > 0);
        damaged += rc == RC_CORRUPT;
        from = (struct spool_from){.key = buf_span(&key), .after = true};
        if (rc == RC_CORRUPT && removes) {
            rc = spool_delete(&store, table, buf_span(&key));
            ASSERT(rc == RC_OK);
        }
    }
    ASSERT(false); // it goes in circles
    return damaged;
}

static void check_rows(void)
{
    for (unsigned table = 1; table < SPOOL_TABLES; table++) {
        if (table == SPOOL_SINK) {
            continue; // written by acknowledgements only, which have written over it
        }
        unsigned damaged = damaged_rows((enum spool_table)table, true);
        ASSERT(damaged <= ROWS_MAX + BLOCKS_MAX);
        ASSERT(damaged_rows((enum spool_table)table, false) == 0);
    }
    enum rc rc = spool_commit(&store);
    ASSERT(rc == RC_OK);
    for (unsigned table = 1; table < SPOOL_TABLES; table++) {
        ASSERT(damaged_rows((enum spool_table)table, false) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = {.left = {.ptr = (const char *)data, .len = size}, .short_ = false};
    open_once();
    uint32_t events_max = 1u + reader_u8(&r) % 16u;
    fill(&r);
    check_events(events_max);
    check_rows();
    return 0;
}

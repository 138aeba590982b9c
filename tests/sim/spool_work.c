// SPDX-License-Identifier: Apache-2.0
#include "spool_work.h"

#include <string.h>

#include <lmdb.h>

#include "support/seeded.h"
#include "trace.h"

#define STEPS   48u
#define MAP_MIB 8u

int __real_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);

const enum spool_table tables[TABLES] = {SPOOL_SEEN, SPOOL_WORK, SPOOL_LEDGER};

static const char *const sinks[SINKS] = {"left", "right"};

struct spool store;
struct version versions[VERSIONS_MAX];
static uint32_t at; // the version that is acknowledged
static struct version staged;
static uint64_t seed;
static size_t line_bytes; // of an incompressible event; 0: small ones
unsigned weaker;
static unsigned high_percent;

static char noise_array[2u * NOISE_BYTES];
static char line_array[NOISE_BYTES + 64u];
char scratch_array[SPOOL_BLOCK_RAW_BYTES_MAX];

int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode)
{
    return __real_mdb_env_open(env, path, flags | weaker, mode);
}

// ---- what follows from a number ---------------------------------------------

// Bytes that do not compress; lines are cut out of them.
static void make_noise(void)
{
    uint64_t x = 1;
    for (size_t i = 0; i < sizeof(noise_array); i++) {
        noise_array[i] = (char)('0' + seeded_below(&x, 64));
    }
}

struct span line_of(uint64_t seq)
{
    uint64_t x = seq;
    struct span noise = {.ptr = noise_array, .len = sizeof(noise_array)};
    size_t from = seeded_below(&x, NOISE_BYTES);
    size_t bytes = line_bytes;
    struct buf b = BUF(line_array);
    if (bytes == 0) {
        bytes = seeded_below(&x, 16) * (seeded_below(&x, 16) == 0 ? 200u : 16u);
    }
    buf_put_str(&b, "{\"seq\":");
    buf_put_u64(&b, seq);
    buf_put_str(&b, ",\"x\":\"");
    buf_put(&b, span_sub(noise, from, bytes));
    buf_put_str(&b, "\"}");
    return buf_span(&b);
}

struct span key_of(uint32_t n, char array[static 8])
{
    struct buf b = buf_of(array, 8);
    buf_put_be64(&b, n);
    return buf_span(&b);
}

struct span value_of(uint32_t n, struct buf *b)
{
    buf_put_u64(b, n);
    for (uint32_t i = 0; i < n % 300u; i++) {
        buf_put_char(b, 'v');
    }
    return buf_span(b);
}

struct span dead_key(struct dead d, struct buf *b)
{
    buf_put_str(b, sinks[d.sink]);
    buf_put_u8(b, 0);
    buf_put_be64(b, d.seq);
    return buf_span(b);
}

enum rc open_store(const char *dir, enum spool_found *found, struct buf *reason)
{
    struct spool_options options = {
        .state_dir = dir, .map_mib = MAP_MIB, .high_percent = high_percent};
    struct span names[SINKS] = {SPAN("left"), SPAN("right")};
    TRY(spool_open(&store, &options, found, reason));
    return spool_set_sinks(&store, names, SINKS);
}

// ---- the workload -----------------------------------------------------------

static uint32_t pick(uint32_t below)
{
    return seeded_below(&seed, below);
}

static void begins(void)
{
    assert_true(at + 1u < VERSIONS_MAX);
    versions[at + 1u] = staged;
    trace_changes_to(at + 1u);
}

// The store refused, or did: the versions say the same.
static void ended(enum rc rc)
{
    if (rc == RC_OK) {
        trace_done();
        at++;
    } else {
        staged = versions[at];
        trace_changes_to(at);
    }
}

static void open_again(const char *dir)
{
    char reason_array[64];
    struct buf reason = BUF(reason_array);
    enum spool_found found = 0;
    spool_close(&store);
    staged = versions[at];
    if (!staged.exists) {
        staged.exists = true;
        staged.next_seq = 1;
        begins();
    }
    assert_int_equal(open_store(dir, &found, &reason), RC_OK);
    if (!versions[at].exists) {
        memcpy(staged.guid, spool_id(&store).ptr, sizeof(staged.guid));
        versions[at + 1u] = staged;
        assert_int_equal(found, SPOOL_FOUND_NONE);
        ended(RC_OK);
    } else {
        assert_int_equal(found, SPOOL_FOUND_GOOD);
    }
}

static void commit(void)
{
    begins();
    enum rc rc = spool_commit(&store);
    assert_true(rc == RC_OK || rc == RC_FULL);
    if (rc == RC_FULL) { // stays staged: nothing can be added before it is through
        trace_changes_to(at);
        return;
    }
    ended(rc);
}

static void put_row(uint32_t table, uint32_t n, uint32_t content)
{
    char key[8];
    char array[400];
    struct buf value = BUF(array);
    enum rc rc = content == 0
                     ? spool_delete(&store, tables[table], key_of(n, key))
                     : spool_put(&store, tables[table], key_of(n, key), value_of(content, &value));
    assert_int_equal(rc, RC_OK);
    staged.rows[table][n] = content;
}

static void stage_some(unsigned events)
{
    for (unsigned i = 0; i < events; i++) {
        if (spool_append(&store, line_of(spool_next_seq(&store))) != RC_OK) {
            break;
        }
        staged.next_seq++;
    }
    for (unsigned i = pick(12); i > 0; i--) {
        put_row(pick(TABLES), pick(KEYS), pick(3) == 0 ? 0 : 1u + pick(10000));
    }
}

static void purge(void)
{
    char array[SPOOL_KEY_BYTES_MAX];
    struct buf key = BUF(array);
    uint32_t below = pick(KEYS);
    for (uint32_t table = 0; table < TABLES; table++) {
        for (uint32_t n = 0; n < below; n++) {
            put_row(table, n, 0);
        }
    }
    if (staged.dead_count > 0) {
        uint32_t n = pick(staged.dead_count);
        assert_int_equal(spool_delete(&store, SPOOL_DEAD, dead_key(staged.dead[n], &key)), RC_OK);
        staged.dead[n] = staged.dead[--staged.dead_count];
    }
}

static void ack(void)
{
    uint32_t sink = pick(SINKS);
    uint64_t missing = versions[at].next_seq - 1u - versions[at].acked[sink];
    uint64_t seq =
        versions[at].acked[sink] + (pick(3) == 0 ? missing : pick((uint32_t)missing + 1u));
    if (spool_has_staged(&store)) {
        return; // staged and acknowledged are versions of their own
    }
    staged.acked[sink] = seq;
    begins();
    ended(spool_ack(&store, sink, seq));
}

static bool is_dead(const struct version *v, struct dead d)
{
    for (uint32_t i = 0; i < v->dead_count; i++) {
        if (v->dead[i].seq == d.seq && v->dead[i].sink == d.sink) {
            return true;
        }
    }
    return false;
}

static void bury(void)
{
    struct buf scratch = BUF(scratch_array);
    struct dead d = {.sink = pick(SINKS)};
    uint64_t missing = versions[at].next_seq - 1u - versions[at].acked[d.sink];
    if (missing == 0 || spool_has_staged(&store) || staged.dead_count == DEAD_MAX) {
        return;
    }
    d.seq = versions[at].acked[d.sink] + 1u + pick((uint32_t)missing);
    if (!is_dead(&staged, d)) {
        staged.dead[staged.dead_count++] = d;
    }
    begins();
    ended(spool_bury(&store, d.sink, d.seq, SPAN("refused"), scratch));
}

static void step(const char *dir)
{
    uint32_t what = pick(100);
    if (what < 50u) {
        stage_some(pick(4) == 0 ? 0 : 1u + pick(what < 4u ? 200u : 24u));
        commit();
    } else if (what < 72u) {
        ack();
    } else if (what < 82u) {
        bury();
    } else if (what < 88u) {
        purge();
        commit();
    } else if (what < 94u) {
        spool_idle(&store);
    } else {
        open_again(dir);
    }
}

static void begin_workload(uint64_t from_seed)
{
    spool_close(&store);
    make_noise();
    memset(versions, 0, sizeof(versions));
    memset(&staged, 0, sizeof(staged));
    at = 0;
    seed = from_seed;
    line_bytes = 0;
    high_percent = 80;
}

// Opens what a cut left, and finds out which of the two versions it is.
static void begin_after(const char *dir, uint64_t from_seed, const struct sim_cut *before)
{
    char reason_array[64];
    struct buf reason = BUF(reason_array);
    enum spool_found found = 0;
    struct version old = versions[before->old];
    struct version new = versions[before->new];
    begin_workload(from_seed);
    versions[0] = old;
    versions[1] = new;
    trace_may_be(0, 1);
    assert_int_equal(open_store(dir, &found, &reason), RC_OK);
    if (found == SPOOL_FOUND_NONE) { // the cut was before it was ever whole
        assert_false(old.exists);
        memset(&versions[1], 0, sizeof(versions[1]));
        versions[1].exists = true;
        versions[1].next_seq = 1;
        memcpy(versions[1].guid, spool_id(&store).ptr, sizeof(versions[1].guid));
    } else {
        assert_int_equal(found, SPOOL_FOUND_GOOD);
    }
    at = differs(&versions[1], false) == NULL ? 1 : 0;
    assert_null(differs(&versions[at], false));
    staged = versions[at];
    trace_changes_to(at);
    trace_done();
}

size_t record_small(const char *dir, uint64_t from_seed, const struct sim_cut *before)
{
    if (before == NULL) {
        begin_workload(from_seed);
        open_again(dir);
    } else {
        begin_after(dir, from_seed, before);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        step(dir);
    }
    spool_close(&store);
    return 0;
}

size_t record_full(const char *dir, uint64_t from_seed, const struct sim_cut *before)
{
    (void)before;
    begin_workload(from_seed);
    line_bytes = NOISE_BYTES;
    high_percent = 50;
    open_again(dir);
    while (spool_has_room(&store)) {
        stage_some(1);
        commit();
    }
    size_t first = trace_count();
    for (unsigned i = 0; i < 6u; i++) {
        stage_some(1);
        commit();
        ack();
        bury();
    }
    open_again(dir);
    ack();
    stage_some(2);
    commit();
    spool_close(&store);
    return first;
}

bool work_is_large(void)
{
    return line_bytes != 0;
}

// SPDX-License-Identifier: Apache-2.0
#define _XOPEN_SOURCE 700 // nftw
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BODY_BYTES (512u * 1024u)
#define RAW_BYTES  (4u * 1024u * 1024u)
#define NOISE_MAX  (300u * 1024u)

struct spool store;
char store_dir[256];

static char body_bytes[BODY_BYTES];
static char scratch_bytes[SPOOL_BLOCK_RAW_BYTES_MAX];
static char raw_bytes[RAW_BYTES];
static char line_bytes[NOISE_MAX];
static char reason_bytes[128];

struct buf store_body = {.ptr = body_bytes, .cap = sizeof(body_bytes)};
struct buf store_scratch = {.ptr = scratch_bytes, .cap = sizeof(scratch_bytes)};

int store_setup(void **state)
{
    const char *tmp = getenv("ANTEROOM_TMP");
    (void)state;
    (void)snprintf(store_dir, sizeof(store_dir), "%s/spool-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    return mkdtemp(store_dir) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int store_teardown(void **state)
{
    (void)state;
    spool_close(&store);
    return nftw(store_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

enum rc store_try_open(uint32_t map_mib, enum spool_found *found)
{
    struct spool_options options = {.state_dir = store_dir, .map_mib = map_mib, .high_percent = 80};
    struct buf reason = BUF(reason_bytes);
    enum rc rc = spool_open(&store, &options, found, &reason);
    assert_true(buf_terminate(&reason));
    return rc;
}

const char *store_reason(void)
{
    return reason_bytes;
}

void store_open(enum spool_found expected)
{
    enum spool_found found = 0;
    assert_int_equal(store_try_open(STORE_MAP_MIB, &found), RC_OK);
    assert_int_equal(found, expected);
}

void store_reopen(void)
{
    spool_close(&store);
    store_open(SPOOL_FOUND_GOOD);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct span store_line(uint64_t seq)
{
    uint64_t x = mix(seq);
    struct buf b = buf_of(line_bytes, 8192);
    buf_put_str(&b, "{\"seq\":");
    buf_put_u64(&b, seq);
    buf_put_str(&b, ",\"data\":\"");
    for (unsigned i = 0; i < x % 97u; i++) {
        buf_put_str(&b, i % 5u == x % 5u ? "participants " : "endpoint ");
        buf_put_u64(&b, mix(x + i) % 1000u);
    }
    buf_put_str(&b, "\"}");
    return buf_span(&b);
}

struct span store_noise_line(uint64_t seq, size_t bytes)
{
    struct buf b = buf_of(line_bytes, bytes);
    buf_put_u64(&b, seq);
    buf_put_char(&b, ' ');
    for (uint64_t i = 0; b.len < bytes; i++) {
        uint64_t x = mix(seq * 1000003u + i);
        for (unsigned k = 0; k < 8u && b.len < bytes; k++) {
            char c = (char)(x >> (k * 8u));
            buf_put_char(&b, c == '\n' ? 'n' : c);
        }
    }
    return buf_span(&b);
}

void store_append(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(spool_append(&store, store_line(spool_next_seq(&store))), RC_OK);
    }
}

void store_commit(void)
{
    assert_int_equal(spool_commit(&store), RC_OK);
    assert_false(spool_has_staged(&store));
}

struct span store_key(char *array, unsigned n)
{
    struct buf b = buf_of(array, 8);
    buf_put_be64(&b, n);
    return buf_span(&b);
}

void store_put(enum spool_table table, unsigned n, const char *value)
{
    char key[8];
    assert_int_equal(spool_put(&store, table, store_key(key, n), span_from_str(value)), RC_OK);
}

void store_delete(enum spool_table table, unsigned n)
{
    char key[8];
    assert_int_equal(spool_delete(&store, table, store_key(key, n)), RC_OK);
}

void store_expect(enum spool_table table, unsigned n, const char *value)
{
    char key[8];
    char got[SPOOL_ROW_BYTES_MAX];
    struct buf out = BUF(got);
    enum rc rc = spool_get(&store, table, store_key(key, n), &out);
    if (value == NULL) {
        assert_int_equal(rc, RC_NOTFOUND);
        return;
    }
    assert_int_equal(rc, RC_OK);
    assert_true(span_equal(buf_span(&out), span_from_str(value)));
}

void store_sink(const char *name)
{
    struct span names[1] = {span_from_str(name)};
    assert_int_equal(spool_set_sinks(&store, names, 1), RC_OK);
}

static size_t gunzip(struct span member)
{
    z_stream z;
    memset(&z, 0, sizeof(z));
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK); // gzip only: CRC and length are checked
    z.next_in = (z_const Bytef *)member.ptr;
    z.avail_in = (uInt)member.len;
    z.next_out = (Bytef *)raw_bytes;
    z.avail_out = sizeof(raw_bytes);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    size_t bytes = z.total_out;
    (void)inflateEnd(&z);
    return bytes;
}

void store_check_batch(const struct spool_batch *batch, size_t noise_bytes)
{
    size_t bytes = gunzip(batch->body);
    size_t at = 0;
    assert_int_equal(bytes, batch->raw_bytes);
    assert_int_equal(batch->count, batch->last_seq - batch->first_seq + 1u);
    for (uint64_t seq = batch->first_seq; seq <= batch->last_seq; seq++) {
        struct span want = noise_bytes == 0 ? store_line(seq) : store_noise_line(seq, noise_bytes);
        assert_true(bytes - at > want.len);
        assert_memory_equal(raw_bytes + at, want.ptr, want.len);
        assert_int_equal(raw_bytes[at + want.len], '\n');
        at += want.len + 1u;
    }
    assert_int_equal(at, bytes);
}

enum rc store_read(uint64_t after,
                   uint32_t events_max,
                   uint64_t raw_max,
                   struct buf *body,
                   struct spool_batch *batch)
{
    struct spool_want want = {.after_seq = after, .events_max = events_max, .raw_max = raw_max};
    return spool_read(&store, &want, store_scratch, body, batch);
}

uint64_t store_check_events(uint64_t after, size_t noise_bytes)
{
    struct spool_batch batch;
    for (;;) {
        buf_reset(&store_body);
        enum rc rc = store_read(after, UINT32_MAX, RAW_BYTES, &store_body, &batch);
        if (rc == RC_NOTFOUND) {
            return after;
        }
        assert_int_equal(rc, RC_OK);
        assert_int_equal(batch.first_seq, after + 1u);
        store_check_batch(&batch, noise_bytes);
        after = batch.last_seq;
    }
}

const char *store_file(const char *name)
{
    static char path[320];
    (void)snprintf(path, sizeof(path), "%s/%s", store_dir, name);
    return path;
}

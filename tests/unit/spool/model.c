// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The spool against a model of it in plain arrays: random appends, rows, commits, acks, reads and
 * crashes. ANTEROOM_SEED chooses another sequence, ANTEROOM_STEPS its length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

#define KEYS   64u
#define TABLES 3u
#define STEPS  30000u
#define SINKS  2u

static const enum spool_table tables[TABLES] = {SPOOL_SEEN, SPOOL_WORK, SPOOL_LEDGER};

/// Rows hold a number; 0: there is none.
struct model {
    uint32_t rows[TABLES][KEYS];
    uint64_t next_seq;
};

static struct model staged, committed;
static uint64_t acked[SINKS];
static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static void put_value(struct buf *out, uint32_t n)
{
    buf_put_u64(out, n);
    for (uint32_t i = 0; i < n % 50u; i++) {
        buf_put_char(out, 'v');
    }
}

static void two_sinks(void)
{
    struct span names[SINKS] = {SPAN("left"), SPAN("right")};
    assert_int_equal(spool_set_sinks(&store, names, SINKS), RC_OK);
    for (unsigned i = 0; i < SINKS; i++) {
        assert_int_equal(spool_acked(&store, i), acked[i]);
    }
}

static void do_append(void)
{
    uint64_t seq = spool_next_seq(&store);
    assert_int_equal(seq, staged.next_seq);
    enum rc rc = spool_append(&store, store_line(seq));
    assert_true(rc == RC_OK || spool_wants_commit(&store));
    staged.next_seq += rc == RC_OK;
}

static void do_row(void)
{
    char key[8];
    char value_bytes[64];
    struct buf value = BUF(value_bytes);
    uint32_t table = pick(TABLES);
    uint32_t n = pick(KEYS);
    uint32_t content = pick(3) == 0 ? 0 : 1u + pick(1000);
    if (content == 0) {
        assert_int_equal(spool_delete(&store, tables[table], store_key(key, n)), RC_OK);
    } else {
        put_value(&value, content);
        assert_int_equal(spool_put(&store, tables[table], store_key(key, n), buf_span(&value)),
                         RC_OK);
    }
    staged.rows[table][n] = content;
}

static void do_commit(void)
{
    store_commit();
    committed = staged;
}

static void do_crash(void)
{
    store_reopen();
    staged = committed;
    two_sinks();
    assert_int_equal(spool_next_seq(&store), committed.next_seq);
}

static void do_ack(void)
{
    uint32_t sink = pick(SINKS);
    uint64_t room = committed.next_seq - 1u - acked[sink];
    acked[sink] += room == 0 ? 0 : pick((uint32_t)room + 1u);
    assert_int_equal(spool_ack(&store, sink, acked[sink]), RC_OK);
}

static void do_read(void)
{
    struct spool_batch batch;
    uint64_t after = acked[pick(SINKS)];
    uint32_t events_max = 1u + pick(400);
    uint64_t raw_max = pick(4) == 0 ? pick(5000) : 1u << 20;
    buf_reset(&store_body);
    enum rc rc = store_read(after, events_max, raw_max, &store_body, &batch);
    if (after + 1u == committed.next_seq) {
        assert_int_equal(rc, RC_NOTFOUND);
        return;
    }
    assert_int_equal(rc, RC_OK);
    assert_int_equal(batch.first_seq, after + 1u);
    assert_true(batch.count <= events_max && batch.last_seq < committed.next_seq);
    assert_true(batch.raw_bytes <= raw_max || batch.count == 1u);
    store_check_batch(&batch, 0);
}

static void same_value(struct span got, uint32_t n)
{
    char want_bytes[64];
    struct buf want = BUF(want_bytes);
    put_value(&want, n);
    assert_true(span_equal(got, buf_span(&want)));
}

static void do_get(void)
{
    char key[8];
    char value_bytes[64];
    struct buf value = BUF(value_bytes);
    uint32_t table = pick(TABLES);
    uint32_t n = pick(KEYS);
    enum rc rc = spool_get(&store, tables[table], store_key(key, n), &value);
    if (staged.rows[table][n] == 0) {
        assert_int_equal(rc, RC_NOTFOUND);
        return;
    }
    assert_int_equal(rc, RC_OK);
    same_value(buf_span(&value), staged.rows[table][n]);
}

static void do_seek(void)
{
    char from[8];
    char key_bytes[8];
    char value_bytes[64];
    struct buf key = BUF(key_bytes);
    struct buf value = BUF(value_bytes);
    uint32_t table = pick(TABLES);
    uint32_t n = pick(KEYS);
    bool after = pick(2) == 1;
    uint32_t want = after ? n + 1u : n;
    while (want < KEYS && staged.rows[table][want] == 0) {
        want++;
    }
    enum rc rc = spool_seek(&store,
                            tables[table],
                            (struct spool_from){.key = store_key(from, n), .after = after},
                            &key,
                            &value);
    if (want == KEYS) {
        assert_int_equal(rc, RC_NOTFOUND);
        return;
    }
    assert_int_equal(rc, RC_OK);
    assert_true(span_equal(buf_span(&key), store_key(from, want)));
    same_value(buf_span(&value), staged.rows[table][want]);
}

static void step(void)
{
    uint32_t what = pick(1000);
    if (what < 400u) {
        do_append();
    } else if (what < 600u) {
        do_row();
    } else if (what < 750u) {
        do_get();
    } else if (what < 900u) {
        do_seek();
    } else if (what < 940u) {
        do_read();
    } else if (what < 960u) {
        do_ack();
    } else if (what < 998u) {
        do_commit();
    } else {
        do_crash();
    }
}

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
    uint64_t value;
    const char *text = getenv(name);
    return text != NULL && span_u64(span_from_str(text), &value) ? (uint32_t)value : otherwise;
}

static void it_does_what_the_model_does(void **state)
{
    (void)state;
    uint32_t seed = from_environment("ANTEROOM_SEED", 20261123u);
    uint32_t steps = from_environment("ANTEROOM_STEPS", STEPS);
    print_message("ANTEROOM_SEED=%u ANTEROOM_STEPS=%u\n", seed, steps);
    random_state = seed;
    store_open(SPOOL_FOUND_NONE);
    staged.next_seq = 1;
    committed = staged;
    two_sinks();
    for (uint32_t i = 0; i < steps; i++) {
        step();
    }
    do_commit();
    uint64_t behind = acked[0] < acked[1] ? acked[0] : acked[1];
    assert_int_equal(store_check_events(behind, 0), committed.next_seq - 1u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_does_what_the_model_does, store_setup, store_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

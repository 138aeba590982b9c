// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <zlib.h>

#include <lmdb.h>

#include "store.h"

static struct spool_batch batch;

static int setup(void **state)
{
    int failed = store_setup(state);
    if (failed == 0) {
        store_open(SPOOL_FOUND_NONE);
    }
    return failed;
}

static void two_sinks(const char *a, const char *b)
{
    struct span names[2] = {span_from_str(a), span_from_str(b)};
    assert_int_equal(spool_set_sinks(&store, names, 2), RC_OK);
}

// `blocks` blocks of ten events.
static void blocks_of_ten(unsigned blocks)
{
    for (unsigned i = 0; i < blocks; i++) {
        store_append(10);
        store_commit();
    }
}

static void an_ack_is_durable_and_releases_whole_blocks(void **state)
{
    (void)state;
    store_sink("main");
    blocks_of_ten(3);
    assert_int_equal(spool_acked(&store, 0), 0);
    assert_int_equal(spool_ack(&store, 0, 15), RC_OK);
    assert_int_equal(spool_acked(&store, 0), 15);
    assert_int_equal(spool_stats(&store).events_held, 20);
    store_reopen();
    store_sink("main");
    assert_int_equal(spool_acked(&store, 0), 15);
    assert_int_equal(store_check_events(15, 0), 30);
    assert_int_equal(spool_ack(&store, 0, 30), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 0);
    assert_int_equal(spool_stats(&store).bytes_held, 0);
    store_reopen();
    assert_int_equal(spool_next_seq(&store), 31); // an empty store counts on
}

static void an_event_is_held_until_every_sink_has_it(void **state)
{
    (void)state;
    two_sinks("a", "b");
    blocks_of_ten(3);
    assert_int_equal(spool_ack(&store, 0, 30), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 30);
    assert_int_equal(spool_ack(&store, 1, 10), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 20);
    assert_int_equal(spool_ack(&store, 1, 30), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 0);
}

static void without_a_sink_everything_is_held(void **state)
{
    (void)state;
    blocks_of_ten(2);
    assert_int_equal(spool_set_sinks(&store, NULL, 0), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 20);
}

static void a_new_sink_starts_at_the_oldest_event_held(void **state)
{
    (void)state;
    store_sink("old");
    blocks_of_ten(3);
    assert_int_equal(spool_ack(&store, 0, 12), RC_OK);
    two_sinks("old", "new");
    assert_int_equal(spool_acked(&store, 0), 12);
    assert_int_equal(spool_acked(&store, 1), 10);
    assert_int_equal(store_check_events(10, 0), 30);
}

static void a_sink_that_is_taken_away_holds_nothing_back_and_is_forgotten(void **state)
{
    (void)state;
    two_sinks("a", "b");
    blocks_of_ten(3);
    assert_int_equal(spool_ack(&store, 1, 5), RC_OK);
    store_sink("a");
    assert_int_equal(spool_ack(&store, 0, 20), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 10);
    two_sinks("a", "b");
    assert_int_equal(spool_acked(&store, 1), 20); // as a new one: its row is gone
}

static void a_position_taken_back_before_an_ack_is_remembered(void **state)
{
    (void)state;
    two_sinks("a", "b");
    blocks_of_ten(2);
    assert_int_equal(spool_ack(&store, 1, 5), RC_OK);
    store_sink("a");
    two_sinks("a", "b");
    assert_int_equal(spool_acked(&store, 1), 5);
}

static void the_same_ack_again_changes_nothing(void **state)
{
    (void)state;
    store_sink("main");
    blocks_of_ten(1);
    assert_int_equal(spool_ack(&store, 0, 5), RC_OK);
    assert_int_equal(spool_ack(&store, 0, 5), RC_OK);
    assert_int_equal(spool_acked(&store, 0), 5);
}

static void a_release_is_bounded_and_goes_on_with_the_next_ack(void **state)
{
    (void)state;
    unsigned blocks = SPOOL_RELEASE_BLOCKS_MAX + 20u;
    store_sink("main");
    for (unsigned i = 0; i < blocks; i++) {
        store_append(1);
        store_commit();
    }
    assert_int_equal(spool_ack(&store, 0, blocks), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 20);
    assert_int_equal(spool_ack(&store, 0, blocks), RC_OK);
    assert_int_equal(spool_stats(&store).events_held, 0);
}

static void the_line_of_one_event_is_read(void **state)
{
    struct span line;
    (void)state;
    store_sink("main");
    blocks_of_ten(2);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        assert_int_equal(spool_line(&store, seq, store_scratch, &line), RC_OK);
        assert_true(span_equal(line, store_line(seq)));
    }
    assert_int_equal(spool_line(&store, 0, store_scratch, &line), RC_NOTFOUND);
    assert_int_equal(spool_line(&store, 21, store_scratch, &line), RC_NOTFOUND);
    assert_int_equal(spool_ack(&store, 0, 10), RC_OK);
    assert_int_equal(spool_line(&store, 10, store_scratch, &line), RC_NOTFOUND);
    assert_int_equal(spool_line(&store, 11, store_scratch, &line), RC_OK);
}

static void a_buried_event_can_be_read_back(void **state)
{
    (void)state;
    store_sink("main");
    blocks_of_ten(2);
    assert_int_equal(spool_bury(&store, 0, 13, SPAN("refused with 422"), store_scratch), RC_OK);
    assert_int_equal(spool_bury(&store, 0, 13, SPAN("again"), store_scratch), RC_OK);
    assert_int_equal(spool_stats(&store).dead_rows, 1);
    assert_int_equal(spool_acked(&store, 0), 0);
    assert_int_equal(spool_ack(&store, 0, 20), RC_OK);
    store_reopen();
    assert_int_equal(spool_stats(&store).dead_rows, 1);

    char key_bytes[SPOOL_KEY_BYTES_MAX];
    char value_bytes[16384];
    char raw_bytes[16384];
    struct buf key = BUF(key_bytes);
    struct buf value = BUF(value_bytes);
    struct buf raw = BUF(raw_bytes);
    assert_int_equal(
        spool_seek(&store, SPOOL_DEAD, (struct spool_from){.after = false}, &key, &value), RC_OK);
    assert_int_equal(key.len, 4u + 1u + 8u);
    assert_memory_equal(key_bytes, "main\0\0\0\0\0\0\0\0\x0d", 13);
    struct reader r = {.left = buf_span(&value)};
    assert_true(span_equal(reader_bytes(&r, reader_u8(&r)), SPAN("again")));
    uint32_t bytes = reader_be32(&r);
    uint32_t crc = reader_be32(&r);
    assert_int_equal(inflate_block(r.left, &raw), RC_OK);
    assert_int_equal(raw.len, bytes);
    assert_int_equal(crc32(0, (const Bytef *)raw_bytes, (uInt)raw.len), crc);
    buf_put_char(&raw, '\0');
    assert_true(span_starts(buf_span(&raw), store_line(13)));

    assert_int_equal(spool_delete(&store, SPOOL_DEAD, buf_span(&key)), RC_OK);
    store_commit();
    assert_int_equal(spool_stats(&store).dead_rows, 0);
}

static void the_longest_event_can_be_buried(void **state)
{
    (void)state;
    static char reason[400];
    memset(reason, 'r', sizeof(reason));
    store_sink("main");
    assert_int_equal(spool_append(&store, store_noise_line(1, SPOOL_EVENT_BYTES_MAX)), RC_OK);
    store_commit();
    struct span long_reason = {.ptr = reason, .len = sizeof(reason)};
    assert_int_equal(spool_bury(&store, 0, 1, long_reason, store_scratch), RC_OK);
    assert_int_equal(spool_stats(&store).dead_rows, 1);
}

static void an_event_that_is_not_held_cannot_be_buried(void **state)
{
    (void)state;
    store_sink("main");
    blocks_of_ten(2);
    assert_int_equal(spool_ack(&store, 0, 10), RC_OK);
    assert_int_equal(spool_bury(&store, 0, 0, SPAN("x"), store_scratch), RC_NOTFOUND);
    assert_int_equal(spool_bury(&store, 0, 10, SPAN("x"), store_scratch), RC_NOTFOUND);
    assert_int_equal(spool_bury(&store, 0, 21, SPAN("x"), store_scratch), RC_NOTFOUND);
}

static void the_quarantine_is_bounded(void **state)
{
    (void)state;
    store_sink("main");
    store_append(1);
    store_commit();
    store.counts.dead_rows = SPOOL_DEAD_ROWS_MAX;
    assert_int_equal(spool_bury(&store, 0, 1, SPAN("x"), store_scratch), RC_FULL);
}

// Changes one byte of a stored value behind the spool's back.
static void damage(unsigned dbi, struct span key, size_t at)
{
    static char copy[SPOOL_BLOCK_BYTES_MAX];
    MDB_txn *txn;
    MDB_val k = {.mv_size = key.len, .mv_data = (void *)(uintptr_t)key.ptr};
    MDB_val v;
    assert_int_equal(mdb_txn_begin(store.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
    memcpy(copy, v.mv_data, v.mv_size);
    copy[at % v.mv_size] ^= 0x20;
    v.mv_data = copy;
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
}

static void a_damaged_block_is_told_and_can_be_stepped_over(void **state)
{
    (void)state;
    char key[8];
    store_sink("main");
    blocks_of_ten(3);
    damage(store.dbi[0], store_key(key, 11), 60);
    buf_reset(&store_body);
    assert_int_equal(store_read(0, 100, 1u << 20, &store_body, &batch), RC_OK);
    assert_int_equal(batch.last_seq, 10);
    size_t body_bytes = store_body.len;
    assert_int_equal(store_read(10, 100, 1u << 20, &store_body, &batch), RC_CORRUPT);
    assert_int_equal(store_body.len, body_bytes);
    assert_int_equal(batch.first_seq, 11);
    assert_int_equal(batch.last_seq, 20);
    assert_int_equal(batch.count, 10);
    assert_int_equal(store_read(14, 3, 1u << 20, &store_body, &batch), RC_CORRUPT);
    assert_int_equal(batch.first_seq, 15);
    assert_int_equal(batch.last_seq, 20);
    assert_int_equal(spool_bury(&store, 0, 12, SPAN("x"), store_scratch), RC_CORRUPT);
    assert_int_equal(store_check_events(20, 0), 30);
    assert_int_equal(spool_ack(&store, 0, 25), RC_OK); // releases the damaged one as well
    assert_int_equal(spool_stats(&store).events_held, 10);
    store_reopen();
}

static void a_damaged_row_is_told_and_can_be_removed(void **state)
{
    (void)state;
    char key_bytes[8];
    char value_bytes[32];
    char found_bytes[8];
    struct span key = store_key(key_bytes, 2);
    struct buf value = BUF(value_bytes);
    struct buf found = BUF(found_bytes);
    store_put(SPOOL_WINDOW, 2, "two");
    store_commit();
    damage(store.dbi[SPOOL_WINDOW], key, 6);
    assert_int_equal(spool_get(&store, SPOOL_WINDOW, key, &value), RC_CORRUPT);
    assert_int_equal(
        spool_seek(&store, SPOOL_WINDOW, (struct spool_from){.after = false}, &found, &value),
        RC_CORRUPT);
    assert_true(span_equal(buf_span(&found), key));
    assert_int_equal(spool_delete(&store, SPOOL_WINDOW, buf_span(&found)), RC_OK);
    store_commit();
    store_expect(SPOOL_WINDOW, 2, NULL);
}

static void a_damaged_position_is_taken_back_to_the_oldest_event(void **state)
{
    (void)state;
    store_sink("main");
    blocks_of_ten(2);
    assert_int_equal(spool_ack(&store, 0, 15), RC_OK);
    damage(store.dbi[SPOOL_SINK], SPAN("main"), 12);
    store_sink("main");
    assert_int_equal(spool_acked(&store, 0), 10); // sent again, not lost
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_ack_is_durable_and_releases_whole_blocks),
        TEST(an_event_is_held_until_every_sink_has_it),
        TEST(without_a_sink_everything_is_held),
        TEST(a_new_sink_starts_at_the_oldest_event_held),
        TEST(a_sink_that_is_taken_away_holds_nothing_back_and_is_forgotten),
        TEST(a_position_taken_back_before_an_ack_is_remembered),
        TEST(the_same_ack_again_changes_nothing),
        TEST(a_release_is_bounded_and_goes_on_with_the_next_ack),
        TEST(the_line_of_one_event_is_read),
        TEST(a_buried_event_can_be_read_back),
        TEST(the_longest_event_can_be_buried),
        TEST(an_event_that_is_not_held_cannot_be_buried),
        TEST(the_quarantine_is_bounded),
        TEST(a_damaged_block_is_told_and_can_be_stepped_over),
        TEST(a_damaged_row_is_told_and_can_be_removed),
        TEST(a_damaged_position_is_taken_back_to_the_oldest_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

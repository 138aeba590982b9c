// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "store.h"

static struct spool_batch batch;

static int setup(void **state)
{
    int failed = store_setup(state);
    if (failed == 0) {
        store_open(SPOOL_FOUND_NONE);
        store_sink("main");
    }
    return failed;
}

static enum rc read_into(struct buf *body, uint64_t after, uint32_t events_max, uint64_t raw_max)
{
    buf_reset(body);
    return store_read(after, events_max, raw_max, body, &batch);
}

static enum rc read_some(uint64_t after, uint32_t events_max, uint64_t raw_max)
{
    return read_into(&store_body, after, events_max, raw_max);
}

// Blocks of 50, 1, 200 and 3 events.
static void four_blocks(void)
{
    static const unsigned counts[] = {50, 1, 200, 3};
    for (unsigned i = 0; i < 4u; i++) {
        store_append(counts[i]);
        store_commit();
    }
}

static void sequence_numbers_start_at_one_and_have_no_gaps(void **state)
{
    (void)state;
    assert_int_equal(spool_next_seq(&store), 1);
    store_append(3);
    assert_int_equal(spool_next_seq(&store), 4);
    assert_int_equal(spool_stats(&store).durable_seq, 0);
    store_commit();
    assert_int_equal(spool_stats(&store).durable_seq, 3);
    store_reopen();
    assert_int_equal(spool_next_seq(&store), 4);
    store_append(1);
    assert_int_equal(spool_next_seq(&store), 5);
    store_reopen(); // the fourth was not committed
    assert_int_equal(spool_next_seq(&store), 4);
}

static void what_is_staged_is_not_read(void **state)
{
    (void)state;
    store_append(2);
    assert_int_equal(read_some(0, 10, 1u << 20), RC_NOTFOUND);
    store_commit();
    assert_int_equal(read_some(0, 10, 1u << 20), RC_OK);
    assert_int_equal(batch.last_seq, 2);
    store_append(2);
    assert_int_equal(read_some(2, 10, 1u << 20), RC_NOTFOUND);
}

static void every_event_comes_back_in_order(void **state)
{
    (void)state;
    four_blocks();
    assert_int_equal(store_check_events(0, 0), 254);
    store_reopen();
    assert_int_equal(store_check_events(0, 0), 254);
}

static void whole_blocks_are_joined_into_one_member(void **state)
{
    (void)state;
    four_blocks();
    assert_int_equal(read_some(0, 1000, 1u << 20), RC_OK);
    assert_int_equal(batch.first_seq, 1);
    assert_int_equal(batch.last_seq, 254);
    store_check_batch(&batch, 0);
}

static void any_range_of_events_can_be_read(void **state)
{
    (void)state;
    four_blocks();
    for (uint64_t after = 0; after < 254u; after++) {
        uint32_t events_max = (uint32_t)(1u + after * 7u % 60u);
        assert_int_equal(read_some(after, events_max, 1u << 20), RC_OK);
        assert_int_equal(batch.first_seq, after + 1u);
        assert_true(batch.count >= 1u && batch.count <= events_max);
        store_check_batch(&batch, 0);
    }
}

static void a_batch_respects_its_raw_size_but_holds_one_event(void **state)
{
    (void)state;
    four_blocks();
    for (uint64_t raw_max = 0; raw_max < 60000u; raw_max += 777u) {
        assert_int_equal(read_some(0, 1000, raw_max), RC_OK);
        assert_true(batch.raw_bytes <= raw_max || batch.count == 1u);
        store_check_batch(&batch, 0);
    }
}

static void a_batch_fits_into_whatever_body_there_is(void **state)
{
    (void)state;
    char small[4096];
    unsigned refused = 0;
    four_blocks();
    for (size_t cap = 0; cap < sizeof(small); cap += 13u) {
        struct buf body = buf_of(small, cap);
        enum rc rc = read_into(&body, 51, 1000, 1u << 20);
        refused += rc == RC_TOOBIG;
        if (rc == RC_TOOBIG) {
            assert_int_equal(body.len, 0);
            continue;
        }
        assert_int_equal(rc, RC_OK);
        assert_true(body.len <= cap && !body.overflow);
        store_check_batch(&batch, 0);
    }
    assert_true(refused > 0 && refused < 60u);
}

static void a_member_is_appended_to_what_stands_in_the_body(void **state)
{
    (void)state;
    store_append(5);
    store_commit();
    buf_reset(&store_body);
    buf_put_str(&store_body, "before");
    assert_int_equal(store_read(1, 2, 1u << 20, &store_body, &batch), RC_OK);
    assert_ptr_equal(batch.body.ptr, store_body.ptr + 6);
    store_check_batch(&batch, 0);
}

static void a_line_too_long_is_refused_and_the_longest_is_not(void **state)
{
    (void)state;
    struct span longest = store_noise_line(1, SPOOL_EVENT_BYTES_MAX);
    struct span longer = {.ptr = longest.ptr, .len = longest.len + 1u};
    assert_int_equal(spool_append(&store, longer), RC_TOOBIG);
    assert_int_equal(spool_append(&store, longest), RC_OK);
    assert_int_equal(spool_append(&store, store_noise_line(2, SPOOL_EVENT_BYTES_MAX)), RC_FULL);
    store_commit();
    assert_int_equal(store_check_events(0, SPOOL_EVENT_BYTES_MAX), 1);
}

static void the_largest_possible_block_fits(void **state)
{
    (void)state;
    // Held back to the last moment: just below the seal, and then the longest line.
    while (store.block.bytes < SPOOL_BLOCK_SEAL_BYTES - 9000u) {
        uint64_t seq = spool_next_seq(&store);
        assert_int_equal(spool_append(&store, store_noise_line(seq, 1000)), RC_OK);
    }
    while (!spool_wants_commit(&store) && store.block.count < 75u) {
        uint64_t seq = spool_next_seq(&store);
        assert_int_equal(spool_append(&store, store_noise_line(seq, 400)), RC_OK);
    }
    enum rc rc = spool_append(&store, store_noise_line(99, SPOOL_EVENT_BYTES_MAX));
    assert_true(rc == RC_OK || rc == RC_FULL);
    store_commit();
}

static void a_full_block_wants_a_commit_and_refuses_more(void **state)
{
    (void)state;
    unsigned count = 0;
    assert_false(spool_wants_commit(&store));
    for (; !spool_wants_commit(&store); count++) {
        assert_true(count < 20000u);
        store_append(1);
    }
    assert_true(store.block.bytes >= SPOOL_BLOCK_SEAL_BYTES ||
                store.block.deflate.raw_bytes > 700000u);
    assert_int_equal(spool_append(&store, SPAN("{}")), RC_FULL);
    assert_true(spool_has_room(&store));
    store_commit();
    assert_false(spool_wants_commit(&store));
    store_append(1);
}

static void well_compressed_text_seals_by_its_raw_size(void **state)
{
    (void)state;
    static char same[100000];
    memset(same, 'a', sizeof(same));
    struct span line = {.ptr = same, .len = sizeof(same)};
    unsigned count = 0;
    while (spool_append(&store, line) == RC_OK) {
        count++;
    }
    assert_true(spool_wants_commit(&store));
    assert_true(count * 100001u <= SPOOL_BLOCK_RAW_BYTES_MAX);
    store_commit();
    assert_int_equal(read_some(3, 1, 1u << 20), RC_OK); // a part of it can be inflated
    assert_int_equal(batch.raw_bytes, 100001);
}

static void the_compressor_is_given_back_when_idle(void **state)
{
    (void)state;
    store_append(2);
    spool_idle(&store);
    assert_true(store.block.deflate.is_open); // the open block needs it
    store_append(1);
    store_commit();
    spool_idle(&store);
    assert_false(store.block.deflate.is_open);
    store_append(1);
    store_commit();
    assert_int_equal(store_check_events(0, 0), 4);
}

static void events_and_rows_become_durable_together(void **state)
{
    (void)state;
    store_append(4);
    store_put(SPOOL_CURSOR, 1, "4");
    store_commit();
    store_append(4);
    store_put(SPOOL_CURSOR, 1, "8");
    store_reopen();
    store_expect(SPOOL_CURSOR, 1, "4");
    assert_int_equal(spool_stats(&store).durable_seq, 4);
}

static void the_statistics_add_up(void **state)
{
    (void)state;
    struct spool_stats empty = spool_stats(&store);
    assert_int_equal(empty.events_held, 0);
    assert_int_equal(empty.bytes_held, 0);
    assert_int_equal(empty.commits, 0);
    four_blocks();
    store_append(1);
    struct spool_stats stats = spool_stats(&store);
    assert_int_equal(stats.next_seq, 256);
    assert_int_equal(stats.durable_seq, 254);
    assert_int_equal(stats.events_held, 254);
    assert_true(stats.bytes_held > 0);
    assert_int_equal(stats.commits, 4);
    assert_int_equal(stats.commit_failures, 0);
    assert_int_equal(stats.dead_rows, 0);
    assert_int_equal(spool_id(&store).len, GUID_TEXT_BYTES);
    char before[GUID_TEXT_BYTES];
    memcpy(before, spool_id(&store).ptr, sizeof(before));
    store_reopen();
    assert_memory_equal(before, spool_id(&store).ptr, sizeof(before));
    assert_int_equal(spool_stats(&store).events_held, 254);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sequence_numbers_start_at_one_and_have_no_gaps),
        TEST(what_is_staged_is_not_read),
        TEST(every_event_comes_back_in_order),
        TEST(whole_blocks_are_joined_into_one_member),
        TEST(any_range_of_events_can_be_read),
        TEST(a_batch_respects_its_raw_size_but_holds_one_event),
        TEST(a_batch_fits_into_whatever_body_there_is),
        TEST(a_member_is_appended_to_what_stands_in_the_body),
        TEST(a_line_too_long_is_refused_and_the_longest_is_not),
        TEST(the_largest_possible_block_fits),
        TEST(a_full_block_wants_a_commit_and_refuses_more),
        TEST(well_compressed_text_seals_by_its_raw_size),
        TEST(the_compressor_is_given_back_when_idle),
        TEST(events_and_rows_become_durable_together),
        TEST(the_statistics_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A full map and a full disk: nothing is lost, acknowledging always works, and then there is room
 * again.
 */
#include <string.h>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store.h"

#define MAP_MIB     8u
#define NOISE_BYTES 3000u

static int setup(void **state)
{
    enum spool_found found;
    if (store_setup(state) != 0) {
        return -1;
    }
    assert_int_equal(store_try_open(MAP_MIB, &found), RC_OK);
    store_sink("main");
    return 0;
}

// Appends and commits until the store takes no more.
static void fill_up(void)
{
    for (unsigned i = 0; i < 100000u; i++) {
        uint64_t seq = spool_next_seq(&store);
        enum rc rc = spool_append(&store, store_noise_line(seq, NOISE_BYTES));
        if (rc == RC_OK) {
            continue;
        }
        assert_int_equal(rc, RC_FULL);
        if (!spool_has_room(&store) && !spool_has_staged(&store)) {
            return;
        }
        store_commit();
    }
    fail();
}

static void drain(unsigned step)
{
    uint64_t durable = spool_stats(&store).durable_seq;
    for (uint64_t seq = spool_acked(&store, 0); seq < durable;) {
        seq = seq + step < durable ? seq + step : durable;
        assert_int_equal(spool_ack(&store, 0, seq), RC_OK);
    }
    assert_int_equal(spool_stats(&store).events_held, 0);
}

static void a_store_filled_to_its_mark_can_be_drained_and_filled_again(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4u; round++) {
        uint64_t before = spool_stats(&store).durable_seq;
        fill_up();
        uint64_t durable = spool_stats(&store).durable_seq;
        assert_true(durable - before > 1200u); // each round takes as much as the first
        assert_true(spool_stats(&store).used_percent >= 70u);
        assert_int_equal(spool_append(&store, SPAN("{}")), RC_FULL);
        assert_int_equal(store_check_events(before, NOISE_BYTES), durable);
        drain(round == 3u ? 5u : 37u);
        assert_true(spool_has_room(&store));
    }
}

static void rows_fill_the_map_and_acks_still_work(void **state)
{
    (void)state;
    char value_bytes[1000];
    char key[8];
    unsigned n = 0;
    struct span value = {.ptr = value_bytes, .len = sizeof(value_bytes)};
    memset(value_bytes, 'v', sizeof(value_bytes));
    fill_up();
    enum rc rc = RC_OK;
    while (rc == RC_OK) {
        assert_true(n < 100000u);
        while (spool_put(&store, SPOOL_SEEN, store_key(key, n * 7919u % 65536u), value) == RC_OK) {
            n++;
        }
        rc = spool_commit(&store);
    }
    assert_int_equal(rc, RC_FULL);
    assert_int_equal(spool_stats(&store).commit_failures, 1);
    assert_true(spool_has_staged(&store));
    assert_int_equal(spool_commit(&store), RC_FULL); // again, without harm
    drain(50);
    assert_int_equal(spool_commit(&store), RC_OK); // what was staged all the time
    char got[1000];
    struct buf out = BUF(got);
    assert_int_equal(spool_get(&store, SPOOL_SEEN, store_key(key, (n - 1u) * 7919u % 65536u), &out),
                     RC_OK);
    store_append(1);
    store_commit();
    spool_close(&store);
    enum spool_found found;
    assert_int_equal(store_try_open(MAP_MIB, &found), RC_OK);
    assert_int_equal(found, SPOOL_FOUND_GOOD);
}

static void a_staged_block_survives_a_full_map(void **state)
{
    (void)state;
    char value_bytes[1000];
    char key[8];
    struct span value = {.ptr = value_bytes, .len = sizeof(value_bytes)};
    memset(value_bytes, 'v', sizeof(value_bytes));
    fill_up();
    drain(1000);
    fill_up();
    uint64_t after = spool_acked(&store, 0);
    assert_int_equal(spool_ack(&store, 0, after + 200u), RC_OK); // a little room
    uint64_t staged = 0;
    enum rc rc = RC_OK;
    for (unsigned n = 0; rc == RC_OK && n < 200u; n++) {
        for (unsigned i = 0; i < 80u; i++) {
            enum rc put = spool_put(&store, SPOOL_SEEN, store_key(key, n * 80u + i), value);
            assert_int_equal(put, RC_OK);
        }
        staged = spool_next_seq(&store);
        rc = spool_append(&store, store_noise_line(staged, NOISE_BYTES));
        staged = rc == RC_OK ? staged : staged - 1u;
        rc = spool_commit(&store);
    }
    assert_int_equal(rc, RC_FULL);
    assert_int_equal(spool_append(&store, SPAN("{}")), RC_FULL);
    drain(1000);
    store_commit();
    assert_int_equal(spool_stats(&store).durable_seq, staged);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_loses_nothing_and_acks_work(void **state)
{
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(4u * 1024u * 1024u + 1000u);
    enum rc rc = RC_OK;
    for (unsigned i = 0; rc == RC_OK && i < 100000u; i++) {
        uint64_t seq = spool_next_seq(&store);
        if (spool_append(&store, store_noise_line(seq, NOISE_BYTES)) != RC_OK) {
            rc = spool_commit(&store);
        }
    }
    assert_int_equal(rc, RC_FULL);
    uint64_t durable = spool_stats(&store).durable_seq;
    uint64_t next = spool_next_seq(&store);
    assert_true(durable > 500u && next > durable + 1u);
    assert_int_equal(store_check_events(0, NOISE_BYTES), durable);
    assert_int_equal(spool_commit(&store), RC_FULL);
    drain(30); // to the last one
    set_file_limit(RLIM_INFINITY);
    store_commit();
    assert_int_equal(store_check_events(durable, NOISE_BYTES), next - 1u);
}

static void a_disk_that_stays_full_is_worked_in_what_there_is(void **state)
{
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_limit(4u * 1024u * 1024u);
    unsigned commits = 0;
    for (unsigned i = 0; i < 20000u && commits < 200u; i++) {
        uint64_t seq = spool_next_seq(&store);
        if (spool_append(&store, store_noise_line(seq, NOISE_BYTES)) == RC_OK) {
            continue;
        }
        enum rc rc = spool_commit(&store);
        commits += rc == RC_OK;
        if (rc == RC_FULL) {
            drain(100);
        }
    }
    set_file_limit(RLIM_INFINITY);
    assert_true(commits >= 30u);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_store_filled_to_its_mark_can_be_drained_and_filled_again),
        TEST(rows_fill_the_map_and_acks_still_work),
        TEST(a_staged_block_survives_a_full_map),
        TEST(a_full_disk_loses_nothing_and_acks_work),
        TEST(a_disk_that_stays_full_is_worked_in_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One workload, cut or disturbed at every single write, flush and rename in it: what a commit or an
 * ack said is durable is there, events and rows fit to each other, and the work goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faulty.h"
#include "store.h"

#define MEMORY_DISK "/dev/shm"
#define STEPS       5u
#define CALLS_MAX   2000u
#define TRIES_MAX   8u
#define ROWS_A_STEP 30u

/// What the workload has been told, in memory that outlives it.
struct told {
    uint64_t durable_seq, acked; // at least
    uint64_t committing, acking; // at most
};

static struct told *told;

static int setup_told(void **state)
{
    (void)state;
    // LMDB writes its meta page through; on a busy disk the hundreds of runs here would take
    // minutes.
    if (access(MEMORY_DISK, W_OK) == 0 && setenv("ANTEROOM_TMP", MEMORY_DISK, 1) != 0) {
        return -1;
    }
    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED ? -1 : 0;
}

static const char *seq_text(uint64_t seq)
{
    static char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)seq);
    return text;
}

static void append_somehow(unsigned count)
{
    for (unsigned tries = count + TRIES_MAX; count > 0 && tries > 0; tries--) {
        enum rc rc = spool_append(&store, store_line(spool_next_seq(&store)));
        assert_true(rc == RC_OK || rc == RC_RETRY);
        count -= rc == RC_OK;
    }
    assert_int_equal(count, 0);
}

static void stage_step(unsigned step)
{
    append_somehow(10u + step * 13u % 40u);
    uint64_t last = spool_next_seq(&store) - 1u;
    for (unsigned i = 0; i < ROWS_A_STEP; i++) {
        store_put(SPOOL_SEEN, (unsigned)last * 64u + i * 1021u % 4096u, "seen");
    }
    store_put(SPOOL_WORK, step, "todo");
    if (step > 0) {
        store_delete(SPOOL_WORK, step - 1u);
    }
    store_put(SPOOL_CURSOR, 1, seq_text(last));
    told->committing = last;
}

// Again until it works, as the firmware does; a failure must leave everything staged.
static bool commit_somehow(void)
{
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        if (spool_commit(&store) == RC_OK) {
            told->durable_seq = spool_stats(&store).durable_seq;
            return true;
        }
        assert_true(spool_has_staged(&store));
        assert_int_equal(spool_append(&store, SPAN("{}")), RC_FULL);
    }
    return false;
}

static bool ack_somehow(uint64_t seq)
{
    told->acking = seq;
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        uint64_t before = spool_acked(&store, 0);
        if (spool_ack(&store, 0, seq) == RC_OK) {
            told->acked = seq;
            return true;
        }
        assert_int_equal(spool_acked(&store, 0), before);
    }
    return false;
}

static bool open_somehow(void)
{
    enum spool_found found = SPOOL_FOUND_BROKEN;
    struct span names[1] = {SPAN("main")};
    enum rc rc = RC_IO;
    for (unsigned i = 0; rc != RC_OK && i < TRIES_MAX; i++) {
        rc = store_try_open(STORE_MAP_MIB, &found);
    }
    assert_int_not_equal(found, SPOOL_FOUND_BROKEN);
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        if (spool_set_sinks(&store, names, 1) == RC_OK) {
            return true;
        }
    }
    return false;
}

// Each reading call once; what fails must say so.
static bool read_somehow(void)
{
    char value_bytes[32];
    char key_bytes[8];
    struct spool_batch batch;
    enum rc rc = RC_RETRY;
    for (unsigned i = 0; rc != RC_OK && i < TRIES_MAX; i++) {
        struct buf value = BUF(value_bytes);
        struct buf key = BUF(key_bytes);
        buf_reset(&store_body);
        rc = store_read(told->durable_seq - 3u, 2, 1u << 20, &store_body, &batch);
        rc = rc != RC_OK ? rc : spool_get(&store, SPOOL_CURSOR, store_key(key_bytes, 1), &value);
        buf_reset(&value);
        struct spool_from from = {.after = false};
        rc = rc != RC_OK ? rc : spool_seek(&store, SPOOL_CURSOR, from, &key, &value);
        rc = rc != RC_OK ? rc : spool_bury(&store, 0, told->durable_seq, SPAN("x"), store_scratch);
    }
    return rc == RC_OK;
}

static bool work(void)
{
    bool works = open_somehow();
    for (unsigned step = 0; works && step < STEPS; step++) {
        stage_step(step);
        works = commit_somehow() && read_somehow();
        if (works && step % 2u == 1u) {
            works = ack_somehow(told->durable_seq - told->durable_seq / 5u);
        }
    }
    return works;
}

static void check_store_after(void)
{
    enum spool_found found;
    assert_int_equal(store_try_open(STORE_MAP_MIB, &found), RC_OK);
    assert_int_not_equal(found, SPOOL_FOUND_BROKEN);
    store_sink("main");
    uint64_t durable = spool_stats(&store).durable_seq;
    uint64_t acked = spool_acked(&store, 0);
    assert_true(durable >= told->durable_seq && durable <= told->committing);
    assert_true(acked >= told->acked && acked <= told->acking);
    assert_int_equal(store_check_events(acked, 0), durable);
    store_expect(SPOOL_CURSOR, 1, durable == 0 ? NULL : seq_text(durable));
    for (unsigned i = 0; durable != 0 && i < ROWS_A_STEP; i++) {
        store_expect(SPOOL_SEEN, (unsigned)durable * 64u + i * 1021u % 4096u, "seen");
    }
    stage_step(STEPS); // and it goes on
    store_commit();
    assert_int_equal(spool_ack(&store, 0, spool_stats(&store).durable_seq), RC_OK);
}

// In a child, so that it can be killed. True: it came to its end.
static bool work_in_child(enum fault_mode mode, unsigned nth)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        faulty_arm(mode, nth, 1);
        _exit(work() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return false;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void kill_everywhere(enum fault_mode mode)
{
    bool done = false;
    unsigned nth = 1;
    for (; !done && nth < CALLS_MAX; nth++) {
        memset(told, 0, sizeof(*told));
        assert_int_equal(store_setup(NULL), 0);
        done = work_in_child(mode, nth);
        check_store_after();
        assert_int_equal(store_teardown(NULL), 0);
    }
    assert_true(done && nth > 50u);
    print_message("killed at each of %u calls\n", nth - 2u);
}

static void killed_before_any_write_nothing_is_lost(void **state)
{
    (void)state;
    kill_everywhere(FAULT_KILL);
}

static void killed_in_the_middle_of_any_write_nothing_is_lost(void **state)
{
    (void)state;
    kill_everywhere(FAULT_KILL_HALF);
}

// At every `stride`th call: the workload is longer than it is various.
static void fail_everywhere(enum fault_mode mode, unsigned count, unsigned stride)
{
    unsigned calls = CALLS_MAX;
    for (unsigned nth = 1; nth < calls + stride; nth += stride) {
        memset(told, 0, sizeof(*told));
        assert_int_equal(store_setup(NULL), 0);
        faulty_arm(mode, nth, count);
        bool works = work();
        calls = faulty_calls(); // the last round is one without a fault
        faulty_arm(FAULT_NONE, 0, 0);
        assert_true(works);
        assert_int_equal(told->durable_seq, told->committing);
        assert_int_equal(store_check_events(told->acked, 0), told->durable_seq);
        spool_close(&store);
        check_store_after();
        assert_int_equal(store_teardown(NULL), 0);
    }
}

static void a_write_that_fails_once_is_said_again(void **state)
{
    (void)state;
    fail_everywhere(FAULT_EIO, 1, 1);
}

static void writes_that_fail_for_a_while_are_said_again(void **state)
{
    (void)state;
    fail_everywhere(FAULT_EIO, 3, 2);
}

static void a_disk_that_is_full_for_a_while_loses_nothing(void **state)
{
    (void)state;
    fail_everywhere(FAULT_ENOSPC, 2, 2);
}

static void a_short_write_is_noticed(void **state)
{
    (void)state;
    fail_everywhere(FAULT_SHORT, 1, 1);
}

static void a_write_that_is_done_but_said_to_have_failed_does_no_harm(void **state)
{
    (void)state;
    fail_everywhere(FAULT_LATE, 2, 1);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    fail_everywhere(FAULT_MEMORY, 1, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_before_any_write_nothing_is_lost),
        cmocka_unit_test(killed_in_the_middle_of_any_write_nothing_is_lost),
        cmocka_unit_test(a_write_that_fails_once_is_said_again),
        cmocka_unit_test(writes_that_fail_for_a_while_are_said_again),
        cmocka_unit_test(a_disk_that_is_full_for_a_while_loses_nothing),
        cmocka_unit_test(a_short_write_is_noticed),
        cmocka_unit_test(a_write_that_is_done_but_said_to_have_failed_does_no_harm),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, setup_told, NULL);
}

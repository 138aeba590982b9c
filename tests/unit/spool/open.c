// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "store.h"

#define FLIPS          240u
#define FILE_BYTES_MAX (2u * 1024u * 1024u)

static char file_bytes[FILE_BYTES_MAX];

static bool exists(const char *name)
{
    struct stat st;
    return lstat(store_file(name), &st) == 0;
}

static size_t load(const char *name)
{
    int fd = open(store_file(name), O_RDONLY);
    ssize_t got = read(fd, file_bytes, sizeof(file_bytes));
    assert_true(got >= 0);
    (void)close(fd);
    return (size_t)got;
}

static void save(const char *name, size_t bytes)
{
    int fd = open(store_file(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, file_bytes, bytes), (ssize_t)bytes);
    (void)close(fd);
}

// A closed store with events, rows and a position, whose file is small enough to be kept in memory.
static size_t make_store(void)
{
    store_open(SPOOL_FOUND_NONE);
    store_sink("main");
    for (unsigned i = 0; i < 6u; i++) {
        store_append(30);
        for (unsigned k = 0; k < 40u; k++) {
            store_put(SPOOL_SEEN, i * 100u + k, "a row of the index");
        }
        store_put(SPOOL_CURSOR, 1, "cursor");
        store_commit();
    }
    assert_int_equal(spool_ack(&store, 0, 45), RC_OK);
    spool_close(&store);
    size_t bytes = load("spool/data.mdb");
    while (bytes > 0 && file_bytes[bytes - 1u] == 0) { // disk that was only reserved
        bytes--;
    }
    return (bytes + 4095u) / 4096u * 4096u;
}

static void expect_broken(const char *reason)
{
    enum spool_found found = 0;
    assert_int_equal(store_try_open(STORE_MAP_MIB, &found), RC_OK);
    assert_int_equal(found, SPOOL_FOUND_BROKEN);
    if (reason != NULL) {
        assert_string_equal(store_reason(), reason);
    }
    assert_int_equal(spool_next_seq(&store), 1);
    store_append(1);
    store_commit();
}

static unsigned silent_waits; // so many next waits for the checking child end without a word of it
static unsigned told_of_waits;

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (silent_waits == 0) {
        return __real_poll(fds, count, timeout_ms);
    }
    silent_waits--;
    return 0;
}

static void tell_of_wait(void *context)
{
    told_of_waits += *(const unsigned *)context;
}

static enum rc open_slowly(unsigned waits, enum spool_found *found)
{
    static const unsigned one = 1;
    char bytes[64];
    struct buf reason = BUF(bytes);
    const struct spool_options options = {.state_dir = store_dir,
                                          .map_mib = STORE_MAP_MIB,
                                          .high_percent = 80,
                                          .while_waiting = tell_of_wait,
                                          .context = (void *)(uintptr_t)&one};
    silent_waits = waits;
    told_of_waits = 0;
    enum rc rc = spool_open(&store, &options, found, &reason);
    silent_waits = 0;
    return rc;
}

static void a_check_may_take_minutes(void **state)
{
    (void)state;
    enum spool_found found = 0;
    store_open(SPOOL_FOUND_NONE);
    spool_close(&store);
    assert_int_equal(open_slowly(240, &found), RC_OK);
    assert_int_equal(found, SPOOL_FOUND_GOOD);
    assert_int_equal(told_of_waits, 240);
}

static void a_check_without_end_says_nothing_about_the_store(void **state)
{
    (void)state;
    enum spool_found found = 0;
    store_open(SPOOL_FOUND_NONE);
    spool_close(&store);
    assert_int_equal(open_slowly(UINT_MAX, &found), RC_RETRY);
    assert_int_equal(told_of_waits, 300);
    assert_false(exists("spool.broken-1"));
    store_open(SPOOL_FOUND_GOOD);
}

static void nothing_there_makes_a_new_store(void **state)
{
    (void)state;
    store_open(SPOOL_FOUND_NONE);
    assert_true(exists("spool/data.mdb"));
    assert_false(exists("spool.new"));
    store_reopen();
    assert_string_equal(store_reason(), "");
}

static void each_store_has_a_name_of_its_own(void **state)
{
    (void)state;
    char first[GUID_TEXT_BYTES];
    store_open(SPOOL_FOUND_NONE);
    memcpy(first, spool_id(&store).ptr, sizeof(first));
    spool_close(&store);
    file_bytes[0] = 0;
    save("spool/data.mdb", 1);
    expect_broken("header");
    assert_memory_not_equal(first, spool_id(&store).ptr, sizeof(first));
}

static void what_a_crash_left_of_the_making_is_removed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(store_file("spool.new"), 0700), 0);
    save("spool.new/data.mdb", 100);
    store_open(SPOOL_FOUND_NONE);
    assert_false(exists("spool.new"));
}

static void a_second_process_is_refused(void **state)
{
    (void)state;
    store_open(SPOOL_FOUND_NONE);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static struct spool second;
        char reason_bytes[64];
        struct buf reason = BUF(reason_bytes);
        struct spool_options options = {.state_dir = store_dir, .map_mib = 8, .high_percent = 80};
        enum spool_found found;
        _exit(spool_open(&second, &options, &found, &reason) == RC_AGAIN ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    store_append(1);
    store_commit();
}

static void a_directory_that_is_not_there_is_an_io_error(void **state)
{
    (void)state;
    char reason_bytes[64];
    char long_path[SPOOL_PATH_BYTES_MAX + 1u];
    struct buf reason = BUF(reason_bytes);
    enum spool_found found;
    struct spool_options options = {.state_dir = "/nonexistent", .map_mib = 8, .high_percent = 80};
    assert_int_equal(spool_open(&store, &options, &found, &reason), RC_IO);
    memset(long_path, 'x', sizeof(long_path) - 1u);
    long_path[sizeof(long_path) - 1u] = '\0';
    options.state_dir = long_path;
    assert_int_equal(spool_open(&store, &options, &found, &reason), RC_IO);
}

static void a_file_where_the_store_should_be_is_set_aside(void **state)
{
    (void)state;
    save("spool", 0);
    expect_broken(NULL);
    assert_true(exists("spool.broken-1"));
}

static void an_empty_directory_is_set_aside(void **state)
{
    (void)state;
    assert_int_equal(mkdir(store_file("spool"), 0700), 0);
    expect_broken("header");
}

static void only_the_newest_broken_store_is_kept(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3u; i++) {
        save("spool", 0);
        enum spool_found found;
        assert_int_equal(store_try_open(STORE_MAP_MIB, &found), RC_OK);
        spool_close(&store);
        (void)unlink(store_file("spool/data.mdb"));
        assert_int_equal(rmdir(store_file("spool")), 0);
    }
    assert_false(exists("spool.broken-1"));
    assert_false(exists("spool.broken-2"));
    assert_true(exists("spool.broken-3"));
    char from[320];
    (void)snprintf(from, sizeof(from), "%s", store_file("spool.broken-3"));
    assert_int_equal(rename(from, store_file("spool.broken-99")), 0);
    save("spool", 0);
    expect_broken(NULL);
    assert_true(exists("spool.broken-1"));
    assert_false(exists("spool.broken-99"));
}

static void a_store_of_a_newer_version_is_set_aside(void **state)
{
    (void)state;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {.mv_size = 4, .mv_data = (void *)(uintptr_t) "meta"};
    MDB_val value = {.mv_size = 3, .mv_data = (void *)(uintptr_t) "\x02xy"};
    store_open(SPOOL_FOUND_NONE);
    assert_int_equal(mdb_txn_begin(store.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    spool_close(&store);
    expect_broken("format");
}

static void a_gap_in_the_events_is_found(void **state)
{
    (void)state;
    MDB_txn *txn;
    char key_bytes[8];
    store_open(SPOOL_FOUND_NONE);
    for (unsigned i = 0; i < 3u; i++) {
        store_append(10);
        store_commit();
    }
    struct span key = store_key(key_bytes, 11);
    MDB_val k = {.mv_size = 8, .mv_data = (void *)(uintptr_t)key.ptr};
    assert_int_equal(mdb_txn_begin(store.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_del(txn, store.dbi[0], &k, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    spool_close(&store);
    expect_broken("event gap");
}

static void a_missing_table_is_found(void **state)
{
    (void)state;
    MDB_txn *txn;
    store_open(SPOOL_FOUND_NONE);
    assert_int_equal(mdb_txn_begin(store.env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_drop(txn, store.dbi[SPOOL_LEDGER], 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    spool_close(&store);
    expect_broken("tables");
}

static void a_quota_below_what_is_used_keeps_the_data(void **state)
{
    (void)state;
    enum spool_found found;
    unsigned count = 0;
    assert_int_equal(store_try_open(64, &found), RC_OK);
    while (spool_stats(&store).bytes_held < 12u * 1024u * 1024u) {
        uint64_t seq = spool_next_seq(&store);
        if (spool_append(&store, store_noise_line(seq, 100000)) != RC_OK) {
            store_commit();
            continue;
        }
        count++;
    }
    store_commit();
    spool_close(&store);
    assert_int_equal(store_try_open(8, &found), RC_OK);
    assert_int_equal(found, SPOOL_FOUND_GOOD);
    assert_false(spool_has_room(&store));
    assert_int_equal(spool_append(&store, SPAN("{}")), RC_FULL);
    assert_int_equal(store_check_events(0, 100000), count);
    store_sink("main");
    for (uint64_t seq = 5; seq <= count; seq += 5u) {
        assert_int_equal(spool_ack(&store, 0, seq), RC_OK);
    }
    assert_true(spool_has_room(&store));
    store_append(1);
    store_commit();
    spool_close(&store);
    assert_int_equal(store_try_open(64, &found), RC_OK); // and a larger one again
    assert_int_equal(found, SPOOL_FOUND_GOOD);
}

static void a_file_that_was_cut_is_set_aside_or_whole(void **state)
{
    (void)state;
    size_t bytes = make_store();
    for (size_t cut = 0; cut < bytes; cut += 8192u) {
        static char whole[FILE_BYTES_MAX];
        enum spool_found found;
        memcpy(whole, file_bytes, bytes);
        save("spool/data.mdb", cut + cut % 3u);
        assert_int_equal(store_try_open(STORE_MAP_MIB, &found), RC_OK);
        if (found == SPOOL_FOUND_GOOD) {
            store_check_events(30, 0); // what was cut off had never been used
        }
        spool_close(&store);
        memcpy(file_bytes, whole, bytes);
    }
}

// Whatever is changed in the file: opening never crashes, and what it lets pass can be read and
// written.
static void a_flipped_byte_anywhere_is_found_or_harmless(void **state)
{
    (void)state;
    size_t bytes = make_store();
    unsigned broken = 0;
    uint32_t random = 12345;
    for (unsigned i = 0; i < FLIPS; i++) {
        random = random * 1664525u + 1013904223u;
        // Every second one in the first bytes of a page, where the structure is.
        size_t at = (random >> 4) % bytes;
        at = i % 2u == 0 ? at / 4096u * 4096u + at % 200u : at;
        char before = file_bytes[at];
        file_bytes[at] = (char)(before ^ (1 << (random >> 29)));
        save("spool/data.mdb", bytes);
        enum spool_found found;
        assert_int_equal(store_try_open(STORE_MAP_MIB, &found), RC_OK);
        broken += found == SPOOL_FOUND_BROKEN;
        if (found == SPOOL_FOUND_GOOD) {
            store_sink("main");
            uint64_t last = store_check_events(spool_acked(&store, 0), 0);
            assert_int_equal(last, 180);
            assert_int_equal(spool_ack(&store, 0, last), RC_OK);
            store_append(3);
            store_commit();
        }
        spool_close(&store);
        file_bytes[at] = before;
    }
    print_message("%u of %u found broken\n", broken, FLIPS);
    assert_true(broken > 10u);
}

static void garbage_is_set_aside(void **state)
{
    (void)state;
    size_t bytes = make_store();
    struct span noise = store_noise_line(7, 200000);
    memcpy(file_bytes, noise.ptr, noise.len);
    save("spool/data.mdb", bytes);
    expect_broken("header");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_there_makes_a_new_store),
        TEST(each_store_has_a_name_of_its_own),
        TEST(what_a_crash_left_of_the_making_is_removed),
        TEST(a_check_may_take_minutes),
        TEST(a_check_without_end_says_nothing_about_the_store),
        TEST(a_second_process_is_refused),
        TEST(a_directory_that_is_not_there_is_an_io_error),
        TEST(a_file_where_the_store_should_be_is_set_aside),
        TEST(an_empty_directory_is_set_aside),
        TEST(only_the_newest_broken_store_is_kept),
        TEST(a_store_of_a_newer_version_is_set_aside),
        TEST(a_gap_in_the_events_is_found),
        TEST(a_missing_table_is_found),
        TEST(a_quota_below_what_is_used_keeps_the_data),
        TEST(a_file_that_was_cut_is_set_aside_or_whole),
        TEST(a_flipped_byte_anywhere_is_found_or_harmless),
        TEST(garbage_is_set_aside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

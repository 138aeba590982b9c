// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the file backend promises beyond the contract: modes, and the device key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "hal/tokenstore.h"

#include "state_dir.h"
#include "tokenstore_file/file.h"

#define PUTS       60
#define BEGINNINGS 40

static struct state_dir state;
static struct tokenstore store;
static struct tokenstore_findings found;

static bool time_flies;
static int waited_ms;

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    waited_ms += timeout_ms;
    return time_flies ? 0 : __real_poll(fds, count, timeout_ms);
}

static enum rc reopen(void)
{
    hal_tokenstore_close(&store);
    enum rc rc = hal_tokenstore_attach(&store, &found);
    return rc == RC_OK ? hal_tokenstore_open(&store, state.fd, &found) : rc;
}

static int begin(void **unused)
{
    (void)unused;
    bool good = state_dir_make(&state) && reopen() == RC_OK &&
                hal_tokenstore_put(&store, SPAN("a"), SPAN("a value of some length")) == RC_OK;
    return good ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
    return 0;
}

static struct stat stat_of(const char *name)
{
    struct stat st;
    assert_int_equal(fstatat(state.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st;
}

static void directory_and_files_are_for_their_owner_only(void **unused)
{
    (void)unused;
    static const char *const files[] = {"tokens/a", "tokens/.manifest", "device.key"};
    assert_int_equal(stat_of("tokens").st_mode & 07777, 0700);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(stat_of(files[i]).st_mode & 07777, 0600);
    }
    assert_int_equal(stat_of("device.key").st_size, 32);
}

static void the_value_is_not_on_the_disk(void **unused)
{
    (void)unused;
    char bytes[16384];
    int fd = openat(state.fd, "tokens/a", O_RDONLY);
    ssize_t len = read(fd, bytes, sizeof(bytes));
    close(fd);
    assert_true(len > 0);
    assert_null(memmem(bytes, (size_t)len, "some length", 11));
}

static void a_directory_that_others_can_read_is_refused(void **unused)
{
    (void)unused;
    assert_int_equal(fchmodat(state.fd, "tokens", 0750, 0), 0);
    assert_int_equal(reopen(), RC_DENIED);
}

static void a_link_in_place_of_a_file_is_refused(void **unused)
{
    (void)unused;
    assert_int_equal(symlinkat("a", state.fd, "tokens/b"), 0);
    assert_int_equal(reopen(), RC_DENIED);
}

static void a_device_key_that_others_can_read_is_refused(void **unused)
{
    (void)unused;
    assert_int_equal(fchmodat(state.fd, FILE_KEY_NAME, 0644, 0), 0);
    assert_int_equal(reopen(), RC_DENIED);
    assert_int_equal(stat_of(FILE_KEY_NAME).st_mode & 07777, 0644);
}

static void a_lost_device_key_is_not_made_anew(void **unused)
{
    (void)unused;
    assert_int_equal(unlinkat(state.fd, FILE_KEY_NAME, 0), 0);
    assert_int_equal(reopen(), RC_UNSUPPORTED);
    assert_non_null(strstr(found.missing, FILE_KEY_NAME));
    assert_false(state_dir_has(&state, FILE_KEY_NAME));
}

static void a_power_cut_while_the_device_key_is_made_leaves_none_or_a_whole_one(void **unused)
{
    (void)unused;
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
    assert_true(state_dir_make(&state));
    assert_true(state_dir_write(&state, FILE_KEY_NAME ".new", "half of it"));
    assert_int_equal(reopen(), RC_OK);
    assert_int_equal(stat_of(FILE_KEY_NAME).st_size, 32);
    assert_false(state_dir_has(&state, FILE_KEY_NAME ".new"));
}

static void a_power_cut_while_the_store_is_begun_does_not_end_it(void **unused)
{
    (void)unused;
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
    assert_true(state_dir_make(&state));
    assert_int_equal(mkdirat(state.fd, "tokens", 0700), 0);
    assert_true(state_dir_write(&state, "tokens/.manifest", ""));
    assert_int_equal(reopen(), RC_OK);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("v")), RC_OK);
    assert_true(state_dir_write(&state, "tokens/.manifest", ""));
    assert_int_equal(reopen(), RC_CORRUPT); // now there is something to lose
}

static void the_store_of_another_box_is_refused(void **unused)
{
    (void)unused;
    assert_true(state_dir_write(&state, FILE_KEY_NAME, "the device key of another box"));
    assert_int_equal(reopen(), RC_CORRUPT);
}

/// The child puts "0", "1", ... under the name a; the exit code says whether all went well.
static void put_many(int count)
{
    char value[16];
    store = (struct tokenstore){.dir_fd = -1}; // the parent's handle and key are not ours
    bool good = reopen() == RC_OK;
    for (int i = 0; i < count && good; i++) {
        snprintf(value, sizeof(value), "%d", i);
        good = hal_tokenstore_put(&store, SPAN("a"), span_from_str(value)) == RC_OK;
    }
    _exit(good ? 0 : 1);
}

static void a_reader_beside_a_writer_sees_whole_values_that_never_go_back(void **unused)
{
    (void)unused;
    int status = -1;
    uint64_t last = 0, reads = 0;
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("0")), RC_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        put_many(PUTS);
    }
    while (waitpid(child, &status, WNOHANG) == 0) {
        char bytes[32];
        uint64_t value = 0;
        struct buf out = BUF(bytes);
        enum rc rc = hal_tokenstore_get(&store, SPAN("a"), &out);
        if (rc == RC_RETRY) {
            continue;
        }
        assert_int_equal(rc, RC_OK);
        assert_true(span_u64(buf_span(&out), &value) && value >= last);
        last = value;
        reads++;
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(reads > 0);
}

static void two_writers_lose_nothing_of_each_other(void **unused)
{
    (void)unused;
    int status = -1;
    char bytes[32];
    struct buf out = BUF(bytes);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        put_many(PUTS);
    }
    for (int i = 0; i < PUTS; i++) {
        assert_int_equal(hal_tokenstore_put(&store, SPAN("b"), SPAN("mine")), RC_OK);
        buf_reset(&out);
        assert_int_equal(hal_tokenstore_get(&store, SPAN("b"), &out), RC_OK);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    buf_reset(&out);
    assert_int_equal(hal_tokenstore_get(&store, SPAN("a"), &out), RC_OK);
    uint64_t value = 0;
    assert_true(span_u64(buf_span(&out), &value));
    assert_int_equal(value, PUTS - 1);
}

static void a_program_that_never_ends_a_change_is_waited_for_only_so_long(void **unused)
{
    (void)unused;
    struct tokenstore late;
    int other = openat(state.fd, "tokens", O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(other, LOCK_EX), 0);
    time_flies = true;
    waited_ms = 0;
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("w")), RC_RETRY);
    assert_in_range(waited_ms, 1, TOKENSTORE_BLOCK_MS_MAX);
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_RETRY);
    assert_int_equal(hal_tokenstore_attach(&late, &found), RC_OK);
    assert_int_equal(hal_tokenstore_open(&late, state.fd, &found), RC_RETRY);
    hal_tokenstore_close(&late);
    time_flies = false;
    close(other);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("w")), RC_OK);
}

/// Opens, puts one value, ends: when the pipe says so.
static void put_first(const char *name, int ready)
{
    char none;
    store = (struct tokenstore){.dir_fd = -1};
    bool good = read(ready, &none, 1) == 0 && reopen() == RC_OK &&
                hal_tokenstore_put(&store, span_from_str(name), span_from_str(name)) == RC_OK;
    _exit(good ? 0 : 1);
}

static void programs_that_begin_a_store_at_once_lose_nothing(void **unused)
{
    (void)unused;
    static const char *const names[] = {"one", "two", "three"};
    pid_t children[3];
    for (unsigned round = 0; round < BEGINNINGS; round++) {
        int status, ends[2];
        assert_int_equal(end(NULL), 0);
        assert_true(state_dir_make(&state));
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        for (unsigned i = 0; i < 3; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                close(ends[1]);
                put_first(names[i], ends[0]);
            }
        }
        close(ends[0]);
        close(ends[1]);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_int_equal(status, 0);
        }
        assert_int_equal(reopen(), RC_OK);
        for (unsigned i = 0; i < 3; i++) {
            char bytes[32];
            struct buf out = BUF(bytes);
            assert_int_equal(hal_tokenstore_get(&store, span_from_str(names[i]), &out), RC_OK);
        }
    }
}

// ---- the board's own device key ---------------------------------------------

static enum rc derive(const char *key, uint8_t kek[static TOKENSTORE_KEK_BYTES])
{
    char path[600], text[128];
    struct buf missing = BUF(text);
    int fd = -1;
    assert_true(state_dir_write(&state, "board.key", key));
    snprintf(path, sizeof(path), "%s/board.key", state.path);
    assert_int_equal(file_key_open(path, &fd, &missing), RC_OK);
    enum rc rc = file_key_derive(fd, kek, &missing);
    assert_int_equal(rc == RC_OK, missing.len == 0);
    close(fd);
    return rc;
}

static void a_device_key_of_16_to_4096_bytes_makes_the_kek(void **unused)
{
    (void)unused;
    static char big[FILE_KEY_BYTES_MAX + 2u];
    uint8_t one[TOKENSTORE_KEK_BYTES], two[TOKENSTORE_KEK_BYTES], same[TOKENSTORE_KEK_BYTES];
    memset(big, 'x', sizeof(big) - 1u);
    big[0] = 'y';
    assert_int_equal(derive("0123456789abcde", one), RC_UNSUPPORTED);
    assert_int_equal(derive("0123456789abcdef", one), RC_OK);
    assert_int_equal(derive("0123456789abcdeg", two), RC_OK);
    assert_int_equal(derive("0123456789abcdef", same), RC_OK);
    assert_memory_not_equal(one, two, sizeof(one));
    assert_memory_equal(one, same, sizeof(one));
    assert_int_equal(derive(big, one), RC_UNSUPPORTED);
    big[FILE_KEY_BYTES_MAX] = '\0';
    assert_int_equal(derive(big, one), RC_OK);
}

static void an_empty_fuse_is_no_device_key(void **unused)
{
    (void)unused;
    uint8_t kek[TOKENSTORE_KEK_BYTES];
    assert_int_equal(
        derive("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", kek),
        RC_UNSUPPORTED);
}

static void a_device_key_that_is_not_there_or_open_to_others_is_told_by_its_name(void **unused)
{
    (void)unused;
    char path[600], text[1024];
    struct buf missing = BUF(text);
    int fd = -1;
    snprintf(path, sizeof(path), "%s/none", state.path);
    assert_int_equal(file_key_open(path, &fd, &missing), RC_UNSUPPORTED);
    assert_true(buf_terminate(&missing));
    assert_non_null(strstr(text, path));
    assert_non_null(strstr(text, "TOKENSTORE_KEY_FILE"));
    assert_true(state_dir_write(&state, "open", "0123456789abcdef"));
    assert_int_equal(fchmodat(state.fd, "open", 0644, 0), 0);
    snprintf(path, sizeof(path), "%s/open", state.path);
    assert_int_equal(file_key_open(path, &fd, &missing), RC_DENIED);
    assert_int_equal(file_key_open(state.path, &fd, &missing), RC_DENIED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(directory_and_files_are_for_their_owner_only),
        TEST(the_value_is_not_on_the_disk),
        TEST(a_directory_that_others_can_read_is_refused),
        TEST(a_link_in_place_of_a_file_is_refused),
        TEST(a_device_key_that_others_can_read_is_refused),
        TEST(a_lost_device_key_is_not_made_anew),
        TEST(a_power_cut_while_the_device_key_is_made_leaves_none_or_a_whole_one),
        TEST(a_power_cut_while_the_store_is_begun_does_not_end_it),
        TEST(the_store_of_another_box_is_refused),
        TEST(a_reader_beside_a_writer_sees_whole_values_that_never_go_back),
        TEST(two_writers_lose_nothing_of_each_other),
        TEST(a_program_that_never_ends_a_change_is_waited_for_only_so_long),
        TEST(programs_that_begin_a_store_at_once_lose_nothing),
        TEST(a_device_key_of_16_to_4096_bytes_makes_the_kek),
        TEST(an_empty_fuse_is_no_device_key),
        TEST(a_device_key_that_is_not_there_or_open_to_others_is_told_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

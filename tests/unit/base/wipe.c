// SPDX-License-Identifier: Apache-2.0
#include "base/wipe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_dir.h"

static struct state_dir state;

static struct {
    bool on;
    unsigned left; ///< calls that work
    int error;
} fault;

static unsigned waited;

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static bool fails(void)
{
    if (!fault.on) {
        return false;
    }
    if (fault.left == 0) {
        errno = fault.error;
        return true;
    }
    fault.left--;
    return false;
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
    return fails() ? -1 : __real_unlinkat(fd, name, flags);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    return fails() ? -1 : __real_pwrite(fd, data, len, at);
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

static int make(void **unused)
{
    (void)unused;
    memset(&fault, 0, sizeof(fault));
    waited = 0;
    return state_dir_make(&state) ? 0 : -1;
}

static int take_down(void **unused)
{
    (void)unused;
    fault.on = false;
    state_dir_remove(&state);
    return 0;
}

static void on_wait(void *context)
{
    unsigned *count = context;
    (*count)++;
}

static struct wipe wipe_of(void)
{
    static const char *const names[] = {
        "secret", "tokens", "spo*", "link", "folder", "fifo", "sparse", "d", NULL};
    return (struct wipe){
        .dir_fd = state.fd, .names = names, .while_waiting = on_wait, .context = &waited};
}

static void fill(void)
{
    assert_true(state_dir_write(&state, "kept", "stays"));
    assert_true(state_dir_write(&state, "secret", "sw0rdfish"));
    assert_true(state_dir_write(&state, "tokens/kept", "no exception down here"));
    assert_true(state_dir_write(&state, "tokens/.hidden", "x"));
    assert_true(state_dir_write(&state, "spool/data.mdb", ""));
}

static void what_is_meant_goes_and_nothing_else(void **unused)
{
    (void)unused;
    char text[16];
    fill();
    struct wipe w = wipe_of();
    assert_int_equal(wipe_check(&w), RC_FULL);
    assert_int_equal(wipe_all(&w), RC_OK);
    assert_int_equal(wipe_check(&w), RC_OK);
    assert_true(state_dir_read(&state, "kept", text, sizeof(text)));
    assert_string_equal(text, "stays");
    assert_false(state_dir_has(&state, "secret"));
    assert_false(state_dir_has(&state, "tokens"));
    assert_false(state_dir_has(&state, "spool"));
    assert_true(waited >= 4);
    assert_int_equal(wipe_all(&w), RC_OK); // and again
}

static void all_but_the_names_may_be_meant(void **unused)
{
    (void)unused;
    static const char *const names[] = {"secret", "tok*", NULL};
    fill();
    struct wipe w = wipe_of();
    w.names = names;
    w.others = true;
    assert_int_equal(wipe_check(&w), RC_FULL);
    assert_int_equal(wipe_all(&w), RC_OK);
    assert_int_equal(wipe_check(&w), RC_OK);
    assert_false(state_dir_has(&state, "kept"));
    assert_false(state_dir_has(&state, "spool"));
    assert_true(state_dir_has(&state, "secret"));
    assert_true(state_dir_has(&state, "tokens"));
}

static void what_a_file_held_is_overwritten_before_it_goes(void **unused)
{
    (void)unused;
    char after[9], zeros[9] = {0};
    fill();
    int fd = openat(state.fd, "secret", O_RDONLY | O_CLOEXEC);
    struct wipe w = wipe_of();
    assert_int_equal(wipe_all(&w), RC_OK);
    assert_int_equal(pread(fd, after, sizeof(after), 0), (ssize_t)sizeof(after));
    assert_memory_equal(after, zeros, sizeof(zeros));
    close(fd);
}

static void holes_of_a_file_are_left_alone(void **unused)
{
    (void)unused;
    struct stat st;
    int fd = openat(state.fd, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, (off_t)1 << 30), 0);
    assert_int_equal(pwrite(fd, "data", 4, (off_t)1 << 29), 4);
    struct wipe w = wipe_of();
    assert_int_equal(wipe_all(&w), RC_OK);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(st.st_blocks < 4096); // of a GiB
    char after[4];
    assert_int_equal(pread(fd, after, 4, (off_t)1 << 29), 4);
    assert_memory_equal(after, "\0\0\0\0", 4);
    close(fd);
}

static void links_are_not_followed_and_other_kinds_are_removed(void **unused)
{
    (void)unused;
    char text[16], path[600];
    struct state_dir other;
    assert_true(state_dir_make(&other));
    assert_true(state_dir_write(&other, "file", "untouched"));
    (void)snprintf(path, sizeof(path), "%s/file", other.path);
    assert_int_equal(symlinkat(path, state.fd, "link"), 0);
    assert_int_equal(symlinkat(other.path, state.fd, "folder"), 0);
    assert_int_equal(mkfifoat(state.fd, "fifo", 0600), 0);
    struct wipe w = wipe_of();
    assert_int_equal(wipe_all(&w), RC_OK);
    assert_int_equal(wipe_check(&w), RC_OK);
    assert_true(state_dir_read(&other, "file", text, sizeof(text)));
    assert_string_equal(text, "untouched");
    state_dir_remove(&other);
}

static void cut_off_at_any_moment_it_comes_to_the_end_when_done_again(void **unused)
{
    bool ended = false;
    for (unsigned n = 0; !ended; n++) {
        assert_in_range(n, 0, 100);
        take_down(unused);
        make(unused);
        fill();
        struct wipe w = wipe_of();
        fault.on = true;
        fault.left = n;
        fault.error = EIO;
        enum rc rc = wipe_all(&w);
        fault.on = false;
        ended = rc == RC_OK;
        assert_true(ended || rc == RC_IO);
        assert_true(ended || w.at[0] != '\0');
        assert_int_equal(wipe_all(&w), RC_OK);
        assert_int_equal(wipe_check(&w), RC_OK);
        assert_true(state_dir_has(&state, "kept"));
    }
}

static void what_may_not_be_removed_is_named(void **unused)
{
    (void)unused;
    fill();
    struct wipe w = wipe_of();
    fault.on = true;
    fault.error = EACCES;
    assert_int_equal(wipe_all(&w), RC_DENIED);
    assert_true(w.at[0] != '\0');
    fault.on = false;
    assert_int_equal(wipe_check(&w), RC_FULL);
    assert_true(w.at[0] != '\0');
}

static void deeper_than_anybody_makes_is_refused(void **unused)
{
    (void)unused;
    char path[64] = "d";
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(mkdirat(state.fd, path, 0700), 0);
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
    }
    struct wipe w = wipe_of();
    assert_int_equal(wipe_all(&w), RC_TOOBIG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_meant_goes_and_nothing_else),
        TEST(all_but_the_names_may_be_meant),
        TEST(what_a_file_held_is_overwritten_before_it_goes),
        TEST(holes_of_a_file_are_left_alone),
        TEST(links_are_not_followed_and_other_kinds_are_removed),
        TEST(cut_off_at_any_moment_it_comes_to_the_end_when_done_again),
        TEST(what_may_not_be_removed_is_named),
        TEST(deeper_than_anybody_makes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

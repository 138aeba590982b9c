// SPDX-License-Identifier: Apache-2.0
#include "sys/forget.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_dir.h"

static const char *const ours[] = {"tokens/client-secret",
                                   "device.key",
                                   "spool/data.mdb",
                                   "spool.new/data.mdb",
                                   "spool.broken-7/data.mdb",
                                   "ladder",
                                   "reset"};
static const char *const stay[] = {"clock-floor", "spool.lock", "sandbox/led"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct state_dir state;
static bool cut;
static unsigned left;  ///< calls that work before the power goes
static int syncs_left; ///< that work; -1: all
static int unseen;     ///< why no file can be looked at; 0: they can

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fstatat(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags);

static bool fails(void)
{
    if (!cut) {
        return false;
    }
    errno = EIO;
    if (left == 0) {
        return true;
    }
    left--;
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
    if (syncs_left == 0) {
        errno = EIO;
        return -1;
    }
    syncs_left -= syncs_left > 0;
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fstatat(int fd, const char *path, struct stat *st, int flags)
{
    errno = unseen;
    return unseen != 0 ? -1 : __real_fstatat(fd, path, st, flags);
}

static int make(void **unused)
{
    (void)unused;
    cut = false;
    unseen = 0;
    syncs_left = -1;
    if (!state_dir_make(&state)) {
        return -1;
    }
    for (size_t i = 0; i < COUNT(ours); i++) {
        if (!state_dir_write(&state, ours[i], "sw0rdfish")) {
            return -1;
        }
    }
    for (size_t i = 0; i < COUNT(stay); i++) {
        if (!state_dir_write(&state, stay[i], "harmless")) {
            return -1;
        }
    }
    return 0;
}

static int take_down(void **unused)
{
    (void)unused;
    cut = false;
    unseen = 0;
    state_dir_remove(&state);
    return 0;
}

static unsigned ours_left(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < COUNT(ours); i++) {
        count += state_dir_has(&state, ours[i]);
    }
    return count;
}

static void check_forgotten(void)
{
    struct wipe w = {0};
    assert_int_equal(ours_left(), 0);
    assert_int_equal(forget_asked(state.fd), RC_NOTFOUND);
    assert_false(forget_finds_foreign(&w, state.fd));
    for (size_t i = 0; i < COUNT(stay); i++) {
        assert_true(state_dir_has(&state, stay[i]));
    }
}

static void nobody_asked_by_itself(void **unused)
{
    (void)unused;
    struct wipe w = {0};
    assert_int_equal(forget_asked(state.fd), RC_NOTFOUND);
    assert_false(forget_finds_foreign(&w, state.fd));
    assert_int_equal(forget_ask(state.fd), RC_OK);
    assert_int_equal(forget_asked(state.fd), RC_OK);
    assert_false(forget_finds_foreign(&w, state.fd));
}

static void a_mark_that_cannot_be_looked_for_is_not_one_that_nobody_made(void **unused)
{
    (void)unused;

    static const struct {
        int error;
        enum rc said;
    } all[] = {{EIO, RC_IO},
               {EACCES, RC_DENIED},
               {EPERM, RC_DENIED},
               {ENOMEM, RC_IO},
               {ENOTDIR, RC_IO},
               {ELOOP, RC_IO},
               {EOVERFLOW, RC_IO},
               {EBADF, RC_IO},
               {ENOENT, RC_NOTFOUND}};

    for (size_t i = 0; i < COUNT(all); i++) {
        unseen = all[i].error;
        assert_int_equal(forget_asked(state.fd), all[i].said);
    }
}

static void what_was_asked_for_is_forgotten_and_the_floor_of_the_clock_stays(void **unused)
{
    (void)unused;
    struct wipe w = {0};
    assert_int_equal(forget_ask(state.fd), RC_OK);
    assert_int_equal(forget_all(&w, state.fd), RC_OK);
    check_forgotten();
}

static void what_no_box_puts_there_is_named_and_left(void **unused)
{
    (void)unused;
    struct wipe w = {0};
    assert_true(state_dir_write(&state, "box.json", "a configuration"));
    assert_int_equal(forget_all(&w, state.fd), RC_OK);
    assert_int_equal(ours_left(), 0);
    assert_true(forget_finds_foreign(&w, state.fd));
    assert_string_equal(w.at, "box.json");
    assert_true(state_dir_has(&state, "box.json"));
}

static void cut_off_at_any_moment_the_mark_stays_until_nothing_else_is_left(void **unused)
{
    bool ended = false;
    for (unsigned n = 0; !ended; n++) {
        assert_in_range(n, 0, 200);
        take_down(unused);
        make(unused);
        struct wipe w = {0};
        assert_int_equal(forget_ask(state.fd), RC_OK);
        cut = true;
        left = n;
        ended = forget_all(&w, state.fd) == RC_OK;
        cut = false;
        assert_true(forget_asked(state.fd) == RC_OK || ours_left() == 0);
        assert_true(ended || w.at[0] != '\0');
        w = (struct wipe){0};
        assert_int_equal(forget_all(&w, state.fd), RC_OK);
        check_forgotten();
    }
}

static void a_mark_that_may_not_last_is_told_and_taken_back(void **unused)
{
    (void)unused;
    for (unsigned works = 0; works < 2; works++) { // the file, or its directory
        syncs_left = (int)works;
        assert_int_equal(forget_ask(state.fd), RC_IO);
        assert_int_equal(forget_asked(state.fd), RC_NOTFOUND);
    }
    syncs_left = -1;
    assert_int_equal(forget_ask(state.fd), RC_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_asked_by_itself),
        TEST(a_mark_that_cannot_be_looked_for_is_not_one_that_nobody_made),
        TEST(what_was_asked_for_is_forgotten_and_the_floor_of_the_clock_stays),
        TEST(what_no_box_puts_there_is_named_and_left),
        TEST(cut_off_at_any_moment_the_mark_stays_until_nothing_else_is_left),
        TEST(a_mark_that_may_not_last_is_told_and_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

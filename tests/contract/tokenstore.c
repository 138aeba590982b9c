// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/tokenstore.h promises, for every backend. Faults are made by failing the Nth call of the
 * C library (see the LINK line), N = 1, 2, ... until a clean pass.
 */
#include "hal/tokenstore.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEP_MAX 64

static char state_dir[512];
static struct tokenstore store;
static int calls_until_failure; // 0: none fails

static bool fails(void)
{
    return calls_until_failure > 0 && --calls_until_failure == 0;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);

#define FAIL_OR(real)                                                                              \
    if (fails()) {                                                                                 \
        errno = EIO;                                                                               \
        return -1;                                                                                 \
    }                                                                                              \
    return real

int __wrap_fsync(int fd)
{
    FAIL_OR(__real_fsync(fd));
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    FAIL_OR(__real_write(fd, data, len > 7 ? len / 2 : len)); // short writes are a fact of life
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    FAIL_OR(__real_renameat(from_fd, from, to_fd, to));
}

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    FAIL_OR(__real_openat(fd, path, flags, mode));
}

int __wrap_unlinkat(int fd, const char *path, int flags)
{
    FAIL_OR(__real_unlinkat(fd, path, flags));
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    FAIL_OR(__real_read(fd, data, len));
}

// ---- helpers ----------------------------------------------------------------

static int open_store(void **unused)
{
    (void)unused;
    const char *tmp = getenv("ANTEROOM_TMP");
    snprintf(state_dir, sizeof(state_dir), "%s/state.XXXXXX", tmp != NULL ? tmp : "/tmp");
    calls_until_failure = 0;
    return mkdtemp(state_dir) != NULL && hal_tokenstore_open(&store, state_dir) == RC_OK ? 0 : -1;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        char inner[1024];
        snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && remove(inner) != 0) {
            remove_tree(inner);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    remove(path);
}

static int close_store(void **unused)
{
    (void)unused;
    calls_until_failure = 0;
    hal_tokenstore_close(&store);
    remove_tree(state_dir);
    return 0;
}

static void check_value(const char *name, const char *value)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf out = BUF(bytes);
    assert_int_equal(hal_tokenstore_get(&store, span_from_str(name), &out), RC_OK);
    assert_true(span_equal(buf_span(&out), span_from_str(value)));
}

static void check_none(const char *name)
{
    char bytes[16];
    struct buf out = BUF(bytes);
    assert_int_equal(hal_tokenstore_get(&store, span_from_str(name), &out), RC_NOTFOUND);
    assert_int_equal(out.len, 0);
}

// ---- tests ------------------------------------------------------------------

static void a_value_that_was_put_is_read_back(void **unused)
{
    (void)unused;
    assert_int_equal(hal_tokenstore_put(&store, SPAN("client-secret"), SPAN("swordfish")), RC_OK);
    check_value("client-secret", "swordfish");
    assert_int_equal(hal_tokenstore_put(&store, SPAN("client-secret"), SPAN("x")), RC_OK);
    check_value("client-secret", "x");
}

static void values_outlive_the_handle(void **unused)
{
    (void)unused;
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("first")), RC_OK);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("b"), SPAN("second")), RC_OK);
    hal_tokenstore_close(&store);
    hal_tokenstore_close(&store); // closing twice is fine
    assert_int_equal(hal_tokenstore_open(&store, state_dir), RC_OK);
    check_value("a", "first");
    check_value("b", "second");
}

static void a_value_is_appended_to_what_the_buffer_holds(void **unused)
{
    (void)unused;
    char bytes[32];
    struct buf out = BUF(bytes);
    buf_put_str(&out, "Bearer ");
    assert_int_equal(hal_tokenstore_put(&store, SPAN("t"), SPAN("abc")), RC_OK);
    assert_int_equal(hal_tokenstore_get(&store, SPAN("t"), &out), RC_OK);
    assert_true(span_equal(buf_span(&out), SPAN("Bearer abc")));
}

static void bytes_of_any_kind_and_the_largest_value_are_kept(void **unused)
{
    (void)unused;
    static char big[TOKENSTORE_VALUE_BYTES_MAX + 1u], back[TOKENSTORE_VALUE_BYTES_MAX];
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (char)(i * 7u);
    }
    struct span value = {.ptr = big, .len = TOKENSTORE_VALUE_BYTES_MAX};
    struct buf out = BUF(back);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("big"), value), RC_OK);
    assert_int_equal(hal_tokenstore_get(&store, SPAN("big"), &out), RC_OK);
    assert_true(span_equal(buf_span(&out), value));
}

static void too_long_or_empty_values_change_nothing(void **unused)
{
    (void)unused;
    static const char big[TOKENSTORE_VALUE_BYTES_MAX + 1u];
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("old")), RC_OK);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), (struct span){big, sizeof(big)}),
                     RC_TOOBIG);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN_NONE), RC_TOOBIG);
    check_value("a", "old");
}

static void a_buffer_without_room_gets_nothing(void **unused)
{
    (void)unused;
    char bytes[3];
    struct buf out = BUF(bytes);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("four")), RC_OK);
    assert_int_equal(hal_tokenstore_get(&store, SPAN("a"), &out), RC_TOOBIG);
    assert_int_equal(out.len, 0);
    assert_true(buf_ok(&out));
}

static void names_that_break_the_rule_are_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"",
                                      "-a",
                                      "1a",
                                      "A",
                                      "a/b",
                                      "..",
                                      ".a",
                                      "a.b",
                                      "a b",
                                      "a_b",
                                      "a\n",
                                      "ab\xc3\xa4",
                                      "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hal_tokenstore_put(&store, span_from_str(bad[i]), SPAN("v")), RC_PARSE);
        check_none(bad[i]);
        assert_int_equal(hal_tokenstore_delete(&store, span_from_str(bad[i])), RC_NOTFOUND);
    }
    assert_int_equal(hal_tokenstore_put(&store, (struct span){"a\0b", 3}, SPAN("v")), RC_PARSE);
    assert_int_equal(
        hal_tokenstore_put(&store, SPAN("abcdefghijklmnopqrstuvwxyz-01234"), SPAN("v")), RC_OK);
}

static void a_name_without_value_is_not_found(void **unused)
{
    (void)unused;
    check_none("nothing");
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("nothing")), RC_NOTFOUND);
}

static void a_deleted_value_is_gone(void **unused)
{
    (void)unused;
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("v")), RC_OK);
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_OK);
    check_none("a");
}

static void a_failing_device_leaves_the_old_or_the_new_value(void **unused)
{
    (void)unused;
    int n = 1;
    enum rc rc = RC_IO;
    for (; n < SWEEP_MAX && rc != RC_OK; n++) {
        assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("the old value")), RC_OK);
        calls_until_failure = n;
        rc = hal_tokenstore_put(&store, SPAN("a"), SPAN("the new value"));
        bool hit = calls_until_failure == 0;
        calls_until_failure = 0;
        assert_true(rc == RC_OK || (hit && rc == RC_IO));
        char bytes[32];
        struct buf out = BUF(bytes);
        assert_int_equal(hal_tokenstore_get(&store, SPAN("a"), &out), RC_OK);
        bool old = span_equal(buf_span(&out), SPAN("the old value"));
        assert_true(rc != RC_OK || !hit ? old || span_equal(buf_span(&out), SPAN("the new value"))
                                        : !old);
        hal_tokenstore_close(&store); // nothing that was left behind hinders the next start
        assert_int_equal(hal_tokenstore_open(&store, state_dir), RC_OK);
    }
    assert_true(n > 4 && n < SWEEP_MAX);
    check_value("a", "the new value");
}

static void a_failing_device_is_told_by_get_and_delete(void **unused)
{
    (void)unused;
    char bytes[32];
    struct buf out = BUF(bytes);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), SPAN("value")), RC_OK);
    for (int n = 1; n <= 2; n++) {
        calls_until_failure = n;
        assert_int_equal(hal_tokenstore_get(&store, SPAN("a"), &out), RC_IO);
        assert_int_equal(out.len, 0);
    }
    for (int n = 1; n <= 2; n++) {
        calls_until_failure = n;
        assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_IO);
    }
}

static void a_state_directory_that_is_not_there_is_an_error(void **unused)
{
    (void)unused;
    struct tokenstore other;
    assert_int_equal(hal_tokenstore_open(&other, "/nonexistent/anteroom"), RC_IO);
    assert_int_equal(other.dir_fd, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_that_was_put_is_read_back),
        TEST(values_outlive_the_handle),
        TEST(a_value_is_appended_to_what_the_buffer_holds),
        TEST(bytes_of_any_kind_and_the_largest_value_are_kept),
        TEST(too_long_or_empty_values_change_nothing),
        TEST(a_buffer_without_room_gets_nothing),
        TEST(names_that_break_the_rule_are_refused),
        TEST(a_name_without_value_is_not_found),
        TEST(a_deleted_value_is_gone),
        TEST(a_failing_device_leaves_the_old_or_the_new_value),
        TEST(a_failing_device_is_told_by_get_and_delete),
        TEST(a_state_directory_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

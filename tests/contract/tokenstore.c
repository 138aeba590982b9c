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
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crypto.h"

#include "contract/tokenstore_hardware.h"
#include "state_dir.h"

#define SWEEP_MAX 2000

static struct state_dir state;
static struct tokenstore store;
static struct tokenstore_findings found;
static int calls_until_failure; // 0: none fails

static bool fails(void)
{
    errno = EIO;
    return calls_until_failure > 0 && --calls_until_failure == 0;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __real_pread(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *data, size_t len, off_t at);
int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags);
int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return fails() ? -1 : __real_fstat(fd, st);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    return fails() ? -1 : __real_pwrite(fd, data, len > 700 ? len - 600 : len, at);
}

ssize_t __wrap_pread(int fd, void *data, size_t len, off_t at)
{
    return fails() ? -1 : __real_pread(fd, data, len > 2000 ? len - 1000 : len, at);
}

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : __real_openat(fd, path, flags, mode);
}

int __wrap_unlinkat(int fd, const char *path, int flags)
{
    return fails() ? -1 : __real_unlinkat(fd, path, flags);
}

int __wrap_flock(int fd, int how)
{
    return how != LOCK_UN && fails() ? -1 : __real_flock(fd, how);
}

// ---- helpers ----------------------------------------------------------------

static enum rc open_store(void)
{
    enum rc rc = hal_tokenstore_attach(&store, &found);
    return rc == RC_OK ? hal_tokenstore_open(&store, state.fd, &found) : rc;
}

static int begin(void **unused)
{
    (void)unused;
    calls_until_failure = 0;
    return state_dir_make(&state) && open_store() == RC_OK ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    calls_until_failure = 0;
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
    return 0;
}

static enum rc put(const char *name, const char *value)
{
    return hal_tokenstore_put(&store, span_from_str(name), span_from_str(value));
}

/// The value lies in `bytes`, NUL-terminated, if it is RC_OK; nothing is written otherwise.
static enum rc get(const char *name, char bytes[static 64])
{
    struct buf out = buf_of(bytes, 63);
    enum rc rc = hal_tokenstore_get(&store, span_from_str(name), &out);
    assert_true(rc == RC_OK || out.len == 0);
    bytes[out.len] = '\0';
    return rc;
}

static void check_value(const char *name, const char *value)
{
    char bytes[64];
    assert_int_equal(get(name, bytes), RC_OK);
    assert_string_equal(bytes, value);
}

static void check(const char *name, enum rc expected)
{
    char bytes[64];
    assert_int_equal(get(name, bytes), expected);
}

static int file_of(const char *name, int flags)
{
    char path[64];
    snprintf(path, sizeof(path), "tokens/%s", name);
    int fd = openat(state.fd, path, flags, 0600);
    assert_true(fd >= 0);
    return fd;
}

static size_t load(const char *name, char *bytes, size_t cap)
{
    int fd = file_of(name, O_RDONLY);
    ssize_t len = read(fd, bytes, cap);
    close(fd);
    assert_true(len > 0 && (size_t)len < cap);
    return (size_t)len;
}

static void save(const char *name, const char *bytes, size_t len)
{
    int fd = file_of(name, O_WRONLY | O_CREAT | O_TRUNC);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

// ---- values -----------------------------------------------------------------

static void a_value_that_was_put_is_read_back(void **unused)
{
    (void)unused;
    assert_int_equal(put("client-secret", "swordfish"), RC_OK);
    check_value("client-secret", "swordfish");
    assert_int_equal(put("client-secret", "x"), RC_OK);
    check_value("client-secret", "x");
}

static void values_outlive_the_handle_where_the_backend_says_so(void **unused)
{
    (void)unused;
    assert_int_equal(put("a", "first"), RC_OK);
    assert_int_equal(put("b", "second"), RC_OK);
    hal_tokenstore_close(&store);
    hal_tokenstore_close(&store); // closing twice is fine
    assert_int_equal(open_store(), RC_OK);
    assert_false(found.rolled_back || found.downgraded);
    if (hardware_keeps) {
        check_value("a", "first");
        check_value("b", "second");
    } else {
        check("a", RC_NOTFOUND);
    }
}

static void a_value_is_appended_to_what_the_buffer_holds(void **unused)
{
    (void)unused;
    char bytes[32];
    struct buf out = BUF(bytes);
    buf_put_str(&out, "Bearer ");
    assert_int_equal(put("t", "abc"), RC_OK);
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
    assert_int_equal(put("a", "old"), RC_OK);
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), (struct span){big, sizeof(big)}),
                     RC_TOOBIG);
    assert_int_equal(put("a", ""), RC_TOOBIG);
    check_value("a", "old");
}

static void a_buffer_without_room_gets_nothing(void **unused)
{
    (void)unused;
    char bytes[3];
    struct buf out = BUF(bytes);
    assert_int_equal(put("a", "four"), RC_OK);
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
                                      ".manifest",
                                      ".signing-key",
                                      "a.b",
                                      "a b",
                                      "a_b",
                                      "a\n",
                                      "ab\xc3\xa4",
                                      "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(put(bad[i], "v"), RC_PARSE);
        check(bad[i], RC_NOTFOUND);
        assert_int_equal(hal_tokenstore_delete(&store, span_from_str(bad[i])), RC_NOTFOUND);
    }
    assert_int_equal(hal_tokenstore_put(&store, (struct span){"a\0b", 3}, SPAN("v")), RC_PARSE);
    assert_int_equal(put("abcdefghijklmnopqrstuvwxyz-01234", "v"), RC_OK);
}

static void a_name_without_value_is_not_found(void **unused)
{
    (void)unused;
    check("nothing", RC_NOTFOUND);
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("nothing")), RC_NOTFOUND);
}

static void a_deleted_value_is_gone_and_may_come_again(void **unused)
{
    (void)unused;
    assert_int_equal(put("a", "v"), RC_OK);
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_OK);
    check("a", RC_NOTFOUND);
    assert_int_equal(put("a", "w"), RC_OK);
    check_value("a", "w");
}

static void a_full_store_takes_no_further_name_and_keeps_the_old(void **unused)
{
    (void)unused;
    char name[8];
    for (unsigned i = 0; i < TOKENSTORE_RECORDS_MAX; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(put(name, name), RC_OK);
    }
    assert_int_equal(put("one-more", "x"), RC_FULL);
    check("one-more", RC_NOTFOUND);
    assert_int_equal(put("n7", "new"), RC_OK);
    check_value("n7", "new");
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("n0")), RC_OK);
    assert_int_equal(put("one-more", "x"), RC_OK);
    check_value("n31", "n31");
}

// ---- what happens to the files ----------------------------------------------

static void a_restored_older_record_is_stale_and_a_deleted_one_too(void **unused)
{
    (void)unused;
    static char old[16384], deleted[16384];
    assert_int_equal(put("a", "old"), RC_OK);
    size_t len = load("a", old, sizeof(old));
    assert_int_equal(put("a", "new"), RC_OK);
    save("a", old, len);
    check("a", RC_STALE);
    assert_int_equal(put("a", "newest"), RC_OK);
    check_value("a", "newest");
    len = load("a", deleted, sizeof(deleted));
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_OK);
    save("a", deleted, len);
    check("a", RC_STALE);
    assert_int_equal(put("a", "again"), RC_OK);
    save("a", deleted, len);
    check("a", RC_STALE);
}

static void a_record_under_another_name_does_not_open(void **unused)
{
    (void)unused;
    static char bytes[16384];
    assert_int_equal(put("a", "first"), RC_OK);
    assert_int_equal(put("b", "second"), RC_OK);
    save("b", bytes, load("a", bytes, sizeof(bytes)));
    check("b", RC_CORRUPT);
    check_value("a", "first");
}

static void damage_to_one_slot_costs_nothing_and_to_both_is_told(void **unused)
{
    (void)unused;
    static char good[16384], bad[16384];
    assert_int_equal(put("a", "old"), RC_OK);
    assert_int_equal(put("a", "new"), RC_OK);
    size_t len = load("a", good, sizeof(good));
    for (size_t slot = 0; slot < 2; slot++) {
        memcpy(bad, good, len);
        bad[slot * len / 2u + 40u] ^= 1;
        save("a", bad, len);
        check_value("a", "new");
    }
    bad[40] ^= 1;
    save("a", bad, len);
    check("a", RC_CORRUPT);
    assert_int_equal(put("a", "put again"), RC_OK);
    check_value("a", "put again");
}

static void a_file_that_others_can_read_is_refused_and_not_repaired(void **unused)
{
    (void)unused;
    struct stat st;
    assert_int_equal(put("a", "v"), RC_OK);
    assert_int_equal(fchmodat(state.fd, "tokens/a", 0640, 0), 0);
    check("a", RC_DENIED);
    hal_tokenstore_close(&store);
    assert_int_equal(open_store(), RC_DENIED);
    assert_int_equal(store.dir_fd, -1);
    assert_int_equal(fstatat(state.fd, "tokens/a", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_damaged_manifest_is_told_and_nothing_is_begun_anew(void **unused)
{
    (void)unused;
    static char bytes[16384];
    assert_int_equal(put("a", "v"), RC_OK);
    size_t len = load(".manifest", bytes, sizeof(bytes));
    bytes[30] ^= 1;
    bytes[len / 2u + 30u] ^= 1;
    save(".manifest", bytes, len);
    check("a", RC_CORRUPT);
    assert_int_equal(put("a", "w"), RC_CORRUPT);
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_CORRUPT);
    hal_tokenstore_close(&store);
    assert_int_equal(open_store(), RC_CORRUPT);
    assert_int_equal(unlinkat(state.fd, "tokens/.manifest", 0), 0);
    hal_tokenstore_close(&store);
    assert_int_equal(open_store(), RC_CORRUPT); // there are values, so there was a manifest
}

static void a_store_of_a_better_class_is_a_downgrade_and_refused(void **unused)
{
    (void)unused;
    static char bytes[16384];
    if (hal_tokenstore_class(&store) == TOKENSTORE_CLASS_TPM) {
        skip(); // nothing is better
    }
    size_t len = load(".manifest", bytes, sizeof(bytes));
    struct buf manifest = buf_of(bytes, sizeof(bytes));
    for (size_t at = 0; at < len; at += len / 2u) { // the class stands behind 'M' and the version
        bytes[at + 18u] = TOKENSTORE_CLASS_TPM;
        size_t body =
            16u + ((size_t)(unsigned char)bytes[at + 14u] << 8) + (unsigned char)bytes[at + 15u];
        manifest.len = at + body;
        buf_put_be32(&manifest, crc32c(0, (struct span){.ptr = bytes + at, .len = body}));
    }
    save(".manifest", bytes, len);
    hal_tokenstore_close(&store);
    assert_int_equal(open_store(), RC_CORRUPT);
    assert_true(found.downgraded);
}

static void somebody_who_changes_it_at_this_moment_is_waited_for(void **unused)
{
    (void)unused;
    static char bytes[16384];
    assert_int_equal(put("a", "v"), RC_OK);
    size_t len = load("a", bytes, sizeof(bytes));
    memset(bytes, 0, len);
    save("a", bytes, len); // as it may look between two looks
    int other = openat(state.fd, "tokens", O_RDONLY | O_DIRECTORY);
    assert_int_equal(__real_flock(other, LOCK_EX), 0);
    check("a", RC_RETRY);
    close(other);
    check("a", RC_CORRUPT);
}

// ---- failing devices --------------------------------------------------------

static void a_failing_device_leaves_the_old_or_the_new_value(void **unused)
{
    (void)unused;
    int n = 1;
    char bytes[64];
    for (enum rc rc = RC_IO; n < SWEEP_MAX && rc != RC_OK; n++) {
        assert_int_equal(put("a", "the old value"), RC_OK);
        calls_until_failure = n;
        rc = put("a", "the new value");
        bool hit = calls_until_failure == 0;
        calls_until_failure = 0;
        assert_int_equal(rc, hit ? RC_IO : RC_OK);
        assert_int_equal(get("a", bytes), RC_OK);
        assert_true(strcmp(bytes, "the new value") == 0 ||
                    (hit && strcmp(bytes, "the old value") == 0));
        assert_int_equal(put("b", "another"), RC_OK); // nothing that was left behind hinders
        char again[64];
        assert_int_equal(get("a", again), RC_OK);
        assert_string_equal(again, bytes);
    }
    assert_true(n > 20 && n < SWEEP_MAX);
}

static void a_failing_device_leaves_a_first_value_whole_or_out(void **unused)
{
    (void)unused;
    int n = 1;
    char bytes[64];
    for (enum rc rc = RC_IO; n < SWEEP_MAX && rc != RC_OK; n++) {
        calls_until_failure = n;
        rc = put("a", "value");
        calls_until_failure = 0;
        enum rc got = get("a", bytes);
        assert_true(got == RC_OK ? strcmp(bytes, "value") == 0 : got == RC_NOTFOUND && rc != RC_OK);
        enum rc gone = hal_tokenstore_delete(&store, SPAN("a"));
        assert_true(gone == RC_OK || gone == RC_NOTFOUND);
        check("a", RC_NOTFOUND);
    }
    assert_true(n > 20 && n < SWEEP_MAX);
}

static void a_failing_device_leaves_a_value_after_half_a_delete_whole_or_out(void **unused)
{
    (void)unused;
    int n = 1;
    char bytes[64];
    for (enum rc rc = RC_IO; n < SWEEP_MAX && rc != RC_OK; n++) {
        assert_int_equal(put("a", "the old value"), RC_OK);
        assert_int_equal(unlinkat(state.fd, "tokens/a", 0), 0); // and there the power went
        check("a", RC_NOTFOUND);
        calls_until_failure = n;
        rc = put("a", "value");
        calls_until_failure = 0;
        enum rc got = get("a", bytes);
        assert_true(got == RC_OK ? strcmp(bytes, "value") == 0 : got == RC_NOTFOUND && rc != RC_OK);
    }
    assert_true(n > 20 && n < SWEEP_MAX);
}

static void a_failing_device_is_told_by_get_and_delete(void **unused)
{
    (void)unused;
    int n = 1;
    assert_int_equal(put("a", "value"), RC_OK);
    for (enum rc rc = RC_IO; n < SWEEP_MAX && rc != RC_OK; n++) {
        char bytes[64];
        calls_until_failure = n;
        rc = get("a", bytes);
        assert_int_equal(rc, calls_until_failure == 0 ? RC_IO : RC_OK);
    }
    assert_true(n > 4);
    int failures = 0;
    for (n = 1; n < SWEEP_MAX; n++) {
        calls_until_failure = 0;
        assert_int_equal(put("a", "value"), RC_OK);
        calls_until_failure = n;
        enum rc rc = hal_tokenstore_delete(&store, SPAN("a"));
        if (calls_until_failure > 0) {
            assert_int_equal(rc, RC_OK);
            break;
        }
        assert_int_equal(rc, RC_IO);
        failures++;
    }
    assert_true(failures > 10);
}

static void a_failing_device_is_told_by_open(void **unused)
{
    (void)unused;
    int n = 1;
    hal_tokenstore_close(&store);
    for (enum rc rc = RC_IO; n < SWEEP_MAX && rc != RC_OK; n++) {
        calls_until_failure = n;
        rc = open_store();
        bool hit = calls_until_failure == 0;
        calls_until_failure = 0;
        assert_true(hit ? rc != RC_OK : rc == RC_OK);
        hal_tokenstore_close(&store);
    }
    assert_true(n > 8);
}

static void a_state_directory_that_is_not_there_is_an_error(void **unused)
{
    (void)unused;
    struct tokenstore other;
    assert_int_equal(hal_tokenstore_attach(&other, &found), RC_OK);
    assert_int_equal(hal_tokenstore_open(&other, -1, &found), RC_IO);
    assert_int_equal(other.dir_fd, -1);
    hal_tokenstore_close(&other);
}

static void what_went_wrong_is_said_with_what_can_be_done(void **unused)
{
    (void)unused;
    for (int rc = RC_OK; rc < RC_COUNT; rc++) {
        for (int i = 0; i < 3; i++) {
            struct tokenstore_findings f = {.downgraded = i == 1};
            snprintf(f.missing, sizeof(f.missing), "%s", i == 2 ? "TPM" : "");
            struct tokenstore_words words = hal_tokenstore_words((enum rc)rc, &f);
            assert_true(strlen(words.what) > 2 && strlen(words.advice) > 10);
        }
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_value_that_was_put_is_read_back),
        TEST(values_outlive_the_handle_where_the_backend_says_so),
        TEST(a_value_is_appended_to_what_the_buffer_holds),
        TEST(bytes_of_any_kind_and_the_largest_value_are_kept),
        TEST(too_long_or_empty_values_change_nothing),
        TEST(a_buffer_without_room_gets_nothing),
        TEST(names_that_break_the_rule_are_refused),
        TEST(a_name_without_value_is_not_found),
        TEST(a_deleted_value_is_gone_and_may_come_again),
        TEST(a_full_store_takes_no_further_name_and_keeps_the_old),
        TEST(a_restored_older_record_is_stale_and_a_deleted_one_too),
        TEST(a_record_under_another_name_does_not_open),
        TEST(damage_to_one_slot_costs_nothing_and_to_both_is_told),
        TEST(a_file_that_others_can_read_is_refused_and_not_repaired),
        TEST(a_damaged_manifest_is_told_and_nothing_is_begun_anew),
        TEST(a_store_of_a_better_class_is_a_downgrade_and_refused),
        TEST(somebody_who_changes_it_at_this_moment_is_waited_for),
        TEST(a_failing_device_leaves_the_old_or_the_new_value),
        TEST(a_failing_device_leaves_a_first_value_whole_or_out),
        TEST(a_failing_device_leaves_a_value_after_half_a_delete_whole_or_out),
        TEST(a_failing_device_is_told_by_get_and_delete),
        TEST(a_failing_device_is_told_by_open),
        TEST(a_state_directory_that_is_not_there_is_an_error),
        TEST(what_went_wrong_is_said_with_what_can_be_done),
    };
    if (crypto_init() != RC_OK || !hardware_start()) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hardware_stop();
    return failed;
}

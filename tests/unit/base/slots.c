// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Records of two slots: what a reader sees after torn writes, failing devices and strange files.
 * Faults are made by failing the Nth call of the C library (see the LINK line).
 */
#include "base/slots.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       0x54455354u
#define PAYLOAD_MAX 600u
#define SLOT_BYTES  1024u // 600 + 20, in whole sectors
#define SWEEP_MAX   64

static struct slots slots = {.name = "record", .magic = MAGIC, .payload_max = PAYLOAD_MAX};
static char directory[512];
static int calls_until_failure; // 0: none fails
static int failure_errno;

static bool fails(void)
{
    errno = failure_errno;
    return calls_until_failure > 0 && --calls_until_failure == 0;
}

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
ssize_t __real_pread(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *data, size_t len, off_t at);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : __real_openat(fd, path, flags, mode);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return fails() ? -1 : __real_fstat(fd, st);
}

ssize_t __wrap_pread(int fd, void *data, size_t len, off_t at)
{
    return fails() ? -1 : __real_pread(fd, data, len > 7 ? len / 2 : len, at);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    return fails() ? -1 : __real_pwrite(fd, data, len > 7 ? len / 2 : len, at);
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

// ---- helpers ----------------------------------------------------------------

static int make_directory(void **unused)
{
    (void)unused;
    const char *tmp = getenv("ANTEROOM_TMP");
    calls_until_failure = 0;
    failure_errno = EIO;
    snprintf(directory, sizeof(directory), "%s/slots.XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    slots.dir_fd = open(directory, O_RDONLY | O_DIRECTORY);
    return slots.dir_fd >= 0 ? 0 : -1;
}

static int remove_directory(void **unused)
{
    (void)unused;
    calls_until_failure = 0;
    unlinkat(slots.dir_fd, slots.name, 0);
    unlinkat(slots.dir_fd, slots.name, AT_REMOVEDIR);
    close(slots.dir_fd);
    return rmdir(directory);
}

static void check_is(struct span expected, uint64_t expected_sequence)
{
    char bytes[PAYLOAD_MAX];
    struct buf out = BUF(bytes);
    uint64_t sequence = 0;
    assert_int_equal(slots_read(&slots, &out, &sequence), RC_OK);
    assert_true(span_equal(buf_span(&out), expected));
    assert_int_equal(sequence, expected_sequence);
}

static enum rc read_now(void)
{
    char bytes[PAYLOAD_MAX];
    struct buf out = BUF(bytes);
    enum rc rc = slots_read(&slots, &out, NULL);
    assert_true(rc == RC_OK || out.len == 0);
    return rc;
}

static void write_now(struct span payload)
{
    assert_int_equal(slots_write(&slots, payload), RC_OK);
}

/// Load or store the file as it lies on the disk.
static void file_bytes(char *bytes, size_t len, bool store)
{
    int fd = openat(slots.dir_fd, slots.name, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(store ? __real_pwrite(fd, bytes, len, 0) : __real_pread(fd, bytes, len, 0),
                     (ssize_t)len);
    close(fd);
}

// ---- tests ------------------------------------------------------------------

static void what_was_written_last_is_read(void **unused)
{
    (void)unused;
    assert_int_equal(read_now(), RC_NOTFOUND);
    write_now(SPAN("first"));
    check_is(SPAN("first"), 1);
    write_now(SPAN("second, longer"));
    check_is(SPAN("second, longer"), 2);
    write_now(SPAN_NONE);
    check_is(SPAN_NONE, 3);
}

static void the_payload_is_appended_and_needs_room(void **unused)
{
    (void)unused;
    char bytes[8] = "ab";
    struct buf out = {.ptr = bytes, .len = 2, .cap = 6};
    write_now(SPAN("cdef"));
    assert_int_equal(slots_read(&slots, &out, NULL), RC_OK);
    assert_true(span_equal(buf_span(&out), SPAN("abcdef")));
    out.len = 3;
    assert_int_equal(slots_read(&slots, &out, NULL), RC_TOOBIG);
    assert_int_equal(out.len, 3);
}

static void the_longest_payload_fits_and_one_byte_more_does_not(void **unused)
{
    (void)unused;
    static char big[PAYLOAD_MAX + 1u];
    memset(big, 'x', sizeof(big));
    write_now((struct span){.ptr = big, .len = PAYLOAD_MAX});
    check_is((struct span){.ptr = big, .len = PAYLOAD_MAX}, 1);
    assert_int_equal(slots_write(&slots, (struct span){.ptr = big, .len = sizeof(big)}), RC_TOOBIG);
    check_is((struct span){.ptr = big, .len = PAYLOAD_MAX}, 1);
}

static void the_file_is_ours_alone_and_keeps_its_size(void **unused)
{
    (void)unused;
    struct stat st;
    for (int i = 0; i < 3; i++) {
        write_now(SPAN("x"));
        assert_int_equal(fstatat(slots.dir_fd, slots.name, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(st.st_size, 2 * SLOT_BYTES);
    }
}

static void a_torn_write_leaves_the_older_value_whatever_was_torn(void **unused)
{
    (void)unused;
    char before[2 * SLOT_BYTES], after[2 * SLOT_BYTES], torn[2 * SLOT_BYTES];
    write_now(SPAN("one"));
    write_now(SPAN("two"));
    file_bytes(before, sizeof(before), false);
    write_now(SPAN("three"));
    file_bytes(after, sizeof(after), false);
    for (unsigned mask = 0; mask < 16; mask++) { // any subset of the four sectors
        for (unsigned sector = 0; sector < 4; sector++) {
            size_t at = sector * SLOTS_SECTOR_BYTES;
            memcpy(torn + at, (mask >> sector & 1u ? after : before) + at, SLOTS_SECTOR_BYTES);
        }
        file_bytes(torn, sizeof(torn), true);
        bool whole = mask & 1u; // all that differs is in the slot's first sector
        check_is(whole ? SPAN("three") : SPAN("two"), whole ? 3 : 2);
    }
}

static void every_flipped_bit_costs_that_slot_only(void **unused)
{
    (void)unused;
    char good[2 * SLOT_BYTES], bad[2 * SLOT_BYTES];
    write_now(SPAN("one"));
    write_now(SPAN("two"));
    file_bytes(good, sizeof(good), false);
    for (size_t bit = 0; bit < (SLOTS_FRAME_BYTES + 3u) * 8u; bit++) {
        memcpy(bad, good, sizeof(bad));
        bad[SLOT_BYTES + bit / 8u] ^= (char)(1u << bit % 8u);
        file_bytes(bad, sizeof(bad), true);
        check_is(SPAN("one"), 1);
        bad[bit / 8u] ^= (char)(1u << bit % 8u);
        file_bytes(bad, sizeof(bad), true);
        assert_int_equal(read_now(), RC_CORRUPT);
    }
}

static void a_file_without_a_valid_slot_is_told_and_begun_anew(void **unused)
{
    (void)unused;
    write_now(SPAN("one"));
    int fd = openat(slots.dir_fd, slots.name, O_WRONLY);
    assert_true(fd >= 0);
    for (off_t len = 2 * SLOT_BYTES - 1; len >= 0; len = len < SLOT_BYTES ? len / 2 : len - 100) {
        assert_int_equal(ftruncate(fd, len), 0);
        assert_int_equal(read_now(), len >= (off_t)SLOTS_FRAME_BYTES + 3 ? RC_OK : RC_CORRUPT);
        if (len == 0) {
            break;
        }
    }
    close(fd);
    write_now(SPAN("anew"));
    check_is(SPAN("anew"), 1);
}

static void a_record_of_another_kind_is_not_taken(void **unused)
{
    (void)unused;
    write_now(SPAN("one"));
    slots.magic++;
    assert_int_equal(read_now(), RC_CORRUPT);
    slots.magic--;
    check_is(SPAN("one"), 1);
}

static void what_is_not_our_own_file_is_refused(void **unused)
{
    (void)unused;
    write_now(SPAN("one"));
    assert_int_equal(fchmodat(slots.dir_fd, slots.name, 0640, 0), 0);
    assert_int_equal(read_now(), RC_DENIED);
    assert_int_equal(slots_write(&slots, SPAN("two")), RC_DENIED);
    unlinkat(slots.dir_fd, slots.name, 0);
    assert_int_equal(symlinkat("elsewhere", slots.dir_fd, slots.name), 0);
    assert_int_equal(read_now(), RC_DENIED);
    assert_int_equal(slots_write(&slots, SPAN("two")), RC_DENIED);
    unlinkat(slots.dir_fd, slots.name, 0);
    assert_int_equal(mkdirat(slots.dir_fd, slots.name, 0700), 0);
    assert_int_equal(read_now(), RC_DENIED);
    assert_int_equal(slots_write(&slots, SPAN("two")), RC_DENIED);
}

static void a_failing_device_leaves_the_old_value_and_is_told(void **unused)
{
    (void)unused;
    int n = 1;
    for (enum rc rc = RC_IO; n < SWEEP_MAX && rc != RC_OK; n++) {
        write_now(SPAN("the old value"));
        calls_until_failure = n;
        rc = slots_write(&slots, SPAN("the new value"));
        bool hit = calls_until_failure == 0;
        calls_until_failure = 0;
        assert_int_equal(rc, hit ? RC_IO : RC_OK);
        char bytes[PAYLOAD_MAX];
        struct buf out = BUF(bytes);
        assert_int_equal(slots_read(&slots, &out, NULL), RC_OK);
        assert_true(
            span_equal(buf_span(&out), hit ? SPAN("the old value") : SPAN("the new value")));
    }
    assert_true(n > 8 && n < SWEEP_MAX);
    for (n = 1; n <= 4; n++) {
        calls_until_failure = n;
        assert_int_equal(read_now(), RC_IO);
    }
}

static void a_full_disk_is_told_and_the_old_value_stands(void **unused)
{
    (void)unused;
    int full = 0;
    failure_errno = ENOSPC;
    write_now(SPAN("old"));
    for (int n = 1; n < SWEEP_MAX; n++) {
        calls_until_failure = n;
        enum rc rc = slots_write(&slots, SPAN("new"));
        full += rc == RC_FULL;
        if (rc == RC_OK) {
            break;
        }
        calls_until_failure = 0;
        check_is(SPAN("old"), 1);
    }
    assert_true(full > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_last_is_read),
        TEST(the_payload_is_appended_and_needs_room),
        TEST(the_longest_payload_fits_and_one_byte_more_does_not),
        TEST(the_file_is_ours_alone_and_keeps_its_size),
        TEST(a_torn_write_leaves_the_older_value_whatever_was_torn),
        TEST(every_flipped_bit_costs_that_slot_only),
        TEST(a_file_without_a_valid_slot_is_told_and_begun_anew),
        TEST(a_record_of_another_kind_is_not_taken),
        TEST(what_is_not_our_own_file_is_refused),
        TEST(a_failing_device_leaves_the_old_value_and_is_told),
        TEST(a_full_disk_is_told_and_the_old_value_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/clock.h promises, for every backend. The kernel's clocks are the test's: it says what
 * clock_gettime answers. A reboot is hal_clock_open.
 */
#include "hal/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/slots.h"

#define BUILD_MS ((int64_t)CONFIG_BUILD_EPOCH * 1000)
#define DAY_MS   INT64_C(86400000)
#define YEAR_MS  (365 * DAY_MS)
#define MS_2038  INT64_C(2147483648000) // one second after 32 signed bits
#define MS_2099  INT64_C(4070908800000)
#define MS_2106  INT64_C(4294967296000) // one second after 32 unsigned bits

static struct {
    int64_t wall_ms, boot_ms, monotonic_ms;
} kernel;

static int state_fd;
static bool reads_fail, writes_fail;
static int write_errno;

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __real_pread(int fd, void *data, size_t len, off_t at);
ssize_t __wrap_pread(int fd, void *data, size_t len, off_t at);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    int64_t ms = kernel.wall_ms;
    assert_true(id == CLOCK_BOOTTIME || id == CLOCK_REALTIME || id == CLOCK_MONOTONIC);
    ms = id == CLOCK_BOOTTIME ? kernel.boot_ms : ms;
    ms = id == CLOCK_MONOTONIC ? kernel.monotonic_ms : ms;
    *ts = (struct timespec){.tv_sec = (time_t)(ms / 1000),
                            .tv_nsec = (long)(ms % 1000) * 1000000L + 999999L};
    return 0;
}

ssize_t __wrap_pread(int fd, void *data, size_t len, off_t at)
{
    if (reads_fail) {
        errno = EIO;
        return -1;
    }
    return __real_pread(fd, data, len, at);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (writes_fail) {
        errno = write_errno;
        return -1;
    }
    return __real_pwrite(fd, data, len, at);
}

static int begin(void **unused)
{
    (void)unused;
    char path[512];
    snprintf(path, sizeof(path), "%s/clock-XXXXXX", getenv("ANTEROOM_TMP"));
    state_fd = mkdtemp(path) != NULL ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    kernel.wall_ms = BUILD_MS + DAY_MS;
    kernel.boot_ms = 5000;
    kernel.monotonic_ms = 5000;
    reads_fail = writes_fail = false;
    write_errno = EIO;
    return state_fd >= 0 && hal_clock_open(state_fd) == RC_OK ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    (void)unlinkat(state_fd, "clock-floor", 0);
    (void)unlinkat(state_fd, "sandbox/clock", 0);
    (void)unlinkat(state_fd, "sandbox", AT_REMOVEDIR);
    close(state_fd);
    return 0;
}

static void wall_is(int64_t ms, enum clock_quality quality)
{
    struct wall w = hal_clock_wall();
    assert_int_equal(w.ms, ms);
    assert_int_equal(w.quality, quality);
}

static void pass(int64_t ms)
{
    kernel.boot_ms += ms;
    kernel.monotonic_ms += ms;
    kernel.wall_ms += ms;
}

static void write_record(struct span payload)
{
    struct slots s = {
        .dir_fd = state_fd, .name = "clock-floor", .magic = 0x41434631, .payload_max = 8};
    assert_int_equal(slots_write(&s, payload), RC_OK);
}

static void mono_counts_milliseconds_since_boot(void **unused)
{
    (void)unused;
    kernel.boot_ms = 12345;
    assert_int_equal(hal_clock_mono().ms, 12345);
    kernel.boot_ms = MS_2106;
    assert_int_equal(hal_clock_mono().ms, MS_2106);
}

static void a_plausible_clock_of_the_kernel_is_shown_and_not_trusted(void **unused)
{
    (void)unused;
    wall_is(BUILD_MS + DAY_MS, CLOCK_FLOOR);
    kernel.wall_ms = BUILD_MS;
    wall_is(BUILD_MS, CLOCK_FLOOR);
    kernel.wall_ms = BUILD_MS + CLOCK_AHEAD_MS_MAX;
    wall_is(BUILD_MS + CLOCK_AHEAD_MS_MAX, CLOCK_FLOOR);
}

static void for_a_clock_in_1970_the_floor_is_shown(void **unused)
{
    (void)unused;
    kernel.wall_ms = 0;
    wall_is(BUILD_MS, CLOCK_UNKNOWN);
    kernel.wall_ms = BUILD_MS - 1;
    wall_is(BUILD_MS, CLOCK_UNKNOWN);
}

static void for_a_clock_in_2099_the_floor_is_shown(void **unused)
{
    (void)unused;
    kernel.wall_ms = MS_2099;
    wall_is(BUILD_MS, CLOCK_UNKNOWN);
    kernel.wall_ms = BUILD_MS + CLOCK_AHEAD_MS_MAX + 1;
    wall_is(BUILD_MS, CLOCK_UNKNOWN);
}

static void proven_time_goes_on_with_the_time_since_boot(void **unused)
{
    (void)unused;
    hal_clock_set(hal_clock_mono(), BUILD_MS + 9 * DAY_MS);
    wall_is(BUILD_MS + 9 * DAY_MS, CLOCK_TRUSTED);
    pass(1234);
    wall_is(BUILD_MS + 9 * DAY_MS + 1234, CLOCK_TRUSTED);
}

static void proven_time_may_be_of_a_moment_that_has_passed(void **unused)
{
    (void)unused;
    struct mono at = hal_clock_mono();
    pass(300);
    hal_clock_set(at, BUILD_MS + DAY_MS);
    wall_is(BUILD_MS + DAY_MS + 300, CLOCK_TRUSTED);
}

static void steps_of_the_kernels_clock_do_not_matter_to_proven_time(void **unused)
{
    (void)unused;
    static const int64_t steps[] = {YEAR_MS, -YEAR_MS, -50 * YEAR_MS, 80 * YEAR_MS};
    hal_clock_set(hal_clock_mono(), BUILD_MS + 9 * DAY_MS);
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        kernel.wall_ms = BUILD_MS + steps[i];
        wall_is(BUILD_MS + 9 * DAY_MS, CLOCK_TRUSTED);
    }
}

static void a_machine_that_slept_is_told_the_time_that_it_is(void **unused)
{
    (void)unused;
    hal_clock_set(hal_clock_mono(), BUILD_MS + 9 * DAY_MS);
    kernel.boot_ms += 3600000; // CLOCK_MONOTONIC stands still meanwhile
    wall_is(BUILD_MS + 9 * DAY_MS + 3600000, CLOCK_TRUSTED);
    assert_int_equal(hal_clock_kernel().asleep_ms, 3600000);
}

static void the_kernels_word_is_told_whatever_it_is(void **unused)
{
    (void)unused;
    kernel.wall_ms = MS_2099;
    assert_int_equal(hal_clock_kernel().wall_ms, MS_2099);
    kernel.wall_ms = 1000;
    assert_int_equal(hal_clock_kernel().wall_ms, 1000);
    assert_int_equal(hal_clock_kernel().asleep_ms, 0);
}

static void the_years_2038_and_2106_pass_like_any_other(void **unused)
{
    (void)unused;
    static const int64_t limits[] = {MS_2038, MS_2106};
    for (unsigned i = 0; i < 2; i++) {
        hal_clock_set(hal_clock_mono(), limits[i] - 1000);
        pass(999);
        wall_is(limits[i] - 1, CLOCK_TRUSTED);
        pass(1);
        wall_is(limits[i], CLOCK_TRUSTED);
        pass(DAY_MS);
        wall_is(limits[i] + DAY_MS, CLOCK_TRUSTED);
    }
}

static void the_floor_follows_proven_time_at_a_distance(void **unused)
{
    (void)unused;
    assert_int_equal(hal_clock_floor(), BUILD_MS);
    hal_clock_set(hal_clock_mono(), BUILD_MS + 9 * DAY_MS);
    assert_int_equal(hal_clock_floor(), BUILD_MS + 9 * DAY_MS - CLOCK_FLOOR_LAG_MS);
    hal_clock_set(hal_clock_mono(), BUILD_MS + 9 * DAY_MS - CLOCK_FLOOR_LAG_MS);
    assert_int_equal(hal_clock_floor(), BUILD_MS + 9 * DAY_MS - CLOCK_FLOOR_LAG_MS);
}

static void a_proven_date_raises_the_floor_and_never_lowers_it(void **unused)
{
    (void)unused;
    hal_clock_raise_floor(BUILD_MS + 2 * DAY_MS);
    assert_int_equal(hal_clock_floor(), BUILD_MS + 2 * DAY_MS);
    hal_clock_raise_floor(BUILD_MS + DAY_MS);
    hal_clock_raise_floor(0);
    hal_clock_raise_floor(INT64_MIN);
    assert_int_equal(hal_clock_floor(), BUILD_MS + 2 * DAY_MS);
    wall_is(BUILD_MS + 2 * DAY_MS, CLOCK_UNKNOWN); // the kernel shows a day less
}

static void a_date_too_far_ahead_does_not_raise_the_floor(void **unused)
{
    (void)unused;
    hal_clock_raise_floor(BUILD_MS + CLOCK_AHEAD_MS_MAX + 1);
    hal_clock_raise_floor(INT64_MAX);
    assert_int_equal(hal_clock_floor(), BUILD_MS);
    hal_clock_raise_floor(BUILD_MS + CLOCK_AHEAD_MS_MAX);
    assert_int_equal(hal_clock_floor(), BUILD_MS + CLOCK_AHEAD_MS_MAX);
}

static void proven_time_shows_no_less_than_a_floor_that_was_raised_above_it(void **unused)
{
    (void)unused;
    hal_clock_set(hal_clock_mono(), BUILD_MS + DAY_MS);
    hal_clock_raise_floor(BUILD_MS + 2 * DAY_MS);
    wall_is(BUILD_MS + 2 * DAY_MS, CLOCK_TRUSTED);
}

static void the_floor_outlives_a_restart_and_trust_does_not(void **unused)
{
    (void)unused;
    hal_clock_set(hal_clock_mono(), BUILD_MS + 9 * DAY_MS);
    pass(6 * 3600000);
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
    assert_int_equal(hal_clock_open(state_fd), RC_OK);
    int64_t floor_ms = BUILD_MS + 9 * DAY_MS + 6 * 3600000 - CLOCK_FLOOR_LAG_MS;
    assert_int_equal(hal_clock_floor(), floor_ms);
    kernel.wall_ms = 0;
    wall_is(floor_ms, CLOCK_UNKNOWN);
    kernel.wall_ms = floor_ms + 1;
    wall_is(floor_ms + 1, CLOCK_FLOOR);
}

static void a_floor_that_did_not_rise_is_not_written_again(void **unused)
{
    (void)unused;
    hal_clock_raise_floor(BUILD_MS + DAY_MS);
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
    writes_fail = true;
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
}

static void a_stored_floor_far_ahead_of_the_build_is_not_believed(void **unused)
{
    (void)unused;
    static const int64_t values[] = {
        BUILD_MS + CLOCK_AHEAD_MS_MAX + 1, MS_2099, INT64_MAX, -1, INT64_MIN};
    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char bytes[8];
        struct buf b = BUF(bytes);
        buf_put_be64(&b, (uint64_t)values[i]);
        write_record(buf_span(&b));
        assert_int_equal(hal_clock_open(state_fd), RC_CORRUPT);
        assert_int_equal(hal_clock_floor(), BUILD_MS);
    }
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK); // a good one takes its place
    assert_int_equal(hal_clock_open(state_fd), RC_OK);
}

static void a_damaged_record_is_corrupt_and_the_build_is_the_floor(void **unused)
{
    (void)unused;
    hal_clock_raise_floor(BUILD_MS + DAY_MS);
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
    int fd = openat(state_fd, "clock-floor", O_RDWR | O_CLOEXEC);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = 0; at < st.st_size; at++) {
        assert_int_equal(__real_pwrite(fd, "\x5a", 1, at), 1);
    }
    close(fd);
    assert_int_equal(hal_clock_open(state_fd), RC_CORRUPT);
    assert_int_equal(hal_clock_floor(), BUILD_MS);
    hal_clock_raise_floor(BUILD_MS + DAY_MS);
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
    assert_int_equal(hal_clock_open(state_fd), RC_OK);
    assert_int_equal(hal_clock_floor(), BUILD_MS + DAY_MS);
}

static void a_short_record_is_corrupt(void **unused)
{
    (void)unused;
    write_record(SPAN("seven b"));
    assert_int_equal(hal_clock_open(state_fd), RC_CORRUPT);
    assert_int_equal(hal_clock_floor(), BUILD_MS);
}

static void a_record_that_others_can_write_is_denied(void **unused)
{
    (void)unused;
    hal_clock_raise_floor(BUILD_MS + DAY_MS);
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
    assert_int_equal(fchmodat(state_fd, "clock-floor", 0666, 0), 0);
    assert_int_equal(hal_clock_open(state_fd), RC_DENIED);
    assert_int_equal(hal_clock_floor(), BUILD_MS);
}

static void a_device_that_fails_is_io_and_changes_nothing(void **unused)
{
    (void)unused;
    hal_clock_raise_floor(BUILD_MS + DAY_MS);
    assert_int_equal(hal_clock_store_floor(state_fd), RC_OK);
    reads_fail = true;
    assert_int_equal(hal_clock_open(state_fd), RC_IO);
    assert_int_equal(hal_clock_floor(), BUILD_MS);
    reads_fail = false;
    hal_clock_raise_floor(BUILD_MS + 2 * DAY_MS);
    writes_fail = true;
    assert_int_equal(hal_clock_store_floor(state_fd), RC_IO);
    write_errno = ENOSPC;
    assert_int_equal(hal_clock_store_floor(state_fd), RC_FULL);
    writes_fail = false;
    assert_int_equal(hal_clock_open(state_fd), RC_OK);
    assert_int_equal(hal_clock_floor(), BUILD_MS + DAY_MS);
}

static void the_sandbox_adds_what_its_file_says_at_any_moment(void **unused)
{
    (void)unused;
    static const int64_t offsets[] = {0, YEAR_MS, -YEAR_MS, 1};
    const bool sandbox = CLOCK_SANDBOX;
    assert_int_equal(mkdirat(state_fd, "sandbox", 0700), 0);
    int fd = openat(state_fd, "sandbox/clock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 8), 0);
    assert_int_equal(hal_clock_open(state_fd), RC_OK);
    for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        char bytes[8];
        struct buf b = BUF(bytes);
        buf_put_be64(&b, (uint64_t)offsets[i]);
        assert_int_equal(__real_pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
        assert_int_equal(hal_clock_kernel().wall_ms,
                         BUILD_MS + DAY_MS + (sandbox ? offsets[i] : 0));
        assert_int_equal(hal_clock_mono().ms, 5000);
    }
    close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(mono_counts_milliseconds_since_boot),
        TEST(a_plausible_clock_of_the_kernel_is_shown_and_not_trusted),
        TEST(for_a_clock_in_1970_the_floor_is_shown),
        TEST(for_a_clock_in_2099_the_floor_is_shown),
        TEST(proven_time_goes_on_with_the_time_since_boot),
        TEST(proven_time_may_be_of_a_moment_that_has_passed),
        TEST(steps_of_the_kernels_clock_do_not_matter_to_proven_time),
        TEST(a_machine_that_slept_is_told_the_time_that_it_is),
        TEST(the_kernels_word_is_told_whatever_it_is),
        TEST(the_years_2038_and_2106_pass_like_any_other),
        TEST(the_floor_follows_proven_time_at_a_distance),
        TEST(a_proven_date_raises_the_floor_and_never_lowers_it),
        TEST(a_date_too_far_ahead_does_not_raise_the_floor),
        TEST(proven_time_shows_no_less_than_a_floor_that_was_raised_above_it),
        TEST(the_floor_outlives_a_restart_and_trust_does_not),
        TEST(a_floor_that_did_not_rise_is_not_written_again),
        TEST(a_stored_floor_far_ahead_of_the_build_is_not_believed),
        TEST(a_damaged_record_is_corrupt_and_the_build_is_the_floor),
        TEST(a_short_record_is_corrupt),
        TEST(a_record_that_others_can_write_is_denied),
        TEST(a_device_that_fails_is_io_and_changes_nothing),
        TEST(the_sandbox_adds_what_its_file_says_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "hal/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <sys/timex.h>

// adjtimex and clock_gettime are the kernel's word; here the test speaks for the kernel.
static struct {
    int64_t real_s, boot_s;
    int state, status;
} kernel;

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_adjtimex(struct timex *tx);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    assert_true(id == CLOCK_BOOTTIME || id == CLOCK_REALTIME);
    *ts =
        (struct timespec){.tv_sec = (time_t)(id == CLOCK_REALTIME ? kernel.real_s : kernel.boot_s),
                          .tv_nsec = 345999999};
    return 0;
}

int __wrap_adjtimex(struct timex *tx)
{
    assert_int_equal(tx->modes, 0);
    tx->status = kernel.status;
    return kernel.state;
}

static void mono_counts_milliseconds_since_boot(void **state)
{
    (void)state;
    kernel.boot_s = 12;
    assert_int_equal(hal_clock_mono().ms, 12345);
}

static void a_clock_before_the_build_is_the_floor(void **state)
{
    (void)state;
    kernel.real_s = CONFIG_BUILD_EPOCH - 1;
    kernel.state = TIME_OK;
    kernel.status = 0;
    struct wall w = hal_clock_wall();
    assert_int_equal(w.ms, (int64_t)CONFIG_BUILD_EPOCH * 1000);
    assert_int_equal(w.quality, CLOCK_FLOOR);
}

static void a_synchronised_clock_is_trusted(void **state)
{
    (void)state;
    kernel.real_s = CONFIG_BUILD_EPOCH + 60;
    kernel.state = TIME_OK;
    kernel.status = 0;
    struct wall w = hal_clock_wall();
    assert_int_equal(w.ms, ((int64_t)CONFIG_BUILD_EPOCH + 60) * 1000 + 345);
    assert_int_equal(w.quality, CLOCK_TRUSTED);
}

static void a_free_running_clock_is_believed_only_on_the_sandbox(void **state)
{
    (void)state;
    enum clock_quality want = CONFIG_BOARD_SANDBOX ? CLOCK_TRUSTED : CLOCK_FLOOR;
    kernel.real_s = CONFIG_BUILD_EPOCH + 60;
    kernel.state = TIME_ERROR;
    kernel.status = STA_UNSYNC;
    assert_int_equal(hal_clock_wall().quality, want);
    kernel.state = -1;
    kernel.status = 0;
    assert_int_equal(hal_clock_wall().quality, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mono_counts_milliseconds_since_boot),
        cmocka_unit_test(a_clock_before_the_build_is_the_floor),
        cmocka_unit_test(a_synchronised_clock_is_trusted),
        cmocka_unit_test(a_free_running_clock_is_believed_only_on_the_sandbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

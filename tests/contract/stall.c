// SPDX-License-Identifier: Apache-2.0
// What hal/stall.h promises of the sandbox's backend.
#include "hal/stall.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "state_dir.h"

static struct state_dir state;
static bool fails;

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);

int __wrap_ftruncate(int fd, off_t len)
{
    errno = EIO;
    return fails ? -1 : __real_ftruncate(fd, len);
}

static int make(void **unused)
{
    (void)unused;
    fails = false;
    return state_dir_make(&state) ? 0 : -1;
}

static int destroy(void **unused)
{
    (void)unused;
    fails = false;
    state_dir_remove(&state);
    return 0;
}

static void freeze(unsigned machine, char value)
{
    int fd = openat(state.fd, "sandbox/freeze", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &value, 1, machine), 1);
    close(fd);
}

static void a_byte_freezes_its_machine_and_thaws_it(void **unused)
{
    (void)unused;
    struct stall s;
    assert_int_equal(hal_stall_open(&s, state.fd), RC_OK);
    assert_false(hal_stalled(&s, 3));
    freeze(3, 1);
    assert_true(hal_stalled(&s, 3));
    assert_false(hal_stalled(&s, 2));
    freeze(3, 0);
    assert_false(hal_stalled(&s, 3));
    freeze(STALL_BYTES - 1u, 'x');
    assert_true(hal_stalled(&s, STALL_BYTES - 1u));
    hal_stall_close(&s);
    hal_stall_close(&s);
    assert_false(hal_stalled(&s, 3));
}

static void what_is_frozen_stays_so_over_a_restart(void **unused)
{
    (void)unused;
    struct stall s;
    assert_int_equal(hal_stall_open(&s, state.fd), RC_OK);
    freeze(5, 1);
    hal_stall_close(&s);
    assert_int_equal(hal_stall_open(&s, state.fd), RC_OK);
    assert_true(hal_stalled(&s, 5));
    hal_stall_close(&s);
}

static void a_file_that_cannot_be_made_is_told(void **unused)
{
    (void)unused;
    struct stall s;
    fails = true;
    assert_int_equal(hal_stall_open(&s, state.fd), RC_IO);
    assert_false(hal_stalled(&s, 0));
    fails = false;
    assert_int_equal(hal_stall_open(&s, -1), RC_IO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_byte_freezes_its_machine_and_thaws_it),
        TEST(what_is_frozen_stays_so_over_a_restart),
        TEST(a_file_that_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

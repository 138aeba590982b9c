// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/entropy.h promises, for every backend. getrandom() is the kernel's word; where a test
 * needs a kernel that is not ready yet, the test speaks for it.
 */
#include "hal/entropy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    bool cold; ///< the pool was not initialised yet
    bool broken;
    unsigned interrupted; ///< calls that a signal ends
    size_t piece;         ///< most that one call gives; 0: what is asked for
} kernel;

ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);

ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
    if (kernel.broken) {
        errno = ENOSYS;
        return -1;
    }
    if (kernel.cold && (flags & GRND_NONBLOCK) != 0) {
        errno = EAGAIN;
        return -1;
    }
    if (kernel.interrupted > 0) {
        kernel.interrupted--;
        errno = EINTR;
        return -1;
    }
    return __real_getrandom(
        out, kernel.piece > 0 && len > kernel.piece ? kernel.piece : len, flags);
}

static int healthy(void **unused)
{
    (void)unused;
    memset(&kernel, 0, sizeof(kernel));
    return 0;
}

static void every_byte_is_filled_and_none_beside_them(void **unused)
{
    (void)unused;
    uint8_t seen[1000] = {0};
    for (unsigned round = 0; round < 64; round++) {
        uint8_t bytes[sizeof(seen) + 2u] = {0};
        hal_entropy_fill(bytes + 1, sizeof(seen));
        assert_int_equal(bytes[0], 0);
        assert_int_equal(bytes[sizeof(seen) + 1u], 0);
        for (size_t i = 0; i < sizeof(seen); i++) {
            seen[i] |= bytes[i + 1u];
        }
    }
    for (size_t i = 0; i < sizeof(seen); i++) {
        assert_int_not_equal(seen[i], 0); // 64 zeros in a row: 2^-512
    }
}

static void nothing_asked_is_nothing_done(void **unused)
{
    (void)unused;
    kernel.broken = true;
    hal_entropy_fill(NULL, 0);
}

static void numbers_differ(void **unused)
{
    (void)unused;
    uint64_t a = hal_entropy_u64(), b = hal_entropy_u64(), c = hal_entropy_u64();
    assert_true(a != b && b != c && a != c);
}

static void signals_and_short_answers_do_not_shorten_what_is_given(void **unused)
{
    (void)unused;
    uint8_t bytes[300] = {0}, zeros[16] = {0};
    kernel.interrupted = 3;
    kernel.piece = 7;
    hal_entropy_fill(bytes, sizeof(bytes));
    assert_memory_not_equal(bytes + sizeof(bytes) - sizeof(zeros), zeros, sizeof(zeros));
}

static void a_pool_that_is_not_initialised_is_told(void **unused)
{
    (void)unused;
    assert_true(hal_entropy_ready());
    kernel.cold = true;
    assert_false(hal_entropy_ready());
}

static void a_source_that_fails_is_the_end_of_the_process(void **unused)
{
    (void)unused;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint8_t bytes[8];
        signal(SIGABRT, SIG_DFL); // not cmocka's business
        close(STDERR_FILENO);
        kernel.broken = true;
        hal_entropy_fill(bytes, sizeof(bytes));
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_byte_is_filled_and_none_beside_them, healthy),
        cmocka_unit_test_setup(nothing_asked_is_nothing_done, healthy),
        cmocka_unit_test_setup(numbers_differ, healthy),
        cmocka_unit_test_setup(signals_and_short_answers_do_not_shorten_what_is_given, healthy),
        cmocka_unit_test_setup(a_pool_that_is_not_initialised_is_told, healthy),
        cmocka_unit_test_setup(a_source_that_fails_is_the_end_of_the_process, healthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

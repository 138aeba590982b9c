// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the sandbox backend of the entropy promises beyond the contract.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hal/entropy.h"

#include "entropy_sandbox/sandbox.h"

static void a_seed_repeats_its_sequence(void **unused)
{
    (void)unused;
    uint8_t a[40], b[40], other[40], unseeded[40];
    hal_entropy_seed(7);
    assert_true(hal_entropy_ready());
    hal_entropy_fill(a, sizeof(a));
    hal_entropy_seed(7);
    hal_entropy_fill(b, 13); // however it is cut
    hal_entropy_fill(b + 13, sizeof(b) - 13u);
    hal_entropy_seed(8);
    hal_entropy_fill(other, sizeof(other));
    hal_entropy_seed(0);
    hal_entropy_fill(unseeded, sizeof(unseeded));
    assert_memory_equal(a, b, sizeof(a));
    assert_memory_not_equal(a, other, sizeof(a));
    assert_memory_not_equal(a, unseeded, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_seed_repeats_its_sequence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

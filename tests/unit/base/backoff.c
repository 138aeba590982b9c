// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seeded.h"

// Both ends of the range of an attempt: 0 and the largest remainder are the least and the greatest
// random numbers.
static void range_is(uint32_t attempts, int64_t base_ms, int64_t cap_ms, int64_t low, int64_t high)
{
    assert_true(backoff_ms(attempts, base_ms, cap_ms, 0) == low);
    assert_true(backoff_ms(attempts, base_ms, cap_ms, (uint64_t)(high - low)) == high);
    assert_true(backoff_ms(attempts, base_ms, cap_ms, (uint64_t)(high - low) + 1) == low);
}

static void the_ceiling_doubles_up_to_the_cap(void **state)
{
    (void)state;
    range_is(1, 1000, 60000, 500, 1000);
    range_is(2, 1000, 60000, 500, 2000);
    range_is(3, 1000, 60000, 500, 4000);
    range_is(6, 1000, 60000, 500, 32000);
    range_is(7, 1000, 60000, 500, 60000);
    range_is(8, 1000, 60000, 500, 60000);
}

static void no_attempt_and_no_cap_overflows(void **state)
{
    (void)state;
    range_is(UINT32_MAX, 1000, 60000, 500, 60000);
    range_is(63, 1, INT64_MAX, 1, INT64_C(1) << 62);
    range_is(64, 1, INT64_MAX, 1, INT64_MAX);
    range_is(65, 1, INT64_MAX, 1, INT64_MAX);
    range_is(1, INT64_MAX, INT64_MAX, INT64_MAX / 2, INT64_MAX);
    range_is(2, INT64_C(1) << 62, INT64_MAX, INT64_C(1) << 61, INT64_MAX);
}

static void a_delay_is_never_zero(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (uint32_t attempts = 1; attempts < 200; attempts++) {
        assert_true(backoff_ms(attempts, 1, 1, seeded_next(&seed)) == 1);
        assert_true(backoff_ms(attempts, 1, 10, seeded_next(&seed)) >= 1);
    }
}

static void delays_are_spread_evenly(void **state)
{
    (void)state;
    unsigned buckets[10] = {0};
    uint64_t seed = 2;
    double sum = 0;
    for (unsigned i = 0; i < 100000; i++) {
        int64_t ms = backoff_ms(4, 1000, 60000, seeded_next(&seed));
        assert_in_range(ms, 500, 8000);
        buckets[(ms - 500) * 10 / 7501]++;
        sum += (double)ms;
    }
    assert_in_range((uint64_t)(sum / 100000), 4200, 4300); // expected 4250, standard error 7
    for (size_t i = 0; i < 10; i++) {
        assert_in_range(buckets[i], 9500, 10500); // expected 10000, standard deviation 95
    }
}

static void jitter_adds_up_to_a_tenth(void **state)
{
    (void)state;
    assert_true(jitter_ms(0, UINT64_MAX) == 0);
    assert_true(jitter_ms(9, UINT64_MAX) == 9);
    assert_true(jitter_ms(1000, 0) == 1000);
    assert_true(jitter_ms(1000, 100) == 1100);
    assert_true(jitter_ms(1000, 101) == 1000);
    assert_true(jitter_ms(INT64_MAX / 2, UINT64_MAX) <= INT64_MAX / 2 + INT64_MAX / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_doubles_up_to_the_cap),
        cmocka_unit_test(no_attempt_and_no_cap_overflows),
        cmocka_unit_test(a_delay_is_never_zero),
        cmocka_unit_test(delays_are_spread_evenly),
        cmocka_unit_test(jitter_adds_up_to_a_tenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "graph/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seeded.h"

#define TAKEN_MAX 40000u

static int64_t taken[TAKEN_MAX]; ///< when, ms

static struct mono at(int64_t ms)
{
    return (struct mono){.ms = ms};
}

static bool open_at(const struct gate *g, int64_t ms)
{
    return mono_due(gate_opens(g, at(ms)), at(ms));
}

// The most requests in any period, sliding over all of them.
static unsigned busiest_period(unsigned count)
{
    unsigned most = 0;
    unsigned first = 0;
    for (unsigned i = 0; i < count; i++) {
        while (taken[first] <= taken[i] - GATE_PERIOD_MS) {
            first++;
        }
        most = i - first + 1u > most ? i - first + 1u : most;
    }
    return most;
}

static unsigned most_allowed(unsigned share)
{
    return share + (share / 2u > 1u ? share / 2u : 1u);
}

static unsigned random_share(uint64_t *seed)
{
    static const unsigned below[] = {4, 40, 2000, 100000};
    return 1u + seeded_below(seed, below[seeded_below(seed, 4)]);
}

static void no_period_holds_more_than_the_share_and_its_burst(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 150; n++) {
        uint64_t seed = n;
        unsigned share = random_share(&seed);
        int64_t now = (int64_t)seeded_below(&seed, 1000000);
        unsigned pause = 1u + seeded_below(&seed, 3000);
        unsigned count = 0;
        struct gate g;
        gate_init(&g, share, at(now));
        for (unsigned step = 0; step < 2000 && count < TAKEN_MAX; step++) {
            unsigned wants = seeded_below(&seed, 60);
            for (; wants > 0 && count < TAKEN_MAX && open_at(&g, now); wants--) {
                gate_take(&g, at(now));
                taken[count++] = now;
            }
            now += seeded_below(&seed, 8) == 0 ? seeded_below(&seed, 20u * pause)
                                               : seeded_below(&seed, pause);
        }
        if (busiest_period(count) > most_allowed(share)) {
            fail_msg("seed %u: %u of %u", (unsigned)n, busiest_period(count), share);
        }
    }
}

static void who_always_asks_gets_the_share(void **state)
{
    (void)state;
    static const unsigned shares[] = {1, 2, 3, 7, 20, 333, 750, 953};
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        unsigned count = 0;
        struct gate g;
        gate_init(&g, shares[i], at(0));
        for (int64_t now = 0; now < 20 * GATE_PERIOD_MS; now = gate_opens(&g, at(now)).ms) {
            gate_take(&g, at(now));
            taken[count++] = now;
        }
        assert_true(busiest_period(count) <= most_allowed(shares[i]));
        assert_true(count >= shares[i] * 19u);
        assert_true(count <= shares[i] * 20u + most_allowed(shares[i]));
    }
}

static void a_share_of_one_is_one_in_each_period(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 1, at(500));
    for (int64_t now = 500; now < 10 * GATE_PERIOD_MS; now += GATE_PERIOD_MS) {
        assert_true(open_at(&g, now));
        gate_take(&g, at(now));
        assert_int_equal(gate_opens(&g, at(now)).ms, now + GATE_PERIOD_MS);
        assert_false(open_at(&g, now + GATE_PERIOD_MS - 1));
    }
}

static void a_burst_after_a_long_silence_is_half_a_share(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 20, at(0));
    int64_t now = INT64_C(1) << 50;
    unsigned count = 0;
    while (open_at(&g, now)) {
        gate_take(&g, at(now));
        count++;
    }
    assert_int_equal(count, 10);
    assert_int_equal(gate_opens(&g, at(now)).ms, now + 1000);
}

static void a_wait_that_was_told_is_never_shortened(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g, 20, at(0));
    gate_close(&g, at(100), 5000);
    assert_int_equal(gate_opens(&g, at(100)).ms, 5100);
    gate_close(&g, at(200), 1000);
    assert_int_equal(gate_opens(&g, at(200)).ms, 5100);
    gate_close(&g, at(300), 6000);
    assert_int_equal(gate_opens(&g, at(300)).ms, 6300);
    assert_false(open_at(&g, 6299));
    assert_true(open_at(&g, 6300));
    gate_close(&g, at(6300), INT64_MAX); // saturates
    assert_true(gate_opens(&g, at(6301)).ms == INT64_MAX);
}

static void random_waits_are_all_kept(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 100; n++) {
        uint64_t seed = n;
        int64_t now = 0;
        int64_t closed_until = 0;
        struct gate g;
        gate_init(&g, random_share(&seed), at(now));
        for (unsigned step = 0; step < 1000; step++) {
            now += seeded_below(&seed, 700);
            if (seeded_below(&seed, 10) == 0) {
                int64_t ms = 1000 + (int64_t)seeded_below(&seed, 20000);
                gate_close(&g, at(now), ms);
                closed_until = now + ms > closed_until ? now + ms : closed_until;
            }
            assert_true(gate_opens(&g, at(now)).ms >= closed_until);
            if (open_at(&g, now)) {
                gate_take(&g, at(now));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_period_holds_more_than_the_share_and_its_burst),
        cmocka_unit_test(who_always_asks_gets_the_share),
        cmocka_unit_test(a_share_of_one_is_one_in_each_period),
        cmocka_unit_test(a_burst_after_a_long_silence_is_half_a_share),
        cmocka_unit_test(a_wait_that_was_told_is_never_shortened),
        cmocka_unit_test(random_waits_are_all_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

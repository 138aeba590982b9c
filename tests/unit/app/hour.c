// SPDX-License-Identifier: Apache-2.0
/// The last hour by minutes: against a model that remembers every event.
#include "app/hour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seeded.h"

static struct hour h;
static uint32_t collected[HOUR_MINUTES], sent[HOUR_MINUTES];

static struct mono at(int64_t minute)
{
    return (struct mono){.ms = minute * 60000 + 30000};
}

static void growth_belongs_to_its_minute_and_leaves_after_an_hour(void **state)
{
    (void)state;
    hour_init(&h, 1000, 500, at(7));
    hour_note(&h, 1003, 500, at(7));
    hour_note(&h, 1003, 502, at(8));
    hour_read(&h, at(8), collected, sent);
    assert_int_equal(collected[1], 3);
    assert_int_equal(sent[0], 2);
    assert_int_equal(collected[0] + sent[1], 0);
    hour_read(&h, at(66), collected, sent);
    assert_int_equal(collected[59], 3);
    hour_read(&h, at(68), collected, sent);
    for (unsigned i = 0; i < HOUR_MINUTES; i++) {
        assert_int_equal(collected[i] + sent[i], 0);
    }
}

static void a_count_that_begins_anew_takes_nothing_away(void **state)
{
    (void)state;
    hour_init(&h, 1000, 0, at(0));
    hour_note(&h, 4, 0, at(0));
    hour_note(&h, 9, 0, at(0));
    hour_read(&h, at(0), collected, sent);
    assert_int_equal(collected[0], 5);
}

static void it_is_what_a_ledger_of_all_events_says(void **state)
{
    static uint32_t ledger[4000];
    uint64_t seed = 20260;
    uint64_t count = 0;
    (void)state;
    hour_init(&h, 0, 0, at(0));
    for (int64_t minute = 0; minute < 4000; minute += (int64_t)seeded_below(&seed, 90)) {
        uint32_t more = seeded_below(&seed, 5);
        ledger[minute] += more;
        count += more;
        hour_note(&h, count, count, at(minute));
        hour_read(&h, at(minute), collected, sent);
        for (int64_t i = 0; i < HOUR_MINUTES; i++) {
            assert_int_equal(collected[i], minute >= i ? ledger[minute - i] : 0);
            assert_int_equal(sent[i], collected[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_belongs_to_its_minute_and_leaves_after_an_hour),
        cmocka_unit_test(a_count_that_begins_anew_takes_nothing_away),
        cmocka_unit_test(it_is_what_a_ledger_of_all_events_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

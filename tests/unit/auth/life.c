// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The table of a life, after every story has been told: each edge with the test that walked it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "life_tests.h"
#include "tale.h"

#define TESTS_MAX 64u

static void the_table_leads_everywhere_and_ends_nowhere(void **unused)
{
    (void)unused;
    for (unsigned e = 0; e < LIFE_EVENTS; e++) {
        assert_int_equal(life_next[LIFE_ILLEGAL][e], LIFE_ILLEGAL);
    }
    for (unsigned to = 1; to < LIFE_STATES; to++) {
        unsigned from_others = 0;
        unsigned to_others = 0;
        for (unsigned i = 1; i < LIFE_STATES * LIFE_EVENTS; i++) {
            unsigned s = i / LIFE_EVENTS;
            unsigned next = life_next[s][i % LIFE_EVENTS];
            assert_true(next < LIFE_STATES && (next != LIFE_ILLEGAL || s == LIFE_ILLEGAL));
            from_others += s != to && s != LIFE_ILLEGAL && next == to;
            to_others += s == to && next != to && next != LIFE_ILLEGAL;
        }
        assert_true(from_others > 0 && to_others > 0);
        assert_int_equal(life_next[to][LIFE_EV_ALL], LIFE_COLLECTING);
    }
}

/// Runs last: the others have walked.
static void every_edge_was_walked_by_a_test(void **unused)
{
    (void)unused;
    unsigned not_walked = 0;

    print_message("%-17s %-14s %-17s %s\n", "state", "event", "leads to", "test");
    for (unsigned s = 1; s < LIFE_STATES; s++) {
        for (unsigned e = 0; e < LIFE_EVENTS; e++) {
            const char *test = tale_walked(s, e);
            not_walked += test == NULL;
            print_message("%-17s %-14s %-17s %s\n",
                          life_state_name((enum life_state)s),
                          life_event_name((enum life_event)e),
                          life_state_name((enum life_state)life_next[s][e]),
                          test != NULL ? test : "NOT WALKED");
        }
    }
    assert_int_equal(not_walked, 0);
}

int main(void)
{
    static struct CMUnitTest tests[TESTS_MAX];
    static const struct CMUnitTest last[] = {
        cmocka_unit_test(the_table_leads_everywhere_and_ends_nowhere),
        cmocka_unit_test(every_edge_was_walked_by_a_test),
    };
    size_t count = life_consent_tests_count + life_signin_tests_count;

    memcpy(tests, life_consent_tests, life_consent_tests_count * sizeof(tests[0]));
    memcpy(tests + life_consent_tests_count,
           life_signin_tests,
           life_signin_tests_count * sizeof(tests[0]));
    memcpy(tests + count, last, sizeof(last));
    return _cmocka_run_group_tests("life", tests, count + 2u, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The table of a lane's life against a second copy, all pairs, and what must hold for any such
 * table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph/graph_state.h"

// Columns are the events in their order.
// clang-format off
enum { IDLE = LANE_IDLE, PART = LANE_PARTICIPANTS, REC = LANE_RECORD, SHEL = LANE_SHELL,
       SESS = LANE_SESSIONS, VERI = LANE_VERIFY, COMP = LANE_COMPLETE };

static const uint8_t golden[LANE_STATES][LANE_EVENTS] = {
    //           PICKED PART_IN REC_IN STAGED LAST  SESS_IN VERIFIED RESTART GONE
    [0]      = { 0,     0,      0,     0,     0,    0,      0,       0,      0    },
    [IDLE]   = { PART,  0,      0,     0,     0,    0,      0,       0,      0    },
    [PART]   = { 0,     REC,    0,     0,     0,    0,      0,       0,      IDLE },
    [REC]    = { 0,     0,      SHEL,  0,     0,    0,      0,       PART,   IDLE },
    [SHEL]   = { 0,     0,      0,     SESS,  COMP, 0,      0,       0,      IDLE },
    [SESS]   = { 0,     0,      0,     0,     0,    VERI,   0,       0,      IDLE },
    [VERI]   = { 0,     0,      0,     0,     0,    0,      COMP,    PART,   IDLE },
    [COMP]   = { 0,     0,      0,     0,     0,    0,      0,       0,      IDLE },
};

// clang-format on

static void every_pair_of_state_and_event_is_as_agreed(void **state)
{
    (void)state;
    for (unsigned s = 0; s < LANE_STATES; s++) {
        for (unsigned e = 0; e < LANE_EVENTS; e++) {
            if (lane_next[s][e] != golden[s][e]) {
                fail_msg("state %u, event %u: %u, not %u", s, e, lane_next[s][e], golden[s][e]);
            }
        }
    }
}

static void every_record_under_way_can_be_let_go(void **state)
{
    (void)state;
    for (unsigned s = LANE_IDLE + 1u; s < LANE_STATES; s++) {
        assert_int_equal(lane_next[s][LANE_EV_GONE], LANE_IDLE);
    }
}

static void a_record_is_complete_only_behind_its_shell(void **state)
{
    (void)state;
    for (unsigned s = 0; s < LANE_STATES; s++) {
        for (unsigned e = 0; e < LANE_EVENTS; e++) {
            assert_true(lane_next[s][e] != LANE_COMPLETE || s == LANE_SHELL || s == LANE_VERIFY);
            assert_true(lane_next[s][e] != LANE_VERIFY || s == LANE_SESSIONS);
            assert_true(lane_next[s][e] != LANE_SESSIONS || s == LANE_SHELL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_state_and_event_is_as_agreed),
        cmocka_unit_test(every_record_under_way_can_be_let_go),
        cmocka_unit_test(a_record_is_complete_only_behind_its_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/// What a sink says of itself to whoever watches for a standstill.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "world.h"

static void nothing_to_send_is_idle(void **state)
{
    (void)state;
    struct world *w = world_begin(0, 100);
    world_run_ms(w, 1000);
    assert_int_equal(ship_activity(&w->ship).kind, ACTIVITY_IDLE);
}

static void work_that_was_not_seen_yet_counts_as_busy(void **state)
{
    (void)state;
    struct world *w = world_begin(0, 100);
    world_run_ms(w, 1000);
    world_commit(w, 5);
    struct activity a = ship_activity(&w->ship); // a step now would begin to linger
    assert_int_equal(a.kind, ACTIVITY_BUSY);
    (void)ship_step(&w->ship, w->now);
    a = ship_activity(&w->ship);
    assert_int_equal(a.kind, ACTIVITY_WAITING);
    assert_int_equal(a.until.ms, w->now.mono.ms + w->config.sinks[0].linger_ms);
}

static void an_answer_that_arrives_is_progress_of_a_busy_sink(void **state)
{
    (void)state;
    struct world *w = world_begin(100, 100);
    world_run_ms(w, 1000);
    struct activity before = ship_activity(&w->ship);
    assert_int_equal(before.kind, ACTIVITY_BUSY);
    world_run_ms(w, 60000); // no answer: nothing moves
    assert_int_equal(ship_activity(&w->ship).kind, ACTIVITY_BUSY);
    assert_int_equal(ship_activity(&w->ship).progress, before.progress);
    http_fake_queue_body(&w->http, WORLD_SLOT, 200, "");
    world_run_ms(w, 1000);
    assert_int_equal(ship_activity(&w->ship).kind, ACTIVITY_IDLE);
    assert_int_not_equal(ship_activity(&w->ship).progress, before.progress);
}

static void a_failing_sink_waits_until_it_tries_again_and_counts(void **state)
{
    (void)state;
    struct world *w = world_begin(100, 100);
    http_fake_queue_body(&w->http, WORLD_SLOT, 500, "");
    world_run_ms(w, 10);
    struct activity a = ship_activity(&w->ship);
    assert_int_equal(a.kind, ACTIVITY_WAITING);
    assert_int_equal(a.failures, 1);
    assert_true(a.until.ms > w->now.mono.ms);
    world_run_ms(w, a.until.ms - w->now.mono.ms); // due now: it asks again
    assert_int_equal(ship_activity(&w->ship).kind, ACTIVITY_BUSY);
    assert_int_not_equal(ship_activity(&w->ship).progress, a.progress);
    http_fake_queue_body(&w->http, WORLD_SLOT, 401, "");
    world_run_ms(w, 10);
    assert_int_equal(ship_activity(&w->ship).kind, ACTIVITY_WAITING); // holds, and probes later
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_send_is_idle),
        cmocka_unit_test(work_that_was_not_seen_yet_counts_as_busy),
        cmocka_unit_test(an_answer_that_arrives_is_progress_of_a_busy_sink),
        cmocka_unit_test(a_failing_sink_waits_until_it_tries_again_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

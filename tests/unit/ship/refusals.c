// SPDX-License-Identifier: Apache-2.0
/// Events that a sink refuses for good: found by halving or named in a list, buried once, nothing
/// else with them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

/// A sink that answers `status` to every batch that holds one of `poison`.
struct fussy {
    int status;
    uint64_t poison[4];
    unsigned requests;
};

static bool fussy_answer(void *context,
                         unsigned slot,
                         const struct http_fake_request *request,
                         struct http_fake_answer *answer)
{
    struct fussy *f = context;
    (void)request;
    struct world *w = world_current();
    uint64_t first = 0;
    uint64_t count = 0;
    assert_true(span_u64(span_from_str(http_fake_header(&w->http, slot, "X-Batch-Seq")), &first));
    assert_true(span_u64(span_from_str(http_fake_header(&w->http, slot, "X-Batch-Count")), &count));
    f->requests++;
    answer->status = 200;
    for (size_t i = 0; i < 4; i++) {
        if (f->poison[i] >= first && f->poison[i] < first + count) {
            answer->status = f->status;
        }
    }
    return true;
}

static void find_poison(int status)
{
    struct world *w = world_begin(3000, 1000);
    struct fussy f = {.status = status, .poison = {1, 777, 778, 3000}};
    char reason[32];
    (void)snprintf(reason, sizeof(reason), "status_%d", status);
    http_fake_respond_with(&w->http, fussy_answer, &f);
    world_run_ms(w, 60000);
    assert_int_equal(w->spool.acked, 3000);
    assert_int_equal(w->spool.buried, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(w->spool.burials[f.poison[i]], 1);
    }
    assert_string_equal(w->spool.last_reason, reason);
    assert_int_equal(ship_status(&w->ship)->events_dead, 4);
    assert_int_equal(ship_status(&w->ship)->events_sent, 2996);
    assert_in_range(f.requests, 20, 150);
}

static void batch_refused_with_413_is_halved_to_one_event_which_is_buried(void **state)
{
    (void)state;
    find_poison(413);
}

static void batch_refused_with_400_or_422_is_halved_likewise(void **state)
{
    (void)state;
    find_poison(400);
    find_poison(422);
}

static void after_a_split_the_batch_grows_again(void **state)
{
    (void)state;
    struct world *w = world_begin(64, 64);
    struct fussy f = {.status = 413, .poison = {1}};
    http_fake_respond_with(&w->http, fussy_answer, &f);
    world_run_ms(w, 60000);
    assert_int_equal(w->spool.acked, 64);
    assert_int_equal(w->ship.events_max, 64);
}

static void rejected_list_buries_only_those(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    http_fake_queue(&w->http,
                    WORLD_SLOT,
                    &(struct http_fake_answer){
                        .status = 200,
                        .piece_bytes = 5,
                        .body = SPAN("{\"accepted\":8,\"rejected\":[{\"seq\":2,\"error\":\"bad\"},"
                                     "{\"seq\":9,\"error\":\"worse\"},{\"seq\":11}]}"),
                    });
    world_run_ms(w, 3000);
    assert_int_equal(w->spool.acked, 10);
    assert_int_equal(w->spool.buried, 2);
    assert_int_equal(w->spool.burials[2], 1);
    assert_int_equal(w->spool.burials[9], 1);
    assert_string_equal(w->spool.last_reason, "rejected: worse");
    assert_int_equal(ship_status(&w->ship)->events_sent, 8);
    assert_int_equal(w->http.requests, 1);
}

static void a_rejection_read_from_a_cut_answer_is_not_forgotten(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    http_fake_queue(&w->http,
                    WORLD_SLOT,
                    &(struct http_fake_answer){.fail = HTTP_FAIL_CUT,
                                               .status = 200,
                                               .body = SPAN("{\"rejected\":[{\"seq\":3},{\"s")});
    http_fake_queue_body(&w->http, WORLD_SLOT, 409, "{\"rejected\":[{\"seq\":4}]}");
    world_run_ms(w, 10000);
    assert_int_equal(w->spool.acked, 10);
    assert_int_equal(w->spool.buried, 1); // the body of a 409 says nothing
    assert_int_equal(w->spool.burials[3], 1);
}

static void a_full_quarantine_holds_without_sending_again(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    w->spool.quarantine_max = 1;
    http_fake_queue_body(
        &w->http, WORLD_SLOT, 200, "{\"rejected\":[{\"seq\":2},{\"seq\":5},{\"seq\":6}]}");
    world_run_ms(w, 7200000);
    assert_string_equal(ship_status(&w->ship)->state, "hold");
    assert_string_equal(ship_status(&w->ship)->reason, "quarantine_full");
    assert_int_equal(w->spool.acked, 0);
    w->spool.quarantine_max = 10;
    world_run_ms(w, 700000);
    assert_int_equal(w->spool.acked, 10);
    assert_int_equal(w->spool.buried, 3);
    assert_int_equal(w->http.requests, 1);
}

static void a_full_quarantine_holds_a_sink_that_refuses_everything(void **state)
{
    (void)state;
    struct world *w = world_begin(100, 16);
    struct fussy f = {.status = 400};
    w->spool.quarantine_max = 3;
    f.poison[0] = 1;
    f.poison[1] = 2;
    f.poison[2] = 3;
    f.poison[3] = 4;
    http_fake_respond_with(&w->http, fussy_answer, &f);
    world_run_ms(w, 7200000);
    assert_string_equal(ship_status(&w->ship)->reason, "quarantine_full");
    assert_int_equal(w->spool.acked, 3);
}

static bool refuses_all(void *context,
                        unsigned slot,
                        const struct http_fake_request *request,
                        struct http_fake_answer *answer)
{
    (void)context;
    (void)slot;
    (void)request;
    answer->status = 400;
    return true;
}

static void a_sink_that_refuses_everything_for_a_minute_costs_few_events(void **state)
{
    (void)state;
    struct world *w = world_begin(1000, 100);
    http_fake_respond_with(&w->http, refuses_all, NULL);
    world_run_ms(w, 60000);
    assert_in_range(w->spool.buried, 20, 65); // one in 1 to 2 s
    http_fake_respond_with(&w->http, fussy_answer, &(struct fussy){.status = 200});
    world_run_ms(w, 60000);
    assert_int_equal(w->spool.acked, 1000);
}

static void a_burial_that_the_device_refuses_is_made_later(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    w->spool.bury_fault = (struct spool_fake_fault){RC_IO, 3};
    http_fake_queue_body(&w->http, WORLD_SLOT, 200, "{\"rejected\":[{\"seq\":2}]}");
    world_run_ms(w, 60000);
    assert_int_equal(w->spool.acked, 10);
    assert_int_equal(w->spool.burials[2], 1);
    assert_int_equal(w->http.requests, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_refused_with_413_is_halved_to_one_event_which_is_buried),
        cmocka_unit_test(batch_refused_with_400_or_422_is_halved_likewise),
        cmocka_unit_test(after_a_split_the_batch_grows_again),
        cmocka_unit_test(rejected_list_buries_only_those),
        cmocka_unit_test(a_rejection_read_from_a_cut_answer_is_not_forgotten),
        cmocka_unit_test(a_full_quarantine_holds_without_sending_again),
        cmocka_unit_test(a_full_quarantine_holds_a_sink_that_refuses_everything),
        cmocka_unit_test(a_sink_that_refuses_everything_for_a_minute_costs_few_events),
        cmocka_unit_test(a_burial_that_the_device_refuses_is_made_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

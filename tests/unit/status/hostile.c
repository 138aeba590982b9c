// SPDX-License-Identifier: Apache-2.0
// Clients that mean no good, and connections that come to nothing.
#include "world.h"

#define GET_ROOT "GET / HTTP/1.1\r\n" WORLD_HOST "\r\n"

static void open_conn(struct world *w, unsigned c, const char *text)
{
    serve_fake_connect(&w->serve, c, WORLD_LOCAL, WORLD_PEER);
    serve_fake_send(&w->serve, c, span_from_str(text));
}

static void a_bad_request_gets_a_short_answer_that_repeats_nothing(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET /canary\r\n", 400},
        {"\x16\x03\x01", 400},
        {"GET / HTTP/1.1\r\nX-Canary : canary\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {GET_ROOT GET_ROOT, 400}, // pipelined
        {"POST /action HTTP/1.1\r\n" WORLD_HOST "\r\n", 411},
        {"POST /action HTTP/1.1\r\n" WORLD_HOST "Content-Length: 99999\r\n", 413},
        {"POST /action HTTP/1.1\r\n" WORLD_HOST "Transfer-Encoding: canary\r\n", 501},
        {"POST /action HTTP/1.1\r\n" WORLD_HOST "Expect: canary\r\n", 417},
        {"PRI * HTTP/2.0\r\n", 505},
    };
    struct world *w = world_begin();
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *answer = world_ask(w, cases[i].text);
        assert_int_equal(world_status(answer), cases[i].status);
        assert_true(strlen(answer) < 600);
        assert_false(world_has(answer, "anary"));
        assert_true(world_has(answer, "\r\nConnection: close\r\n"));
        assert_true(world_body(answer)[0] != '\0');
    }
    assert_int_equal(status_refused(&w->status), sizeof(cases) / sizeof(cases[0]));
    assert_int_equal(w->pages, 0);
}

static void what_has_no_room_is_refused(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static char many[SERVE_IN_BYTES + 1u];
    memset(many, 'a', SERVE_IN_BYTES);
    open_conn(w, 0, many);
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 414);

    open_conn(w, 0, "GET / HTTP/1.1\r\n" WORLD_HOST);
    for (unsigned i = 0; i < 2; i++) { // two long fields
        serve_fake_send(&w->serve, 0, SPAN("A:"));
        serve_fake_send(&w->serve, 0, (struct span){.ptr = many, .len = 3072});
        serve_fake_send(&w->serve, 0, SPAN("\r\n"));
    }
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 431);

    open_conn(w, 0, "POST /action HTTP/1.1\r\n" WORLD_HOST "Content-Length: 4096\r\nA:");
    serve_fake_send(&w->serve, 0, (struct span){.ptr = many, .len = 3000});
    serve_fake_send(&w->serve, 0, SPAN("\r\n\r\n"));
    serve_fake_send(&w->serve, 0, (struct span){.ptr = many, .len = 4096});
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 413);
}

static void a_request_that_never_ends_is_408_in_time(void **state)
{
    (void)state;
    struct world *w = world_begin();
    open_conn(w, 0, "GET / HT");
    world_step(w);
    int64_t end = w->now.mono.ms + STATUS_READ_MS;
    assert_int_equal(w->until.ms, end);
    while (w->now.mono.ms + 100 < end) { // a byte now and then changes nothing
        w->now.mono.ms += 100;
        serve_fake_send(&w->serve, 0, SPAN("a"));
        world_step(w);
        assert_int_equal(w->until.ms, end);
        assert_int_equal(w->serve.conns[0].answers, 0);
    }
    w->now.mono.ms = end;
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 408);
    world_step(w);
    assert_int_equal(w->until.ms, MONO_NEVER.ms);
}

static void a_client_that_says_nothing_is_left_without_a_word(void **state)
{
    (void)state;
    struct world *w = world_begin();
    open_conn(w, 0, "");
    world_step(w);
    assert_int_equal(w->until.ms, MONO_NEVER.ms); // serve ends it
    w->now.mono.ms += SERVE_TOTAL_MS;
    world_step(w);
    assert_int_equal(w->serve.conns[0].answers, 0);
    serve_fake_end(&w->serve, 0);
    world_step(w);
    assert_int_equal(w->serve.conns[0].drops, 1);
    assert_int_equal(w->serve.conns[0].answers, 0);
    assert_int_equal(status_requests(&w->status), 0);
}

static void a_half_closed_request_is_answered_if_it_is_whole(void **state)
{
    (void)state;
    struct world *w = world_begin();
    open_conn(w, 0, GET_ROOT);
    serve_fake_end(&w->serve, 0);
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 200);
    open_conn(w, 0, "GET / HTTP/1.1\r\n" WORLD_HOST);
    world_step(w);
    serve_fake_end(&w->serve, 0);
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 400);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    struct world *w = world_begin();
    struct span text = SPAN(GET_ROOT);
    open_conn(w, 0, "");
    for (size_t i = 0; i < text.len; i++) {
        world_step(w);
        assert_int_equal(w->serve.conns[0].answers, 0);
        serve_fake_send(&w->serve, 0, span_sub(text, i, 1));
    }
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 200);
}

static void the_next_client_in_a_place_is_not_taken_for_the_last(void **state)
{
    (void)state;
    struct world *w = world_begin();
    open_conn(w, 0, "GET / HTTP/1.1\r\nHost: 192.0.2.1:8443\r\n\r");
    world_step(w);
    w->now.mono.ms += STATUS_READ_MS - 1;
    serve_fake_leave(&w->serve, 0);
    open_conn(w, 0, "HEAD /abc HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"); // as long as the other one
    assert_int_equal(w->serve.conns[0].input_bytes, w->status.conns[0].seen);
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 404);
    open_conn(w, 0, "GET"); // with its own time
    world_step(w);
    assert_int_equal(w->until.ms, w->now.mono.ms + STATUS_READ_MS);
}

static void one_request_is_answered_in_a_step_and_nobody_is_forgotten(void **state)
{
    (void)state;
    struct world *w = world_begin();
    for (unsigned c = 0; c < SERVE_CONNECTIONS; c++) {
        open_conn(w, c, GET_ROOT);
    }
    for (unsigned i = 1; i <= SERVE_CONNECTIONS; i++) {
        world_step(w);
        assert_int_equal(w->pages, i);
        assert_int_equal(w->until.ms, w->now.mono.ms); // there is something to send
    }
    world_step(w);
    assert_int_equal(w->until.ms, MONO_NEVER.ms);
    for (unsigned c = 0; c < SERVE_CONNECTIONS; c++) {
        assert_int_equal(world_status(serve_fake_take(&w->serve, c)), 200);
    }
}

static void an_answer_stands_until_a_slow_client_has_it(void **state)
{
    (void)state;
    struct world *w = world_begin();
    open_conn(w, 1, GET_ROOT);
    world_step(w);
    for (unsigned i = 0; i < 20; i++) { // others come and go meanwhile
        (void)world_get(w, "/status");
        w->now.mono.ms += 1000;
        world_step(w);
    }
    assert_true(world_has(serve_fake_take(&w->serve, 1), "collecting</page>"));
    assert_int_equal(w->pages, 1);
}

static bool is_zero(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (((const char *)from)[i] != 0) {
            return false;
        }
    }
    return true;
}

static void an_answers_memory_goes_back_when_it_is_out(void **state)
{
    (void)state;
    struct world *w = world_begin();
    (void)world_get(w, "/");
    assert_false(is_zero(&w->status.answers[0], sizeof(w->status.answers[0])));
    world_step(w);
    assert_true(is_zero(&w->status.answers[0], sizeof(w->status.answers[0])));
}

static void a_thousand_requests_leave_nothing_behind(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static struct status before;
    static const char *const targets[] = {"/", "/status", "/none", "/metrics", "/certificate"};
    const unsigned kinds = sizeof(targets) / sizeof(targets[0]);
    (void)world_get(w, "/");
    world_step(w);
    memcpy(&before, &w->status, sizeof(before));
    for (unsigned i = 0; i < 1000; i++) {
        const char *answer = world_get(w, targets[i % kinds]);
        assert_int_equal(world_status(answer), i % kinds == 2 ? 404 : 200);
    }
    world_step(w);
    assert_int_equal(status_requests(&w->status), 1001);
    assert_int_equal(status_refused(&w->status), 200);
    assert_memory_equal(w->status.answers, before.answers, sizeof(before.answers));
    assert_memory_equal(w->status.value, before.value, sizeof(before.value));
    assert_memory_equal(&w->status.guard, &before.guard, sizeof(before.guard));
}

static void nothing_is_read_again_until_something_comes(void **state)
{
    (void)state;
    struct world *w = world_begin();
    open_conn(w, 0, "GET / HTTP/1.1\r\n");
    world_step(w);
    w->serve.conns[0].input[0] = '\0'; // would be refused if it were looked at
    for (unsigned i = 0; i < 10; i++) {
        world_step(w);
        assert_int_equal(w->serve.conns[0].state, SERVE_READING);
    }
    serve_fake_send(&w->serve, 0, SPAN("A"));
    world_step(w);
    assert_int_equal(world_status(serve_fake_take(&w->serve, 0)), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_request_gets_a_short_answer_that_repeats_nothing),
        cmocka_unit_test(what_has_no_room_is_refused),
        cmocka_unit_test(a_request_that_never_ends_is_408_in_time),
        cmocka_unit_test(a_client_that_says_nothing_is_left_without_a_word),
        cmocka_unit_test(a_half_closed_request_is_answered_if_it_is_whole),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(the_next_client_in_a_place_is_not_taken_for_the_last),
        cmocka_unit_test(one_request_is_answered_in_a_step_and_nobody_is_forgotten),
        cmocka_unit_test(an_answer_stands_until_a_slow_client_has_it),
        cmocka_unit_test(an_answers_memory_goes_back_when_it_is_out),
        cmocka_unit_test(a_thousand_requests_leave_nothing_behind),
        cmocka_unit_test(nothing_is_read_again_until_something_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

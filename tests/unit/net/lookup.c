// SPDX-License-Identifier: Apache-2.0
// A DNS server that does not answer: the loop goes on, and ending the transfer does not wait for
// it.
#include <netdb.h>
#include <poll.h>
#include <unistd.h>

#include "world.h"

#define PROMPT_MS 500 ///< far less than the lookup hangs

static int gate[2]; ///< closing [1] ends all hanging lookups
static unsigned hanging;

int __real_getaddrinfo(const char *name,
                       const char *service,
                       const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *name,
                       const char *service,
                       const struct addrinfo *hints,
                       struct addrinfo **out);

int __wrap_getaddrinfo(const char *name,
                       const char *service,
                       const struct addrinfo *hints,
                       struct addrinfo **out)
{
    if (strcmp(name, "hangs.test") != 0) {
        return __real_getaddrinfo(name, service, hints, out);
    }
    struct pollfd until = {.fd = gate[0], .events = POLLIN};
    __atomic_add_fetch(&hanging, 1, __ATOMIC_SEQ_CST);
    (void)poll(&until, 1, 30000);
    __atomic_sub_fetch(&hanging, 1, __ATOMIC_SEQ_CST);
    return EAI_AGAIN;
}

static unsigned hanging_now(void)
{
    return __atomic_load_n(&hanging, __ATOMIC_SEQ_CST);
}

static int setup(void **state)
{
    return pipe(gate) == 0 ? world_setup(state) : -1;
}

static int64_t ms_since(struct mono began)
{
    return loop_now().mono.ms - began.ms;
}

// The threads that were left behind must be able to end by themselves, whatever became of their
// transfer.
static int teardown(void **state)
{
    struct mono began = loop_now().mono;
    int rc = world_teardown(state);
    bool prompt = ms_since(began) < PROMPT_MS;
    close(gate[1]);
    while (hanging_now() > 0 && ms_since(began) < 20000) {
        (void)poll(NULL, 0, 5);
    }
    (void)poll(NULL, 0, 50); // from leaving the lookup to the end of its thread
    close(gate[0]);
    return rc == 0 && prompt && hanging_now() == 0 ? 0 : -1;
}

static struct http_request start_hanging(unsigned slot)
{
    struct http_request r = request_for_url("https://hangs.test/");
    unsigned before = hanging_now();
    r.connect_ms = 1500;
    world_start(slot, &r);
    struct mono bound = mono_after(loop_now().mono, 20000);
    while (hanging_now() == before) {
        assert_false(mono_due(bound, loop_now().mono));
        world_turn(5);
    }
    return r;
}

static void other_transfers_go_on_during_a_hanging_lookup(void **state)
{
    (void)state;
    (void)start_hanging(1);
    struct http_request r = request_for("ecdsa13", "reflect");
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_OK);
    assert_int_equal(http_state(&world_http, 1), HTTP_RUNNING);
}

static void releasing_a_hanging_lookup_does_not_wait(void **state)
{
    (void)state;
    (void)start_hanging(0);
    struct mono began = loop_now().mono;
    http_release(&world_http, 0);
    http_idle(&world_http);
    assert_true(ms_since(began) < PROMPT_MS);
    assert_int_equal(hanging_now(), 1);
}

static void connect_bounds_a_hanging_lookup(void **state)
{
    (void)state;
    (void)start_hanging(0);
    struct mono began = loop_now().mono;
    world_finish(0);
    assert_int_equal(http_result(&world_http, 0)->fail, HTTP_FAIL_TIMEOUT);
    assert_in_range(ms_since(began), 500, 3500);
    http_release(&world_http, 0);
}

static void the_program_can_end_during_a_hanging_lookup(void **state)
{
    (void)state;
    (void)start_hanging(0); // teardown measures
    (void)start_hanging(1);
}

int main(void)
{
#define LOOKUP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(other_transfers_go_on_during_a_hanging_lookup),
        LOOKUP_TEST(releasing_a_hanging_lookup_does_not_wait),
        LOOKUP_TEST(connect_bounds_a_hanging_lookup),
        LOOKUP_TEST(the_program_can_end_during_a_hanging_lookup),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

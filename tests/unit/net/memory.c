// SPDX-License-Identifier: Apache-2.0
// The pool runs out at the Nth request of a transfer: no crash, no leak, and never a verdict about
// the peer's certificate.
#include <stdlib.h>

#include "sys/heap.h"
#include "world.h"

#define NEVER          UINT64_MAX
#define EACH_UNTIL     80u  ///< every request up to here fails in a run of its own
#define STEP_AFTER     149u ///< and then one in so many: a handshake makes thousands alike
#define REQUESTS_BOUND 60000u

static struct {
    uint64_t requests, fail_at, failures;
    bool go_on; ///< everything after fail_at fails too
} pool = {.fail_at = NEVER};

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
struct heap_stats __wrap_heap_stats(void);

// Atomic: name lookup runs in a thread.
static bool refuse(void)
{
    uint64_t n = __atomic_add_fetch(&pool.requests, 1, __ATOMIC_SEQ_CST);
    bool yes = pool.go_on ? n >= pool.fail_at : n == pool.fail_at;
    if (yes) {
        __atomic_add_fetch(&pool.failures, 1, __ATOMIC_SEQ_CST);
    }
    return yes;
}

void *__wrap_malloc(size_t bytes)
{
    return refuse() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return refuse() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    return refuse() ? NULL : __real_realloc(block, bytes);
}

struct heap_stats __wrap_heap_stats(void)
{
    return (struct heap_stats){.failures = __atomic_load_n(&pool.failures, __ATOMIC_SEQ_CST)};
}

static void fail_from(uint64_t n, bool go_on)
{
    pool.requests = 0;
    pool.fail_at = n;
    pool.go_on = go_on;
}

// False once the transfer ran through without meeting its failure.
static bool run_failing_at(const struct http_request *r, uint64_t n, bool go_on)
{
    uint64_t before = pool.failures;
    struct mono began = loop_now().mono;
    fail_from(n, go_on);
    enum rc rc = http_start(&world_http, 0, r, loop_now());
    if (rc == RC_OK) {
        while (http_state(&world_http, 0) != HTTP_DONE) {
            http_consume(&world_http, 0, http_body(&world_http, 0).len);
            world_turn(1000);
        }
    }
    fail_from(NEVER, false);
    assert_true(loop_now().mono.ms - began.ms < 4000); // nothing was left to total_ms
    bool met = pool.failures != before;
    enum http_fail fail = http_result(&world_http, 0)->fail;
    if (rc != RC_OK) {
        assert_int_equal(rc, RC_RETRY);
        assert_true(met);
    } else {
        if (fail != HTTP_OK && fail != HTTP_FAIL_MEMORY) {
            fail_msg("request %llu: %s", (unsigned long long)n, http_fail_name(fail));
        }
        assert_true(met || fail == HTTP_OK);
        http_release(&world_http, 0);
    }
    http_idle(&world_http); // the next run begins with a handshake again
    return met;
}

static void sweep(const char *server, const char *path, bool go_on)
{
    struct http_request r = request_for(server, path);
    r.total_ms = 5000; // longer than anything here may hang
    uint64_t n = 1;
    while (run_failing_at(&r, n, go_on)) {
        n += n < EACH_UNTIL ? 1u : STEP_AFTER;
        assert_true(n < REQUESTS_BOUND);
    }
    assert_true(n > EACH_UNTIL);
    assert_int_equal(world_run(&r).result.fail, HTTP_OK);
}

static void one_refused_request_is_a_memory_failure_at_worst(void **state)
{
    (void)state;
    sweep("rsa13", "gzip", false);
    sweep("ecdsa12", "reflect", false);
}

static void an_exhausted_pool_is_a_memory_failure(void **state)
{
    (void)state;
    sweep("ecdsa13", "reflect", true);
    sweep("rsa12", "reflect", true);
}

static void a_pool_too_small_for_the_library_is_told_at_start(void **state)
{
    (void)state;
    static struct http other;
    fail_from(1, true);
    enum rc rc = http_init(&other, &world_loop);
    fail_from(NEVER, false);
    assert_int_equal(rc, RC_RETRY);
}

int main(void)
{
#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        NET_TEST(one_refused_request_is_a_memory_failure_at_worst),
        NET_TEST(an_exhausted_pool_is_a_memory_failure),
        NET_TEST(a_pool_too_small_for_the_library_is_told_at_start),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

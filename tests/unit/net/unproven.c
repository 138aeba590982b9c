// SPDX-License-Identifier: Apache-2.0
// Requests that ask for the time before it is known: what of a certificate is passed over, and that
// nothing else ever goes over their connections unless the certificate turned out to be good.
#include "base/clock.h"
#include "base/crypto.h"

#include "world.h"

#define DAY_MS INT64_C(86400000)
// The peer's certificates are good from 30 days ago for 60 days; the one of "expired" until
// yesterday.
#define BEFORE_MS (-40 * DAY_MS)
#define AFTER_MS  (40 * DAY_MS)

static int64_t present_ms;

static int begin(void **state)
{
    int rc = world_setup(state);
    present_ms = loop_now().wall.ms;
    return rc;
}

static struct http_request asks(const char *server, const char *path, bool time)
{
    struct http_request r = request_for(server, path);
    r.time_unproven = time;
    return r;
}

static struct http_result run(const char *server, bool time)
{
    struct http_request r = asks(server, "reflect", time);
    return world_run(&r).result;
}

static uint64_t connections(bool time)
{
    uint64_t count = 0;
    struct http_request r = asks("ecdsa13", "connections", time);
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_OK);
    assert_true(span_u64((struct span){.ptr = a.body, .len = a.bytes}, &count));
    return count;
}

static void not_yet_valid_is_passed_over_for_the_time_alone(void **state)
{
    (void)state;
    static const char *const servers[] = {"rsa12", "rsa13", "ecdsa12", "ecdsa13"};
    crypto_set_time(present_ms + BEFORE_MS);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(run(servers[i], false).fail, HTTP_FAIL_TRUST);
        struct http_result r = run(servers[i], true);
        assert_int_equal(r.fail, HTTP_OK);
        assert_int_equal(r.date_ms, 1795428000000);
    }
}

static void the_dates_of_the_whole_chain_are_handed_up(void **state)
{
    (void)state;
    crypto_set_time(present_ms + BEFORE_MS);
    struct http_result r = run("ecdsa13", true);
    assert_in_range(r.not_before_ms, present_ms - 31 * DAY_MS, present_ms - 29 * DAY_MS);
    assert_in_range(r.not_after_ms, present_ms + 29 * DAY_MS, present_ms + 31 * DAY_MS);
    r = run("ecdsa13", false);
    assert_int_equal(r.not_before_ms, 0);
    assert_int_equal(r.not_after_ms, 0);
}

static void expired_is_never_passed_over(void **state)
{
    (void)state;
    assert_int_equal(run("expired", true).fail, HTTP_FAIL_TRUST);
    crypto_set_time(present_ms + AFTER_MS);
    assert_int_equal(run("rsa12", true).fail, HTTP_FAIL_TRUST);
    assert_int_equal(run("ecdsa13", true).fail, HTTP_FAIL_TRUST);
}

static void nothing_else_is_passed_over(void **state)
{
    (void)state;
    crypto_set_time(present_ms + BEFORE_MS);
    assert_int_equal(run("named", true).fail, HTTP_FAIL_TRUST);
    assert_int_equal(run("weak", true).fail, HTTP_FAIL_TRUST);
    struct http_request r = asks("ecdsa13", "reflect", true);
    r.ca_pem = peer_file("other.pem");
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_TRUST);
    r.trust = HTTP_TRUST_ROOTS;
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_TRUST);
}

static void an_unproven_connection_carries_nothing_else(void **state)
{
    (void)state;
    crypto_set_time(present_ms + BEFORE_MS);
    uint64_t before = connections(true);
    // Over the open connection this would be answered: a handshake of its own is refused.
    assert_int_equal(run("ecdsa13", false).fail, HTTP_FAIL_TRUST);
    crypto_set_time(present_ms);
    uint64_t after = connections(false);
    assert_true(after > before);
    assert_int_equal(connections(false), after);
}

static void a_proven_connection_is_used_by_all(void **state)
{
    (void)state;
    crypto_set_time(present_ms + BEFORE_MS);
    uint64_t before = connections(true);
    http_prove(&world_http, present_ms);
    crypto_set_time(present_ms);
    assert_int_equal(connections(false), before);
}

static void a_certificate_that_is_not_good_at_the_proven_time_ends_its_connection(void **state)
{
    (void)state;
    static const int64_t times[] = {BEFORE_MS, AFTER_MS};
    for (unsigned i = 0; i < 2; i++) {
        crypto_set_time(present_ms + BEFORE_MS);
        assert_int_equal(run("ecdsa13", true).fail, HTTP_OK);
        http_prove(&world_http, present_ms + times[i]);
        crypto_set_time(present_ms + times[i]);
        assert_int_equal(run("ecdsa13", false).fail, HTTP_FAIL_TRUST);
    }
}

static void one_bad_chain_of_two_ends_both_connections(void **state)
{
    (void)state;
    crypto_set_time(present_ms + BEFORE_MS);
    struct http_request r = asks("late", "reflect", true);
    world_start(1, &r);
    r = asks("ecdsa13", "connections", true);
    world_start(0, &r);
    world_finish(0);
    world_finish(1);
    uint64_t before = 0;
    assert_true(span_u64(http_body(&world_http, 0), &before));
    assert_int_equal(http_result(&world_http, 1)->fail, HTTP_OK);
    assert_true(http_result(&world_http, 1)->not_before_ms > present_ms);
    http_release(&world_http, 0);
    http_release(&world_http, 1);
    http_prove(&world_http, present_ms);
    crypto_set_time(present_ms);
    assert_int_equal(run("late", false).fail, HTTP_FAIL_TRUST);
    assert_true(connections(false) > before);
}

static void nothing_else_starts_beside_a_request_for_the_time(void **state)
{
    (void)state;
    struct http_request time = asks("ecdsa13", "reflect", true);
    struct http_request other = asks("ecdsa12", "reflect", false);
    world_start(1, &time);
    assert_int_equal(http_start(&world_http, 2, &other, loop_now()), RC_RETRY);
    assert_int_equal(http_state(&world_http, 2), HTTP_FREE);
    world_start(3, &time); // the other host
    world_finish(1);
    world_finish(3);
    http_release(&world_http, 1);
    http_release(&world_http, 3);
    world_start(2, &other);
    world_finish(2);
    assert_int_equal(http_result(&world_http, 2)->fail, HTTP_OK);
    http_release(&world_http, 2);
}

static void a_second_attempt_looks_at_the_certificates_again(void **state)
{
    (void)state;
    struct http_result first = run("ecdsa13", true);
    struct http_result second = run("ecdsa13", true);
    assert_int_not_equal(first.not_after_ms, 0);
    assert_int_equal(second.not_after_ms, first.not_after_ms);
}

static void nothing_is_proven_of_connections_that_nobody_made(void **state)
{
    (void)state;
    struct http_request r = asks("plain", "reflect", true);
    assert_int_equal(world_run(&r).result.not_after_ms, 0);
    http_prove(&world_http, 0);
    assert_true(connections(false) > 0);
}

int main(void)
{
#define NET_TEST(f) cmocka_unit_test_setup_teardown(f, begin, world_teardown)
    const struct CMUnitTest tests[] = {
        NET_TEST(not_yet_valid_is_passed_over_for_the_time_alone),
        NET_TEST(the_dates_of_the_whole_chain_are_handed_up),
        NET_TEST(expired_is_never_passed_over),
        NET_TEST(nothing_else_is_passed_over),
        NET_TEST(an_unproven_connection_carries_nothing_else),
        NET_TEST(a_proven_connection_is_used_by_all),
        NET_TEST(a_certificate_that_is_not_good_at_the_proven_time_ends_its_connection),
        NET_TEST(one_bad_chain_of_two_ends_both_connections),
        NET_TEST(nothing_else_starts_beside_a_request_for_the_time),
        NET_TEST(a_second_attempt_looks_at_the_certificates_again),
        NET_TEST(nothing_is_proven_of_connections_that_nobody_made),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

// SPDX-License-Identifier: Apache-2.0
// Peers that are wrong, slow, broken or hostile.
#include <curl/curl.h>

#include "sys/heap.h"
#include "world.h"

static enum http_fail fail_of(const char *server, const char *path)
{
    struct http_request r = request_for(server, path);
    return world_run(&r).result.fail;
}

static void a_certificate_that_is_not_good_is_a_trust_failure(void **state)
{
    (void)state;
    static const char *const servers[] = {"rsa12", "rsa13", "ecdsa12", "ecdsa13"};
    for (size_t i = 0; i < 4; i++) {
        struct http_request r = request_for(servers[i], "reflect");
        r.ca_pem = peer_file("other.pem");
        assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_TRUST);
        r = request_for(servers[i], "reflect");
        r.trust = HTTP_TRUST_ROOTS; // a private CA is none of them
        assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_TRUST);
    }
    assert_int_equal(fail_of("named", "reflect"), HTTP_FAIL_TRUST);
    assert_int_equal(fail_of("expired", "reflect"), HTTP_FAIL_TRUST);
    assert_int_equal(fail_of("weak", "reflect"), HTTP_FAIL_TRUST);
}

static void another_protocol_is_a_tls_failure(void **state)
{
    (void)state;
    assert_int_equal(fail_of("tls11", "reflect"), HTTP_FAIL_TLS);
    assert_int_equal(fail_of("plain", "reflect"), HTTP_FAIL_TLS);
}

static void a_closed_port_is_a_connect_failure(void **state)
{
    (void)state;
    struct http_request r = request_for_url("https://127.0.0.1:9/");
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_CONNECT);
}

static void a_name_that_is_not_there_is_a_resolve_failure(void **state)
{
    (void)state;
    struct http_request r = request_for_url("https://nothing-of-this-name.invalid/");
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_RESOLVE);
}

static void a_request_against_the_rules_is_refused_and_not_sent(void **state)
{
    (void)state;
    struct http_request r = request_for_url("http://127.0.0.1:9/");
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_REFUSED);
    r = request_for("rsa13", "reflect");
    r.headers[0] = SPAN("X: y\r\nAuthorization: Bearer stolen");
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_FAIL_REFUSED);
    assert_int_equal(a.result.status, 0);
    r = request_for_url("https://127.0.0.1:99999/"); // only the library sees that
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_REFUSED);
}

static void an_answer_without_its_end_is_cut(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "cut", "reset", "cutchunk", "badchunk", "nothing", "nonsense"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(fail_of("rsa12", paths[i]), HTTP_FAIL_CUT);
        assert_int_equal(fail_of("ecdsa13", paths[i]), HTTP_FAIL_CUT);
    }
}

static void an_answer_that_is_too_large_is_stopped(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa13", "big");
    r.body_bytes_max = PEER_BIG_BYTES - 1u;
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_FAIL_TOOBIG);
    assert_int_equal(a.result.status, 200);
    assert_true(a.result.body_bytes <= r.body_bytes_max);
    r.body_bytes_max = PEER_BIG_BYTES;
    assert_int_equal(world_run(&r).result.fail, HTTP_OK);
    assert_int_equal(fail_of("rsa13", "heads"), HTTP_FAIL_TOOBIG);
}

static void a_gzip_bomb_is_stopped(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa12", "bomb");
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_FAIL_TOOBIG);
    assert_true(a.result.body_bytes <= r.body_bytes_max);
    r.body_bytes_max = 100000;
    a = world_run_slowly(&r, 5000, 1);
    assert_int_equal(a.result.fail, HTTP_FAIL_TOOBIG);
    // Of the firmware's pool (the host's allocator counts nothing): bounded whatever the bomb's
    // size.
    assert_true(heap_stats().peak_bytes < 2u * 1024u * 1024u + 512u * 1024u);
}

static void broken_compression_is_an_encoding_failure(void **state)
{
    (void)state;
    assert_int_equal(fail_of("rsa13", "badgzip"), HTTP_FAIL_ENCODING);
}

static void a_peer_that_says_nothing_is_a_stall(void **state)
{
    (void)state;
    static const char *const paths[] = {"silent", "stall"};
    for (size_t i = 0; i < 2; i++) {
        struct http_request r = request_for("ecdsa13", paths[i]);
        r.stall_ms = 1000;
        struct world_answer a = world_run(&r);
        assert_int_equal(a.result.fail, HTTP_FAIL_TIMEOUT);
        assert_in_range(a.ran_ms, 900, 2900);
    }
}

static void a_flood_of_records_that_say_nothing_ends_at_once(void **state)
{
    (void)state;
    static const char *const servers[] = {"ccs", "warnings"}; // anybody on the way can send these
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fail_of(servers[i], ""), HTTP_FAIL_TLS);
    }
    assert_int_equal(fail_of("ecdsa13", "flood"), HTTP_FAIL_CUT); // and those behind a handshake
}

static void a_refusal_of_the_proxy_is_not_read_to_its_end(void **state)
{
    (void)state;
    static const char *const urls[] = {"https://endless-length.test/",
                                       "https://endless-chunk.test/"};
    char text[80];
    struct buf proxy = BUF(text);
    buf_put(&proxy, SPAN("http://"));
    buf_put_str(&proxy, peer_at("proxy"));
    for (size_t i = 0; i < 2; i++) {
        struct http_request r = request_for_url(urls[i]);
        r.proxy = buf_span(&proxy);
        r.connect_ms = 2000;
        struct world_answer a = world_run(&r);
        assert_int_equal(a.result.fail, HTTP_FAIL_CONNECT);
        assert_int_equal(a.result.detail, CURLE_RECV_ERROR); // not a timeout
    }
}

static void a_slow_peer_is_no_stall_but_total_ends_it(void **state)
{
    (void)state;
    struct http_request r = request_for("ecdsa13", "drip");
    r.stall_ms = 1000;
    r.total_ms = 3000;
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_FAIL_TIMEOUT);
    assert_in_range(a.ran_ms, 2900, 4500);
    assert_true(a.bytes > 10000);
}

static void total_ends_a_paused_transfer_too(void **state)
{
    (void)state;
    struct http_request r = request_for("ecdsa13", "big");
    r.total_ms = 1000;
    world_start(0, &r);
    world_finish(0); // nobody reads
    assert_int_equal(http_result(&world_http, 0)->fail, HTTP_FAIL_TIMEOUT);
    http_release(&world_http, 0);
}

static void a_handshake_that_hangs_ends_by_connect(void **state)
{
    (void)state;
    struct http_request r = request_for("mute", "");
    r.connect_ms = 1000;
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_FAIL_TIMEOUT);
    assert_in_range(a.ran_ms, 900, 2500);
}

static void what_runs_waits_for_its_own_timers_and_moves_with_the_bytes(void **state)
{
    (void)state;
    assert_int_equal(http_activity(&world_http).kind, ACTIVITY_IDLE);
    struct http_request r = request_for("rsa13", "big");
    struct mono began = loop_now().mono;
    world_start(0, &r);
    struct activity a = http_activity(&world_http);
    assert_int_equal(a.kind, ACTIVITY_WAITING);
    assert_true(a.until.ms <= mono_after(began, (int64_t)r.stall_ms + 60000).ms);
    while (http_body(&world_http, 0).len == 0) {
        world_turn(5000);
    }
    assert_int_not_equal(http_progress(&world_http, 0), a.progress);
    http_release(&world_http, 0);
    assert_int_equal(http_activity(&world_http).kind, ACTIVITY_IDLE);
}

int main(void)
{
#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        NET_TEST(a_certificate_that_is_not_good_is_a_trust_failure),
        NET_TEST(another_protocol_is_a_tls_failure),
        NET_TEST(a_closed_port_is_a_connect_failure),
        NET_TEST(a_name_that_is_not_there_is_a_resolve_failure),
        NET_TEST(a_request_against_the_rules_is_refused_and_not_sent),
        NET_TEST(an_answer_without_its_end_is_cut),
        NET_TEST(an_answer_that_is_too_large_is_stopped),
        NET_TEST(a_gzip_bomb_is_stopped),
        NET_TEST(broken_compression_is_an_encoding_failure),
        NET_TEST(a_peer_that_says_nothing_is_a_stall),
        NET_TEST(a_flood_of_records_that_say_nothing_ends_at_once),
        NET_TEST(a_refusal_of_the_proxy_is_not_read_to_its_end),
        NET_TEST(a_slow_peer_is_no_stall_but_total_ends_it),
        NET_TEST(total_ends_a_paused_transfer_too),
        NET_TEST(a_handshake_that_hangs_ends_by_connect),
        NET_TEST(what_runs_waits_for_its_own_timers_and_moves_with_the_bytes),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

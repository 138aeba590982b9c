// SPDX-License-Identifier: Apache-2.0
// Answers as they should be, over real TLS: versions, keys, framings, sizes, connections.
#include <stdlib.h>

#include "world.h"

static const char *const servers[] = {"rsa12", "rsa13", "ecdsa12", "ecdsa13"};
#define SERVERS_COUNT (sizeof(servers) / sizeof(servers[0]))

static bool body_has(const struct world_answer *a, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= a->bytes; i++) {
        if (memcmp(a->body + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

static void assert_big(const struct world_answer *a)
{
    assert_int_equal(a->result.fail, HTTP_OK);
    assert_int_equal(a->result.status, 200);
    assert_int_equal(a->bytes, PEER_BIG_BYTES);
    assert_int_equal(a->result.body_bytes, PEER_BIG_BYTES);
    assert_int_equal(peer_bytes_wrong(a->body, a->bytes), 0);
}

static void every_tls_version_and_key_brings_a_big_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < SERVERS_COUNT; i++) {
        struct http_request r = request_for(servers[i], "big");
        struct world_answer a = world_run(&r);
        assert_big(&a);
    }
}

static void chunked_and_gzip_answers_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < SERVERS_COUNT; i++) {
        struct http_request r = request_for(servers[i], i % 2 == 0 ? "chunked" : "gzip");
        struct world_answer a = world_run(&r);
        assert_big(&a);
    }
}

static void a_slow_reader_pauses_the_peer_and_loses_nothing(void **state)
{
    (void)state;
    static const char *const paths[] = {"big", "chunked", "gzip"};
    for (size_t i = 0; i < 3; i++) {
        struct http_request r = request_for("ecdsa13", paths[i]);
        struct world_answer a = world_run_slowly(&r, 20011, 1);
        assert_big(&a);
    }
}

static void a_reader_that_rests_is_no_stall(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa13", "big");
    r.stall_ms = 1000;
    world_start(0, &r);
    struct mono until = mono_after(loop_now().mono, 3500);
    while (!mono_due(until, loop_now().mono)) {
        world_turn(100);
    }
    assert_int_equal(http_state(&world_http, 0), HTTP_RUNNING);
    assert_true(http_body(&world_http, 0).len > 0);
    http_release(&world_http, 0);
}

static void the_request_arrives_as_it_was_given(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa12", "reflect/?$top=5&x=%20");
    r.headers[0] = SPAN("Authorization: Bearer abc.def");
    r.headers[11] = SPAN("Accept: application/json");
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.status, 200);
    assert_true(body_has(&a, "GET\n/reflect/?$top=5&x=%20\n"));
    assert_true(body_has(&a, "Authorization: Bearer abc.def"));
    assert_true(body_has(&a, "Accept: application/json"));
    assert_true(body_has(&a, "Accept-Encoding: gzip\n") || body_has(&a, "Accept-Encoding: gzip"));
    assert_true(body_has(&a, a.result.client_request_id));
    assert_int_equal(strlen(a.result.client_request_id), 36);
    assert_string_equal(a.result.request_id, "11111111-2222-3333");
    assert_int_equal(a.result.date_ms, 1795428000000);
    struct world_answer b = world_run(&r);
    assert_string_not_equal(a.result.client_request_id, b.result.client_request_id);
}

static void a_post_of_any_size_arrives_whole(void **state)
{
    (void)state;
    static char body[2 * 1024 * 1024];
    static const size_t sizes[] = {0, 1, 30 * 1024, sizeof(body)};
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)(i * 31u + (i >> 11));
    }
    for (size_t i = 0; i < SERVERS_COUNT; i++) {
        struct http_request r = request_for(servers[i], "reflect");
        char bytes_line[40];
        r.post = true;
        r.body = (struct span){.ptr = body, .len = sizes[i]};
        r.headers[0] = SPAN("Content-Type: application/x-ndjson");
        struct world_answer a = world_run(&r);
        struct buf line = BUF(bytes_line);
        buf_put(&line, SPAN("bytes "));
        buf_put_u64(&line, sizes[i]);
        assert_true(buf_terminate(&line));
        assert_int_equal(a.result.status, 200);
        assert_true(body_has(&a, "POST\n"));
        assert_true(body_has(&a, bytes_line));
        assert_true(body_has(&a, "Content-Type: application/x-ndjson"));
        assert_false(body_has(&a, "Expect:"));
        assert_false(body_has(&a, "x-www-form-urlencoded"));
        if (sizes[i] == 30 * 1024) {
            assert_true(body_has(&a, "sha256 0d695d3ea3f3e80a"));
        }
    }
}

static void statuses_are_handed_up_as_they_came(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa13", "redirect");
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_OK);
    assert_int_equal(a.result.status, 302);
    assert_int_equal(a.bytes, 9);
    r = request_for("rsa13", "status/204");
    a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_OK);
    assert_int_equal(a.result.status, 204);
    assert_int_equal(a.bytes, 0);
    r = request_for("rsa13", "status/503");
    a = world_run(&r);
    assert_int_equal(a.result.status, 503);
    r = request_for("rsa13", "claims");
    a = world_run(&r);
    assert_int_equal(a.result.status, 401);
    assert_true(a.result.claims_challenge);
    r = request_for("rsa13", "interim");
    a = world_run(&r);
    assert_int_equal(a.result.status, 200);
    assert_int_equal(a.result.retry_after_ms, 0);
}

static int64_t retry_after(const char *form)
{
    char path[40] = "retry/";
    struct buf b = {.ptr = path, .len = 6, .cap = sizeof(path), .overflow = false};
    buf_put_str(&b, form);
    assert_true(buf_terminate(&b));
    struct http_request r = request_for("ecdsa13", path);
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.status, 429);
    return a.result.retry_after_ms;
}

static void retry_after_is_read_in_all_its_forms(void **state)
{
    (void)state;
    assert_int_equal(retry_after("seconds"), 7000);
    assert_int_equal(retry_after("decimal"), 2128);
    assert_int_equal(retry_after("absurd"), RETRY_AFTER_MAX_MS);
    assert_int_equal(retry_after("words"), 0);
    assert_int_equal(retry_after("long"), 0);
    assert_true(retry_after("date") >= RETRY_AFTER_MIN_MS);
    assert_int_equal(retry_after("negative"), 0);
}

static uint64_t connections(void)
{
    struct http_request r = request_for("ecdsa12", "connections");
    struct world_answer a = world_run(&r);
    uint64_t count = 0;
    assert_true(span_u64((struct span){a.body, a.bytes}, &count));
    return count;
}

static void connections_are_kept_and_given_up_when_idle(void **state)
{
    (void)state;
    uint64_t before = connections();
    assert_int_equal(connections(), before);
    http_idle(&world_http);
    http_idle(&world_http);
    assert_int_equal(connections(), before + 1);
    struct http_request r = request_for("ecdsa12", "close");
    struct world_answer a = world_run(&r);
    assert_int_equal(a.bytes, 3);
    assert_int_equal(connections(), before + 2);
}

static void another_ca_gets_no_kept_connection(void **state)
{
    (void)state;
    struct http_request r = request_for("ecdsa13", "reflect");
    assert_int_equal(world_run(&r).result.fail, HTTP_OK);
    r.ca_pem = peer_file("other.pem");
    assert_int_equal(world_run(&r).result.fail, HTTP_FAIL_TRUST);
}

static void two_transfers_run_at_once(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa13", "gzip");
    size_t bytes[2] = {0, 0};
    world_start(3, &r);
    r = request_for("ecdsa12", "big");
    world_start(15, &r);
    struct mono bound = mono_after(loop_now().mono, 60000);
    while (bytes[0] < PEER_BIG_BYTES || bytes[1] < PEER_BIG_BYTES) {
        assert_false(mono_due(bound, loop_now().mono));
        for (unsigned i = 0; i < 2; i++) {
            size_t len = http_body(&world_http, i == 0 ? 3 : 15).len;
            http_consume(&world_http, i == 0 ? 3 : 15, len);
            bytes[i] += len;
        }
        world_turn(1000);
    }
    world_finish(3);
    world_finish(15);
    assert_int_equal(http_result(&world_http, 3)->fail, HTTP_OK);
    assert_int_equal(http_result(&world_http, 15)->fail, HTTP_OK);
    http_release(&world_http, 3);
    http_release(&world_http, 15);
}

static void a_client_certificate_opens_the_door(void **state)
{
    (void)state;
    static const char *const doors[] = {"mtls12", "mtls13"};
    struct span pem = peer_file("client.pem");
    for (size_t i = 0; i < 2; i++) {
        struct http_request r = request_for(doors[i], "reflect");
        assert_int_not_equal(world_run(&r).result.fail, HTTP_OK);
        r.client_cert_pem = pem;
        r.client_key_pem = pem;
        struct world_answer a = world_run(&r);
        assert_int_equal(a.result.fail, HTTP_OK);
        assert_int_equal(a.result.status, 200);
        r.client_cert_pem = peer_file("stranger.pem");
        r.client_key_pem = peer_file("stranger.pem");
        assert_int_not_equal(world_run(&r).result.fail, HTTP_OK);
    }
}

static void the_configured_proxy_is_a_tunnel(void **state)
{
    (void)state;
    char url[80];
    struct buf proxy = BUF(url);
    buf_put(&proxy, SPAN("http://"));
    buf_put_str(&proxy, peer_at("proxy"));
    struct http_request r = request_for("rsa13", "reflect");
    r.proxy = buf_span(&proxy);
    struct world_answer a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_OK);
    assert_int_equal(a.result.status, 200);
    assert_string_equal(a.result.request_id, "11111111-2222-3333");
    r = request_for_url("https://refused.test:443/");
    r.proxy = buf_span(&proxy);
    a = world_run(&r);
    assert_int_equal(a.result.fail, HTTP_FAIL_CONNECT);
    assert_int_equal(a.result.status, 0);
}

static void the_environment_names_no_proxy(void **state)
{
    (void)state;
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < 4; i++) {
        setenv(names[i], "http://127.0.0.1:9", 1);
    }
    struct http_request r = request_for("rsa13", "reflect");
    assert_int_equal(world_run(&r).result.fail, HTTP_OK);
    for (size_t i = 0; i < 4; i++) {
        unsetenv(names[i]);
    }
}

static void an_idle_http_wakes_nobody(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa13", "reflect");
    assert_int_equal(world_run(&r).result.fail, HTTP_OK); // leaves an open connection
    world_turn(0);
    uint64_t before = world_loop.wakeups;
    struct mono until = mono_after(loop_now().mono, 2500);
    while (!mono_due(until, loop_now().mono)) {
        world_turn(until.ms - loop_now().mono.ms);
    }
    assert_true(world_loop.wakeups - before <= 2);
}

static void a_released_transfer_can_be_started_again(void **state)
{
    (void)state;
    struct http_request r = request_for("ecdsa12", "reflect");
    assert_int_equal(world_run(&r).result.fail, HTTP_OK);
    unsigned before = world_descriptors();
    for (int64_t ms = 0; ms < 30; ms++) {
        r = request_for("ecdsa12", "big");
        world_start(0, &r);
        for (int64_t turn = 0; turn < ms; turn++) {
            world_turn(1);
        }
        http_release(&world_http, 0);
        assert_int_equal(http_state(&world_http, 0), HTTP_FREE);
        assert_int_equal(http_body(&world_http, 0).len, 0);
    }
    http_idle(&world_http);
    assert_true(world_descriptors() <= before);
}

static size_t left_in_the_ring(const struct http_request *r)
{
    char *bytes = world_http.transfers[0].ring.bytes;
    size_t left = 0;
    memset(bytes, 0, HTTP_RING_BYTES);
    assert_true(world_run(r).bytes > 0);
    for (size_t i = 0; i < HTTP_RING_BYTES; i++) {
        left += bytes[i] != 0;
    }
    return left;
}

static void secret_and_refusing_answers_are_wiped_when_read(void **state)
{
    (void)state;
    struct http_request r = request_for("rsa13", "reflect");
    assert_true(left_in_the_ring(&r) > 0);
    r.secret_answer = true;
    assert_int_equal(left_in_the_ring(&r), 0);
    r = request_for("rsa13", "status/401");
    assert_int_equal(left_in_the_ring(&r), 0);
}

int main(void)
{
#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        NET_TEST(every_tls_version_and_key_brings_a_big_answer),
        NET_TEST(chunked_and_gzip_answers_are_decoded),
        NET_TEST(a_slow_reader_pauses_the_peer_and_loses_nothing),
        NET_TEST(a_reader_that_rests_is_no_stall),
        NET_TEST(the_request_arrives_as_it_was_given),
        NET_TEST(a_post_of_any_size_arrives_whole),
        NET_TEST(statuses_are_handed_up_as_they_came),
        NET_TEST(retry_after_is_read_in_all_its_forms),
        NET_TEST(connections_are_kept_and_given_up_when_idle),
        NET_TEST(another_ca_gets_no_kept_connection),
        NET_TEST(two_transfers_run_at_once),
        NET_TEST(a_client_certificate_opens_the_door),
        NET_TEST(the_configured_proxy_is_a_tunnel),
        NET_TEST(the_environment_names_no_proxy),
        NET_TEST(an_idle_http_wakes_nobody),
        NET_TEST(a_released_transfer_can_be_started_again),
        NET_TEST(secret_and_refusing_answers_are_wiped_when_read),
    };
    return cmocka_run_group_tests(tests, peer_start, peer_stop);
}

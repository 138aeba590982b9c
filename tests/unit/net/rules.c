// SPDX-License-Identifier: Apache-2.0
// What needs no peer: the rules of a request, the fields of an answer, the ring, the words of a
// failure.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_state.h"

static struct http_transfer transfer;

static struct http_request good(void)
{
    return (struct http_request){.url = SPAN("https://graph.example/v1.0/x?$top=5"),
                                 .trust = HTTP_TRUST_ROOTS,
                                 .connect_ms = 1000,
                                 .total_ms = 1000,
                                 .stall_ms = 1000};
}

static bool ok_with_url(struct span url)
{
    struct http_request r = good();
    r.url = url;
    return http_request_ok(&r);
}

static bool ok_with_header(struct span line)
{
    struct http_request r = good();
    r.headers[3] = line;
    return http_request_ok(&r);
}

static void only_https_urls_are_accepted(void **state)
{
    (void)state;
    static char longest[HTTP_URL_BYTES_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://", 8);
    assert_true(ok_with_url(SPAN("https://a")));
    assert_true(ok_with_url(SPAN("https://[::1]:8443/a@b?c=d@e")));
    assert_true(ok_with_url((struct span){longest, HTTP_URL_BYTES_MAX}));
    assert_false(ok_with_url((struct span){longest, HTTP_URL_BYTES_MAX + 1}));
    assert_false(ok_with_url(SPAN("http://a")));
    assert_false(ok_with_url(SPAN("file:///etc/passwd")));
    assert_false(ok_with_url(SPAN("https://")));
    assert_false(ok_with_url(SPAN("https:///path")));
    assert_false(ok_with_url(SPAN("https://user@host/")));
    assert_false(ok_with_url(SPAN("https://user:pass@host")));
    assert_false(ok_with_url(SPAN("https://a\\@b/")));
    assert_false(ok_with_url(SPAN("https://a/b c")));
    assert_false(ok_with_url(SPAN("https://a/\r\nX: y")));
    assert_false(ok_with_url(SPAN("https://a/\xc3\xa4")));
    assert_false(ok_with_url(SPAN("https://a/\0b")));
    assert_false(ok_with_url(SPAN_NONE));
}

static void a_header_cannot_smuggle_another(void **state)
{
    (void)state;
    static char longest[HTTP_HEADER_BYTES_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "Authorization: ", 15);
    assert_true(ok_with_header(SPAN("Accept: application/json")));
    assert_true(ok_with_header((struct span){longest, HTTP_HEADER_BYTES_MAX}));
    assert_false(ok_with_header((struct span){longest, HTTP_HEADER_BYTES_MAX + 1}));
    assert_false(ok_with_header(SPAN("Accept: a\r\nHost: evil")));
    assert_false(ok_with_header(SPAN("Accept: a\nHost: evil")));
    assert_false(ok_with_header(SPAN("Accept: a\rb")));
    assert_false(ok_with_header(SPAN("Accept: a\0b")));
    assert_false(ok_with_header(SPAN("Accept: \xe4")));
    assert_false(ok_with_header(SPAN("Acc ept: a")));
    assert_false(ok_with_header(SPAN(": a")));
    assert_false(ok_with_header(SPAN("Accept")));
    assert_false(ok_with_header(SPAN("Host:")));
    assert_false(ok_with_header(SPAN("Host:  ")));
}

static void bounds_and_pairs_are_checked(void **state)
{
    (void)state;
    struct http_request r = good();
    assert_true(http_request_ok(&r));
    r.connect_ms = 999;
    assert_false(http_request_ok(&r));
    r = good();
    r.total_ms = 3600001;
    assert_false(http_request_ok(&r));
    r = good();
    r.stall_ms = 0;
    assert_false(http_request_ok(&r));
    r = good();
    r.body = SPAN("x");
    assert_false(http_request_ok(&r)); // a GET has none
    r.post = true;
    assert_true(http_request_ok(&r));
    r.client_cert_pem = SPAN("cert");
    assert_false(http_request_ok(&r));
    r.client_key_pem = SPAN("key");
    assert_true(http_request_ok(&r));
    r.trust = HTTP_TRUST_CA;
    assert_false(http_request_ok(&r));
    r.ca_pem = SPAN("ca");
    assert_true(http_request_ok(&r));
    r.trust = (enum http_trust)0;
    assert_false(http_request_ok(&r));
}

static void a_proxy_is_a_plain_host_and_port(void **state)
{
    (void)state;
    struct http_request r = good();
    r.proxy = SPAN("http://proxy.example:3128");
    assert_true(http_request_ok(&r));
    r.proxy = SPAN("http://user:pass@proxy.example:3128");
    assert_false(http_request_ok(&r));
    r.proxy = SPAN("socks5://proxy.example");
    assert_false(http_request_ok(&r));
}

static void begin(void)
{
    struct http_request r = good();
    http_transfer_begin(&transfer, &r, (struct now){.mono = {.ms = 5}});
}

static void feed(const char *line)
{
    assert_true(http_answer_line(&transfer, span_from_str(line)));
}

static void the_fields_of_an_answer_are_found(void **state)
{
    (void)state;
    begin();
    feed("HTTP/1.1 429 Too Many Requests\r\n");
    feed("RETRY-AFTER:\t 12 \r\n");
    feed("Request-ID: abc\x01"
         "def\r\n");
    feed("Date: Mon, 23 Nov 2026 10:00:00 GMT\r\n");
    feed("WWW-Authenticate: Bearer error=\"Insufficient_Claims\"\r\n");
    feed("\r\n");
    assert_int_equal(transfer.result.status, 429);
    assert_string_equal(transfer.retry_after, "12");
    assert_string_equal(transfer.result.request_id, "abc?def");
    assert_int_equal(transfer.result.date_ms, 1795428000000);
    assert_true(transfer.result.claims_challenge);
}

static void an_interim_answer_leaves_nothing_behind(void **state)
{
    (void)state;
    begin();
    feed("HTTP/1.1 103 Early Hints\r\n");
    feed("Retry-After: 5\r\n");
    feed("request-id: early\r\n");
    feed("HTTP/1.1 200 OK\r\n");
    assert_int_equal(transfer.result.status, 200);
    assert_string_equal(transfer.retry_after, "");
    assert_string_equal(transfer.result.request_id, "");
}

static void odd_lines_do_no_harm(void **state)
{
    (void)state;
    begin();
    feed("HTTP/1.1\r\n");
    feed("HTTP/1.1 \r\n");
    feed("HTTP/1.1 2x0 OK\r\n");
    feed("no colon\r\n");
    feed(":\r\n");
    feed("Retry-After:\r\n");
    feed("Date: never\r\n");
    feed("");
    assert_int_equal(transfer.result.status, 0);
    assert_int_equal(transfer.result.date_ms, 0);
}

static void a_head_without_end_is_refused(void **state)
{
    (void)state;
    begin();
    static char line[1000];
    memset(line, 'x', sizeof(line));
    unsigned lines = 0;
    while (lines < 1000 && http_answer_line(&transfer, (struct span){line, sizeof(line)})) {
        lines++;
    }
    assert_int_equal(lines, HTTP_ANSWER_HEAD_BYTES_MAX / 1000);
}

static void the_ring_keeps_order_over_its_end(void **state)
{
    (void)state;
    begin();
    struct http_ring *ring = &transfer.ring;
    static char piece[777];
    uint32_t in = 0;
    uint32_t out = 0;
    for (unsigned turn = 0; turn < 2000; turn++) {
        for (size_t i = 0; i < sizeof(piece); i++) {
            piece[i] = (char)((in + i) * 7u);
        }
        if (http_ring_put(ring, (struct span){piece, sizeof(piece)})) {
            in += (uint32_t)sizeof(piece);
        } else {
            assert_true(HTTP_RING_BYTES - ring->len < sizeof(piece));
        }
        for (size_t i = 0; i < ring->len && i < 700; i++) {
            assert_int_equal(ring->bytes[(ring->head + i) % HTTP_RING_BYTES],
                             (char)((out + i) * 7u));
        }
        uint32_t take = ring->len < 700 ? ring->len : 700;
        http_ring_take(ring, take);
        out += take;
    }
    http_ring_take(ring, ring->len);
    assert_int_equal(ring->head, 0);
}

static void what_is_wiped_is_not_left_in_the_ring(void **state)
{
    (void)state;
    begin();
    struct http_ring *ring = &transfer.ring;
    static char piece[HTTP_RING_BYTES - 100u];
    memset(piece, 's', sizeof(piece));
    assert_true(http_ring_put(ring, (struct span){piece, sizeof(piece)}));
    http_ring_wipe(ring, sizeof(piece) - 50u);
    assert_true(http_ring_put(ring, (struct span){piece, 1000})); // over the end
    http_ring_wipe(ring, ring->len);
    assert_int_equal(ring->head, 0);
    for (size_t i = 0; i < HTTP_RING_BYTES; i++) {
        assert_int_equal(ring->bytes[i], 0);
    }
}

static void each_failure_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (int f = HTTP_OK; f <= HTTP_FAIL_REFUSED; f++) {
        assert_true(strlen(http_fail_name((enum http_fail)f)) > 1);
        assert_true(strlen(http_fail_text((enum http_fail)f)) > 10);
        for (int g = HTTP_OK; g < f; g++) {
            assert_string_not_equal(http_fail_name((enum http_fail)f),
                                    http_fail_name((enum http_fail)g));
        }
    }
    assert_string_equal(http_fail_name(HTTP_FAIL_TRUST), "trust");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_https_urls_are_accepted),
        cmocka_unit_test(a_header_cannot_smuggle_another),
        cmocka_unit_test(bounds_and_pairs_are_checked),
        cmocka_unit_test(a_proxy_is_a_plain_host_and_port),
        cmocka_unit_test(the_fields_of_an_answer_are_found),
        cmocka_unit_test(an_interim_answer_leaves_nothing_behind),
        cmocka_unit_test(odd_lines_do_no_harm),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(the_ring_keeps_order_over_its_end),
        cmocka_unit_test(what_is_wiped_is_not_left_in_the_ring),
        cmocka_unit_test(each_failure_has_a_name_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

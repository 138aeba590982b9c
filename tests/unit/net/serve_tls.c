// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The same over TLS, against the client's half of the library.
 */
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/crypto.h"

#include "serve_peer.h"
#include "serve_world.h"

#define REQUEST       "GET / HTTP/1.1\r\n\r\n"
#define BIG_BYTES     (1024u * 1024u)
#define FLOOD_RECORDS 1024u

static char heard[BIG_BYTES + 1u];

static bool has_request(unsigned c)
{
    return span_equal(serve_input(&server, c), SPAN(REQUEST));
}

static void check_served(void)
{
    static const struct span parts[] = {{"one,", 4}, {NULL, 0}, {"two", 3}};
    struct buf to = BUF(heard);
    peer_says(SPAN(REQUEST));
    serve_until(has_request, 0);
    serve_answer(&server, 0, parts, 3);
    assert_int_equal(peer_hears(&to), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    assert_true(span_equal(buf_span(&to), SPAN("one,two")));
    shutdown(peer.fd, SHUT_RDWR);
    serve_until(is_free, 0);
}

// ---- tests ------------------------------------------------------------------

static void both_versions_are_spoken_with_the_ciphers_that_take_no_time_from_the_key(void **unused)
{
    (void)unused;
    static const mbedtls_ssl_protocol_version versions[] = {MBEDTLS_SSL_VERSION_TLS1_2,
                                                            MBEDTLS_SSL_VERSION_TLS1_3};
    peer_serve();
    for (unsigned i = 0; i < 2; i++) {
        peer_open(versions[i]);
        assert_int_equal(peer_shakes(), 0);
        assert_int_equal(mbedtls_ssl_get_version_number(&peer.ssl), versions[i]);
        const char *suite = mbedtls_ssl_get_ciphersuite(&peer.ssl);
        assert_true(strstr(suite, "GCM") != NULL || strstr(suite, "POLY1305") != NULL);
        assert_true(i == 1 || strstr(suite, "ECDHE-ECDSA") != NULL);
        check_served();
        peer_close();
    }
    assert_int_equal(serve_turn().ms, MONO_NEVER.ms);
    assert_int_equal(serve_stats(&server).accepted, 2);
    assert_int_equal(serve_stats(&server).handshakes_failed, 0);
}

static void a_handshake_may_come_byte_by_byte(void **unused)
{
    (void)unused;
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    peer.most = 1;
    assert_int_equal(peer_shakes(), 0);
    check_served();
    peer_close();
}

static bool nobody_waits(unsigned unused)
{
    (void)unused;
    bool waits = false;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        waits = waits || server.callers[i].fd >= 0;
    }
    return serve_stats(&server).accepted > 0 && !waits;
}

static void half_a_hello_costs_a_descriptor_and_no_wake_up(void **unused)
{
    (void)unused;
    static const unsigned char half[] = {22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3};
    peer_serve();
    int fd = client();
    for (size_t i = 0; i < sizeof(half); i++) {
        assert_int_equal(send(fd, half + i, 1, MSG_NOSIGNAL), 1);
        serve_settle();
        assert_int_equal(serve_stats(&server).open, 0);
    }
    assert_false(client_is_gone(fd));
    server_ms += SERVE_HANDSHAKE_MS;
    (void)serve_turn();
    client_goes(fd);
    assert_int_equal(serve_stats(&server).timeouts, 1);
}

/// As a kernel is that has no memory left for TCP, or for this connection.
static void every_byte_wakes(unsigned c)
{
    const int one = 1;
    int fd = server.callers[c].fd;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one)), 0);
}

static void a_kernel_that_wakes_it_for_too_little_costs_a_look_now_and_then(void **unused)
{
    (void)unused;
    static const char *const rows[] = {"\x16", "\x16\x03\x01\x02\x01"};
    peer_serve();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = client();
        client_says(fd, rows[i]);
        serve_until(is_accepted, i + 1u);
        serve_settle();
        every_byte_wakes(0);
        serve_settle();
        server_ms = serve_turn().ms;
        serve_settle();
        assert_false(client_is_gone(fd));
        client_leaves(fd);
        server_ms = serve_turn().ms;
        serve_until(nobody_waits, 0);
    }
}

static void without_poll_it_serves_and_sleeps_all_the_same(void **unused)
{
    (void)unused;
    struct rlimit before, few;
    struct pollfd none[SERVE_WAITING] = {{.fd = -1}};
    peer_serve();
    for (unsigned i = 0; i < SERVE_WAITING - 2u; i++) { // a crowd: asked now and then
        (void)client();
    }
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    serve_until(is_accepted, SERVE_WAITING - 1u);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = SERVE_WAITING - 1u; // poll takes no more at once then
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int asked = poll(none, SERVE_WAITING, 0);
    assert_true(peer_waits(mbedtls_ssl_handshake(&peer.ssl)));
    server_ms = serve_turn().ms;
    serve_settle();
    int code = peer_shakes();
    check_served();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(asked, -1);
    assert_int_equal(code, 0);
    peer_close();
}

static void nobody_waits_for_the_rest_of_a_hello_whose_sender_says_no_more(void **unused)
{
    (void)unused;
    peer_serve();
    int fd = client();
    client_says(fd, "\x16\x03\x01\x02");
    serve_settle();
    assert_false(client_is_gone(fd));
    shutdown(fd, SHUT_WR);
    serve_until(nobody_waits, 0);
    client_goes(fd);
    assert_int_equal(serve_stats(&server).timeouts, 0);
}

static void those_who_have_left_are_in_nobodys_way(void **unused)
{
    (void)unused;
    peer_serve();
    for (unsigned i = 0; i < 5u * SERVE_WAITING; i++) {
        int fd = client();
        client_says(fd, "\x16\x03\x01\x02"); // a part of a hello
        client_leaves(fd);
    }
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_int_equal(peer_shakes(), 0); // in no time
    check_served();
    peer_close();
}

static void no_handshake_is_made_for_one_who_has_left(void **unused)
{
    (void)unused;
    peer_serve();
    for (unsigned i = 0; i < 5u * SERVE_WAITING; i++) {
        peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
        assert_true(peer_waits(mbedtls_ssl_handshake(&peer.ssl))); // the whole hello
        peer_close();
    }
    for (unsigned i = 0; i < SERVE_HANDSHAKES_PER_S * 2u; i++) { // as many as no time allows
        peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
        assert_int_equal(peer_shakes(), 0);
        check_served();
        peer_close();
    }
    assert_int_equal(serve_stats(&server).handshakes_failed, 0);
}

static void what_is_no_hello_is_sent_away(void **unused)
{
    (void)unused;
    static const struct span rows[] = {
        SPAN("GET / HTTP/1.1\r\n\r\n"),
        SPAN("\x80\x2e\x01\x03\x01"),                 // SSL 2
        SPAN("\x16\x03\x01\x00\x00"),                 // empty
        SPAN("\x16\x03\x01\xff\xff"),                 // 64 KiB
        SPAN("\x16\x03\x01\x00\x04\x01\x00\x00\x00"), // a hello without anything
        SPAN("\x16\x03\x01\x00\x04\x02\x00\x00\x00"), // what a server says
        SPAN("\x15\x03\x01\x00\x02\x02\x28"),         // an alert
    };
    peer_serve();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = client();
        assert_int_equal(send(fd, rows[i].ptr, rows[i].len, MSG_NOSIGNAL), rows[i].len);
        struct buf to = BUF(heard);
        client_hears_all(fd, &to);
        assert_true(to.len == 0 || heard[0] == 21); // nothing, or an alert
        serve_until(all_free, 0);
        assert_int_equal(serve_stats(&server).handshakes_failed, i + 1u);
    }
}

static void garbage_behind_the_handshake_ends_the_connection(void **unused)
{
    (void)unused;
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_int_equal(peer_shakes(), 0);
    serve_until(is_reading, 0);
    client_says(peer.fd, "\x17\x03\x03\x7f\xff no record is that long");
    serve_until(is_free, 0);
    peer_close();
}

/// Records that the library passes over: it would go on reading for as long as they come.
static void say_nothing(unsigned records)
{
    static const char record[] = {0x14, 3, 3, 0, 1, 1}; // change_cipher_spec, RFC 8446 D.4
    static char flood[FLOOD_RECORDS * sizeof(record)];
    assert_in_range(records, 1, FLOOD_RECORDS);
    for (unsigned i = 0; i < records; i++) {
        memcpy(flood + i * sizeof(record), record, sizeof(record));
    }
    size_t len = records * sizeof(record);
    assert_int_equal(send(peer.fd, flood, len, MSG_NOSIGNAL), len);
}

static void a_flood_of_records_that_say_nothing_ends_the_connection(void **unused)
{
    (void)unused;
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_true(peer_waits(mbedtls_ssl_handshake(&peer.ssl)));
    serve_until(is_shaking, 0);
    say_nothing(FLOOD_RECORDS);
    serve_until(is_free, 0);
    assert_int_equal(serve_stats(&server).handshakes_failed, 1);
    peer_close();

    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_int_equal(peer_shakes(), 0);
    serve_until(is_reading, 0);
    say_nothing(FLOOD_RECORDS);
    serve_until(is_free, 0);
    peer_close();
    assert_int_equal(serve_stats(&server).timeouts, 0);
}

static void a_few_records_that_say_nothing_are_borne(void **unused)
{
    (void)unused;
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_true(peer_waits(mbedtls_ssl_handshake(&peer.ssl)));
    serve_until(is_shaking, 0);
    say_nothing(4);
    assert_int_equal(peer_shakes(), 0);
    say_nothing(4);
    check_served();
    peer_close();
}

static void an_end_without_a_word_ends_it_and_the_word_does_not(void **unused)
{
    (void)unused;
    struct buf to = BUF(heard);
    const struct span part = SPAN("well");
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_int_equal(peer_shakes(), 0);
    peer_says(SPAN(REQUEST));
    shutdown(peer.fd, SHUT_WR); // anybody on the way could have cut it
    serve_until(is_free, 0);
    peer_close();

    peer_open(MBEDTLS_SSL_VERSION_TLS1_2);
    assert_int_equal(peer_shakes(), 0);
    peer_says(SPAN(REQUEST));
    assert_int_equal(mbedtls_ssl_close_notify(&peer.ssl), 0);
    serve_until(is_ended, 0);
    assert_true(has_request(0));
    serve_answer(&server, 0, &part, 1);
    assert_int_equal(peer_hears(&to), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    assert_true(span_equal(buf_span(&to), part));
    peer_close();
}

static void a_full_buffer_and_a_long_answer_go_together(void **unused)
{
    (void)unused;
    static char request[SERVE_IN_BYTES + 100u], big[BIG_BYTES];
    const struct span parts[] = {{big, 5000}, {big + 5000, sizeof(big) - 5000}};
    struct buf to = BUF(heard);
    memset(request, 'a', sizeof(request));
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (char)('a' + i * 7u % 23u + i / 65536u % 3u);
    }
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_int_equal(peer_shakes(), 0);
    peer_says((struct span){request, sizeof(request)});
    serve_until(is_full, 0);
    serve_answer(&server, 0, parts, 2);
    serve_settle(); // nobody reads
    assert_int_equal(peer_hears(&to), MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY);
    assert_int_equal(to.len, sizeof(big));
    assert_memory_equal(heard, big, sizeof(big));
    peer_close();
}

static bool somebody_is_ready(unsigned c)
{
    return server.callers[c].ready;
}

static void handshakes_are_as_many_as_the_seconds_allow(void **unused)
{
    const int64_t cost_ms = 1000 / (int64_t)SERVE_HANDSHAKES_PER_S;
    const int64_t wait_ms = cost_ms - 2000 % cost_ms; // what is left of two seconds counts
    (void)unused;
    peer_serve();
    for (unsigned i = 0; i < SERVE_HANDSHAKES_PER_S * 2u; i++) {
        peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
        assert_int_equal(peer_shakes(), 0);
        check_served();
        peer_close();
    }
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_true(peer_waits(mbedtls_ssl_handshake(&peer.ssl)));
    serve_until(somebody_is_ready, 0);
    serve_settle();
    assert_int_equal(serve_stats(&server).open, 0);
    assert_int_equal(serve_turn().ms, server_ms + wait_ms);
    server_ms += wait_ms;
    assert_int_equal(peer_shakes(), 0);
    check_served();
    peer_close();
}

static void a_stalled_handshake_ends_in_time(void **unused)
{
    (void)unused;
    peer_serve();
    peer_open(MBEDTLS_SSL_VERSION_TLS1_3);
    assert_true(peer_waits(mbedtls_ssl_handshake(&peer.ssl)));
    serve_until(is_shaking, 0);
    serve_settle();
    server_ms += SERVE_HANDSHAKE_MS;
    serve_until(is_free, 0);
    assert_int_equal(serve_stats(&server).timeouts, 1);
    peer_close();
}

static void a_key_of_another_certificate_is_refused(void **unused)
{
    (void)unused;
    static char other_key[CRYPTO_KEY_PEM_BYTES_MAX], other_cert[CRYPTO_CERT_PEM_BYTES_MAX];
    const struct crypto_subject subject = {
        .common_name = SPAN("other"), .from_ms = 1795392000000, .days = 1};
    struct buf k = BUF(other_key), c = BUF(other_cert);
    assert_int_equal(crypto_make_tls_identity(&subject, &k, &c), RC_OK);
    const struct serve_options bad[] = {
        {.cert_pem = buf_span(&peer_cert), .key_pem = buf_span(&k)},
        {.cert_pem = buf_span(&c), .key_pem = buf_span(&peer_key)},
        {.cert_pem = SPAN("-----BEGIN"), .key_pem = buf_span(&peer_key)},
        {.cert_pem = buf_span(&peer_cert), .key_pem = SPAN("x")},
        {.cert_pem = SPAN_NONE, .key_pem = SPAN_NONE},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct serve_options options = bad[i];
        assert_int_equal(address_parse_listen(SPAN("127.0.0.1"), 0, &options.listen), RC_OK);
        assert_int_equal(serve_open(&server, &server_loop, &options), RC_CORRUPT);
        assert_false(serve_is_open(&server));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, serve_setup, serve_teardown)
    const struct CMUnitTest tests[] = {
        T(both_versions_are_spoken_with_the_ciphers_that_take_no_time_from_the_key),
        T(a_handshake_may_come_byte_by_byte),
        T(half_a_hello_costs_a_descriptor_and_no_wake_up),
        T(a_kernel_that_wakes_it_for_too_little_costs_a_look_now_and_then),
        T(without_poll_it_serves_and_sleeps_all_the_same),
        T(nobody_waits_for_the_rest_of_a_hello_whose_sender_says_no_more),
        T(those_who_have_left_are_in_nobodys_way),
        T(no_handshake_is_made_for_one_who_has_left),
        T(what_is_no_hello_is_sent_away),
        T(garbage_behind_the_handshake_ends_the_connection),
        T(a_flood_of_records_that_say_nothing_ends_the_connection),
        T(a_few_records_that_say_nothing_are_borne),
        T(an_end_without_a_word_ends_it_and_the_word_does_not),
        T(a_full_buffer_and_a_long_answer_go_together),
        T(handshakes_are_as_many_as_the_seconds_allow),
        T(a_stalled_handshake_ends_in_time),
        T(a_key_of_another_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, peer_make_identity, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One request, one answer, one connection; and who gets one when there are too many.
 */
#include <errno.h>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve_world.h"

#define REQUEST   "GET / HTTP/1.1\r\n\r\n"
#define BIG_BYTES (3u * 1024u * 1024u)

static char heard[BIG_BYTES + 1u];

static void answer(unsigned c, const char *text)
{
    struct span part = span_from_str(text);
    serve_answer(&server, c, &part, 1);
}

static void check_input(unsigned c, const char *text)
{
    struct span in = serve_input(&server, c), wanted = span_from_str(text);
    assert_true(span_equal(in, wanted));
}

static bool has_request(unsigned c)
{
    return serve_input(&server, c).len == strlen(REQUEST);
}

/// The connection of the request that is complete.
static unsigned complete(void)
{
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        for (unsigned c = 0; c < SERVE_CONNECTIONS; c++) {
            if (is_reading(c) && has_request(c)) {
                return c;
            }
        }
        (void)serve_turn();
    }
    fail_msg("no request is complete");
    return 0;
}

static void check_served(int fd)
{
    struct buf to = BUF(heard);
    answer(complete(), "well");
    client_hears_all(fd, &to);
    assert_true(span_equal(buf_span(&to), SPAN("well")));
}

static void a_request_comes_in_and_the_parts_of_its_answer_go_out_as_one(void **unused)
{
    (void)unused;
    static const struct span parts[] = {
        {"one,", 4}, {NULL, 0}, {"two,", 4}, {"", 0}, {"three", 5}, {NULL, 0}};
    struct buf to = BUF(heard);
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    assert_int_equal(complete(), 0);
    check_input(0, REQUEST);
    assert_false(serve_input_ended(&server, 0));
    assert_false(serve_input_full(&server, 0));
    serve_answer(&server, 0, parts, sizeof(parts) / sizeof(parts[0]));
    assert_int_equal(serve_state(&server, 0), SERVE_ANSWERING);
    client_hears_all(fd, &to);
    assert_true(span_equal(buf_span(&to), SPAN("one,two,three")));
    shutdown(fd, SHUT_RDWR);
    serve_until(is_free, 0);
    assert_int_equal(serve_input(&server, 0).len, 0);
    assert_int_equal(serve_turn().ms, MONO_NEVER.ms);
    assert_int_equal(serve_stats(&server).accepted, 1);
    assert_int_equal(serve_stats(&server).refused + serve_stats(&server).timeouts, 0);
}

static void both_ends_are_told_in_whatever_family_they_came(void **unused)
{
    (void)unused;

    static const struct {
        const char *listen, *from, *ends;
    } rows[] = {{"127.0.0.1", "127.0.0.2", "127.0.0.1"},
                {"[::1]", "::1", "::1"},
                {"[::]", "127.0.0.3", "127.0.0.1"},
                {"[::]", "::1", "::1"}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct address from, at;
        assert_int_equal(address_parse(span_from_str(rows[i].from), 1, &from), RC_OK);
        assert_int_equal(address_parse(span_from_str(rows[i].ends), 1, &at), RC_OK);
        serve_start(rows[i].listen);
        int fd = client_from(rows[i].from);
        client_says(fd, REQUEST);
        assert_int_equal(complete(), 0);
        struct address peer = serve_peer(&server, 0), local = serve_local(&server, 0);
        assert_int_equal(peer.is_v6, from.is_v6);
        assert_true(address_same_host(&peer, &from));
        assert_true(address_same_host(&local, &at));
        assert_int_equal(local.port, serve_address(&server).port);
        serve_close(&server);
        assert_false(serve_is_open(&server));
        client_goes(fd);
    }
}

static void an_address_that_cannot_be_had_is_told_by_its_reason(void **unused)
{
    (void)unused;
    static struct serve other;
    serve_none(&other);
    serve_start("127.0.0.1");
    struct serve_options options = {.plain = true, .listen = serve_address(&server)};
    assert_int_equal(serve_open(&other, &server_loop, &options), RC_AGAIN);
    assert_int_equal(address_parse(SPAN("192.0.2.77:8443"), 1, &options.listen), RC_OK);
    assert_int_equal(serve_open(&other, &server_loop, &options), RC_NOTFOUND);
    assert_false(serve_is_open(&other));
    assert_int_equal(serve_step(&other, loop_now()).ms, MONO_NEVER.ms);
    if (geteuid() != 0) {
        assert_int_equal(address_parse(SPAN("127.0.0.1:1"), 1, &options.listen), RC_OK);
        assert_int_equal(serve_open(&other, &server_loop, &options), RC_DENIED);
    }
    // Its own connections in TIME_WAIT are no reason.
    int fd = client();
    client_says(fd, REQUEST);
    options.listen = serve_address(&server);
    check_served(fd);
    serve_close(&server);
    assert_int_equal(serve_open(&server, &server_loop, &options), RC_OK);
}

static bool has_bytes(unsigned count)
{
    return serve_input(&server, 0).len == count;
}

static void a_request_may_come_byte_by_byte(void **unused)
{
    (void)unused;
    static const char request[] = REQUEST;
    serve_start("127.0.0.1");
    int fd = client();
    for (unsigned i = 0; i < sizeof(request) - 1u; i++) {
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
        serve_until(has_bytes, i + 1u);
    }
    check_input(0, REQUEST);
    check_served(fd);
}

static void a_peer_that_says_no_more_still_gets_its_answer(void **unused)
{
    (void)unused;
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    shutdown(fd, SHUT_WR);
    (void)complete();
    serve_until(is_ended, 0);
    serve_settle(); // though the descriptor stays readable
    check_served(fd);
    serve_until(is_free, 0);
}

static void what_is_too_long_fills_the_buffer_and_the_answer_arrives_all_the_same(void **unused)
{
    (void)unused;
    static char request[SERVE_IN_BYTES * 3u];
    struct buf to = BUF(heard);
    memset(request, 'a', sizeof(request) - 1u);
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, request);
    serve_until(is_full, 0);
    serve_settle(); // though more is there
    assert_int_equal(serve_input(&server, 0).len, SERVE_IN_BYTES);
    answer(0, "too long");
    client_hears_all(fd, &to);
    assert_true(span_equal(buf_span(&to), SPAN("too long")));
}

static void an_answer_larger_than_the_kernel_holds_waits_for_its_reader(void **unused)
{
    (void)unused;
    static char big[BIG_BYTES];
    const struct span parts[] = {{big, sizeof(big) / 3u},
                                 {big + sizeof(big) / 3u, sizeof(big) / 3u * 2u}};
    struct buf to = BUF(heard);
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = (char)('a' + i * 7u % 23u + i / 65536u % 3u);
    }
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    (void)complete();
    serve_answer(&server, 0, parts, 2);
    serve_settle(); // nobody reads: it waits, and does not spin
    assert_int_equal(serve_state(&server, 0), SERVE_ANSWERING);
    client_hears_all(fd, &to);
    assert_int_equal(to.len, sizeof(big));
    assert_memory_equal(heard, big, sizeof(big));
}

static void a_peer_that_goes_frees_its_connection(void **unused)
{
    (void)unused;
    const struct linger at_once = {.l_onoff = 1};
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    (void)complete();
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    assert_int_equal(dup2(server_loop.epoll_fd, fd), fd); // closes it: RST
    serve_until(is_free, 0);
    fd = client();
    client_says(fd, REQUEST);
    check_served(fd);
}

static void a_caller_may_be_dropped_without_a_word(void **unused)
{
    (void)unused;
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    serve_drop(&server, complete());
    assert_true(is_free(0));
    client_goes(fd);
    serve_drop(&server, 0); // twice is fine
}

// ---- time -------------------------------------------------------------------

static void who_says_nothing_is_gone_in_time_and_never_had_a_connection(void **unused)
{
    (void)unused;
    serve_start("127.0.0.1");
    int fd = client();
    serve_until(is_accepted, 1);
    assert_int_equal(serve_stats(&server).open, 0);
    assert_int_equal(serve_turn().ms, server_ms + SERVE_HANDSHAKE_MS);
    server_ms += SERVE_HANDSHAKE_MS - 1;
    (void)serve_turn();
    assert_false(client_is_gone(fd));
    server_ms += 1;
    assert_int_equal(serve_turn().ms, MONO_NEVER.ms);
    client_goes(fd);
    assert_int_equal(serve_stats(&server).timeouts, 1);
}

static void a_request_that_never_ends_is_cut_off(void **unused)
{
    (void)unused;
    serve_start("127.0.0.1");
    int fd = client();
    int64_t began = server_ms;
    for (server_ms = began; server_ms < began + SERVE_TOTAL_MS; server_ms += 500) {
        client_says(fd, "a");
        (void)serve_turn();
        assert_false(client_is_gone(fd));
    }
    serve_until(is_free, 0);
    client_goes(fd);
    assert_int_equal(serve_stats(&server).timeouts, 1);
}

static void an_answer_that_nobody_takes_is_given_up(void **unused)
{
    (void)unused;
    static char big[BIG_BYTES];
    const struct span part = {big, sizeof(big)};
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    (void)complete();
    serve_answer(&server, 0, &part, 1);
    serve_settle();
    assert_int_equal(serve_state(&server, 0), SERVE_ANSWERING);
    server_ms += SERVE_TOTAL_MS;
    serve_until(is_free, 0);
    assert_int_equal(serve_stats(&server).timeouts, 1);
}

static void a_peer_that_does_not_close_is_closed(void **unused)
{
    (void)unused;
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    check_served(fd);
    serve_settle();
    assert_int_equal(serve_state(&server, 0), SERVE_ANSWERING);
    server_ms += SERVE_LINGER_MS;
    serve_until(is_free, 0);
    assert_int_equal(serve_stats(&server).timeouts, 0);
}

// ---- too many ---------------------------------------------------------------

static void silent_callers_are_in_nobodys_way(void **unused)
{
    (void)unused;
    int silent[SERVE_WAITING * 2u];
    serve_start("127.0.0.1");
    for (unsigned i = 0; i < SERVE_WAITING * 2u; i++) {
        silent[i] = client();
        serve_until(is_accepted, i + 1u);
        serve_settle(); // with a full house the door does not keep it awake
        server_ms += SERVE_SILENT_MS;
    }
    int fd = client();
    client_says(fd, REQUEST);
    server_ms += SERVE_SILENT_MS;
    check_served(fd);
    client_goes(silent[0]);
    assert_false(client_is_gone(silent[SERVE_WAITING * 2u - 1u]));
    assert_int_equal(serve_stats(&server).timeouts, 0);
}

static void a_short_word_gets_a_connection_while_there_is_room(void **unused)
{
    (void)unused;
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, "x");
    serve_until(has_bytes, 1);
    check_input(0, "x");
}

#define SLOW "GET /slow HTTP/1.1\r\n"

/// Four from this address, which have said something and do not go on.
static void fill(const char *address, int fds[static SERVE_CONNECTIONS])
{
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        fds[i] = client_from(address);
        client_says(fds[i], SLOW);
        serve_until(is_reading, i);
    }
}

static void nobody_goes_while_something_moves_and_the_oldest_quiet_one_goes_first(void **unused)
{
    (void)unused;
    int slow[SERVE_CONNECTIONS];
    serve_start("127.0.0.1");
    fill("127.0.0.1", slow);
    int fd = client();
    client_says(fd, REQUEST);
    serve_until(is_accepted, SERVE_CONNECTIONS + 1u);
    serve_settle();
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        assert_false(client_is_gone(slow[i]));
    }
    assert_int_equal(serve_turn().ms, server_ms + SERVE_QUIET_MS);
    server_ms += SERVE_QUIET_MS - 1;
    client_says(slow[0], "x");
    serve_until(has_bytes, strlen(SLOW) + 1u);
    serve_settle();
    assert_int_equal(serve_stats(&server).refused, 0);
    server_ms += 1;
    check_served(fd);
    assert_int_equal(serve_stats(&server).refused, 1);
    assert_false(client_is_gone(slow[0])); // something moved
    client_goes(slow[1]);
    assert_false(client_is_gone(slow[2]));
}

static bool all_have_bytes(unsigned count)
{
    bool all = true;
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        all = all && serve_input(&server, i).len == count;
    }
    return all;
}

static void who_goes_on_for_ever_goes_when_another_comes(void **unused)
{
    (void)unused;
    int slow[SERVE_CONNECTIONS];
    serve_start("127.0.0.1");
    fill("127.0.0.1", slow);
    int fd = client();
    client_says(fd, REQUEST);
    serve_until(is_accepted, SERVE_CONNECTIONS + 1u);
    int64_t began = server_ms;
    size_t said = strlen(SLOW);
    for (; server_ms < began + SERVE_SOON_MS; server_ms += 100) {
        assert_int_equal(serve_stats(&server).refused, 0);
        said++;
        for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
            client_says(slow[i], "a");
        }
        serve_until(all_have_bytes, (unsigned)said);
    }
    check_served(fd);
    client_goes(slow[0]);
}

static void one_address_has_no_more_than_half_against_others(void **unused)
{
    (void)unused;
    int greedy[SERVE_CONNECTIONS];
    serve_start("[::]");
    fill("127.0.0.1", greedy);
    int fd = client_from("127.0.0.2");
    client_says(fd, REQUEST);
    check_served(fd);
    int second = client_from("127.0.0.3");
    client_says(second, REQUEST);
    check_served(second);
    client_goes(greedy[0]);
    assert_false(client_is_gone(greedy[2]));
    assert_false(client_is_gone(greedy[3]));
}

static void half_a_header_takes_nobodys_place(void **unused)
{
    (void)unused;
    int slow[SERVE_CONNECTIONS];
    serve_start("127.0.0.1");
    fill("127.0.0.1", slow);
    int fd = client();
    client_says(fd, SLOW);
    serve_until(is_accepted, SERVE_CONNECTIONS + 1u);
    server_ms += SERVE_SOON_MS;
    serve_settle();
    assert_int_equal(serve_stats(&server).refused, 0);
    serve_drop(&server, 0);
    serve_until(has_bytes, strlen(SLOW));
}

static void without_descriptors_the_door_is_shut_for_a_while(void **unused)
{
    (void)unused;
    struct rlimit before, none;
    serve_start("127.0.0.1");
    int fd = client();
    client_says(fd, REQUEST);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)fd + 1u;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    serve_settle();
    struct mono next = serve_turn();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(serve_stats(&server).accepted, 0);
    assert_true(next.ms > server_ms && next.ms < server_ms + 10000);
    server_ms = next.ms;
    serve_until(is_accepted, 1);
    check_served(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, serve_setup, serve_teardown)
    const struct CMUnitTest tests[] = {
        T(a_request_comes_in_and_the_parts_of_its_answer_go_out_as_one),
        T(both_ends_are_told_in_whatever_family_they_came),
        T(an_address_that_cannot_be_had_is_told_by_its_reason),
        T(a_request_may_come_byte_by_byte),
        T(a_peer_that_says_no_more_still_gets_its_answer),
        T(what_is_too_long_fills_the_buffer_and_the_answer_arrives_all_the_same),
        T(an_answer_larger_than_the_kernel_holds_waits_for_its_reader),
        T(a_peer_that_goes_frees_its_connection),
        T(a_caller_may_be_dropped_without_a_word),
        T(who_says_nothing_is_gone_in_time_and_never_had_a_connection),
        T(a_request_that_never_ends_is_cut_off),
        T(an_answer_that_nobody_takes_is_given_up),
        T(a_peer_that_does_not_close_is_closed),
        T(silent_callers_are_in_nobodys_way),
        T(a_short_word_gets_a_connection_while_there_is_room),
        T(nobody_goes_while_something_moves_and_the_oldest_quiet_one_goes_first),
        T(who_goes_on_for_ever_goes_when_another_comes),
        T(one_address_has_no_more_than_half_against_others),
        T(half_a_header_takes_nobodys_place),
        T(without_descriptors_the_door_is_shut_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "serve_world.h"

#include <errno.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "hal/clock.h"

#define QUIET_TURNS 3u
#define KERNEL_MS   5   // longest wait of a turn for the kernel's loopback
#define CLIENTS_MAX 256 // descriptors
#define GONE_MS     20000

struct serve server;
struct loop server_loop;
int64_t server_ms;

static bool clients[CLIENTS_MAX];

int serve_setup(void **state)
{
    (void)state;
    server_ms = 1000000;
    serve_none(&server);
    return loop_init(&server_loop) == RC_OK ? 0 : -1;
}

int serve_teardown(void **state)
{
    (void)state;
    serve_close(&server);
    loop_deinit(&server_loop);
    for (int fd = 0; fd < CLIENTS_MAX; fd++) {
        if (clients[fd]) {
            client_leaves(fd);
        }
    }
    return 0;
}

void serve_start(const char *listen)
{
    struct serve_options options = {.plain = true};
    assert_int_equal(address_parse_listen(span_from_str(listen), 0, &options.listen), RC_OK);
    assert_int_equal(serve_open(&server, &server_loop, &options), RC_OK);
    assert_true(serve_is_open(&server));
    assert_true(serve_address(&server).port > 0);
}

struct mono serve_turn(void)
{
    const struct now now = {.mono = {.ms = server_ms}};
    struct mono next = serve_step(&server, now);
    assert_true(next.ms >= server_ms);
    bool again = next.ms == server_ms;
    (void)loop_wait(&server_loop,
                    again ? (struct mono){0} : mono_after(hal_clock_mono(), KERNEL_MS));
    return next;
}

void serve_until(bool (*so)(unsigned c), unsigned c)
{
    for (unsigned i = 0; i < TURNS_MAX && !so(c); i++) {
        (void)serve_turn();
    }
    assert_true(so(c));
}

void serve_settle(void)
{
    unsigned quiet = 0;
    for (unsigned i = 0; i < TURNS_MAX && quiet < QUIET_TURNS; i++) {
        quiet = serve_turn().ms > server_ms ? quiet + 1 : 0;
    }
    assert_int_equal(quiet, QUIET_TURNS); // else it spins
    struct pollfd watched = {.fd = server_loop.epoll_fd, .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 0), 0); // something is ready, and nobody takes it
}

bool is_free(unsigned c)
{
    return serve_state(&server, c) == SERVE_FREE;
}

bool is_reading(unsigned c)
{
    return serve_state(&server, c) == SERVE_READING;
}

bool is_shaking(unsigned c)
{
    return serve_state(&server, c) == SERVE_HANDSHAKE;
}

bool is_ended(unsigned c)
{
    return serve_input_ended(&server, c);
}

bool is_full(unsigned c)
{
    return serve_input_full(&server, c);
}

bool is_accepted(unsigned count)
{
    return serve_stats(&server).accepted == count;
}

bool all_free(unsigned unused)
{
    (void)unused;
    return serve_stats(&server).open == 0;
}

static void connect_to_server(int fd, bool is_v6)
{
    const struct address at = serve_address(&server);
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(at.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET,
                             .sin_port = htons(at.port),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    const struct timeval bound = {.tv_sec = 20};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)), 0);
    int code = is_v6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6))
                     : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
    assert_int_equal(code, 0);
}

int client_from(const char *address)
{
    struct address a;
    assert_int_equal(address_parse(span_from_str(address), 1, &a), RC_OK);
    int fd = socket(a.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && fd < CLIENTS_MAX);
    clients[fd] = true;
    if (!a.is_v6) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        memcpy(&from.sin_addr, a.bytes, sizeof(from.sin_addr));
        assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    }
    connect_to_server(fd, a.is_v6);
    return fd;
}

int client(void)
{
    return client_from(serve_address(&server).is_v6 ? "::1" : "127.0.0.1");
}

void client_leaves(int fd)
{
    close(fd);
    clients[fd] = false;
}

void client_says(int fd, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

bool client_hears(int fd, struct buf *to)
{
    assert_true(to->len < to->cap);
    ssize_t got = recv(fd, to->ptr + to->len, to->cap - to->len, MSG_DONTWAIT);
    to->len += got > 0 ? (size_t)got : 0;
    return got > 0 || (got < 0 && errno == EAGAIN);
}

void client_hears_all(int fd, struct buf *to)
{
    for (unsigned i = 0; i < TURNS_MAX && client_hears(fd, to); i++) {
        (void)serve_turn();
    }
    assert_false(client_hears(fd, to));
}

bool client_is_gone(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

void client_goes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, GONE_MS), 1);
    assert_true(client_is_gone(fd));
}

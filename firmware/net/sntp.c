// SPDX-License-Identifier: Apache-2.0
/*
 * The sockets: connected, so that the kernel passes on nothing but what the asked server sends. The
 * callback only notes that there is something to read.
 */
#include "net/sntp.h"

#include <string.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "hal/entropy.h"

#define READS_PER_TURN 4u // packets; who floods us is read a little every turn

void sntp_init(struct sntp *s, struct loop *loop)
{
    memset(s, 0, sizeof(*s));
    s->loop = loop;
    for (unsigned i = 0; i < SNTP_SERVERS_MAX; i++) {
        s->servers[i].in = s;
        s->servers[i].fd = -1;
    }
}

void sntp_add(struct sntp *s, struct span address)
{
    ASSERT(s->count < SNTP_SERVERS_MAX);
    enum rc rc = address_parse(address, SNTP_PORT, &s->addresses[s->count]);
    ASSERT(rc == RC_OK); // the configuration was checked
    s->count++;
}

static void close_server(struct sntp_server *server)
{
    if (server->fd >= 0) {
        loop_unwatch(server->in->loop, server->fd);
        close(server->fd);
        server->fd = -1;
    }
}

static void on_packet(void *context, int fd, unsigned ready)
{
    struct sntp_server *server = context;
    (void)fd;
    (void)ready;
    server->readable = true;
}

static bool connect_to(int fd, const struct address *a)
{
    if (a->is_v6) {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
        memcpy(&to.sin6_addr, a->bytes, sizeof(to.sin6_addr));
        return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    memcpy(&to.sin_addr, a->bytes, sizeof(to.sin_addr));
    return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/// A packet that cannot be sent is one that got lost: the next try follows in its time.
static void ask(struct sntp_server *server, struct mono now)
{
    char question[SNTP_PACKET_BYTES];
    server->tries++;
    server->asked_at = now;
    server->give_up_at = mono_after(now, SNTP_WAIT_MS);
    hal_entropy_fill(server->nonce, sizeof(server->nonce));
    sntp_question(server->nonce, question);
    (void)send(server->fd, question, sizeof(question), MSG_NOSIGNAL);
}

void sntp_start(struct sntp *s, struct now now)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct sntp_server *server = &s->servers[i];
        close_server(server);
        *server = (struct sntp_server){.in = s, .fd = -1};
        const struct address *a = &s->addresses[i];
        server->fd = socket(
            a->is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
        if (server->fd < 0) {
            continue;
        }
        if (!connect_to(server->fd, a) ||
            loop_watch(s->loop, server->fd, LOOP_READ, on_packet, server) != RC_OK) {
            close_server(server);
            continue;
        }
        ask(server, now.mono);
    }
}

static void read_packets(struct sntp_server *server, int64_t floor_ms, struct mono now)
{
    char packet[SNTP_PACKET_BYTES + 1u]; // what is longer has extensions that we did not ask for
    server->readable = false;
    for (unsigned i = 0; i < READS_PER_TURN && !server->answered; i++) {
        ssize_t len = recv(server->fd, packet, sizeof(packet), 0);
        if (len < 0) {
            return; // nothing more, or the port is closed: the next try follows in its time
        }
        struct span s = {.ptr = packet, .len = (size_t)len};
        enum rc rc =
            sntp_read(s, server->nonce, now.ms - server->asked_at.ms, floor_ms, &server->answer);
        server->answer.at = now;
        server->answered = rc == RC_OK;
        if (rc == RC_UNSUPPORTED) {
            server->tries = SNTP_TRIES; // it asks to be left alone
        }
    }
}

static void step_server(struct sntp_server *server, int64_t floor_ms, struct mono now)
{
    if (server->readable) {
        read_packets(server, floor_ms, now);
    }
    if (server->answered) {
        close_server(server);
    } else if (mono_due(server->give_up_at, now)) {
        if (server->tries < SNTP_TRIES) {
            ask(server, now);
        } else {
            close_server(server);
        }
    }
}

struct mono sntp_step(struct sntp *s, int64_t floor_ms, struct now now)
{
    struct mono next = MONO_NEVER;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->servers[i].fd >= 0) {
            step_server(&s->servers[i], floor_ms, now.mono);
        }
        if (s->servers[i].fd >= 0) {
            next = mono_min(next, s->servers[i].give_up_at);
        }
    }
    return next;
}

unsigned sntp_answers(const struct sntp *s, struct sntp_answer out[static SNTP_SERVERS_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->servers[i].answered) {
            out[count++] = s->servers[i].answer;
        }
    }
    return count;
}

void sntp_stop(struct sntp *s)
{
    for (unsigned i = 0; i < SNTP_SERVERS_MAX; i++) {
        close_server(&s->servers[i]);
    }
}

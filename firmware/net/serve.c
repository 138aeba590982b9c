// SPDX-License-Identifier: Apache-2.0
/*
 * Who gets a connection, and whose is taken away. A step gives seats that were FREE when it began,
 * so that the caller has seen each of them FREE.
 */
#include "net/serve.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#include "net/serve_state.h"
#include "sys/pages.h"

// As many as may come at once: who finds the queue full comes again after seconds, and while a
// thousand crowd there, never finds it otherwise. They cost the kernel little, and us nothing.
#define BACKLOG             1024
#define RECEIVE_BYTES       16384 // of each of them
#define SEND_BYTES          32768 // the kernel doubles it: a page goes out in one go
#define HANDSHAKE_COSTS_MS  (1000 / (int64_t)SERVE_HANDSHAKES_PER_S)
#define HANDSHAKES_SAVED_MS 2000

// ---- open, close ------------------------------------------------------------

void serve_none(struct serve *s)
{
    memset(s, 0, offsetof(struct serve, in)); // the rest has no page yet
    s->fd = -1;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        s->callers[i].fd = -1;
    }
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        s->links[i].fd = -1;
    }
}

static RC why_not_open(int code)
{
    switch (code) {
    case EADDRINUSE:
        return RC_AGAIN;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return RC_NOTFOUND;
    case EACCES:
    case EPERM:
        return RC_DENIED;
    default:
        return RC_IO;
    }
}

static bool bind_to(int fd, const struct address *a)
{
    if (a->is_v6) {
        struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
        memcpy(&at.sin6_addr, a->bytes, sizeof(at.sin6_addr));
        return bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    }
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    memcpy(&at.sin_addr, a->bytes, sizeof(at.sin_addr));
    return bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/// What is set here, connections inherit.
static bool prepare(int fd, const struct address *a, bool plain)
{
    return set(fd, SOL_SOCKET, SO_RCVLOWAT, plain ? 1 : SERVE_FIRST_BYTES) &&
           set(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BYTES) &&
           set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES) && set(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           // The kernel, too, forgets an answer that nobody takes.
           set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, SERVE_TOTAL_MS) &&
           (!a->is_v6 || set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0));
}

static struct address local_of(int fd)
{
    struct sockaddr_storage at = {.ss_family = AF_INET};
    socklen_t len = sizeof(at);
    (void)getsockname(fd, (struct sockaddr *)&at, &len); // a bound socket has a name
    return serve_address_of(&at);
}

static bool is_any(const struct address *a)
{
    static const uint8_t zeros[sizeof(a->bytes)];
    return memcmp(a->bytes, zeros, sizeof(zeros)) == 0;
}

static RC listen_on(struct serve *s, struct address at)
{
    s->fd = socket(at.is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 && errno == EAFNOSUPPORT && at.is_v6 && is_any(&at)) {
        at.is_v6 = false;
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (s->fd < 0 || !prepare(s->fd, &at, s->plain) || !bind_to(s->fd, &at) ||
        listen(s->fd, BACKLOG) != 0) {
        return why_not_open(errno);
    }
    s->address = local_of(s->fd);
    return RC_OK;
}

RC serve_open(struct serve *s, struct loop *loop, const struct serve_options *options)
{
    serve_none(s);
    s->loop = loop;
    s->plain = options->plain;
    if (!s->plain) {
        TRY(tls_server_open(&s->tls, options->cert_pem, options->key_pem));
        s->has_identity = true;
    }
    enum rc rc = listen_on(s, options->listen);
    if (rc != RC_OK) {
        serve_close(s);
    }
    return rc;
}

void serve_close(struct serve *s)
{
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        if (s->callers[i].fd >= 0) {
            serve_caller_gone(s, &s->callers[i]);
        }
    }
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        serve_drop(s, i);
    }
    if (s->fd >= 0) {
        loop_unwatch(s->loop, s->fd);
        close(s->fd);
        s->fd = -1;
    }
    if (s->has_identity) {
        tls_server_close(&s->tls);
        s->has_identity = false;
    }
}

bool serve_is_open(const struct serve *s)
{
    return s->fd >= 0;
}

struct address serve_address(const struct serve *s)
{
    return s->address;
}

// ---- seats ------------------------------------------------------------------

static unsigned links_of(const struct serve *s, const struct address *peer)
{
    unsigned count = 0;
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        count += s->links[i].state != SERVE_FREE && address_same_host(&s->links[i].peer, peer);
    }
    return count;
}

static struct serve_link *free_link(struct serve *s)
{
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        if (s->links[i].state == SERVE_FREE) {
            return &s->links[i];
        }
    }
    return NULL;
}

/// Less is sooner: who is ready; whose address has fewest; who came first.
static bool
before(const struct serve *s, const struct serve_caller *a, const struct serve_caller *b)
{
    unsigned has_a = links_of(s, &a->peer), has_b = links_of(s, &b->peer);
    if (a->ready != b->ready) {
        return a->ready;
    }
    return has_a != has_b ? has_a < has_b : a->since.ms < b->since.ms;
}

/// Of those who may have a seat.
static struct serve_caller *next_caller(struct serve *s, bool for_free_seat)
{
    struct serve_caller *next = NULL;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        struct serve_caller *c = &s->callers[i];
        if (c->fd < 0 || !(c->ready || (for_free_seat && s->plain && c->heard))) {
            continue;
        }
        next = next == NULL || before(s, c, next) ? c : next;
    }
    return next;
}

/// When the next handshake may be made: a bucket of a second's worth.
static struct mono handshake_at(const struct serve *s)
{
    return mono_after(s->handshake_paid, HANDSHAKE_COSTS_MS);
}

static void seat(struct serve *s, struct serve_caller *c, struct serve_link *l)
{
    const int one = 1;
    int fd = c->fd;
    *l = (struct serve_link){.state = s->plain ? SERVE_READING : SERVE_HANDSHAKE,
                             .fd = fd,
                             .peer = c->peer,
                             .local = local_of(fd),
                             .since = c->since,
                             .news = true};
    loop_unwatch(s->loop, fd);
    *c = (struct serve_caller){.fd = -1};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
    if (!s->plain && tls_begin(&l->tls, &s->tls, fd) != RC_OK) {
        s->stats.refused++;
        close(fd);
        *l = (struct serve_link){.fd = -1};
    }
}

static bool may_begin(const struct serve *s, struct now now)
{
    return s->plain || mono_due(handshake_at(s), now.mono);
}

/// One handshake a step: its arithmetic is the whole loop's time.
static void give_seats(struct serve *s, struct now now)
{
    int64_t saved = now.mono.ms - HANDSHAKES_SAVED_MS;
    s->handshake_paid.ms = s->handshake_paid.ms > saved ? s->handshake_paid.ms : saved;
    if (may_begin(s, now) && next_caller(s, true) != NULL) {
        serve_door_ask(s, now);
    }
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        struct serve_link *l = free_link(s);
        struct serve_caller *c = next_caller(s, true);
        if (l == NULL || c == NULL || !may_begin(s, now)) {
            return;
        }
        seat(s, c, l);
        if (!s->plain) {
            s->handshake_paid = handshake_at(s);
            return;
        }
    }
}

// ---- taking away ------------------------------------------------------------

/// When this connection may go for one who waits.
static struct mono goes_at(const struct serve_link *l)
{
    struct mono quiet = mono_after(l->moved, SERVE_QUIET_MS);
    if (l->said_end) {
        return l->moved; // only the peer's thanks are missing
    }
    return l->state == SERVE_ANSWERING ? quiet
                                       : mono_min(quiet, mono_after(l->since, SERVE_SOON_MS));
}

/// At once: one of an address that has more than half, for one that has fewer than half.
static bool has_too_many(const struct serve *s, const struct serve_link *l, unsigned callers)
{
    return l->state != SERVE_ANSWERING && callers < SERVE_CONNECTIONS / 2u &&
           links_of(s, &l->peer) > SERVE_CONNECTIONS / 2u;
}

/// @return when somebody can be sent away, if nobody could now.
static struct mono make_room(struct serve *s, struct now now)
{
    const struct serve_caller *c = next_caller(s, false);
    struct mono at = MONO_NEVER;
    struct serve_link *oldest = NULL;
    if (c == NULL || free_link(s) != NULL) {
        return MONO_NEVER;
    }
    if (!may_begin(s, now)) {
        return handshake_at(s); // it could not begin anyway
    }
    unsigned has = links_of(s, &c->peer);
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        struct serve_link *l = &s->links[i];
        at = mono_min(at, goes_at(l));
        if ((mono_due(goes_at(l), now.mono) || has_too_many(s, l, has)) &&
            (oldest == NULL || l->since.ms < oldest->since.ms)) {
            oldest = l;
        }
    }
    if (oldest != NULL) {
        s->stats.refused += !oldest->said_end;
        serve_link_end(s, oldest);
    }
    return at;
}

// ---- step -------------------------------------------------------------------

/// A seat is free and somebody may have it.
static struct mono seat_at(struct serve *s)
{
    bool waits = next_caller(s, true) != NULL && free_link(s) != NULL;
    return !waits ? MONO_NEVER : s->plain ? (struct mono){.ms = 0} : handshake_at(s);
}

static bool is_empty(const struct serve *s)
{
    bool empty = true;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        empty = empty && s->callers[i].fd < 0;
    }
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        empty = empty && s->links[i].fd < 0;
    }
    return empty;
}

struct mono serve_step(struct serve *s, struct now now)
{
    if (!serve_is_open(s)) {
        return MONO_NEVER;
    }
    give_seats(s, now);
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        if (s->links[i].state != SERVE_FREE) {
            serve_link_step(s, &s->links[i], now);
        }
    }
    serve_door_step(s, now);
    struct mono next = make_room(s, now);
    next = mono_min(next, seat_at(s));
    next = mono_min(next, serve_door_next(s, now));
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        if (s->links[i].state != SERVE_FREE) {
            next = mono_min(next, serve_link_next(&s->links[i]));
        }
    }
    if (s->used && is_empty(s)) {
        (void)pages_drop(s->in, sizeof(s->in)); // only saves memory
        s->used = false;
    }
    return next.ms > now.mono.ms ? next : now.mono;
}

// ---- the caller's side ------------------------------------------------------

static const struct serve_link *link_at(const struct serve *s, unsigned c)
{
    ASSERT(c < SERVE_CONNECTIONS);
    return &s->links[c];
}

enum serve_state serve_state(const struct serve *s, unsigned c)
{
    return link_at(s, c)->state;
}

struct span serve_input(const struct serve *s, unsigned c)
{
    return (struct span){.ptr = s->in[c], .len = link_at(s, c)->in_len};
}

bool serve_input_ended(const struct serve *s, unsigned c)
{
    return link_at(s, c)->ended;
}

bool serve_input_full(const struct serve *s, unsigned c)
{
    return link_at(s, c)->in_len == SERVE_IN_BYTES;
}

struct address serve_peer(const struct serve *s, unsigned c)
{
    return link_at(s, c)->peer;
}

struct address serve_local(const struct serve *s, unsigned c)
{
    return link_at(s, c)->local;
}

void serve_answer(struct serve *s, unsigned c, const struct span *parts, unsigned count)
{
    struct serve_link *l = &s->links[c];
    ASSERT(link_at(s, c)->state == SERVE_READING);
    ASSERT(count <= SERVE_PARTS_MAX);
    memcpy(l->parts, parts, count * sizeof(*parts));
    l->parts_count = count;
    l->state = SERVE_ANSWERING;
    l->news = true;
}

void serve_drop(struct serve *s, unsigned c)
{
    if (link_at(s, c)->state != SERVE_FREE) {
        serve_link_end(s, &s->links[c]);
    }
}

struct serve_stats serve_stats(const struct serve *s)
{
    struct serve_stats stats = s->stats;
    for (unsigned i = 0; i < SERVE_CONNECTIONS; i++) {
        stats.open += s->links[i].state != SERVE_FREE;
    }
    return stats;
}

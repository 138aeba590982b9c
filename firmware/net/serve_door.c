// SPDX-License-Identifier: Apache-2.0
/*
 * Callers: accepted, and nothing spent on them. Over TLS a caller is ready when its whole first
 * record is in the kernel's buffer; SO_RCVLOWAT lets the kernel wake us then and not at every byte.
 * In the clear it is ready when a header has ended; until then it may have a seat that is free.
 * A few callers are watched by the loop. In a crowd, where they come and go all the time, each call
 * to the kernel for each of them counts: then all are asked together, with one poll.
 */
#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#include "net/serve_state.h"

#define ACCEPTS_PER_STEP  SERVE_WAITING
#define ACCEPT_BACKOFF_MS 1000 // no descriptor, no memory
#define LOOK_AGAIN_MS     250
#define RECORD_HANDSHAKE  22 // RFC 8446 5.1
#define HELLO_BYTES_MAX   8192
#define HEADER_BYTES      2048 // in the clear
#define CROWD             (SERVE_WAITING / 2u)
#define LEFT              (POLLHUP | POLLERR)

struct address serve_address_of(const void *sockaddr)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, sockaddr, sizeof(v4));
    memcpy(&v6, sockaddr, sizeof(v6));
    struct address a = {.is_v6 = v4.sin_family == AF_INET6};
    if (a.is_v6) {
        memcpy(a.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
        a.port = ntohs(v6.sin6_port);
    } else {
        memcpy(a.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
        a.port = ntohs(v4.sin_port);
    }
    return address_unmapped(&a);
}

void serve_caller_gone(struct serve *s, struct serve_caller *c)
{
    loop_unwatch(s->loop, c->fd);
    close(c->fd);
    *c = (struct serve_caller){.fd = -1};
}

static void on_caller(void *context, int fd, unsigned ready)
{
    struct serve_caller *c = context;
    (void)fd;
    (void)ready;
    c->news = true;
}

// ---- what it has said -------------------------------------------------------

static void want_bytes(int fd, int count)
{
    // A kernel that does not do it wakes us too early, which look bears.
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &count, sizeof(count));
}

static void watch(struct serve *s, struct serve_caller *c)
{
    if (!c->watched && loop_watch(s->loop, c->fd, LOOP_READ, on_caller, c) != RC_OK) {
        s->stats.refused++;
        serve_caller_gone(s, c);
        return;
    }
    c->watched = true;
}

/// Not watched until then.
static void look_at(struct serve *s, struct serve_caller *c, struct mono at)
{
    if (c->watched) {
        loop_unwatch(s->loop, c->fd);
        c->watched = false;
    }
    c->look_at = at;
}

static bool is_crowded(const struct serve *s)
{
    unsigned count = 0;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        count += s->callers[i].fd >= 0;
    }
    return count > CROWD;
}

/// The empty line behind a header, or more than a header should have.
static bool has_header(int fd)
{
    char peeked[HEADER_BYTES];
    ssize_t got = recv(fd, peeked, sizeof(peeked), MSG_PEEK);
    return got == (ssize_t)sizeof(peeked) ||
           (got > 0 && memmem(peeked, (size_t)got, "\r\n\r\n", 4) != NULL);
}

/// @param first  what stands at the beginning; at least one byte.
static bool is_hello(const unsigned char *first, ssize_t got, int *wanted)
{
    *wanted = SERVE_FIRST_BYTES;
    if (first[0] != RECORD_HANDSHAKE) {
        return false;
    }
    if (got == SERVE_FIRST_BYTES) {
        int len = first[3] << 8 | first[4];
        *wanted = SERVE_FIRST_BYTES + len;
        return len > 0 && len <= HELLO_BYTES_MAX;
    }
    return true;
}

static void judge(struct serve *s, struct serve_caller *c, const unsigned char *first, ssize_t got)
{
    int wanted = 0, there = 0;
    if (s->plain) {
        c->heard = true;
        c->ready = c->ended || has_header(c->fd);
        return;
    }
    if (!is_hello(first, got, &wanted)) {
        s->stats.handshakes_failed++;
        serve_caller_gone(s, c);
        return;
    }
    c->heard = wanted > SERVE_FIRST_BYTES; // so many wake us from the start
    c->ready = c->heard && ioctl(c->fd, FIONREAD, &there) == 0 && there >= wanted;
    if (c->heard && !c->ready) {
        want_bytes(c->fd, wanted);
    }
}

static void look(struct serve *s, struct serve_caller *c, struct now now)
{
    unsigned char first[SERVE_FIRST_BYTES];
    ssize_t got = recv(c->fd, first, sizeof(first), MSG_PEEK);
    // Woken for less than was asked for: a kernel does that when it is short of memory, too.
    bool early = c->news && (c->heard || (got > 0 && got < SERVE_FIRST_BYTES));
    c->news = false;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        serve_caller_gone(s, c); // without a word
        return;
    }
    if (got > 0) {
        judge(s, c, first, got);
    }
    if (c->fd < 0) {
        return;
    }
    if (c->ready || early || (c->heard && s->plain)) {
        // It is readable and stays so: watching it would never let us sleep.
        look_at(s, c, c->ready ? MONO_NEVER : mono_after(now.mono, LOOK_AGAIN_MS));
    } else if (is_crowded(s)) {
        look_at(s, c, mono_after(now.mono, SERVE_SILENT_MS));
    } else {
        c->look_at = MONO_NEVER;
        watch(s, c);
    }
}

/// In the clear, who says no more may still hear; a hello that is cut off comes to nothing.
static void hear(struct serve *s, struct serve_caller *c, short heard)
{
    c->ended = (heard & POLLRDHUP) != 0;
    if ((heard & LEFT) != 0 || (c->ended && !s->plain)) {
        serve_caller_gone(s, c);
        return;
    }
    c->news = !c->ready && (heard & POLLIN) != 0;
}

void serve_door_ask(struct serve *s, struct now now)
{
    struct pollfd ask[SERVE_WAITING];
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        ask[i] = (struct pollfd){.fd = s->callers[i].fd, .events = POLLIN | POLLRDHUP};
    }
    bool one_by_one = poll(ask, SERVE_WAITING, 0) < 0;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        struct serve_caller *c = &s->callers[i];
        if (ask[i].revents != 0) {
            hear(s, c, ask[i].revents);
        }
        c->news = c->news || (one_by_one && c->fd >= 0 && !c->ready);
        if (c->news) {
            look(s, c, now);
        } else if (c->fd >= 0 && mono_due(c->look_at, now.mono)) {
            c->look_at = c->ready ? MONO_NEVER : mono_after(now.mono, SERVE_SILENT_MS);
        }
    }
}

// ---- who is let in ----------------------------------------------------------

/// A free place, or the oldest of those who are silent.
static struct serve_caller *room_for_caller(struct serve *s, struct now now)
{
    struct serve_caller *room = NULL;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        struct serve_caller *c = &s->callers[i];
        if (c->fd < 0) {
            return c;
        }
        bool silent = !c->ready && mono_due(mono_after(c->since, SERVE_SILENT_MS), now.mono);
        if (silent && (room == NULL || c->since.ms < room->since.ms)) {
            room = c;
        }
    }
    return room;
}

static bool is_shortage(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS;
}

/// False: nobody is there, or nobody can be taken.
static bool take_in(struct serve *s, struct now now)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(from);
    struct serve_caller *c = room_for_caller(s, now);
    if (c == NULL) {
        return false;
    }
    int fd = accept4(s->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        bool shortage = is_shortage(errno);
        bool nobody = errno == EAGAIN;
        s->door_at = shortage ? mono_after(now.mono, ACCEPT_BACKOFF_MS) : s->door_at;
        return !shortage && !nobody; // a caller that has gone already does not shut the door
    }
    s->stats.accepted++;
    if (c->fd >= 0) {
        s->stats.refused++;
        serve_caller_gone(s, c);
    }
    s->used = true;
    *c = (struct serve_caller){
        .fd = fd, .peer = serve_address_of(&from), .since = now.mono, .look_at = MONO_NEVER};
    look(s, c, now);
    return true;
}

static void on_door(void *context, int fd, unsigned ready)
{
    struct serve *s = context;
    (void)fd;
    (void)ready;
    s->door_news = true;
}

/// While nobody can be taken, who waits outside must not keep us awake.
static void watch_door(struct serve *s, struct now now)
{
    bool open = mono_due(s->door_at, now.mono) && room_for_caller(s, now) != NULL;
    if (open == s->door_watched) {
        return;
    }
    if (!open) {
        loop_unwatch(s->loop, s->fd);
        s->door_watched = false;
        return;
    }
    s->door_watched = loop_watch(s->loop, s->fd, LOOP_READ, on_door, s) == RC_OK;
    if (!s->door_watched) {
        s->door_at = mono_after(now.mono, ACCEPT_BACKOFF_MS);
    }
}

/// Those whose time is over go. @return somebody has news, or is to be asked for it.
static bool look_round(struct serve *s, struct now now)
{
    bool ask = false;
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        struct serve_caller *c = &s->callers[i];
        if (c->fd >= 0 && mono_due(mono_after(c->since, SERVE_HANDSHAKE_MS), now.mono)) {
            s->stats.timeouts++;
            serve_caller_gone(s, c);
        }
        ask = ask || (c->fd >= 0 && (c->news || mono_due(c->look_at, now.mono)));
    }
    return ask;
}

void serve_door_step(struct serve *s, struct now now)
{
    if (look_round(s, now)) {
        serve_door_ask(s, now);
    }
    bool knocked = s->door_news || !s->door_watched;
    s->door_news = false;
    for (unsigned i = 0; knocked && mono_due(s->door_at, now.mono) && i < ACCEPTS_PER_STEP; i++) {
        knocked = take_in(s, now);
    }
    watch_door(s, now);
}

/// When a place will be free for whoever waits outside.
static struct mono room_at(const struct serve *s, struct now now)
{
    struct mono at = MONO_NEVER; // all are ready: when a connection ends
    if (!mono_due(s->door_at, now.mono)) {
        return s->door_at;
    }
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        const struct serve_caller *c = &s->callers[i];
        if (c->fd >= 0 && !c->ready) {
            at = mono_min(at, mono_after(c->since, SERVE_SILENT_MS));
        }
    }
    return at;
}

struct mono serve_door_next(const struct serve *s, struct now now)
{
    struct mono next = s->door_watched ? MONO_NEVER : room_at(s, now);
    for (unsigned i = 0; i < SERVE_WAITING; i++) {
        const struct serve_caller *c = &s->callers[i];
        if (c->fd >= 0) {
            next = mono_min(next, mono_after(c->since, SERVE_HANDSHAKE_MS));
            next = mono_min(next, c->ready ? MONO_NEVER : c->look_at);
        }
    }
    return next;
}

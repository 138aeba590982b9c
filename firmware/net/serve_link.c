// SPDX-License-Identifier: Apache-2.0
/*
 * One connection: handshake, request in, answer out, and the peer's time to take it.
 */
#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#include "net/serve_state.h"

#define CHUNK_BYTES    4096u ///< one TLS record
#define MOVES_PER_STEP 16u   ///< reads or writes
#define LINGER_READS   4u
#define LINGER_CHUNK   4096u

static void on_link(void *context, int fd, unsigned ready)
{
    struct serve_link *l = context;
    (void)fd;
    (void)ready;
    l->news = true;
}

void serve_link_watch(struct serve *s, struct serve_link *l, unsigned events)
{
    if (l->watching == events) {
        return;
    }
    if (events == 0) {
        loop_unwatch(s->loop, l->fd);
    } else if (loop_watch(s->loop, l->fd, events, on_link, l) != RC_OK) {
        serve_link_end(s, l);
        return;
    }
    l->watching = events;
}

void serve_link_end(struct serve *s, struct serve_link *l)
{
    ASSERT(l->state != SERVE_FREE);
    if (!s->plain) {
        tls_end(&l->tls);
    }
    loop_unwatch(s->loop, l->fd);
    close(l->fd);
    bytes_wipe(s->in[l - s->links], SERVE_IN_BYTES); // a setup code, an authorization code
    *l = (struct serve_link){.fd = -1};
}

// ---- in ---------------------------------------------------------------------

static enum tls_io plain_read(int fd, struct buf to, size_t *got)
{
    ssize_t n = recv(fd, to.ptr + to.len, to.cap - to.len, 0);
    *got = n > 0 ? (size_t)n : 0;
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? TLS_WANTS_READ : TLS_BROKEN;
    }
    return n > 0 ? TLS_DONE : TLS_ENDED;
}

static void handle_read(struct serve *s, struct serve_link *l, struct now now)
{
    char *in = s->in[l - s->links];
    enum tls_io io = TLS_DONE;
    for (unsigned i = 0; i < MOVES_PER_STEP && io == TLS_DONE && l->in_len < SERVE_IN_BYTES; i++) {
        struct buf to = buf_of(in, SERVE_IN_BYTES);
        size_t got = 0;
        to.len = l->in_len;
        io = s->plain ? plain_read(l->fd, to, &got) : tls_read(&l->tls, to, &got);
        l->in_len += got;
        l->moved = got > 0 ? now.mono : l->moved;
    }
    if (io == TLS_BROKEN) {
        serve_link_end(s, l);
        return;
    }
    l->ended = l->ended || io == TLS_ENDED;
    bool closed = l->ended || l->in_len == SERVE_IN_BYTES;
    l->news = io == TLS_DONE && !closed; // the library may hold more than the socket shows
    serve_link_watch(s, l, closed ? 0 : io == TLS_WANTS_WRITE ? LOOP_WRITE : LOOP_READ);
}

/// In TLS 1.3 nothing of ours follows the peer's last word, and many a peer's kernel holds the
/// request back until that word is acknowledged, which ours would do after 40 ms.
static void acknowledge(int fd)
{
    const int at_once = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &at_once, sizeof(at_once));
}

static void handle_handshake(struct serve *s, struct serve_link *l, struct now now)
{
    enum tls_io io = tls_handshake(&l->tls);
    l->moved = now.mono;
    l->news = false;
    if (io == TLS_WANTS_READ || io == TLS_WANTS_WRITE) {
        serve_link_watch(s, l, io == TLS_WANTS_READ ? LOOP_READ : LOOP_WRITE);
    } else if (io == TLS_DONE) {
        l->state = SERVE_READING;
        acknowledge(l->fd);
        handle_read(s, l, now);
    } else {
        s->stats.handshakes_failed++;
        serve_link_end(s, l);
    }
}

// ---- out --------------------------------------------------------------------

/// The next bytes of the answer, however small its parts are: one record, one packet. The same ones
/// until serve_link is told that some are gone.
static struct span gather(const struct serve_link *l, char chunk[static CHUNK_BYTES])
{
    struct buf out = buf_of(chunk, CHUNK_BYTES);
    size_t at = l->part_at;
    for (unsigned i = l->part; i < l->parts_count && out.len < out.cap; i++) {
        buf_put(&out, span_sub(l->parts[i], at, out.cap - out.len));
        at = 0;
    }
    return buf_span(&out);
}

static void skip(struct serve_link *l, size_t sent)
{
    while (sent > 0) { // ends with the answer
        ASSERT(l->part < l->parts_count);
        size_t left = l->parts[l->part].len - l->part_at;
        size_t step = sent < left ? sent : left;
        l->part_at += step;
        sent -= step;
        if (l->part_at == l->parts[l->part].len) {
            l->part++;
            l->part_at = 0;
        }
    }
}

static enum tls_io plain_write(int fd, struct span bytes, size_t *sent)
{
    ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    *sent = n > 0 ? (size_t)n : 0;
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? TLS_WANTS_WRITE : TLS_BROKEN;
    }
    return TLS_DONE;
}

/// TLS_ENDED: all of it is sent.
static enum tls_io write_some(struct serve *s, struct serve_link *l, struct now now)
{
    char chunk[CHUNK_BYTES];
    enum tls_io io = TLS_DONE;
    for (unsigned i = 0; i < MOVES_PER_STEP && io == TLS_DONE; i++) {
        struct span bytes = gather(l, chunk);
        size_t sent = 0;
        if (bytes.len == 0) {
            return TLS_ENDED;
        }
        io = s->plain ? plain_write(l->fd, bytes, &sent) : tls_write(&l->tls, bytes, &sent);
        skip(l, sent);
        l->moved = sent > 0 ? now.mono : l->moved;
    }
    return io;
}

static void handle_write(struct serve *s, struct serve_link *l, struct now now)
{
    enum tls_io io = write_some(s, l, now);
    if (io == TLS_ENDED && !s->plain) {
        io = tls_say_end(&l->tls);
        io = io == TLS_DONE ? TLS_ENDED : io;
    }
    l->news = io == TLS_DONE;
    if (io == TLS_WANTS_READ || io == TLS_WANTS_WRITE) {
        serve_link_watch(s, l, io == TLS_WANTS_READ ? LOOP_READ : LOOP_WRITE);
    } else if (io == TLS_BROKEN) {
        serve_link_end(s, l);
    } else if (io == TLS_ENDED) {
        // Closed with bytes unread, the kernel would take the answer back from the peer.
        l->said_end = true;
        l->moved = now.mono;
        l->news = true;
        (void)shutdown(l->fd, SHUT_WR);
        serve_link_watch(s, l, LOOP_READ);
    }
}

static void handle_linger(struct serve *s, struct serve_link *l)
{
    char ignored[LINGER_CHUNK];
    ssize_t got = 1;
    for (unsigned i = 0; i < LINGER_READS && got > 0; i++) {
        got = recv(l->fd, ignored, sizeof(ignored), 0);
    }
    l->news = false;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        serve_link_end(s, l);
    }
}

// ---- step -------------------------------------------------------------------

static struct mono deadline(const struct serve_link *l)
{
    struct mono end = mono_after(l->since, SERVE_TOTAL_MS);
    if (l->said_end) {
        return mono_min(end, mono_after(l->moved, SERVE_LINGER_MS));
    }
    if (l->state == SERVE_HANDSHAKE || (l->state == SERVE_READING && l->in_len == 0)) {
        return mono_after(l->since, SERVE_HANDSHAKE_MS);
    }
    return end;
}

void serve_link_step(struct serve *s, struct serve_link *l, struct now now)
{
    if (l->news && l->state == SERVE_HANDSHAKE) {
        handle_handshake(s, l, now);
    } else if (l->news && l->state == SERVE_READING) {
        handle_read(s, l, now);
    } else if (l->news && l->state == SERVE_ANSWERING && !l->said_end) {
        handle_write(s, l, now);
    }
    if (l->news && l->said_end) {
        handle_linger(s, l);
    }
    if (l->state != SERVE_FREE && mono_due(deadline(l), now.mono)) {
        s->stats.timeouts += !l->said_end;
        serve_link_end(s, l);
    }
}

struct mono serve_link_next(const struct serve_link *l)
{
    return l->news ? (struct mono){.ms = 0} : deadline(l);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The memory of net/serve.h, for whoever owns it (struct app) and for serve*.c. Nobody else looks
 * inside.
 */
#ifndef NET_SERVE_STATE_H
#define NET_SERVE_STATE_H
#include "net/serve.h"
#include "net/tls_server.h"

#define SERVE_FIRST_BYTES 5 ///< a TLS record's header: nobody is heard before (not in the clear)

/// Somebody who has connected and has no connection yet.
struct serve_caller {
    int fd; ///< -1: nobody
    struct address peer;
    struct mono since, look_at;
    bool news;    ///< the descriptor has become readable
    bool watched; ///< by the loop
    bool heard;   ///< has said something
    bool ended;   ///< and says no more
    bool ready;   ///< has said enough to take somebody's place
};

struct serve_link {
    enum serve_state state;
    int fd;
    struct address peer, local;
    struct mono since, moved; ///< accepted; last byte in or out
    unsigned watching;        ///< LOOP_READ, LOOP_WRITE
    bool news;                ///< the descriptor became ready, or there is more to do
    bool ended;               ///< the peer sends no more
    bool said_end;            ///< everything is sent; it may take it and close
    struct tls_session tls;
    size_t in_len;
    unsigned parts_count, part;
    size_t part_at; ///< bytes of parts[part] that are sent
    struct span parts[SERVE_PARTS_MAX];
};

struct serve {
    struct loop *loop;
    int fd; ///< -1: closed
    struct address address;
    bool plain, has_identity, door_watched, door_news, used;
    struct mono door_at;        ///< nobody is let in before
    struct mono handshake_paid; ///< the latest has paid until here
    struct tls_server tls;
    struct serve_stats stats;
    struct serve_caller callers[SERVE_WAITING];
    struct serve_link links[SERVE_CONNECTIONS];
    char in[SERVE_CONNECTIONS][SERVE_IN_BYTES]; ///< together, so that whole pages can go back
};

// ---- serve_door.c: who waits ------------------------------------------------

/// Take in whoever is there, look at those who have said something, end those who took too long.
void serve_door_step(struct serve *s, struct now now);
/// Whether somebody has left; one call to the kernel for all. Before a seat is given: nobody's
/// handshake is for one who has gone.
void serve_door_ask(struct serve *s, struct now now);
struct mono serve_door_next(const struct serve *s, struct now now);
void serve_caller_gone(struct serve *s, struct serve_caller *c); ///< closes its descriptor
struct address serve_address_of(const void *sockaddr);           ///< struct sockaddr_storage

// ---- serve_link.c: one connection -------------------------------------------

void serve_link_step(struct serve *s, struct serve_link *l, struct now now);
struct mono serve_link_next(const struct serve_link *l);
void serve_link_end(struct serve *s, struct serve_link *l);
void serve_link_watch(struct serve *s, struct serve_link *l, unsigned events);

#endif

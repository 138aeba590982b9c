// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A small server on the loop: one listening socket, SERVE_CONNECTIONS connections, one request and
 * one answer each, over TLS 1.2/1.3 with the box's own certificate, or in the clear where the
 * caller says that the link may carry that. What the bytes mean is the caller's business.
 * Waiting: whoever connects is a descriptor and nothing else until it has said something: over TLS
 *          the whole first message, which the kernel collects. Only then there is a session. In the
 *          clear, who has said anything gets a connection that is free. Others make room for new
 *          ones after SERVE_SILENT_MS, when the SERVE_WAITING places are taken, and go after
 *          SERVE_HANDSHAKE_MS: a thousand that come again and again let a reader from the same
 *          address through in about five seconds.
 * Full:    a caller that has said its first message (in the clear: a header) takes the place of a
 *          connection on which nothing has moved for SERVE_QUIET_MS, or that is older than
 *          SERVE_SOON_MS and not answered yet; or, if its address has fewer than half of the
 *          connections, of one of an address that has more than half. The oldest such one is
 *          dropped. Nobody goes while there is room.
 * Bounds:  SERVE_IN_BYTES in, SERVE_HANDSHAKE_MS and SERVE_TOTAL_MS of time, SERVE_HANDSHAKES_PER_S
 *          handshakes (their arithmetic is the loop's time: one a step, six at once); a connection
 *          that breaks one of them is closed.
 * Stall:   nothing waits: a peer that does not take its answer only keeps its own connection busy.
 * Memory:  struct serve, whose buffers' pages go back when nobody is there; the TLS library's from
 *          the process pool, while a connection lives. Without room for one the connection is
 *          closed: the pool's shortage is nobody else's.
 * Threads: main thread only.
 */
#ifndef NET_SERVE_H
#define NET_SERVE_H
#include "base/address.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "loop/loop.h"

#define SERVE_CONNECTIONS      4u
#define SERVE_WAITING          16u
#define SERVE_IN_BYTES         6144u ///< the whole request: line, header, body
#define SERVE_PARTS_MAX        24u
#define SERVE_SILENT_MS        75
#define SERVE_QUIET_MS         250
#define SERVE_SOON_MS          1000
#define SERVE_LINGER_MS        1000  ///< for the peer to take the rest and close
#define SERVE_HANDSHAKE_MS     3000  ///< from accept to the first byte of the request
#define SERVE_TOTAL_MS         10000 ///< from accept to the last byte of the answer
#define SERVE_HANDSHAKES_PER_S 3u    ///< those of two seconds may be saved up

enum serve_state {
    SERVE_FREE = 0,
    SERVE_HANDSHAKE,
    SERVE_READING,   ///< serve_input grows
    SERVE_ANSWERING, ///< the answer is on its way, then the connection is closed
};

struct serve_options {
    struct address listen;         ///< numeric; port 0: the kernel chooses
    bool plain;                    ///< no TLS
    struct span cert_pem, key_pem; ///< else; copied by the library
};

struct serve; ///< defined in serve_state.h

/// Nothing is open.
void serve_none(struct serve *s);
/**
 * "[::]" takes IPv4 too, and where the kernel has no IPv6, takes that alone.
 * @retval RC_AGAIN    the address is in use.  @retval RC_NOTFOUND  it is none of this box's (now).
 * @retval RC_DENIED   a port that only root may use.  @retval RC_CORRUPT  key or certificate.
 * @retval RC_RETRY    no memory now.  @retval RC_IO @covtest
 */
RC serve_open(struct serve *s, struct loop *loop, const struct serve_options *options);
void serve_close(struct serve *s);
bool serve_is_open(const struct serve *s);
struct address serve_address(const struct serve *s); ///< with the port that it has really got

/// Accept, shake hands, read, write, end what is over. What ends is FREE until the next step at
/// least. @return when it wants to run next.
struct mono serve_step(struct serve *s, struct now now);
enum serve_state serve_state(const struct serve *s, unsigned c);
/// READING: everything that has arrived so far.
struct span serve_input(const struct serve *s, unsigned c);
bool serve_input_ended(const struct serve *s, unsigned c); ///< the peer sends no more
bool serve_input_full(const struct serve *s, unsigned c);
/// Both ends of the connection.
struct address serve_peer(const struct serve *s, unsigned c);
struct address serve_local(const struct serve *s, unsigned c);
/// Answer with these bytes, one part behind the other, then close. READING only. The parts are
/// borrowed until the connection is FREE; the array of them is not.
void serve_answer(struct serve *s, unsigned c, const struct span *parts, unsigned count);
void serve_drop(struct serve *s, unsigned c); ///< close without a word

struct serve_stats {
    uint64_t accepted;
    uint64_t refused; ///< made room for others, or there was no memory
    uint64_t handshakes_failed, timeouts;
    unsigned open; ///< connections that are not FREE
};
struct serve_stats serve_stats(const struct serve *s);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A client of time servers (SNTP, RFC 4330; packets of RFC 5905), on the loop.
 * Model:   one question to each server at a time, over a connected UDP socket, with a random nonce
 *          where the protocol has the client's transmit timestamp: who cannot read our packets
 *          cannot answer them. Asked up to SNTP_TRIES times. Nothing is decided here: the answers
 *          are handed up. Nothing about them is authenticated.
 * Era:     a 32-bit second of the protocol is taken as the first one that is not before the floor:
 *          good beyond 2036 and beyond 2106.
 * Memory:  struct sntp. Threads: main thread only.
 */
#ifndef NET_SNTP_H
#define NET_SNTP_H
#include "base/address.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "loop/loop.h"

#define SNTP_SERVERS_MAX  4u
#define SNTP_PACKET_BYTES 48u
#define SNTP_PORT         123
#define SNTP_TRIES        3u
#define SNTP_WAIT_MS      1500 ///< for an answer, before it is asked again or given up

/// What one server says: it was wall_ms at `at`, give or take.
struct sntp_answer {
    struct mono at;
    int64_t wall_ms, unsure_ms;
};

struct sntp_server {
    struct sntp *in; ///< whose: for the callback of the loop
    int fd;          ///< -1: not being asked
    unsigned tries;
    uint8_t nonce[8];
    struct mono asked_at, give_up_at;
    bool answered, readable;
    struct sntp_answer answer;
};

struct sntp {
    struct loop *loop;
    unsigned count;
    struct address addresses[SNTP_SERVERS_MAX];
    struct sntp_server servers[SNTP_SERVERS_MAX];
};

/// The list of numeric addresses ("192.0.2.1", "[2001:db8::1]:1123"), checked by the configuration.
void sntp_init(struct sntp *s, struct loop *loop);
void sntp_add(struct sntp *s, struct span address);
/// Ask every server.
void sntp_start(struct sntp *s, struct now now);
/**
 * Take answers, ask again, give up.
 * @param floor_ms  wall time that is surely past.
 * @return when it wants to run next; MONO_NEVER: all is over.
 */
struct mono sntp_step(struct sntp *s, int64_t floor_ms, struct now now);
/// Usable answers, in order. @return their number
unsigned sntp_answers(const struct sntp *s, struct sntp_answer out[static SNTP_SERVERS_MAX]);
void sntp_stop(struct sntp *s);

// ---- packets, pure ----

void sntp_question(const uint8_t nonce[static 8], char out[static SNTP_PACKET_BYTES]);
/**
 * Read an answer to the question with this nonce.
 * @param trip_ms  between question and answer, by our clock.
 * @param out      `at` is left alone.
 * @retval RC_DENIED       not an answer to this question.
 * @retval RC_PARSE        no packet of a server.
 * @retval RC_UNSUPPORTED  the server says that it does not know the time, or does not want to.
 */
RC sntp_read(struct span packet,
             const uint8_t nonce[static 8],
             int64_t trip_ms,
             int64_t floor_ms,
             struct sntp_answer *out);

#endif

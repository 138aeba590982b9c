// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The server's half of TLS: 1.2 and 1.3, ECDHE with the box's own ECDSA certificate, AES-GCM or
 * ChaCha20-Poly1305. No tickets, no resumption, no renegotiation, no client certificates. Private
 * to net/.
 * Model:  every call does what can be done now and says what it waits for.
 * Bounds: what a call reads is bounded; a peer that sends more than that of what has no meaning is
 *         TLS_BROKEN.
 * Memory: the library's structures stand in the caller's memory, what it allocates in the process
 *         pool: about 24 KiB for a session, the handshake's part of it only while it lasts.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

#define TLS_SERVER_WORDS  192u
#define TLS_SESSION_WORDS 96u

/// Settings, certificate and key. Room for the library's structures, which no header shows.
struct tls_server {
    uint64_t words[TLS_SERVER_WORDS];
};

struct tls_session {
    uint64_t words[TLS_SESSION_WORDS];
};

enum tls_io {
    TLS_DONE = 1,
    TLS_WANTS_READ,
    TLS_WANTS_WRITE,
    TLS_ENDED,  ///< the peer has said that no more comes
    TLS_BROKEN, ///< nothing more can be done with it
};

/// @retval RC_CORRUPT no certificate, no key, or not a pair. @retval RC_RETRY no memory now.
RC tls_server_open(struct tls_server *t, struct span cert_pem, struct span key_pem);
void tls_server_close(struct tls_server *t);

/// @param fd  connected, non-blocking; borrowed until tls_end. @retval RC_RETRY no memory now.
RC tls_begin(struct tls_session *s, const struct tls_server *t, int fd);
enum tls_io tls_handshake(struct tls_session *s);
/// TLS_DONE: *got > 0 bytes are in `to`.
enum tls_io tls_read(struct tls_session *s, struct buf to, size_t *got);
/// TLS_DONE: *sent > 0 bytes are gone. After TLS_WANTS_WRITE the same bytes are given again.
enum tls_io tls_write(struct tls_session *s, struct span bytes, size_t *sent);
/// The word that no more comes. TLS_WANTS_WRITE: not yet.
enum tls_io tls_say_end(struct tls_session *s);
void tls_end(struct tls_session *s); ///< everything goes back to the pool; the descriptor stays

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A scripted net/serve.h for unit tests: link it instead of the net module's. Tests put what a
 * client sends, and look at what it would get.
 * Model:  one fake at a time (serve_fake_init makes it the current one). The bytes of an answer are
 *         collected only when the client takes them (serve_fake_take): what the caller lent has to
 *         stand until then.
 * Checks: the rules of net/serve.h that a caller can break (an answer only while READING, the
 *         number of parts) are asserted.
 */
#ifndef TESTS_SUPPORT_SERVE_FAKE_H
#define TESTS_SUPPORT_SERVE_FAKE_H
#include "net/serve.h"

#define SERVE_FAKE_ANSWER_BYTES (64u * 1024u)

struct serve_fake_conn {
    enum serve_state state;
    struct address peer, local;
    char input[SERVE_IN_BYTES];
    size_t input_bytes;
    bool ended;
    const struct span *parts; ///< borrowed
    unsigned parts_count;
    char answer[SERVE_FAKE_ANSWER_BYTES + 1u]; ///< what the client has taken, NUL-terminated
    size_t answer_bytes;
    unsigned answers, drops; ///< so far
};

struct serve_fake {
    struct serve_fake_conn conns[SERVE_CONNECTIONS];
    uint16_t port; ///< of the next client
};

void serve_fake_init(struct serve_fake *f); ///< zeroes it and makes it the current one
struct serve *serve_fake_handle(void);      ///< what to pass as struct serve *

/// A client has connected to this address of ours ("192.0.2.1:8443") from that one ("192.0.2.9");
/// it is being read. A port of its own is chosen for each client.
void serve_fake_connect(struct serve_fake *f, unsigned c, const char *local, const char *peer);
/// It sends this; what has no room is left in the kernel.
void serve_fake_send(struct serve_fake *f, unsigned c, struct span bytes);
void serve_fake_end(struct serve_fake *f, unsigned c); ///< and sends no more
/// It takes its answer, and the connection is closed. "" if it was closed without one.
const char *serve_fake_take(struct serve_fake *f, unsigned c);
void serve_fake_leave(struct serve_fake *f, unsigned c); ///< it goes away

#endif

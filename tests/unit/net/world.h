// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One loop, one struct http and the peer (tests/support/peer.py) for the tests of net.
 */
#ifndef WORLD_H
#define WORLD_H
#include <setjmp.h> // for cmocka
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_state.h"

#define WORLD_BODY_BYTES_MAX (5u * 1024u * 1024u)
#define PEER_BIG_BYTES       (3u * 1024u * 1024u) ///< of /big, /chunked and /gzip

extern struct loop world_loop;
extern struct http world_http;

/// cmocka group fixtures: the peer runs for the whole program, http for one test.
int peer_start(void **state);
int peer_stop(void **state);
int world_setup(void **state);
int world_teardown(void **state);

/// "localhost:port" of one of the peer's servers.
const char *peer_at(const char *server);
/// Content of a file that the peer made, e.g. "ca.pem"; stays until the next program.
struct span peer_file(const char *file);

/// GET https://localhost:port/path, trusting the peer's CA, with generous bounds.
struct http_request request_for(const char *server, const char *path);
struct http_request request_for_url(const char *url); ///< the text stays the caller's

struct world_answer {
    struct http_result result;
    size_t bytes;   ///< of body, as it came out of the ring
    int64_t ran_ms; ///< from start to DONE
    const char *body;
};

/// Start in slot 0, read everything, release.
struct world_answer world_run(const struct http_request *r);
/// As above, but read at most `bytes` a turn and let `turn_ms` pass between two reads.
struct world_answer world_run_slowly(const struct http_request *r, size_t bytes, int64_t turn_ms);

void world_start(unsigned slot, const struct http_request *r);
/// One turn of the loop, at most until_ms long.
void world_turn(int64_t until_ms);
/// Turn until the slot is DONE.
void world_finish(unsigned slot);
unsigned world_descriptors(void); ///< open file descriptors of this process
size_t peer_bytes_wrong(const char *body,
                        size_t bytes); ///< how many differ from what the peer makes

#endif

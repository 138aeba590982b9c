// SPDX-License-Identifier: Apache-2.0
/// State of the status port. Not for other modules: app reserves the memory, tests look.
#ifndef STATUS_STATUS_STATE_H
#define STATUS_STATUS_STATE_H
#include <stdalign.h>

#include "status/guard.h"
#include "status/render.h"
#include "status/status.h"

#define STATUS_HEAD_BYTES 1536u
#define STATUS_PAGE_BYTES 4096u ///< of memory: what is given back when nobody uses it
/// From the first look at a connection to its last byte: less than what serve gives it in all.
#define STATUS_READ_MS 5000

_Static_assert(SERVE_PARTS_MAX > RENDER_PARTS_MAX, "a head before the page");
_Static_assert(STATUS_READ_MS < SERVE_TOTAL_MS, "time is left to say that it took too long");
_Static_assert(RENDER_JSON_BYTES_MAX <= RENDER_PAGE_BYTES_MAX &&
                   RENDER_METRICS_BYTES_MAX <= RENDER_PAGE_BYTES_MAX,
               "one buffer for any body");

/// An answer on its way.
struct status_answer {
    alignas(STATUS_PAGE_BYTES) char body[RENDER_PAGE_BYTES_MAX];
    char head[STATUS_HEAD_BYTES];
    struct span parts[SERVE_PARTS_MAX];
};

struct status_conn {
    bool known;          ///< somebody is being read
    bool used;           ///< its answer's memory
    bool seen_ended;     ///< nothing more was to come when it was looked at
    size_t seen;         ///< bytes that had come then, and were no request
    int full_status;     ///< what it is refused with for want of room
    struct address peer; ///< tells one connection from the next
    struct mono since;   ///< the first look
};

struct status {
    struct status_answer answers[SERVE_CONNECTIONS]; ///< first: aligned
    char value[STATUS_VALUE_BYTES];                  ///< of the wish
    size_t value_bytes;
    struct status_setup setup;
    struct guard guard;
    struct status_conn conns[SERVE_CONNECTIONS];
    unsigned next; ///< whose turn it is
    uint64_t requests, refused;
};

#endif

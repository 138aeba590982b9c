// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The fault ring: the last FAULT_RING_COUNT things that went wrong, with the detail that nobody
 * branches on (errno, HTTP status, library code, Graph's request-id). Shown to people, never
 * decided upon.
 */
#ifndef SYS_FAULT_H
#define SYS_FAULT_H
#include "base/clock.h"
#include "base/rc.h"

#define FAULT_RING_COUNT    32u
#define FAULT_TEXT_BYTES    48u
#define FAULT_REQUEST_BYTES 40u

struct fault {
    struct now when;
    const char *where; ///< string literal: "graph.list", "ship.post", ...
    enum rc rc;
    int status;                                  ///< HTTP status or 0
    int detail;                                  ///< errno, library code, AADSTS number ...
    char request_id[FAULT_REQUEST_BYTES];        ///< the server's, or ""
    char client_request_id[FAULT_REQUEST_BYTES]; ///< ours, or ""
};

/// What the one who was at fault said; all of it may be missing.
struct fault_detail {
    int status;                                 ///< HTTP status or 0
    int code;                                   ///< errno, library code, AADSTS number ... or 0
    const char *request_id, *client_request_id; ///< NUL-terminated, or NULL
};

/// Write one. `where` is a literal; detail may be NULL. Printable ASCII only is kept of the ids.
void fault_note(struct now now, const char *where, enum rc rc, const struct fault_detail *detail);
/// index 0 is the newest. NULL if there are not that many.
const struct fault *fault_at(unsigned index);
uint64_t fault_count(void); ///< since start

#endif

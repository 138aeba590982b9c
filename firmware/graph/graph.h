// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The collector: call records from Microsoft Graph into the spool, without a change cursor.
 * Model:   half-open windows of startDateTime tile the time that Graph keeps (30 days). Each window
 *          is listed again on a schedule that widens with its age; (id, version) is compared with
 *          what was seen; new or higher versions go to a durable work list. Lanes fetch the details
 *          of one record each, follow every inner link and end with call_complete, or start again
 *          if the version moved.
 * Promise: a window's row says "listed" in the same commit as everything that the listing found. A
 *          record's row says "done" in the same commit as its call_complete. A crash anywhere
 *          repeats, never loses. Parts of a version without its call_complete mean nothing.
 * Limits:  all requests draw on our share of Graph's published limits and obey Retry-After, one
 *          gate per limit class.
 * Memory:  struct graph. One element of an answer in RAM per lane, whatever the size of the answer.
 * Source:  Graph "List callRecords", "Get callRecord", "List sessions", "List participants_v2",
 *          "throttling limits".
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "config/config.h"
#include "json/json.h"
#include "net/http.h"
#include "spool/spool.h"

/// The bearer token of the moment.
struct graph_token {
    struct span authorization; ///< whole header line, or empty
    uint32_t generation;       ///< tells one token from the next
};

/// What one step of the collector found out that others have to know.
struct graph_facts {
    bool token_refused; ///< an answer was 401 or 403: the token of `refused` is of no use
    uint32_t refused;   ///< generation of that token
    bool forbidden;     ///< 403: permission, consent or policy; everything waits
    bool progress;      ///< something was received, listed or finished
};

struct graph_status {
    uint64_t windows_listed, pages, records_listed, records_new, records_done, records_quarantined,
        restarts;
    uint64_t requests, throttled, failures;
    uint32_t pending;     ///< records whose details are wanted
    uint32_t windows_due; ///< as of the last step
    bool paused;          ///< the spool is above its high-water mark
};

#define GRAPH_SHELL_BYTES (64u * 1024u) ///< a record without its big arrays

/// Buffers shared by all parts, used inside one call only.
struct graph_scratch {
    struct json_token *tokens;
    unsigned tokens_max;
    struct buf line;  ///< SPOOL_EVENT_BYTES_MAX
    struct buf shell; ///< GRAPH_SHELL_BYTES
};

struct graph; ///< defined in graph_state.h

/// What it works with; everything pointed to is kept.
struct graph_setup {
    const struct config *config;
    struct http *http;
    unsigned slot; ///< the first of 1 + CONFIG_GRAPH_LANES transfers
    struct spool *spool;
    struct span ca_pem; ///< sandbox trust, or empty for the pinned roots
    struct graph_scratch scratch;
};

/// @retval RC_CORRUPT, RC_IO  rows of the spool cannot be read.
RC graph_init(struct graph *g, const struct graph_setup *setup, struct now now);
/**
 * @param token  a good token, or an empty header: then nothing new is asked, answers under way are
 *               still read.
 * @param facts  filled.
 */
struct mono
graph_step(struct graph *g, struct graph_token token, struct now now, struct graph_facts *facts);
/// Every due window is listed and the work list is empty.
bool graph_is_idle(struct graph *g, struct now now);
const struct graph_status *graph_status(const struct graph *g);
/// BUSY while an answer is under way and may be taken; WAITING for what graph_step asked last.
struct activity graph_activity(const struct graph *g);
/// Throw away what arrived and give memory back; requests under way start again.
void graph_stop(struct graph *g);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The collector's memory, and what its parts (list.c, lane.c, work.c) offer each other. For struct
 * app and tests; everybody else uses graph.h.
 */
#ifndef GRAPH_GRAPH_STATE_H
#define GRAPH_GRAPH_STATE_H
#include "graph/event.h"
#include "graph/fetch.h"
#include "graph/gate.h"
#include "graph/graph.h"
#include "graph/windows.h"

#define LIST_PAGES_MAX 10000u ///< of one window: 600,000 records
/// in a row, with a link each: then the listing makes no progress
#define LIST_EMPTY_PAGES_MAX 16u
#define LINK_RING            64u   ///< links remembered to notice a circle
#define LANE_PAGES_MAX       2000u ///< of one record's sessions or participants
/// of one page, before its listing or record is begun again later
#define PAGE_TRIES_MAX    4u
#define LANE_RESTARTS_MAX 5u ///< because the version moved; then the record waits
/// records on the work list above which no new window is opened
#define WORK_HIGH 5000u
/// answers that a record alone is to blame for, before it is quarantined
#define WORK_STRIKES_MAX    8u
#define SOURCE_CALL_RECORDS "call_records"

#define GRAPH_MEMORY_WAIT_MS 1000 ///< until the libraries' pool is asked again
#define GRAPH_STORE_WAIT_MS  1000 ///< until a full store is tried again

/// Links followed in one paging, as hashes: a link that comes again means that the service is going
/// round in a circle.
struct link_ring {
    uint64_t hashes[LINK_RING];
    unsigned count;
};

enum list_state {
    LIST_ILLEGAL = 0,
    LIST_IDLE,
    LIST_READING,
    LIST_STATES
};

struct list {
    enum list_state state;
    int64_t window_start_ms;
    int64_t began_ms; ///< wall time at which this listing began
    uint32_t records, pages, empty_pages;
    uint32_t tries;     ///< of this page, in a row
    struct mono ask_at; ///< not before
    /// events of the element at hand that are staged already (DEPTH_RECORDS)
    uint32_t emitted;
    bool page_open; ///< a page is in, but its end could not be staged yet
    struct link_ring links;
    struct fetch fetch;
};

enum lane_state {
    LANE_ILLEGAL = 0,
    LANE_IDLE,
    LANE_PARTICIPANTS, ///< GET {id}/participants_v2 and its links
    LANE_RECORD,       ///< GET {id}?$expand=sessions($expand=segments)
    LANE_SHELL,        ///< the record itself is at hand; its event has to be staged
    LANE_SESSIONS,     ///< sessions@odata.nextLink and its links
    LANE_VERIFY,       ///< GET {id}?$select=id,version: did the version move while we paged?
    LANE_COMPLETE,     ///< call_complete has to be staged
    LANE_STATES,
};

enum lane_event {
    LANE_EV_PICKED = 0,
    LANE_EV_PARTICIPANTS_IN,
    LANE_EV_RECORD_IN,
    LANE_EV_SHELL_STAGED,      ///< and there are more sessions
    LANE_EV_SHELL_STAGED_LAST, ///< and that was all
    LANE_EV_SESSIONS_IN,
    LANE_EV_VERIFIED,
    LANE_EV_RESTART, ///< the version moved
    LANE_EV_GONE,    ///< finished, put back or quarantined
    LANE_EVENTS,
};

struct lane {
    enum lane_state state;
    struct rows_key work_key, seen_key;
    struct seen_row seen;
    struct work_row work;
    uint64_t version; ///< what this pass collects
    uint32_t participants, sessions, pages, restarts;
    uint32_t tries; ///< of this page, in a row
    /// participants or sessions before this page: a page that is read again has the same part
    /// numbers
    uint32_t page_base;
    struct mono ask_at; ///< not before
    bool url_ready;     ///< fetch.url is set for the next request
    /// reason, when the record is to be quarantined and the store had no room for the event yet
    const char *quarantine;
    struct gate record_gate;
    struct link_ring links;
    struct fetch fetch;
};

struct graph {
    struct fetch_settings settings;
    struct spool *spool;
    struct graph_scratch scratch;
    struct graph_status status;
    struct windows windows;
    struct gate list_gate, app_gate;
    struct mono hold_until; ///< 403: nothing is asked before
    uint32_t forbidden;     ///< 403s in a row
    struct mono work_next;  ///< when the earliest waiting record is due
    struct mono list_next;  ///< when the next window is due
    struct mono wake;       ///< when the last step wanted to run next
    uint32_t failures;      ///< answers that failed since one was of use
    enum fetch_fail fail;   ///< the latest of them
    struct list list;
    struct lane lanes[CONFIG_GRAPH_LANES];
};

// ---- graph.c: shared by the parts ----

/// May a request of this class be sent now? If not, when (also MONO_NEVER when somebody else has to
/// act first).
struct mono graph_may_ask(const struct graph *g,
                          const struct gate *gate,
                          struct graph_token token,
                          struct now now);
void graph_asked(struct graph *g, struct gate *gate, struct now now);
/// Reaction to a failure that concerns everybody (401, 402, 403, throttling): gates, hold and
/// facts. `gate`: the class that a 429 closes.
void graph_failed(struct graph *g,
                  const struct fetch *f,
                  struct gate *gate,
                  struct now now,
                  struct graph_facts *facts);
int64_t graph_backoff_ms(const struct graph *g, uint32_t attempts);
/// Room in staging for the rows of one decision, committing if need be.
/// @retval RC_FULL, RC_IO  not now
RC graph_stage(struct graph *g);
/// A paging begins with this URL; a link back to it is a circle too.
void link_ring_start(struct link_ring *r, struct span first);
/// False if the link was followed before in this paging.
bool link_ring_add(struct link_ring *r, struct span link);
/// Next link of the document's root, checked.
/// @retval RC_NOTFOUND  last page.
/// @retval RC_DENIED, RC_PARSE  do not follow.
RC graph_next_link(const struct graph *g,
                   const struct json *doc,
                   struct span name,
                   struct link_ring *ring,
                   struct buf *out);

// ---- list.c ----

void list_init(struct graph *g, unsigned slot);
struct mono
list_step(struct graph *g, struct graph_token token, struct now now, struct graph_facts *facts);
void list_stop(struct graph *g);

// ---- lane.c ----

void lane_init(struct lane *l, unsigned slot);
struct mono lane_step(struct graph *g,
                      struct lane *l,
                      struct graph_token token,
                      struct now now,
                      struct graph_facts *facts);
void lane_stop(struct graph *g, struct lane *l);
/// The only table of a lane's life; 0 is illegal. For the test that compares it with a golden copy.
extern const uint8_t lane_next[LANE_STATES][LANE_EVENTS];

// ---- work.c: the durable work list ----

/// Stage: the details of this version are wanted (new record, or a higher version).
/// @retval RC_FULL, RC_IO, RC_CORRUPT
RC work_want(struct graph *g, const struct callrec *r, bool *is_new, struct now now);
/// Find something to do for a lane; sets its keys and rows.
/// @retval RC_NOTFOUND  nothing due: g->work_next says when
RC work_pick(struct graph *g, struct lane *l, bool waiting_first, struct now now);
/// Stage: put back, due after delay_ms (0: ready at once).
RC work_put_back(struct graph *g, struct lane *l, int64_t delay_ms, struct now now);
/// Stage: the record's details are in (or given up, with SEEN_QUARANTINED).
RC work_finish(struct graph *g, struct lane *l, enum seen_state state, struct now now);
/// Stage the removal of rows that Graph itself has forgotten; a bounded number a call; only with a
/// trusted clock.
void work_purge(struct graph *g, struct now now);
/// Quarantine a listed element that cannot even be named. @retval RC_FULL ...
RC work_bury_unreadable(struct graph *g,
                        struct span element,
                        const char *reason,
                        int64_t window_start_ms,
                        struct now now);

#endif

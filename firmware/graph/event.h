// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Events: the only transformation that collected data goes through. One JSON object a line:
 *   {"type","tenant","id","version","part","seq","event_time","collected_time","clock","source",
 *    "data"}
 * `data` is what Graph sent, compacted, unknown members included. (tenant, type, id, version, part)
 * is the key by which a repeat is recognised.
 */
#ifndef GRAPH_EVENT_H
#define GRAPH_EVENT_H
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "spool/spool.h"

#define EVENT_CALL_RECORD      "call_record"      ///< without its sessions and participants; part 0
#define EVENT_CALL_SESSION     "call_session"     ///< one session with its segments; part 1..n
#define EVENT_CALL_PARTICIPANT "call_participant" ///< one participant; part 1..n
/// This version is whole: {"sessions":n,"participants":m}; part 0.
#define EVENT_CALL_COMPLETE "call_complete"
/// This version could not be had: {"reason":...}; part 0.
#define EVENT_CALL_QUARANTINED "call_quarantined"
/// The box's store was set aside and begun anew: {"reason":...}; part 0.
#define EVENT_STORE_RESET "store_reset"

/// The box was started anew: {"cause","uptime_s","words","level","boots"}; part 0.
#define EVENT_BOX_RESTARTED "box_restarted"
/// Somebody held the button and asks for the factory configuration: {"by":"button"}; part 0.
#define EVENT_FACTORY_ASKED "factory_asked"

#define EVENT_COUNTS_BYTES 64u ///< the longest data of EVENT_CALL_COMPLETE

struct event {
    const char *type;
    const char *source; ///< "call_records", or "anteroom" for what the box says of itself
    struct span tenant, id;
    uint64_t version;
    uint32_t part;
    int64_t event_ms; ///< when it happened: the call's start
    struct span data; ///< a JSON text
};

/**
 * Encode and stage in the spool; commits first if staging is full.
 * @param line  scratch of SPOOL_EVENT_BYTES_MAX.
 * @retval RC_FULL    the store is full: nothing was staged, offer the event again later.
 * @retval RC_TOOBIG  the event is longer than a line may be.
 * @retval RC_RETRY, RC_IO  as RC_FULL: later.
 */
RC event_emit(struct spool *spool, struct buf line, const struct event *e, struct now now);

/// When a line that event_emit made was collected. @retval RC_PARSE it is none.
RC event_collected_ms(struct span line, int64_t *wall_ms);

/// The data of EVENT_CALL_COMPLETE, written to b: how many parts the version has.
void event_put_counts(struct buf *b, uint32_t sessions, uint32_t participants);

#endif

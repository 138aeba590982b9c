// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One sink: takes committed events from the spool, posts them, reads the answer, acknowledges.
 * Model:   one request at a time per sink. The answer falls into OK, RETRY, HOLD, SPLIT or DEAD;
 *          401, 402, 403, 404 and trust errors never drop anything. A batch that was refused as
 *          too large or malformed is halved until one event is found, which goes to quarantine.
 * Repeats: a batch that is sent again is the same bytes under the same key for as long as the
 *          program runs. After a restart it is read anew: its range, and with it the key, may
 *          differ; equal ranges hold equal events. A receiver that wants every event once goes by
 *          the event's own id. 409 means "I have this key already" and counts as accepted.
 * Memory:  struct ship with its body buffer; ship_idle gives its pages back.
 * Time:    one request, one burial or one acknowledgement a step.
 * Threads: main thread only.
 */
#ifndef SHIP_SHIP_H
#define SHIP_SHIP_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/rc.h"
#include "hal/tokenstore.h"

#include "config/config.h"
#include "net/http.h"
#include "spool/spool.h"

#define SHIP_BATCH_EVENTS_MAX 10000u
/// Names in the token store that a sink with client_certificate "device" uses.
#define SHIP_KEY_NAME  "tls-key"
#define SHIP_CERT_NAME "tls-certificate"

enum ship_class {
    SHIP_CLASS_ILLEGAL = 0,
    SHIP_OK,
    SHIP_RETRY,
    SHIP_HOLD,
    SHIP_SPLIT
};

/// The ndjson sink's rule, pure. @param status  0: no header arrived.
enum ship_class ship_classify(enum http_fail fail, int status);

struct ship_status {
    const char *state; ///< "idle", "sending", "backoff", "hold"
    /// Why it is not well, until a batch is accepted again, or "": "status_401", "trust"
    /// (http_fail_name), "secret_missing", "secret_unreadable", "certificate_missing",
    /// "quarantine_full", "corrupt" (open the spool anew), "spool", "memory", "buried".
    const char *reason;
    uint64_t events_sent, events_dead, batches, retries;
    uint32_t failures; ///< in a row
};

struct ship; ///< defined in ship_state.h

/// What a sink works with; everything pointed to is kept.
struct ship_setup {
    const struct config *config;
    unsigned index; ///< the sink's number in config and spool
    struct http *http;
    unsigned slot; ///< its transfer
    struct spool *spool;
    struct tokenstore *store;
    struct span ca_pem; ///< trust for a sink without a CA of its own; empty: the pinned roots
    /// Shared by all sinks, SPOOL_BLOCK_RAW_BYTES_MAX bytes, used inside one call only.
    struct buf scratch;
};

/// Call again (the slot free) when the spool was opened anew: a batch in hand belongs to the old
/// store.
void ship_init(struct ship *s, const struct ship_setup *setup);
/// One bounded piece of work. @return when it wants to run next; an arriving answer wakes the loop.
struct mono ship_step(struct ship *s, struct now now);
/// Everything committed has been acknowledged and nothing is in flight.
bool ship_is_idle(const struct ship *s);
const struct ship_status *ship_status(const struct ship *s);
struct activity ship_activity(const struct ship *s);
/// Nothing to do for a while: the body's pages go back to the system, unless a batch is in hand.
void ship_idle(struct ship *s);

#endif

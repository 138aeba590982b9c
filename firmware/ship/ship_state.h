// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The inside of struct ship, for struct app (which owns the memory), this module and its tests
 * only.
 */
#ifndef SHIP_SHIP_STATE_H
#define SHIP_SHIP_STATE_H
#include "ship/answer.h"
#include "ship/ship.h"

/// Room for one block of the largest size, and for several of the usual one. A multiple of the
/// page.
#define SHIP_PAGE_BYTES 4096u
#define SHIP_BODY_BYTES                                                                            \
    ((SPOOL_BLOCK_BYTES_MAX + GZIP_EXTRA_BYTES + 64u * 1024u) / SHIP_PAGE_BYTES * SHIP_PAGE_BYTES)
_Static_assert(SHIP_BODY_BYTES >= SPOOL_BLOCK_BYTES_MAX + GZIP_EXTRA_BYTES, "any one block fits");

#define SHIP_WORD_BYTES 24u ///< status.reason

enum ship_state {
    SHIP_ILLEGAL = 0,
    SHIP_IDLE,     ///< everything committed is acknowledged, as far as we looked
    SHIP_LINGER,   ///< there is something to send; waits for `deadline` or a full batch
    SHIP_SENDING,  ///< a request is under way
    SHIP_SETTLING, ///< the sink has answered for the whole batch: bury what it refused, acknowledge
    SHIP_BACKOFF,  ///< waits for `deadline`
    SHIP_HOLDING,  ///< likewise, longer: a person has to look
    SHIP_STATES,
};

enum ship_event {
    SHIP_EV_WORK,     ///< something is committed
    SHIP_EV_EMPTY,    ///< there was nothing after all
    SHIP_EV_START,    ///< a request was begun
    SHIP_EV_ANSWERED, ///< nothing of this batch has to be sent again
    SHIP_EV_SPLIT,    ///< send less
    SHIP_EV_SETTLED,  ///< acknowledged in the spool
    SHIP_EV_WAIT,     ///< later
    SHIP_EV_HOLD,     ///< much later
    SHIP_EV_DUE,      ///< the wait is over: send
    SHIP_EV_RESUME,   ///< the wait is over: settle
    SHIP_EVENTS,
};

extern const uint8_t ship_next[SHIP_STATES][SHIP_EVENTS];

struct ship {
    enum ship_state state; ///< written by ship_go only
    struct mono deadline;  ///< of LINGER, BACKOFF, HOLDING
    const struct config *config;
    const struct config_sink *sink;
    struct http *http;
    struct spool *spool;
    struct tokenstore *store;
    struct span ca_pem;
    struct buf scratch;
    unsigned index, slot;

    struct spool_batch batch; ///< count 0: none in hand
    uint32_t attempts;        ///< requests made for it
    uint32_t buried;          ///< events of it that were
    bool answered;            ///< it only has to be settled
    bool more;                ///< something was waiting behind it
    uint32_t events_max;      ///< of the next batch: halved by SPLIT, doubled by success
    uint32_t fruitless;       ///< batches in a row of which the sink took nothing

    enum ship_state trouble; ///< BACKOFF or HOLDING while an episode of failures lasts
    struct mono trouble_since;
    char word[SHIP_WORD_BYTES];
    struct ship_status status;
    struct ship_answer answer;

    /// The gzip bytes of `batch`. Last, and never cleared: pages that were not used are not
    /// resident.
    _Alignas(SHIP_PAGE_BYTES) char body[SHIP_BODY_BYTES];
};

/**
 * Start the request for the batch in hand. The sink's secret and key are read now and wiped before
 * return.
 * @param problem  a stable word for status.reason on anything but RC_OK.
 * @retval RC_RETRY   no memory now.
 * @retval RC_DENIED  a credential is missing or unreadable: nothing was sent.
 */
RC ship_request_start(struct ship *s, struct now now, const char **problem);

#endif

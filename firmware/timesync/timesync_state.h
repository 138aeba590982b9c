// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct timesync, for struct app (which holds it) and for timesync/ itself.
 */
#ifndef TIMESYNC_TIMESYNC_STATE_H
#define TIMESYNC_TIMESYNC_STATE_H
#include "hal/clock.h"

#include "timesync/judge.h"
#include "timesync/timesync.h"

enum timesync_state {
    TIMESYNC_ILLEGAL = 0,
    TIMESYNC_WAITING, ///< for the next attempt, the latest one failed or there was none
    TIMESYNC_ASKING,
    TIMESYNC_GOOD, ///< the latest attempt proved the time; waits for the next
    TIMESYNC_STATES,
};

enum timesync_event {
    TIMESYNC_EV_ASKED,  ///< both hosts are asked
    TIMESYNC_EV_CANNOT, ///< no request could be started
    TIMESYNC_EV_PROVEN,
    TIMESYNC_EV_FAILED,
    TIMESYNC_EVENTS,
};

/// The machine; state 0 is illegal, so an unlisted pair trips an assertion.
extern const uint8_t timesync_next[TIMESYNC_STATES][TIMESYNC_EVENTS];

struct timesync {
    const struct config *config;
    struct http *http;
    unsigned slot;
    int state_fd;
    struct span ca_pem;

    enum timesync_state state;
    struct mono next; ///< attempt, in WAITING and GOOD
    struct timesync_answer answers[TIMESYNC_HOSTS];
    struct sntp sntp;
    uint64_t progress;

    struct mono store_at; ///< the floor, at the latest
    bool store_failing;
    struct mono look_at; ///< not before: at the kernel's clock again
    bool looked;
    struct clock_kernel seen;
    struct mono seen_at;
    struct mono synced_at;

    enum timesync_cause told; ///< in a log line of this episode
    struct timesync_status status;
};

#endif

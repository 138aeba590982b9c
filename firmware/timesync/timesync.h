// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What time it is: proven over HTTPS, nothing else is believed.
 * Model:   both pinned hosts of the configured cloud (sign-in and Graph) are asked at the same
 * time; the Date of any answer counts. The time is proven when the two agree, no Date lies below
 *          the floor or absurdly far above it, and each host's certificates are good at the Date.
 *          Time servers of the configuration (SNTP, unauthenticated) must agree too: they can only
 *          object. Then hal_clock_set, and the floor is raised and stored. Asked again every six
 *          hours, and after the machine slept or its kernel's clock was stepped.
 * Trust:   what was proven stays proven: a later failure leaves the clock as it is, and is said.
 * Grain:   Date has whole seconds: the middle of the interval that is possible is taken.
 * Memory:  struct timesync.
 * Source:  RFC 9110 6.6.1 (Date), RFC 4330 and 5905 (SNTP).
 */
#ifndef TIMESYNC_TIMESYNC_H
#define TIMESYNC_TIMESYNC_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/span.h"

#include "config/config.h"
#include "loop/loop.h"
#include "net/http.h"
#include "timesync/cause.h"

#define TIMESYNC_HOSTS 2u ///< transfers that it uses

struct timesync_status {
    enum timesync_cause cause; ///< of the latest attempt; TIMESYNC_CAUSE_NONE: it succeeded
    uint32_t failures;         ///< in a row
    struct mono next_attempt;
    uint64_t syncs;           ///< since start; 0: the time is unknown
    int64_t kernel_offset_ms; ///< proven time minus the kernel's clock, as last seen
};

struct timesync; ///< defined in timesync_state.h

/// What it works with; everything pointed to is kept.
struct timesync_setup {
    const struct config *config;
    struct http *http;
    unsigned slot; ///< the first of TIMESYNC_HOSTS transfers
    struct loop *loop;
    int state_fd;       ///< where the floor is stored
    struct span ca_pem; ///< sandbox trust, or empty for the pinned roots
};

void timesync_init(struct timesync *t, const struct timesync_setup *setup);
/// Without a configuration there are no hosts, and the time stays unknown.
/// @return when it wants to run next; `now` itself when it has just set the clock.
struct mono timesync_step(struct timesync *t, struct now now);
/// Give up what is under way and store the floor (clean end).
void timesync_stop(struct timesync *t);
struct activity timesync_activity(const struct timesync *t);
const struct timesync_status *timesync_status(const struct timesync *t);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a machine says of itself to health: does it move, does it wait for a good reason, or has it
 * nothing to do. Pure data; whoever judges it is app/health.
 */
#ifndef BASE_ACTIVITY_H
#define BASE_ACTIVITY_H
#include "base/clock.h"

enum activity_kind {
    ACTIVITY_ILLEGAL = 0,
    ACTIVITY_IDLE,    ///< nothing to do: always well
    ACTIVITY_WAITING, ///< for `until`: a retry, a probe, a schedule, the clock
    ACTIVITY_BUSY,    ///< something is under way: `progress` must change within the machine's limit
};

struct activity {
    enum activity_kind kind;
    struct mono until; ///< WAITING
    uint64_t progress; ///< counts anything that moved: bytes, answers, commits; only compared
    uint32_t failures; ///< in a row, of its own doing or its peer's
};

#endif

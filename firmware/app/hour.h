// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The last hour, minute by minute: two running counts as they grew. Pure; memory is struct hour.
 */
#ifndef APP_HOUR_H
#define APP_HOUR_H
#include <stdint.h>

#include "base/clock.h"

#define HOUR_MINUTES 60u

struct hour {
    int64_t minute;                                             ///< of the newest one, since boot
    uint64_t collected, sent;                                   ///< as last seen
    uint32_t collected_in[HOUR_MINUTES], sent_in[HOUR_MINUTES]; ///< ring, by minute % HOUR_MINUTES
};

/// The counts as they stand at the start: nothing has grown yet.
void hour_init(struct hour *h, uint64_t collected, uint64_t sent, struct mono now);
/// Every turn: what they grew by belongs to this minute. A count that went back begins anew.
void hour_note(struct hour *h, uint64_t collected, uint64_t sent, struct mono now);
/// Newest first: [0] is this minute.
void hour_read(const struct hour *h,
               struct mono now,
               uint32_t collected[static HOUR_MINUTES],
               uint32_t sent[static HOUR_MINUTES]);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One gate per limit class: a token bucket of our share, and the time until which the service told
 * us to stay away.
 * Pure: time and randomness are passed in.
 */
#ifndef GRAPH_GATE_H
#define GRAPH_GATE_H
#include "base/clock.h"

#define GATE_PERIOD_MS 20000 ///< Graph's limits for call records are per 20 s

struct gate {
    uint32_t per_period; ///< requests that we allow ourselves in GATE_PERIOD_MS; 1 or more
    /// each request costs GATE_PERIOD_MS / per_period; a burst is half a period
    int64_t credit_ms;
    struct mono counted; ///< when credit was last brought up to date
    struct mono closed_until;
};

void gate_init(struct gate *g, uint32_t per_period, struct mono now);
/// When a request may pass: <= now if at once.
struct mono gate_opens(const struct gate *g, struct mono now);
/// Take one request out of the bucket; only when gate_opens() says so.
void gate_take(struct gate *g, struct mono now);
/// Close for at least ms. A shorter time than is already set changes nothing: early retries prolong
/// throttling.
void gate_close(struct gate *g, struct mono now, int64_t ms);

#endif

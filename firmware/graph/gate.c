// SPDX-License-Identifier: Apache-2.0
#include "graph/gate.h"

#include "base/assert.h"

// Half of the period's requests may come in a burst, but always one. Over any 20 s that is at most
// burst + refill = 1.5 shares, so a share of up to two thirds of the published limit can never
// cross it.
#define GATE_BURST_MS (GATE_PERIOD_MS / 2)

/// Rounded up: a share that does not divide the period is not exceeded, and no request is free.
static int64_t cost_ms(const struct gate *g)
{
    return (GATE_PERIOD_MS + (int64_t)g->per_period - 1) / (int64_t)g->per_period;
}

static int64_t burst_ms(const struct gate *g)
{
    int64_t cost = cost_ms(g);

    return cost > GATE_BURST_MS ? cost : GATE_BURST_MS;
}

void gate_init(struct gate *g, uint32_t per_period, struct mono now)
{
    ASSERT(per_period >= 1);
    *g = (struct gate){.per_period = per_period, .counted = now};
    g->credit_ms = burst_ms(g);
}

static int64_t credit_at(const struct gate *g, struct mono now)
{
    int64_t gained = now.ms - g->counted.ms;
    int64_t full = burst_ms(g);

    return gained >= full - g->credit_ms ? full : g->credit_ms + gained;
}

struct mono gate_opens(const struct gate *g, struct mono now)
{
    int64_t missing = cost_ms(g) - credit_at(g, now);
    struct mono bucket = missing > 0 ? mono_after(now, missing) : now;

    return bucket.ms > g->closed_until.ms ? bucket : g->closed_until;
}

void gate_take(struct gate *g, struct mono now)
{
    ASSERT(mono_due(gate_opens(g, now), now));
    g->credit_ms = credit_at(g, now) - cost_ms(g);
    g->counted = now;
}

void gate_close(struct gate *g, struct mono now, int64_t ms)
{
    struct mono until = mono_after(now, ms);

    if (until.ms > g->closed_until.ms) {
        g->closed_until = until;
    }
}

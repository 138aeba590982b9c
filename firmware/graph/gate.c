// SPDX-License-Identifier: Apache-2.0
#include "graph/gate.h"

#include "base/assert.h"

// Half of the period's requests may come in a burst. Over any 20 s that is at most burst + refill = 1.5 shares, so a share of up to two
// thirds of the published limit can never cross it.
#define GATE_BURST_MS (GATE_PERIOD_MS / 2)

static int64_t cost_ms(const struct gate *g)
{
    int64_t cost = GATE_PERIOD_MS / (int64_t)g->per_period;

    return cost > GATE_BURST_MS ? GATE_BURST_MS : cost;
}

void gate_init(struct gate *g, uint32_t per_period, struct mono now)
{
    ASSERT(per_period >= 1);
    *g = (struct gate){ .per_period = per_period, .credit_ms = GATE_BURST_MS, .counted = now };
}

static int64_t credit_at(const struct gate *g, struct mono now)
{
    int64_t gained = now.ms - g->counted.ms;

    if (gained >= GATE_BURST_MS || g->credit_ms + gained > GATE_BURST_MS) {
        return GATE_BURST_MS;
    }
    return g->credit_ms + (gained > 0 ? gained : 0);
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

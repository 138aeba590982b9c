// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"

#include "base/assert.h"

// base * 2^(attempts-1), at most cap. Halving the cap cannot overflow where doubling the base can.
static int64_t ceiling_ms(uint32_t attempts, int64_t base_ms, int64_t cap_ms)
{
    uint32_t doublings = attempts - 1;
    if (doublings > 62 || (cap_ms >> doublings) < base_ms) {
        return cap_ms;
    }
    return base_ms << doublings;
}

int64_t backoff_ms(uint32_t attempts, int64_t base_ms, int64_t cap_ms, uint64_t random)
{
    ASSERT(attempts >= 1);
    ASSERT(base_ms >= 1);
    ASSERT(cap_ms >= base_ms);
    int64_t low = base_ms > 1 ? base_ms / 2 : 1;
    int64_t high = ceiling_ms(attempts, base_ms, cap_ms);
    return low + (int64_t)(random % (uint64_t)(high - low + 1));
}

int64_t jitter_ms(int64_t ms, uint64_t random)
{
    ASSERT(ms >= 0);
    ASSERT(ms <= INT64_MAX / 2);
    return ms + (int64_t)(random % (uint64_t)(ms / 10 + 1));
}

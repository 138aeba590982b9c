// SPDX-License-Identifier: Apache-2.0
#include "sandbox.h"

#include "backend.h"
#include "kernel.h"

static struct {
    bool seeded;
    uint64_t state;
} sequence;

void hal_entropy_seed(uint64_t seed)
{
    sequence.seeded = seed != 0;
    sequence.state = seed;
}

/// A counter through a mixing function (SplitMix64): good enough to look random, and repeatable.
static uint64_t next(void)
{
    sequence.state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = sequence.state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void entropy_backend_fill(uint8_t *out, size_t len)
{
    if (!sequence.seeded) {
        entropy_from_kernel(out, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(next() >> 56);
    }
}

bool hal_entropy_ready(void)
{
    return sequence.seeded || entropy_kernel_ready();
}

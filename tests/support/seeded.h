// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Random numbers that come again: everything follows from the seed. splitmix64.
 */
#ifndef TESTS_SUPPORT_SEEDED_H
#define TESTS_SUPPORT_SEEDED_H
#include <stdint.h>

static inline uint64_t seeded_next(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15u;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/// 0 .. below - 1.
static inline unsigned seeded_below(uint64_t *seed, unsigned below)
{
    return (unsigned)(seeded_next(seed) % below);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Random valid JSON texts with random white space, from a seed.
 */
#ifndef TESTS_UNIT_JSON_RANDOM_JSON_H
#define TESTS_UNIT_JSON_RANDOM_JSON_H
#include "base/span.h"

/// Appends an object whose members are often arrays named "value" or "a". About `size` values.
void random_json(struct buf *b, uint64_t *seed, unsigned size);
/// Appends any bytes that a decoded string may hold, and some that it may not.
void random_bytes(struct buf *b, uint64_t *seed, unsigned len_max);

#endif

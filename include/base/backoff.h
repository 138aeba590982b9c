// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Exponential backoff with full jitter, pure: the caller passes the random number.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H
#include <stdint.h>

/**
 * Delay before attempt number `attempts + 1`.
 * @param attempts  failures so far, 1 or more.
 * @param base_ms, cap_ms  1 <= base <= cap.
 * @param random    uniform 64-bit.
 * @return base/2 .. min(cap, base * 2^(attempts-1)), both ends included, uniform, never 0.
 */
int64_t backoff_ms(uint32_t attempts, int64_t base_ms, int64_t cap_ms, uint64_t random);

/// `ms` plus up to a tenth of it, so that a fleet does not march in step. ms: 0..INT64_MAX/2.
int64_t jitter_ms(int64_t ms, uint64_t random);

#endif

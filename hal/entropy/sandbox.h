// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The sandbox board's own: a sequence that a test can repeat. No program calls it; a board that is
 * not the sandbox does not have it.
 */
#ifndef ENTROPY_SANDBOX_H
#define ENTROPY_SANDBOX_H
#include <stdint.h>

/// From now on hal_entropy_fill gives the sequence of this seed; 0: the kernel's randomness again.
void hal_entropy_seed(uint64_t seed);

#endif

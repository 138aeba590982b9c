// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Randomness. Blocks only until the kernel's pool was initialised once after boot. A source that
 * fails is an assertion: there is no weaker one to fall back on.
 * Backends: linux (getrandom(2): works in an empty chroot without /dev), sandbox (the same, and a
 *           seeded sequence for tests after hal_entropy_seed). All pass tests/contract/entropy.c.
 */
#ifndef HAL_ENTROPY_H
#define HAL_ENTROPY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void hal_entropy_fill(void *out, size_t len);
uint64_t hal_entropy_u64(void);
bool hal_entropy_ready(void); ///< the pool was initialised: fill does not block

#endif

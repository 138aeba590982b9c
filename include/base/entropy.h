// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Randomness from the kernel by getrandom(2): works in an empty chroot without /dev.
 * Blocks only until the kernel's pool was initialised once after boot. A failing getrandom is an
 * assertion: there is no weaker source to fall back on.
 */
#ifndef BASE_ENTROPY_H
#define BASE_ENTROPY_H
#include <stddef.h>
#include <stdint.h>

void entropy_fill(void *out, size_t len);
uint64_t entropy_u64(void);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend owes front.c: where the kernel's clocks are read. Private to hal/clock/.
 */
#ifndef HAL_CLOCK_SOURCE_H
#define HAL_CLOCK_SOURCE_H
#include <stdint.h>
#include <time.h>

/// Milliseconds of a clock of the kernel.s (front.c).
int64_t clock_kernel_ms(clockid_t id);

/// The kernel's wall clock, milliseconds since 1970.
int64_t clock_source_wall_ms(void);
/// STATE is open now: take from it what plays the hardware.
void clock_source_open(int state_fd);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The clocks of the machine. Read by loop/ only.
 * Backends: linux.
 */
#ifndef HAL_CLOCK_H
#define HAL_CLOCK_H
#include "base/clock.h"

/// CLOCK_BOOTTIME, milliseconds.
struct mono hal_clock_mono(void);
/**
 * CLOCK_REALTIME, never less than CONFIG_BUILD_EPOCH. Quality TRUSTED if the kernel says that the
 * clock is synchronised (adjtimex) or the board says that a set clock is to be believed
 * (CONFIG_BOARD_SANDBOX), FLOOR otherwise, and always FLOOR where the build time stands in for a
 * clock that shows less.
 */
struct wall hal_clock_wall(void);

#endif

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
 * CLOCK_REALTIME with its quality: UNKNOWN below CONFIG_BUILD_EPOCH (the value is then the floor itself, the build time, with
 * quality FLOOR), TRUSTED if the kernel says that the clock is synchronised (adjtimex) or the board says that a set clock is
 * to be believed (CONFIG_BOARD_SANDBOX), FLOOR otherwise.
 */
struct wall hal_clock_wall(void);

#endif

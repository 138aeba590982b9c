// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The clocks of the machine. Read by loop/ only.
 * Model:    monotonic time is CLOCK_BOOTTIME. Wall time is the kernel's only until somebody who
 *           proved it (timesync/) sets it here; from then on it is that moment plus CLOCK_BOOTTIME,
 *           and steps of the kernel's clock do not matter. The system's clock is never set.
 *           Wall time never shows less than the floor.
 *             UNKNOWN  the kernel's clock is below the floor, or further than CLOCK_AHEAD_MS_MAX
 *                      above it: the floor is shown
 *             FLOOR    the kernel's clock is plausible, and unproven
 *             TRUSTED  set by hal_clock_set
 * Floor:    a moment that is surely past: the greatest of the build's day and what was proven and
 *           stored. It never goes back, and follows proven time by CLOCK_FLOOR_LAG_MS, because two
 *           honest servers differ by seconds. A stored floor beyond CLOCK_AHEAD_MS_MAX after the
 *           build is not believed.
 * Memory:   one clock of the process, module memory: the loop reads it without a pointer.
 * Threads:  main thread only.
 * Backends: linux, sandbox (the same; STATE/sandbox/clock, one signed 64-bit big-endian number of
 *           milliseconds, is added to the kernel's wall clock). All pass tests/contract/clock.c.
 */
#ifndef HAL_CLOCK_H
#define HAL_CLOCK_H
#include "base/clock.h"

#define CLOCK_AHEAD_MS_MAX (INT64_C(10) * 365 * 86400 * 1000) ///< ten years
#define CLOCK_FLOOR_LAG_MS (INT64_C(5) * 60 * 1000)

/**
 * Begin: nothing is proven yet, the floor is what is stored. Before it is called, the build's day
 * is the floor.
 * @param state_fd      directory; borrowed for the call.
 * @retval RC_CORRUPT   the record does not check, or is too far ahead: it is not used.
 * @retval RC_DENIED    it is not ours alone: it is not used.
 * @retval RC_IO        it cannot be read. @covtest
 */
RC hal_clock_open(int state_fd);
struct mono hal_clock_mono(void);
struct wall hal_clock_wall(void);
/// Wall time was proven: at `at` it was wall_ms, which is not below the floor. Raises the floor in
/// memory.
void hal_clock_set(struct mono at, int64_t wall_ms);
int64_t hal_clock_floor(void);
/// A lower bound was proven (a signature's date). Not below the present floor, not beyond
/// CLOCK_AHEAD_MS_MAX after the build: else nothing happens.
void hal_clock_raise_floor(int64_t wall_ms);
/**
 * Store the floor, which a trusted clock takes along first (on the first trust, at a clean end,
 * every 6 hours). Writes nothing if the stored one is as high.
 * @retval RC_FULL  the disk is full.  @retval RC_IO @covtest
 */
RC hal_clock_store_floor(int state_fd);

/// What the kernel says, to notice that it was stepped or slept; nobody decides by it what time it
/// is.
struct clock_kernel {
    int64_t wall_ms;   ///< CLOCK_REALTIME
    int64_t asleep_ms; ///< suspended since boot: what CLOCK_BOOTTIME counts and MONOTONIC does not
};
struct clock_kernel hal_clock_kernel(void);

#endif

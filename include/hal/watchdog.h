// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The hardware watchdog: resets the box when it is not fed.
 * Model:    opened once, before the process is confined; fed in one place (app/health). The
 *           timeout that the device really took is told; whoever feeds adapts to it.
 * Time:     never blocks.
 * Threads:  main thread only.
 * Backends: linux (CONFIG_WATCHDOG_DEVICE), sandbox (STATE/sandbox/watchdog, read by whatever plays
 *           the hardware). All pass tests/contract/watchdog.c.
 * Source:   kernel, Documentation/watchdog/watchdog-api.rst.
 */
#ifndef HAL_WATCHDOG_H
#define HAL_WATCHDOG_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rc.h"

#define WATCHDOG_TIMEOUT_MS_MIN 20000   ///< shorter ones bite while a slow disk flushes
#define WATCHDOG_TIMEOUT_MS_MAX 2046000 ///< what common hardware takes

struct watchdog {
    int fd;                 ///< -1: closed
    uint32_t timeout_ms;    ///< that the device took
    uint32_t pretimeout_ms; ///< before the end; 0: none
    bool can_stop;          ///< magic close works (no "nowayout")
    bool stays_armed;       ///< a process that dies leaves it armed; false: its end disarms it
    bool bitten;            ///< the last reset of the box was this watchdog's (boot status)
    char missing[96];       ///< of a failure: what is not there, and the board's name for it
};

/// Is it there? It is not opened, since that would arm it. @param state_fd as below.
/// @retval RC_UNSUPPORTED  no such device: said in `missing`. @retval RC_DENIED
RC hal_watchdog_probe(struct watchdog *w, int state_fd);

/**
 * Open and arm.
 * @param state_fd   the state directory (sandbox only); borrowed for the call.
 * @param wanted_ms  WATCHDOG_TIMEOUT_MS_MIN..MAX.
 * @retval RC_UNSUPPORTED  no such device, or one that takes no timeout of at least
 *                         WATCHDOG_TIMEOUT_MS_MIN: said in `missing`; if it was armed by opening
 *                         it, it is stopped where it can be.
 * @retval RC_DENIED       no permission.  @retval RC_AGAIN  somebody else has it open.
 * @retval RC_IO @covtest
 */
RC hal_watchdog_open(struct watchdog *w, int state_fd, uint32_t wanted_ms);
/// The one feeding call. @retval RC_IO the device refuses; it will bite. @covtest
RC hal_watchdog_feed(struct watchdog *w, struct mono now);
/// Let go of the device without stopping it, and without feeding it: the next process has what is
/// left of timeout_ms since the last feeding. A driver that stops with every close (stays_armed is
/// false, rare) stops all the same. Closed already: nothing happens.
void hal_watchdog_hand_over(struct watchdog *w);
/// Stop it for good (an orderly end without successor), and close. On failure it stays open and
/// armed. @retval RC_UNSUPPORTED it cannot be stopped. @retval RC_IO @covtest
RC hal_watchdog_stop(struct watchdog *w);

#endif

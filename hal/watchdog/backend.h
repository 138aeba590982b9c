// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/watchdog.h gives. front.c has checked the arguments, and judges the timeout
 * that the device took; on any result but RC_OK the backend leaves nothing open.
 */
#ifndef WATCHDOG_BACKEND_H
#define WATCHDOG_BACKEND_H
#include "hal/watchdog.h"

RC watchdog_backend_probe(struct watchdog *w, int state_fd);
/// Arms; timeout_ms is what the device says, however short.
RC watchdog_backend_open(struct watchdog *w, int state_fd, uint32_t wanted_ms);
RC watchdog_backend_feed(struct watchdog *w, struct mono now);
/// Close without stopping.
void watchdog_backend_hand_over(struct watchdog *w);
/// Stop and close; on failure it stays open and armed.
RC watchdog_backend_stop(struct watchdog *w);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The button: presence of a person, nothing more. 5 s show the LED code in full, 15 s ask for the
 * factory configuration.
 * Backends: linux (CONFIG_BUTTON_DEVICE, /dev/input/eventN of gpio-keys, key CONFIG_BUTTON_KEY),
 *           none (a board without one), sandbox (STATE/sandbox/button, a FIFO: '1' pressed, '0'
 *           released). All pass tests/contract/button.c.
 * Source:   kernel, Documentation/input/input.rst.
 */
#ifndef HAL_BUTTON_H
#define HAL_BUTTON_H
#include <stdbool.h>

#include "base/clock.h"
#include "base/rc.h"

#define BUTTON_CODE_MS    5000
#define BUTTON_FACTORY_MS 15000

struct button {
    int fd; ///< readable when there is news: watch it in the loop; -1: none
    bool pressed;
    struct mono since;
    char missing[96];
};

enum button_event {
    BUTTON_NOTHING = 0,
    BUTTON_CODE,    ///< held 5 s (told while it is held)
    BUTTON_FACTORY, ///< held 15 s (told while it is held)
};

/// @retval RC_UNSUPPORTED no such device. @retval RC_DENIED @retval RC_IO @covtest
RC hal_button_open(struct button *b, int state_fd);
void hal_button_read(struct button *b, struct now now); ///< fd is readable: take what there is
/// What the time of holding has come to since the last call; *again is when to ask next.
enum button_event hal_button_event(struct button *b, struct mono now, struct mono *again);
void hal_button_close(struct button *b);

#endif

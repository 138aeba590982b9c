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

enum button_event {
    BUTTON_NOTHING = 0,
    BUTTON_CODE,    ///< held 5 s (told while it is held)
    BUTTON_FACTORY, ///< held 15 s (told while it is held)
};

struct button {
    int fd; ///< readable when there is news: watch it in the loop; -1: none
    bool pressed;
    bool felt;              ///< was pressed at all: `since` is a time
    struct mono since;      ///< pressed, or let go
    enum button_event told; ///< of this press, last
    bool dropped;           ///< linux: events are missing up to the next report
    char missing[96];       ///< of a failure: what is not there, and the board's name for it
};

/// Is it there? @param state_fd sandbox only. @retval RC_NOTFOUND the board has none, and says so
/// (backend none). @retval RC_UNSUPPORTED no such device: said in `missing`. @retval RC_DENIED
RC hal_button_probe(struct button *b, int state_fd);
/// A button that is held down at this moment counts from its next press. @param state_fd sandbox
/// only. @retval RC_UNSUPPORTED no such device, or one without the key. @retval RC_DENIED
/// @retval RC_IO @covtest
RC hal_button_open(struct button *b, int state_fd);
/// fd is readable: take what there is. @retval RC_IO the device is gone: unwatch it and close; it
/// is not held any more. @covtest
RC hal_button_read(struct button *b, struct mono now);
/// Somebody holds it, or let go of it less than within_ms ago: also of a press so short that its
/// beginning and end were read together, and `pressed` never showed it.
bool hal_button_was_pressed(const struct button *b, struct mono now, int64_t within_ms);
/// What the time of holding has come to since the last call; *again is when to ask next.
enum button_event hal_button_event(struct button *b, struct mono now, struct mono *again);
void hal_button_close(struct button *b); ///< closing twice is fine

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/button.h gives. front.c closes the descriptor and measures the time.
 */
#ifndef BUTTON_BACKEND_H
#define BUTTON_BACKEND_H
#include "hal/button.h"

RC button_backend_probe(struct button *b, int state_fd);
/// fd -1 with RC_OK: the board has none.
RC button_backend_open(struct button *b, int state_fd);
/// Take what there is, calling button_moved for each change.
RC button_backend_read(struct button *b, struct mono now);

/// front.c: the button is now down or up; the same twice (autorepeat) is one.
void button_moved(struct button *b, bool pressed, struct mono now);

#endif

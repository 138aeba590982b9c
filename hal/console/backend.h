// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/console.h gives. front.c checks the line and closes the descriptor.
 */
#ifndef CONSOLE_BACKEND_H
#define CONSOLE_BACKEND_H
#include "hal/console.h"

RC console_backend_probe(struct console *c, int state_fd);
/// fd -1 with RC_OK: the board has none.
RC console_backend_open(struct console *c, int state_fd);
/// The descriptor is open, and the line within its bounds.
RC console_backend_write(struct console *c, struct span line);

#endif

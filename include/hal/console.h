// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The serial console: one line now and then for whoever has a cable and nothing else. Never waited
 * for: a line that does not go out at once is dropped, whole or its rest.
 * Backends: linux (CONFIG_CONSOLE_DEVICE, a terminal: 115200 8N1, no flow control), none (a board
 *           without one, CONFIG_CONSOLE_NONE), sandbox (STATE/sandbox/console: the last line,
 *           rewritten in place). All pass tests/contract/console.c.
 * Source:   termios(3), kernel Documentation/admin-guide/serial-console.rst.
 */
#ifndef HAL_CONSOLE_H
#define HAL_CONSOLE_H
#include <stdbool.h>

#include "base/rc.h"
#include "base/span.h"

#define CONSOLE_LINE_BYTES_MAX 1024u

struct console {
    int fd;           ///< -1: none
    bool cut;         ///< linux: the rest of the last line was dropped
    char missing[96]; ///< of a failure: what is not there, and the board's name for it
};

/// Is it there? @param state_fd sandbox only. @retval RC_NOTFOUND the board has none, and says so
/// (backend none). @retval RC_UNSUPPORTED no such device: said in `missing`. @retval RC_DENIED
RC hal_console_probe(struct console *c, int state_fd);
/// Backend none: RC_OK, and nothing is ever written. @retval RC_UNSUPPORTED no such device, or no
/// terminal. @retval RC_DENIED @retval RC_IO @covtest
RC hal_console_open(struct console *c, int state_fd);
/// @param line 1..CONSOLE_LINE_BYTES_MAX bytes, its newline at the end. @retval RC_OK it went out,
/// or some of it: the next one begins a line of its own. @retval RC_TOOBIG longer, or empty.
/// @retval RC_AGAIN the terminal takes nothing now. @retval RC_IO it is gone: close it. @covtest
RC hal_console_write(struct console *c, struct span line);
void hal_console_close(struct console *c); ///< closing twice is fine

#endif

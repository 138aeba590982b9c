// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The other end of the terminal that console_linux_hardware.c plays with a pseudo-terminal.
 */
#ifndef CONTRACT_CONSOLE_TERMINAL_H
#define CONTRACT_CONSOLE_TERMINAL_H
#include <stddef.h>

#include <termios.h>

#include "console_hardware.h"

/// Another device answers under the console's name.
void terminal_is(const char *path);
void terminal_settings(struct termios *t);
void terminal_set(const struct termios *t);
/// Setting it fails from now on.
void terminal_refuses_settings(void);
/// Everything that came since the last call, as it came. @return bytes
size_t terminal_read(char *text, size_t bytes);
/// Nobody reads: it takes `bytes` more, and then nothing.
void terminal_takes(size_t bytes);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Who looks at the console behind a backend: one file per backend.
 */
#ifndef CONTRACT_CONSOLE_HARDWARE_H
#define CONTRACT_CONSOLE_HARDWARE_H
#include <stddef.h>

enum console_fault {
    CONSOLE_WELL = 0,
    CONSOLE_ABSENT,
    CONSOLE_FORBIDDEN,
    CONSOLE_OPEN_FAILS,
    CONSOLE_GONE, ///< writing fails
};

int hardware_make(void **unused); ///< cmocka setup
int hardware_remove(void **unused);
int hardware_state_fd(void);
void hardware_fault(enum console_fault fault);
/// The last line that a person sees, without its end; "" if there is none.
void hardware_look(char *line, size_t bytes);

#endif

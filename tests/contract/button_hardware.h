// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The finger on the button behind a backend: one file per backend.
 */
#ifndef CONTRACT_BUTTON_HARDWARE_H
#define CONTRACT_BUTTON_HARDWARE_H
#include <stdbool.h>

enum button_fault {
    BUTTON_WELL = 0,
    BUTTON_ABSENT,
    BUTTON_FORBIDDEN,
    BUTTON_OPEN_FAILS,
    BUTTON_GONE, ///< reading fails
};

int hardware_make(void **unused); ///< cmocka setup
int hardware_remove(void **unused);
int hardware_state_fd(void);
void hardware_fault(enum button_fault fault);
void hardware_press(bool down);
void hardware_noise(void); ///< news of the device that are none of the button

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The LED behind a backend, looked at: one file per backend.
 */
#ifndef CONTRACT_LED_HARDWARE_H
#define CONTRACT_LED_HARDWARE_H
#include <stdbool.h>

#include "hal/led.h"

enum led_fault {
    LED_WELL = 0,
    LED_ABSENT,
    LED_FORBIDDEN,
    LED_OPEN_FAILS,
    LED_WRITES_FAIL,
};

int hardware_make(void **unused); ///< cmocka setup: somebody else left the LED lit
int hardware_remove(void **unused);
int hardware_state_fd(void);
void hardware_fault(enum led_fault fault);
bool hardware_lit(void);
bool hardware_taken_over(void); ///< the kernel does nothing with it by itself
bool hardware_is_rgb(void);
enum led_colour hardware_colour(void); ///< RGB only

#endif

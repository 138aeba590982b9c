// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The board's names for its LED below /sys/class/leds.
 */
#ifndef LED_NAMES_H
#define LED_NAMES_H
#include "hal/led.h"

struct led_names {
    const char *folder;
    const char *mono;                  ///< "": the LED is RGB
    const char *channel[LED_CHANNELS]; ///< red, green, blue; "": none of this colour
};

const struct led_names *led_names(void);

#endif

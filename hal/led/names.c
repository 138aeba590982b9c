// SPDX-License-Identifier: Apache-2.0
#include "names.h"

const struct led_names *led_names(void)
{
    static const struct led_names names = {
        .folder = "/sys/class/leds",
        .mono = CONFIG_LED_NAME,
        .channel = {CONFIG_LED_RED, CONFIG_LED_GREEN, CONFIG_LED_BLUE},
    };
    return &names;
}

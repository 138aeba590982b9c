// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The status LED, one colour or RGB: on or off in a colour, now. The patterns (which code flashes
 * how) are app/led_pattern's; they are driven by the loop, so that a hung process cannot look well.
 * Time:     never blocks.
 * Backends: sysfs (CONFIG_LED_NAME, or CONFIG_LED_RED, _GREEN and _BLUE below /sys/class/leds),
 *           none (a board without LED, said so by its defconfig), sandbox (STATE/sandbox/led: one
 *           line "on=0|1 colour=NAME"; in a terminal it is shown by tools/dev demo).
 *           All pass tests/contract/led.c.
 * Source:   kernel, Documentation/leds/leds-class.rst.
 */
#ifndef HAL_LED_H
#define HAL_LED_H
#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"

enum led_colour {
    LED_OFF = 0,
    LED_GREEN,
    LED_AMBER,
    LED_RED,
    LED_BLUE,
    LED_COLOURS,
};

#define LED_CHANNELS 3u ///< red, green, blue

struct led {
    int fds[LED_CHANNELS];            ///< brightness of red, green, blue; a mono LED is the first;
                                      ///< -1: none
    uint32_t brightest[LED_CHANNELS]; ///< sysfs: what "on" is
    bool rgb;
    bool none;        ///< open, and the board has none: whatever is set, nobody sees it
    char missing[96]; ///< of a failure: what is not there, and the board's name for it
};

/// Is it there? Nothing of it is changed. @param state_fd sandbox only.
/// @retval RC_NOTFOUND the board has none, and says so (backend none). @retval RC_UNSUPPORTED no
/// such LED: said in `missing`. @retval RC_DENIED
RC hal_led_probe(struct led *l, int state_fd);

/// Take the LED over from the kernel (trigger "none"), dark. @param state_fd sandbox only.
/// @retval RC_UNSUPPORTED no such LED. @retval RC_DENIED @retval RC_IO @covtest
RC hal_led_open(struct led *l, int state_fd);
/// A mono LED is lit for every colour but LED_OFF. Closed, or none: nothing happens. @retval RC_IO
/// @covtest
RC hal_led_set(struct led *l, enum led_colour colour);
void hal_led_close(struct led *l);                  ///< dark, then let go; closing twice is fine
const char *hal_led_colour_name(enum led_colour c); ///< "off", "green", ...

#endif

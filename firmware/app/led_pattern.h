// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the LED shows: a code from 0 to 10, as a way of flashing. Pure; somebody asks when the time
 * has come and sets the device.
 * Model:  the lowest code that holds wins. A code stays for LED_DWELL_MS, so that it can be read,
 *         but for "about to reset", which may not have the time. One colour is enough to tell all
 *         codes apart; no pattern is a steady light, which a hung box could show too, and none
 *         flashes more than three times a second.
 */
#ifndef APP_LED_PATTERN_H
#define APP_LED_PATTERN_H
#include "base/clock.h"
#include "hal/led.h"

#define LED_DWELL_MS     5000
#define LED_SHOW_REPEATS 3u ///< of the code in full

enum led_code {
    LED_CODE_DEAD = 0,
    LED_CODE_RESET,    ///< about to reset, holding still, or a hardware fault
    LED_CODE_APPLYING, ///< an update or a configuration is being applied
    LED_CODE_ROLLED_BACK,
    LED_CODE_UNPROVISIONED,
    LED_CODE_NETWORK, ///< no link, no address, no answer
    LED_CODE_TIME,    ///< no time, or a certificate that is not good
    LED_CODE_REFUSED, ///< the service refuses to sign in
    LED_CODE_BUFFERING,
    LED_CODE_FULL, ///< the store
    LED_CODE_NORMAL,
    LED_CODES,
};

struct led_pattern {
    enum led_code code, wanted;
    struct mono since;       ///< of code
    struct mono shown_until; ///< the code is counted out until then
    struct mono show_began;
};

void led_pattern_init(struct led_pattern *p, struct mono now);
/// The code that holds now; it is shown when the one before has had its time.
void led_pattern_want(struct led_pattern *p, enum led_code code);
/// Count the code out: as many flashes as its number, LED_SHOW_REPEATS times.
void led_pattern_show(struct led_pattern *p, struct mono now);
/// What the LED is to be now. *again: when that changes.
enum led_colour led_pattern_at(struct led_pattern *p, struct mono now, struct mono *again);
/// The same for a board without an LED: `code` is kept, for the page and the log, and nothing
/// flashes. @return when it may change by itself.
struct mono led_pattern_unseen(struct led_pattern *p, struct mono now);

/// For people: "amber, 6 flashes".
const char *led_code_shows(enum led_code code);

#endif

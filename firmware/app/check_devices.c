// SPDX-License-Identifier: Apache-2.0
#include "app/check_devices.h"

#include <stdio.h>

#include "hal/button.h"
#include "hal/console.h"
#include "hal/identity.h"
#include "hal/led.h"
#include "hal/reset.h"
#include "hal/watchdog.h"

static const char *advice_for(enum rc rc)
{
    switch (rc) {
    case RC_UNSUPPORTED:
        return "load its driver, or build for a board that names what is there";
    case RC_DENIED:
        return "start it as root: anteroomd gives that up before it touches the network";
    default:
        return "see the kernel's log";
    }
}

static void judge(struct device_finding *out, const char *name, enum rc rc, const char *missing)
{
    out->wrong = rc != RC_OK && rc != RC_NOTFOUND;
    out->advice = advice_for(rc);
    snprintf(out->what,
             sizeof(out->what),
             "%s%s%s",
             name,
             rc == RC_OK ? "" : ": ",
             rc == RC_NOTFOUND ? "this board has none" : missing);
}

void check_devices(int state_fd, struct device_finding out[static CHECK_DEVICES])
{
    struct watchdog watchdog;
    struct led led;
    struct button button;
    struct console console;
    struct reset reset;
    struct identity identity;

    judge(&out[0], "watchdog", hal_watchdog_probe(&watchdog, state_fd), watchdog.missing);
    judge(&out[1], "LED", hal_led_probe(&led, state_fd), led.missing);
    judge(&out[2], "button", hal_button_probe(&button, state_fd), button.missing);
    judge(&out[3], "console", hal_console_probe(&console, state_fd), console.missing);
    judge(&out[4], "traces of a kernel panic", hal_reset_look(&reset, state_fd), reset.missing);
    enum rc rc = hal_identity_read(&identity, state_fd);
    judge(&out[5], "serial number", rc, identity.missing);
    if (rc == RC_OK) {
        snprintf(out[5].what,
                 sizeof(out[5].what),
                 "serial number ...%s of board %s",
                 identity.serial_end,
                 identity.board);
    }
}

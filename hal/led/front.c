// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <unistd.h>

#include "base/assert.h"
#include "hal/led.h"

#include "backend.h"

static const char *const names[LED_COLOURS] = {
    [LED_OFF] = "off",
    [LED_GREEN] = "green",
    [LED_AMBER] = "amber",
    [LED_RED] = "red",
    [LED_BLUE] = "blue",
};

static void begin(struct led *l)
{
    memset(l, 0, sizeof(*l));
    for (unsigned i = 0; i < LED_CHANNELS; i++) {
        l->fds[i] = -1;
    }
}

static void end(struct led *l)
{
    for (unsigned i = 0; i < LED_CHANNELS; i++) {
        if (l->fds[i] >= 0) {
            close(l->fds[i]);
        }
        l->fds[i] = -1;
    }
}

RC hal_led_probe(struct led *l, int state_fd)
{
    begin(l);
    return led_backend_probe(l, state_fd);
}

RC hal_led_open(struct led *l, int state_fd)
{
    begin(l);
    enum rc rc = led_backend_open(l, state_fd);
    if (rc == RC_OK) {
        rc = led_backend_set(l, LED_OFF);
    }
    if (rc != RC_OK) {
        end(l);
    }
    return rc;
}

RC hal_led_set(struct led *l, enum led_colour colour)
{
    ASSERT(colour < LED_COLOURS);
    return led_backend_set(l, colour);
}

void hal_led_close(struct led *l)
{
    rc_ignore(led_backend_set(l, LED_OFF), "nobody is left to tell; the close goes on");
    end(l);
}

const char *hal_led_colour_name(enum led_colour c)
{
    ASSERT(c < LED_COLOURS);
    return names[c];
}

// SPDX-License-Identifier: Apache-2.0
// An RGB LED that is one line in STATE/sandbox/led.
#include <stdio.h>

#include <fcntl.h>

#include "base/assert.h"
#include "base/device.h"

#include "backend.h"
#include "sandbox/place.h"

RC led_backend_probe(struct led *l, int state_fd)
{
    if (sandbox_absent(state_fd, "led")) {
        device_say(l->missing, "LED", "STATE/sandbox/absent", "not there");
        return RC_UNSUPPORTED;
    }
    return RC_OK;
}

RC led_backend_open(struct led *l, int state_fd)
{
    TRY(led_backend_probe(l, state_fd));
    l->rgb = true;
    enum rc rc = sandbox_open(state_fd, "led", O_RDWR | O_CREAT, &l->fds[0]);
    if (rc != RC_OK) {
        device_say(l->missing, "STATE/sandbox/led", "led_sandbox", device_why(rc));
    }
    return rc;
}

RC led_backend_set(struct led *l, enum led_colour colour)
{
    char line[SANDBOX_LINE_BYTES];
    if (l->fds[0] < 0) {
        return RC_OK; // closed: dark already
    }
    int len = snprintf(line,
                       sizeof(line),
                       "on=%d colour=%s\n",
                       colour == LED_OFF ? 0 : 1,
                       hal_led_colour_name(colour));
    ASSERT(len > 0 && (size_t)len < sizeof(line));
    enum rc rc = sandbox_rewrite(l->fds[0], (struct span){.ptr = line, .len = (size_t)len});
    return rc == RC_OK ? RC_OK : RC_IO;
}

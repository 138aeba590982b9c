// SPDX-License-Identifier: Apache-2.0
// A board without LED: its defconfig says so (CONFIG_LED_NONE).
#include "backend.h"

RC led_backend_probe(struct led *l, int state_fd)
{
    (void)l;
    (void)state_fd;
    return RC_NOTFOUND;
}

RC led_backend_open(struct led *l, int state_fd)
{
    (void)state_fd;
    l->none = true;
    return RC_OK;
}

RC led_backend_set(struct led *l, enum led_colour colour)
{
    (void)l;
    (void)colour;
    return RC_OK;
}

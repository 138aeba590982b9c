// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/led.h gives. front.c closes the descriptors.
 */
#ifndef LED_BACKEND_H
#define LED_BACKEND_H
#include "hal/led.h"

RC led_backend_probe(struct led *l, int state_fd);
RC led_backend_open(struct led *l, int state_fd);
RC led_backend_set(struct led *l, enum led_colour colour);

#endif

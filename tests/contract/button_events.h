// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * An input device of the kernel, played by a pipe of its events.
 */
#ifndef CONTRACT_BUTTON_EVENTS_H
#define CONTRACT_BUTTON_EVENTS_H
#include "button_hardware.h"

void button_event_put(int type, int code, int value);
void button_without_key(void);  ///< the device has other keys only
void button_other_device(void); ///< it is no input device at all

#endif

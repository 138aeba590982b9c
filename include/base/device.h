// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What opening a device came to, in our words and in a person's.
 */
#ifndef BASE_DEVICE_H
#define BASE_DEVICE_H
#include "base/rc.h"

#define DEVICE_TEXT_BYTES 96u

/// An errno: RC_UNSUPPORTED no such device, RC_DENIED, RC_AGAIN in use, RC_FULL, else RC_IO.
RC device_rc(int error);
/// "WHAT (OPTION): WHY", cut where the room ends.
/// @param option  the board's name for the device: "CONFIG_WATCHDOG_DEVICE".
void device_say(char text[static DEVICE_TEXT_BYTES],
                const char *what,
                const char *option,
                const char *why);
/// ioctl(2), whose request is an int in one C library and unsigned long in the other.
int device_ioctl(int fd, unsigned long request, void *argument);
const char *device_why(enum rc rc); ///< of device_rc: "not there", "no permission", ...

#endif

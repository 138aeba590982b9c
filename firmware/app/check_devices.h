// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What --check says of the board's devices: none of them is opened for use, armed or changed.
 */
#ifndef APP_CHECK_DEVICES_H
#define APP_CHECK_DEVICES_H
#include <stdbool.h>

#define CHECK_DEVICES      6u
#define CHECK_DEVICE_BYTES 160u

struct device_finding {
    bool wrong;
    char what[CHECK_DEVICE_BYTES];
    const char *advice; ///< if wrong
};

/// While we still have the rights that the start has. @param state_fd  -1: there is none.
void check_devices(int state_fd, struct device_finding out[static CHECK_DEVICES]);

#endif

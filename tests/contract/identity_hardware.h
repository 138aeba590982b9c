// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The maker who writes a serial number into the hardware behind a backend: one file per backend.
 */
#ifndef CONTRACT_IDENTITY_HARDWARE_H
#define CONTRACT_IDENTITY_HARDWARE_H
#include <stddef.h>

enum identity_fault {
    IDENTITY_WELL = 0,
    IDENTITY_ABSENT,
    IDENTITY_FORBIDDEN,
    IDENTITY_FAILS,
};

int hardware_make(void **unused); ///< cmocka setup
int hardware_remove(void **unused);
int hardware_state_fd(void);
void hardware_fault(enum identity_fault fault);
void hardware_serial(const char *bytes, size_t len);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A model of the kernel's watchdog core and of one driver, behind open, close, write, stat, access
 * and device_ioctl (linked in with --wrap): what a machine without watchdog cannot show.
 */
#ifndef CONTRACT_WATCHDOG_KERNEL_H
#define CONTRACT_WATCHDOG_KERNEL_H
#include <stdbool.h>
#include <stdint.h>

#include "watchdog_hardware.h"

struct watchdog_kernel {
    enum watchdog_fault fault;
    uint32_t options;          ///< WDIOF_* of the driver
    int min_s, max_s;          ///< SETTIMEOUT takes these
    int rounds_s;              ///< and rounds up to a multiple; 0: not
    int timeout_s;             ///< now
    int pretimeout_s;          ///< now
    int boot_status;           ///< WDIOF_*
    bool nowayout, attribute;  ///< attribute: sysfs tells nowayout
    bool no_settimeout, mute;  ///< mute: GETTIMEOUT is not known either
    bool other_device;         ///< some other character device: no ioctl of a watchdog
    bool support_fails;        ///< GETSUPPORT: EIO
    bool armed, open, release; ///< release: the last write was a 'V'
    unsigned writes;
    int fd;
};

extern struct watchdog_kernel watchdog_kernel;

#endif

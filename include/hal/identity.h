// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Who this box is: board id and serial number. The full serial never leaves the HAL: what is shown
 * is its last four characters, and a hash that tells boxes apart.
 * Backends: linux (CONFIG_IDENTITY_SERIAL_FILE, for instance /sys/class/dmi/id/product_serial or
 *           /proc/device-tree/serial-number), sandbox (STATE/sandbox/serial, "sandbox" without it).
 *           All pass tests/contract/identity.c.
 */
#ifndef HAL_IDENTITY_H
#define HAL_IDENTITY_H
#include <stdint.h>

#include "base/rc.h"

#define IDENTITY_SERIAL_BYTES_MAX 64u

struct identity {
    const char *board;         ///< CONFIG_BOARD_NAME
    char serial_end[5];        ///< last four characters; at most half of the serial number
    uint8_t serial_sha256[32]; ///< of serial '|' board
    char missing[96];          ///< of a failure: what is wrong, and the board's name for it
};

/// @param state_fd  sandbox only.
/// @retval RC_UNSUPPORTED  the board's file is not there, empty, longer than
///                         IDENTITY_SERIAL_BYTES_MAX, no text, or "To be filled by O.E.M." or the
///                         like: said in `missing`.
/// @retval RC_DENIED @retval RC_IO @covtest
RC hal_identity_read(struct identity *i, int state_fd);

#endif

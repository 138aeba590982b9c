// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Stands between the spool and the system calls that change a file (linked in with --wrap): lets
 * the Nth one fail, or ends the process there, before it or in the middle of it.
 */
#ifndef UNIT_SPOOL_FAULTY_H
#define UNIT_SPOOL_FAULTY_H
#include <stdint.h>

enum fault_mode {
    FAULT_NONE = 0,
    FAULT_KILL,      ///< SIGKILL instead of the call
    FAULT_KILL_HALF, ///< half of what is to be written, then SIGKILL
    FAULT_EIO,
    FAULT_ENOSPC,
    FAULT_SHORT,  ///< half is written, and that is what the call says
    FAULT_LATE,   ///< the first one is done and says EIO all the same, the others are not done
    FAULT_MEMORY, ///< malloc and calloc find no room; other calls are not counted
};

/// Calls `nth` (from 1) to nth + count - 1 from now on are hit.
void faulty_arm(enum fault_mode mode, unsigned nth, unsigned count);
unsigned faulty_calls(void); ///< since faulty_arm

#endif

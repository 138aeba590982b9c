// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A state directory's store before it is opened: who has it (one process at a time), how long it
 * is.
 */
#ifndef SPOOL_SPOOL_CLAIM_H
#define SPOOL_SPOOL_CLAIM_H
#include <stdint.h>

#include "base/rc.h"

/// The store is this process's alone, without being opened; spool_open does so, too. It goes when
/// *lock_fd, or any other handle of its file in this process, is closed.
/// @param dir_fd  the state directory. @retval RC_AGAIN another process has it. @retval RC_IO
RC spool_claim(int dir_fd, int *lock_fd);
/// Of its file; 0: there is none. It may be more than the quota, which may have been larger.
uint64_t spool_file_bytes(int dir_fd);

#endif

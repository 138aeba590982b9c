// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Who has a state directory's store: one process at a time.
 */
#ifndef SPOOL_SPOOL_CLAIM_H
#define SPOOL_SPOOL_CLAIM_H
#include "base/rc.h"

/// The store is this process's alone, without being opened; spool_open does so, too. It goes when
/// *lock_fd, or any other handle of its file in this process, is closed.
/// @param dir_fd  the state directory. @retval RC_AGAIN another process has it. @retval RC_IO
RC spool_claim(int dir_fd, int *lock_fd);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The process gives up what it does not need, so that a bug in it is worth little.
 * Model:  confine_quiet first of all; confine_user when every device is open: the process lives in
 *         STATE from then on and is nobody but STATE's owner. Nothing of it can be taken back.
 * Needed: an unprivileged user, empty capability sets, no_new_privs. A kernel that refuses one of
 *         them is refused. In the host build (tests, callgrind) the limits are left out.
 * Memory: none kept; what was reached stands in struct confine.
 */
#ifndef SYS_CONFINE_H
#define SYS_CONFINE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"

/// What was reached, and if it was refused, why.
struct confine {
    uint32_t uid, gid;     ///< who we are
    bool was_root;         ///< became STATE's owner
    bool had_capabilities; ///< unprivileged with some, which are gone
    const char *wrong;     ///< literal, for people; NULL if all is well
    const char *advice;    ///< what they can do
};

/// No core file, and nobody without CAP_SYS_PTRACE looks into this process.
void confine_quiet(void);

/**
 * Make STATE the working directory and its owner ourselves; give up all capabilities; set
 * no_new_privs and the resource limits.
 * Started unprivileged there is nobody to become: the rest is done all the same.
 * @param state_fd     directory handle; borrowed.
 * @param store_bytes  the most that the store's file may hold: no file grows far beyond.
 * @retval RC_DENIED   started as root, and STATE belongs to root (user or group).
 * @retval RC_IO       the kernel refuses. @covtest
 */
RC confine_user(struct confine *c, int state_fd, uint64_t store_bytes);

// ---- private to sys: confine_limits.c, or confine_none.c in the host build ----

/// Resource limits that later calls cannot raise. First, while we may raise what may be locked.
RC confine_limit(uint64_t store_bytes);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The process gives up what it does not need, so that a bug in it is worth little.
 * Model:  confine_quiet first of all; confine_user when every device is open: the process lives in
 *         STATE from then on and is nobody but STATE's owner; confine_lock before the first turn:
 *         Landlock leaves it STATE, the resolver's files and the ports it delivers to, the filter
 *         leaves it the system calls of syscalls_ARCH.h. Nothing of it can be taken back. A socket
 *         that listens by then goes on taking callers in; no other can begin to.
 * Needed: an unprivileged user, empty capability sets, no_new_privs, the filter: a kernel that
 *         refuses one of them is refused. Landlock (5.13; ports 6.7) and MDWE (6.3) are used where
 *         the kernel has them, and told.
 * Filter: a call outside of it ends the process by SIGSYS; with CONFIG_CONFINE_LAB the kernel only
 *         logs it. In the host build (sanitizers, callgrind) limits and lock are left out.
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
    int landlock_abi;      ///< 0: the kernel has none
    bool ports_limited;    ///< Landlock's since ABI 4
    bool mdwe;             ///< no page becomes executable that was not
    bool filtered;         ///< false in the host build only
    unsigned resolver;     ///< the resolver's files that were shut to us anyway, as bits
    const char *wrong;     ///< literal, for people; NULL if all is well
    const char *advice;    ///< what they can do
};

/// No core file, and nobody without CAP_SYS_PTRACE looks into this process.
void confine_quiet(void);

/// Whether STATE has an owner that we can become; asked before anything is made in it.
/// @retval RC_DENIED as below. @retval RC_IO @covtest
RC confine_owner(struct confine *c, int state_fd);

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

#define CONFINE_PORTS_MAX 16u

/**
 * The last step: Landlock, MDWE and the filter. Single-threaded until here.
 * @param state_fd  only files below it can be opened, made, renamed and removed.
 * @param ports     TCP may connect to these only, where the kernel has that.
 * @retval RC_IO    the kernel refuses what is needed. @covtest
 */
RC confine_lock(struct confine *c, int state_fd, const uint16_t *ports, unsigned ports_count);

/**
 * After a failed name lookup: are the resolver's files others than those that we may read?
 * A rule of Landlock holds for the file that was there; somebody has replaced it since. Then only a
 * new start helps.
 */
bool confine_resolver_lost(const struct confine *c);

/// What the running kernel would give, changing nothing.
struct confine_offer {
    int landlock_abi;
    bool ports, mdwe, filter, secret_memory;
};
struct confine_offer confine_ask(void);

// ---- private to sys: confine_limits.c, or confine_none.c in the host build ----

/// Resource limits that later calls cannot raise. First, while we may raise what may be locked.
RC confine_limit(uint64_t store_bytes);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Makes STATE that of a new box: keys, secrets, tokens, what was collected and what the box
 * remembers of itself are wiped (base/wipe.h), and it is looked whether any of it is left.
 * Model:   FORGET_MARK in STATE says that somebody asked for it, and is removed last: whatever ends
 *          the process or the machine in between, the next start comes to the end of it.
 * Ours:    a list of names; what somebody else put into STATE is left alone, and told.
 * Stays:   the clock's floor (a moment, and nothing of anybody; without it a box of another year
 *          could be shown certificates of that year), the lock of the store (empty), and on a
 *          sandbox board the hardware that is played.
 * Order:   nobody has the store open (spool_claim); the token store is closed, or not used after.
 */
#ifndef SYS_FORGET_H
#define SYS_FORGET_H
#include <stdbool.h>

#include "base/rc.h"
#include "base/wipe.h"

#define FORGET_MARK "forget"

/// Durable on return. @retval RC_FULL @retval RC_IO nobody asked, as far as the disk does what it
/// is told.
RC forget_ask(int state_fd);
/// @retval RC_OK somebody asked. @retval RC_NOTFOUND nobody did. @retval RC_DENIED RC_IO it cannot
/// be looked for: then nothing of STATE may be used.
RC forget_asked(int state_fd);
/// @param w  while_waiting and context are the caller's; `at` says what failed or is left.
/// @retval RC_FULL  something is left. @retval RC_DENIED @retval RC_IO @retval RC_TOOBIG
RC forget_all(struct wipe *w, int state_fd);
/// Is there anything in STATE that no box put there? `at` names one of them.
bool forget_finds_foreign(struct wipe *w, int state_fd);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Which of the two credentials a request is made with, and what its answer means for them.
 * Model:   an attempt begins with one of them (auth_switch_begin). If Entra finds fault with it and
 *          the other one is there, the same attempt goes on with that, at once, without being a
 *          failure; only if both are refused it is one, with the cause of the one in use.
 *          The next one begins where the one in use is not there or past its date, and otherwise
 *          once a day (AUTH_SWITCH_TRY_MS), so that it takes over before the old one ends.
 */
#ifndef AUTH_AUTH_SWITCH_H
#define AUTH_AUTH_SWITCH_H
#include "auth_state.h"

#define AUTH_SWITCH_TRY_MS ((int64_t)24 * 3600 * 1000)

/// Look at both; makes the next certificate if it is time for it.
void auth_switch_look(struct auth *a, struct now now);
/// Chooses a->asking for a request, unless the attempt goes on with the other one already.
void auth_switch_begin(struct auth *a, struct now now);
/// The credential of the request was refused, or could not be used. @return true: the other one is
/// to be asked with, at once. False: the attempt is over, and *cause is what to tell.
bool auth_switch_refused(struct auth *a, enum auth_cause *cause, struct now now);
/// The attempt ended for another reason.
void auth_switch_over(struct auth *a);
/// A token came: a next one takes the other's place.
void auth_switch_accepted(struct auth *a, struct now now);

#endif

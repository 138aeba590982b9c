// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Makes the requests of a person's sign-in.
 */
#ifndef AUTH_SIGNIN_REQUEST_H
#define AUTH_SIGNIN_REQUEST_H
#include "signin_state.h"

/**
 * Fills s->url and s->body for s->ask; sets s->proved.
 * @param wall_ms  the time that an assertion carries.
 * @retval RC_NOTFOUND  REFRESH: there is no refresh token.
 * @retval RC_CORRUPT   it, or the box's credential, cannot be used.
 * @retval RC_RETRY     the store is busy or locked out for now.
 */
RC signin_request_build(struct signin *s, int64_t wall_ms);
/// Starts it. @retval RC_RETRY the pool has no room now.
RC signin_request_start(struct signin *s, struct now now);
/// Request and answer, and their pages are given back.
void signin_request_wipe(struct signin *s);

#endif

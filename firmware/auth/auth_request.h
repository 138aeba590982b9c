// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Makes the request for an app-only token.
 */
#ifndef AUTH_AUTH_REQUEST_H
#define AUTH_AUTH_REQUEST_H
#include "auth_state.h"

/**
 * Fills a->url and a->body with the credential a->asking; sets a->certificate_expired.
 * @param wall_ms  the time that an assertion carries.
 * @retval RC_NOTFOUND  the store has no credential.
 * @retval RC_CORRUPT   it has one that cannot be used.
 * @retval RC_RETRY     the store is busy or locked out for now.
 */
RC auth_request_build(struct auth *a, int64_t wall_ms);
void auth_request_wipe(struct auth *a);

#endif

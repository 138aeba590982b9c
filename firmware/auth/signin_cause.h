// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What an error of the sign-in host means for a person who signs in. Pure.
 * Source: reference of Entra error codes, RFC 6749 4.1.2.1 and 5.2, RFC 8628 3.5. Branching is on
 *         `error`; where that says no more than "a person has to do something" (invalid_grant,
 *         interaction_required, access_denied, invalid_request), the AADSTS number tells what.
 */
#ifndef AUTH_SIGNIN_CAUSE_H
#define AUTH_SIGNIN_CAUSE_H
#include "base/span.h"

#include "auth/signin.h"

/// What is asked, or was when an error came.
enum signin_ask {
    SIGNIN_ASK_NONE = 0,
    SIGNIN_ASK_LINK,         ///< a person: the error stands in the redirect
    SIGNIN_ASK_CODE,         ///< tokens for a code
    SIGNIN_ASK_DEVICE_BEGIN, ///< a device code
    SIGNIN_ASK_DEVICE,       ///< tokens for it: a poll
    SIGNIN_ASK_REFRESH,      ///< tokens for a refresh token
    SIGNIN_ASK_ME,           ///< Graph: who is it
};

/// The members of the answer may be empty or 0; then its HTTP status decides. Never
/// SIGNIN_CAUSE_NONE. SIGNIN_CAUSE_NETWORK is worth another try, nothing else is.
enum signin_cause
signin_cause_of(enum signin_ask ask, struct span error, int aadsts, int http_status);

#endif

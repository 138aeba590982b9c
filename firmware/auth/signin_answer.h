// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Reads the good answers of a person's sign-in. Errors are auth_answer.h's. Pure.
 */
#ifndef AUTH_SIGNIN_ANSWER_H
#define AUTH_SIGNIN_ANSWER_H
#include "base/rc.h"
#include "base/span.h"

#include "auth/auth_answer.h"
#include "auth/signin.h"

#define SIGNIN_WHO_BYTES        129u
#define SIGNIN_INTERVAL_S_MAX   300
#define SIGNIN_EXPIRES_S_MAX    3600
#define SIGNIN_DEVICE_BYTES_MAX 2047u ///< device_code

/// What follows an access token that auth_answer_read has taken.
struct signin_grants {
    struct buf refresh;          ///< appended: visible ASCII
    char tid[CONFIG_GUID_BYTES]; ///< of the id_token or the access token; "" if neither says
};

/**
 * @param arena  AUTH_ANSWER_TOKENS_MAX tokens, scratch.
 * @retval RC_PARSE   no refresh token, or one that is no text of visible characters.
 * @retval RC_TOOBIG  it has no room.
 */
RC signin_read_grants(struct span body, struct json_token *arena, struct signin_grants *out);

struct signin_device {
    struct buf code;     ///< appended; secret
    char user_code[32];  ///< [A-Z0-9-]
    char verify_at[129]; ///< https, printable ASCII
    int64_t interval_ms; ///< RFC 8628: 5 s unless said
    int64_t expires_ms;
};

/// RFC 8628 3.2. @retval RC_PARSE something is missing, or is not what a person may be shown.
RC signin_read_device(struct span body, struct json_token *arena, struct signin_device *out);

/// displayName of /me, else userPrincipalName: UTF-8 without control characters, cut at a whole
/// character, NUL-terminated. @retval RC_PARSE neither is there.
RC signin_read_me(struct span body, struct json_token *arena, char who[static SIGNIN_WHO_BYTES]);

#endif

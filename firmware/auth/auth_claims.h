// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A look into a token, for diagnosis only: Microsoft calls it opaque, so nothing that cannot be
 * read says anything. Pure.
 */
#ifndef AUTH_AUTH_CLAIMS_H
#define AUTH_AUTH_CLAIMS_H
#include "base/span.h"

#include "config/config.h"
#include "json/json.h"

struct auth_claims {
    bool readable;
    unsigned roles;              ///< application permissions that it names, a mask
    char tid[CONFIG_GUID_BYTES]; ///< the tenant, lower case; "" if it names none
};

/// @param token  a JWT (an access token or an id_token), or anything.
/// @param arena  AUTH_ANSWER_TOKENS_MAX tokens (auth_answer.h), scratch.
void auth_claims_read(struct span token, struct json_token *arena, struct auth_claims *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Reads what a token endpoint answers (RFC 6749 5.1 and 5.2, and Entra's members of an error).
 * Pure.
 */
#ifndef AUTH_AUTH_ANSWER_H
#define AUTH_AUTH_ANSWER_H
#include "base/rc.h"
#include "base/span.h"

#include "json/json.h"

#define AUTH_ANSWER_BYTES_MAX  (32u * 1024u)
#define AUTH_ANSWER_TOKENS_MAX 256u
#define AUTH_EXPIRES_S_MAX     90000u ///< tenants may set up to one day

struct auth_answer {
    uint32_t expires_s; ///< 1..AUTH_EXPIRES_S_MAX; longer is cut to that
    char error[64];     ///< "" if none; [a-z0-9_] only
    int aadsts;         ///< 0 if none
    char trace_id[40];  ///< "" if none; [0-9A-Za-z-] only
};

/**
 * @param arena  AUTH_ANSWER_TOKENS_MAX tokens, scratch.
 * @param token  the access token is appended: visible ASCII only.
 * @retval RC_OK      a bearer token with its life.
 * @retval RC_DENIED  an error answer: see out.
 * @retval RC_PARSE   neither, or a token that cannot be put into a header.
 */
RC auth_answer_read(struct span body,
                    struct json_token *arena,
                    struct buf *token,
                    struct auth_answer *out);

#endif

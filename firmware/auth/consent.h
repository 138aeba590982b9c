// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Links for an administrator's browser, and what comes back from there. Pure.
 * Rule:   what a redirect says is checked for `error` first (admin_consent=True stands in failures
 *         too), for its `state`, and believed for nothing else: consent is known from a token, the
 *         tenant from the configuration.
 * Source: Entra "admin consent", "OAuth 2.0 authorization code flow", RFC 7636.
 */
#ifndef AUTH_CONSENT_H
#define AUTH_CONSENT_H
#include "base/rc.h"
#include "base/span.h"

#include "config/config.h"

#define CONSENT_LINK_BYTES_MAX     1024u
#define CONSENT_RANDOM_BYTES       24u
#define CONSENT_STATE_BYTES        33u   ///< base64url of random bytes, with NUL
#define CONSENT_REDIRECT_BYTES_MAX 8192u ///< a longer redirect is none of ours

/// What a link carries, to know its redirect by. @param random from hal_entropy_fill
void consent_make_state(const uint8_t random[static CONSENT_RANDOM_BYTES],
                        char state[static CONSENT_STATE_BYTES]);

/// {authority}/{tenant}/v2.0/adminconsent with scope {graph}/.default, client_id, redirect_uri,
/// state; every value URL-encoded. Appended, NUL-terminated. Overflow (see buf_ok): a redirect_uri
/// of hundreds of characters; then it is no link.
void consent_link(const struct config *c, const char *state, struct buf *out);
/// {authority}/{tenant}/oauth2/v2.0/authorize: response_type=code, S256 challenge, scope
/// "openid offline_access User.Read" (Graph's of this cloud), prompt=select_account.
void consent_sign_in_link(const struct config *c,
                          const char *state,
                          struct span challenge,
                          struct buf *out);

/// The scope of a person's sign-in, URL-encoded, appended.
void consent_put_scope(const struct config *c, struct buf *out);

enum consent_kind {
    CONSENT_NOTHING = 0, ///< not a redirect of ours: no known member, another state
    CONSENT_REFUSED,     ///< `error` is set
    CONSENT_GIVEN,       ///< of the admin consent: a hint to look now, nothing more
    CONSENT_CODE,        ///< of the sign-in: `code`
};

struct consent_redirect {
    enum consent_kind kind;
    bool sign_in;    ///< REFUSED: its state is the sign-in's; else the consent's
    char error[64];  ///< [a-z0-9_] only, "" if none
    int aadsts;      ///< from error_description, for people; 0
    char code[2048]; ///< NUL-terminated; secret until it is used
};

/// @param url  a whole URL that a person pasted, white space around it allowed, or its query (what
/// stands behind the first '?'). Members in the fragment count as well. A member that comes twice,
/// or is not encoded as URLs are, makes it CONSENT_NOTHING.
/// @param consent_state, sign_in_state  what we gave out; "" if we did not.
void consent_read_redirect(struct span url,
                           const char *consent_state,
                           const char *sign_in_state,
                           struct consent_redirect *out);

#endif

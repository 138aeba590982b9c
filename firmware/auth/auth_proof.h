// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the box adds to a token request to prove that it is the client: its secret, or an assertion
 * signed by its key. The same for every grant.
 * Source: RFC 7523 2.2, RFC 6749 2.3.1, Entra "certificate credentials".
 */
#ifndef AUTH_AUTH_PROOF_H
#define AUTH_AUTH_PROOF_H
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

#include "config/config.h"

#define AUTH_ASSERTION_BEFORE_MS 60000  ///< nbf lies that much before now: clocks differ a little
#define AUTH_ASSERTION_LIFE_MS   600000 ///< from nbf to exp
#define AUTH_SECRET_BYTES        1024u  ///< longest client secret
#define AUTH_URL_BYTES           (CONFIG_URL_BYTES + CONFIG_GUID_BYTES + 32u)

struct auth_proof {
    const struct config *config;
    struct tokenstore *store;
    struct span token_url; ///< the assertion's audience
    const char *record;    ///< of the store: the certificate, or the secret
};

/**
 * Appends client_assertion_type and client_assertion, or client_secret, to a form, each behind '&'.
 * @param wall_ms  the time that an assertion carries.
 * @param expired  the certificate is past its date at wall_ms.
 * @retval RC_NOTFOUND  the store has no credential.
 * @retval RC_CORRUPT   it has one that cannot be used.
 * @retval RC_RETRY     the store is busy or locked out for now.
 */
RC auth_proof_put(const struct auth_proof *p, int64_t wall_ms, struct buf *form, bool *expired);

/// {authority}/{tenant}/oauth2/v2.0/token, appended; at most AUTH_URL_BYTES.
void auth_proof_token_url(const struct config *c, struct buf *url);

#endif

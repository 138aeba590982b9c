// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The app-only sign-in: client credentials with a certificate assertion or a secret, against Entra
 * ID v2.0.
 * Model:   auth_step keeps one access token fresh (renewed at about 80 % of its life, with jitter).
 *          Every failure maps to a cause, a next attempt and a stable code; none is terminal. One
 *          token request at a time.
 * Memory:  struct auth; the token lives in it and is wiped when replaced.
 * Source:  RFC 6749 4.4, RFC 7523, Entra "certificate credentials" and "error codes".
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

#include "auth/auth_cause.h"
#include "auth/credential.h"
#include "config/config.h"
#include "net/http.h"

#define AUTH_TOKEN_BYTES_MAX 4608u
#define AUTH_RENEW_MS_MIN    5000
#define AUTH_SECRET_NAME     CREDENTIAL_SECRET_NAME
/// Of the store's signing key.
#define AUTH_CERT_NAME CREDENTIAL_CERT_NAME
/// What sinks with client_certificate "device" show: the signing key signs digests only.
#define AUTH_TLS_KEY_NAME  "tls-key"
#define AUTH_TLS_CERT_NAME "tls-certificate"

struct auth_status {
    enum auth_cause cause; ///< AUTH_CAUSE_NONE while there is a good token
    int aadsts;            ///< number from Entra, for people; 0 if none
    char trace_id[40];     ///< Entra's, for its support; "" if none
    uint32_t failures;     ///< in a row
    struct mono next_attempt;
    int64_t clock_offset_ms; ///< peer's Date minus our wall clock, as last seen
    uint64_t tokens;         ///< got since start
};

struct auth; ///< defined in auth_state.h

/// What it works with; everything pointed to is kept.
struct auth_setup {
    const struct config *config;
    struct http *http;
    unsigned slot; ///< its transfer
    struct tokenstore *store;
    struct span ca_pem;  ///< sandbox trust, or empty for the pinned roots
    bool time_trusted;   ///< the time was known before it is built (anew)
    uint32_t generation; ///< of its last token before that: what others know of it is not the new
};

void auth_init(struct auth *a, const struct auth_setup *setup);
/// Without a configuration it only looks at the credentials, once.
struct mono auth_step(struct auth *a, struct now now);
/// "Authorization: Bearer ..." header line while a token is good at `now`, else empty. Valid until
/// the next auth_step or auth_reject.
struct span auth_bearer(const struct auth *a, struct now now);
/// Graph answered 401 to the token of auth_generation `generation`: drop it and fetch a new one (at
/// once the first time, then backed off).
void auth_reject(struct auth *a, uint32_t generation, struct now now);
/// Somebody has granted something, or put a credential right: ask for a token now, or
/// AUTH_RENEW_MS_MIN after it was asked for last, or when Entra wants to be asked again. The one in
/// use stays so.
void auth_renew(struct auth *a, struct now now);
uint32_t auth_generation(const struct auth *a); ///< changes with every new token
/// Application permissions that the latest token names (a mask, auth/permission.h; diagnosis only).
/// @param readable  false: Microsoft calls a token opaque, and this one is: the mask is 0 and says
/// nothing.
unsigned auth_roles(const struct auth *a, bool *readable);
const struct auth_status *auth_status(const struct auth *a);
/// As looked at last: at the start, before and after each request.
const struct credential_status *auth_credentials(const struct auth *a);
/// What is added to the wall clock where Entra compares it with its own: 0 until it found fault.
int64_t auth_offset_ms(const struct auth *a);
struct activity auth_activity(const struct auth *a);

/**
 * Make the store's signing key and its certificate if they are not there. Takes seconds the first
 * time, a minute with a slow TPM.
 * @param name  for the certificate's common name.
 * @retval RC_CORRUPT  what is there cannot be read or does not belong together: nothing is
 * replaced.
 * @retval else        as the token store.
 */
RC auth_ensure_identity(struct tokenstore *store, struct span name, int64_t wall_ms, bool *made);
/// The same for the key and certificate of TLS (ECDSA P-256).
RC auth_ensure_tls_identity(struct tokenstore *store,
                            struct span name,
                            int64_t wall_ms,
                            bool *made);
/// Only look; the certificate is appended. @retval RC_NOTFOUND they are still to be made.
RC auth_check_identity(struct tokenstore *store, struct buf *cert_pem);
RC auth_check_tls_identity(struct tokenstore *store, struct buf *cert_pem);

#endif

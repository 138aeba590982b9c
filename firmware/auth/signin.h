// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Who authorised this box: a person signs in once (delegated User.Read), by code + PKCE through the
 * page or by device code, and /me says who. Collecting never depends on it.
 * Model:   OFF -> CODE (a link is out, waits for its code) or DEVICE (a code is shown, polled) ->
 *          ASKING -> DONE(who, when); FAILED(cause) keeps the old DONE facts, until somebody else
 *          was signed in. The refresh token is stored durably before its access token is used, and
 *          replaced with every use (once a week, so that it stays alive and its loss is noticed):
 *          LOST says that a person may sign in again, nothing else happens.
 * Power:   a cut at any moment leaves the old or the new refresh token, and never the name of
 *          somebody whose token it is not: without a name, the next use of it asks /me again.
 * Client:  with the certificate or secret of the box (confidential client); without it where Entra
 *          says that the application is a public client (AADSTS700025), for this run.
 * Memory:  struct signin; its large parts give their pages back when nobody signs in.
 * Source:  RFC 6749 4.1 and 6, RFC 7636, RFC 8628; Entra "v2-oauth2-auth-code-flow",
 *          "v2-oauth2-device-code"; Microsoft-managed policy "Block device code flow".
 */
#ifndef AUTH_SIGNIN_H
#define AUTH_SIGNIN_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

#include "auth/auth_cause.h"
#include "auth/consent.h"
#include "config/config.h"
#include "net/http.h"

#define SIGNIN_REFRESH_NAME    "refresh-token" ///< in the token store
#define SIGNIN_WHO_NAME        "authorised-by"
#define SIGNIN_LINK_MS         ((int64_t)15 * 60 * 1000) ///< a link that nobody used is forgotten
#define SIGNIN_USE_MS          ((int64_t)7 * 24 * 3600 * 1000) ///< the refresh token is used
#define SIGNIN_DEVICE_AGAIN_MS 10000

enum signin_state {
    SIGNIN_ILLEGAL = 0,
    SIGNIN_OFF,    ///< nobody was asked for
    SIGNIN_CODE,   ///< waits for the redirect of its link
    SIGNIN_DEVICE, ///< shows a user code and polls
    SIGNIN_ASKING, ///< a code or refresh token is being exchanged, or /me asked
    SIGNIN_DONE,   ///< somebody authorised this box
    SIGNIN_FAILED, ///< the attempt ended: see cause
    SIGNIN_LOST,   ///< DONE once; the refresh token is of no use any more
};

enum signin_cause {
    SIGNIN_CAUSE_NONE = 0,
    SIGNIN_CAUSE_DECLINED,      ///< the person said no
    SIGNIN_CAUSE_EXPIRED,       ///< nobody signed in in time
    SIGNIN_CAUSE_BLOCKED,       ///< policy: Conditional Access, or device code flow blocked
    SIGNIN_CAUSE_CONSENT,       ///< User.Read is not granted
    SIGNIN_CAUSE_MFA,           ///< more is asked of the person: sign in by the link
    SIGNIN_CAUSE_REVOKED,       ///< refresh token expired, revoked, password changed
    SIGNIN_CAUSE_TENANT,        ///< a person of another tenant
    SIGNIN_CAUSE_CONFIGURATION, ///< redirect address or client not as registered
    SIGNIN_CAUSE_NETWORK,       ///< no answer, or one that says "later"
    SIGNIN_CAUSE_STORE,         ///< the token store could not keep what came
    SIGNIN_CAUSES,
};

struct signin_status {
    enum signin_state state;
    enum signin_cause cause;
    int aadsts;
    char user_code[32];  ///< DEVICE: [A-Z0-9-]
    char verify_at[129]; ///< DEVICE: https URL of Microsoft's, as it came, printable ASCII
    struct mono until;   ///< CODE, DEVICE: then it is forgotten
    char who[129];       ///< DONE, LOST: displayName or userPrincipalName, UTF-8
    int64_t at_ms;       ///< wall, of the sign-in; 0
};

struct signin_setup {
    const struct config *config;
    struct http *http;
    unsigned slot;
    struct tokenstore *store;
    struct span ca_pem;
};

struct signin; ///< defined in signin_state.h

void signin_init(struct signin *s, const struct signin_setup *setup);
/// What the app-only sign-in adds to the wall clock in its assertions (auth_offset_ms): so does
/// this, from its next request on. 0 until it is said.
void signin_set_offset(struct signin *s, int64_t offset_ms);
struct mono signin_step(struct signin *s, struct now now);
/// A person wants to sign in with this browser: the link is appended (CONSENT_LINK_BYTES_MAX).
/// A running attempt is given up. @retval RC_RETRY the time is not known yet.
/// @retval RC_TOOBIG the configured redirect_uri makes it too long: nothing changed.
RC signin_begin_link(struct signin *s, struct now now, struct buf *link);
/// By device code. At most one attempt in SIGNIN_DEVICE_AGAIN_MS; more are passed over, and so is
/// one while the time is not known.
void signin_begin_device(struct signin *s, struct now now);
/// `state` of the link that is out, or "".
const char *signin_link_state(const struct signin *s);
/// The link itself while it is out (CODE), else empty.
struct span signin_link(const struct signin *s);
/// A redirect with a code (or an error) came.
void signin_redirected(struct signin *s, const struct consent_redirect *r, struct now now);
const struct signin_status *signin_status(const struct signin *s);
const char *signin_state_name(enum signin_state s); ///< "off", "code", ...: for JSON
const char *signin_cause_name(enum signin_cause c); ///< "none", "declined", ...: for JSON and logs
const char *signin_cause_text(enum signin_cause c); ///< what happened and what the person can do
struct activity signin_activity(const struct signin *s);

#endif

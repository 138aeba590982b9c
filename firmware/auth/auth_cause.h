// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Why there is no token: closed list, each with a stable code, sentences for people and the pace
 * of the next attempts. That the box tries again by itself is true of all of them.
 * Source: reference of Entra error codes; branching is on `error`, the AADSTS number only refines
 *         what people are told.
 */
#ifndef AUTH_AUTH_CAUSE_H
#define AUTH_AUTH_CAUSE_H
#include "base/span.h"

enum auth_cause {
    AUTH_CAUSE_NONE = 0,
    AUTH_CAUSE_STARTING,      ///< no answer yet
    AUTH_CAUSE_NO_CREDENTIAL, ///< no secret, key or certificate in the store
    AUTH_CAUSE_CLOCK,     ///< our time is not trusted, or Entra found an assertion outside its time
    AUTH_CAUSE_NETWORK,   ///< no answer: name, connection, timeout
    AUTH_CAUSE_TRUST,     ///< the peer's certificate is not good
    AUTH_CAUSE_SERVICE,   ///< temporarily_unavailable, server_error, 5xx
    AUTH_CAUSE_THROTTLED, ///< 429, 90055, 50196
    AUTH_CAUSE_SECRET_WRONG,   ///< 7000215
    AUTH_CAUSE_SECRET_EXPIRED, ///< 7000222
    AUTH_CAUSE_CERT_REJECTED,  ///< 700027, 50012, 50013: not registered or signature refused
    AUTH_CAUSE_CERT_EXPIRED,   ///< the box's own certificate is past its date
    AUTH_CAUSE_APP_UNKNOWN,    ///< 700016, 70001, 7000112: not in this tenant or disabled
    AUTH_CAUSE_TENANT_UNKNOWN, ///< 90002
    AUTH_CAUSE_WRONG_CLOUD,    ///< 90038, 900382, 900432
    AUTH_CAUSE_CONSENT,        ///< 65001, 90094, 65004
    AUTH_CAUSE_POLICY, ///< Conditional Access: 53003, 53000, 50131, 530032; MFA asked of an app
    AUTH_CAUSE_CONFIGURATION, ///< invalid_resource, invalid_scope, 7000218, 700025 ...
    AUTH_CAUSE_NONSENSE,      ///< the answer was no token answer at all
    AUTH_CAUSE_STORE_BUSY,    ///< the token store's device is busy or locked out for now
    AUTH_CAUSE_COUNT,
};

enum auth_pace {
    AUTH_PACE_QUICK = 1, ///< backoff 1 s .. 5 min
    AUTH_PACE_SLOW,      ///< 15 .. 60 min: somebody has to do something first
};

struct auth_cause_info {
    const char *code;   ///< stable, e.g. "A07"
    const char *key;    ///< for log lines: "secret_expired"
    const char *what;   ///< what happened; whole sentences
    const char *advice; ///< what the person can do; whole sentences, "" if there is nothing to do
    enum auth_pace pace;
};
const struct auth_cause_info *auth_cause_info(enum auth_cause cause);

/// From the answer's members (either may be empty/0). HTTP status refines when error is empty.
enum auth_cause auth_cause_of(struct span error, int aadsts, int http_status);

#endif

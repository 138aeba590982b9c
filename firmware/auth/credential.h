// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the box signs in with: the credential in use, and the one that is to follow it, side by
 * side, so that a renewal costs no minute. Both certificates are of the box's one key.
 * Model:   records "device-certificate" and "device-certificate-next", or "client-secret" and
 *          "client-secret-next". When the one in use is refused or has expired, and daily while
 *          there is a next one, the next one is tried (auth_switch.h); accepted, it takes the
 *          other's place.
 * Expiry:  a certificate's stands in it; a secret's was said when it was put
 *          (anteroomctl secret put --expires DATE, records "...-expires", RFC 3339 date).
 * Renewal: from CREDENTIAL_RENEW_DAYS before the end of the certificate in use the box makes the
 *          next one itself and offers it for upload.
 */
#ifndef AUTH_CREDENTIAL_H
#define AUTH_CREDENTIAL_H
#include "base/clock.h"
#include "base/rc.h"
#include "hal/tokenstore.h"

#include "config/config.h"

#define CREDENTIAL_WARN_DAYS  30 ///< LED and page
#define CREDENTIAL_RENEW_DAYS 60

#define CREDENTIAL_CERT_NAME        "device-certificate"
#define CREDENTIAL_CERT_NAME_NEXT   "device-certificate-next"
#define CREDENTIAL_SECRET_NAME      "client-secret"
#define CREDENTIAL_SECRET_NAME_NEXT "client-secret-next"
#define CREDENTIAL_EXPIRES          "-expires" ///< behind the secret's name

enum credential_which {
    CREDENTIAL_NOW = 0,
    CREDENTIAL_NEXT,
    CREDENTIALS
};

struct credential_status {
    bool there[CREDENTIALS];
    int64_t expires_ms[CREDENTIALS]; ///< wall; 0: not known
    uint8_t sha256[CREDENTIALS][32]; ///< certificates: thumbprint; else zero
    enum credential_which used;      ///< by the token of the moment
    bool warn;                       ///< the one in use ends within CREDENTIAL_WARN_DAYS
};

/// Name of the record, by the kind that the configuration asks for.
const char *credential_record(enum config_credential kind, enum credential_which which);
/// Its name, with CREDENTIAL_EXPIRES.
const char *credential_expires_record(enum credential_which which);
/// "2027-11-23" is that day's first moment. @retval RC_PARSE no such date; *wall_ms is untouched.
RC credential_parse_date(struct span text, int64_t *wall_ms);

/// Look at both. `used` is left as it is; what could not be read is not there.
/// @retval RC_CORRUPT one is there and cannot be used. @retval RC_RETRY, RC_IO as the token store.
RC credential_look(const struct config *c,
                   struct tokenstore *store,
                   struct now now,
                   struct credential_status *out);
/// The next one was accepted: it takes the other's place. Durable; cut off by the power at any
/// moment, both are there, or the next one in its new place, and never with a wrong expiry: done
/// once more, it comes to its end. @retval RC_NOTFOUND there is no next one. @retval RC_RETRY,
/// RC_CORRUPT, RC_IO as the token store.
RC credential_promote(const struct config *c, struct tokenstore *store);
/// Make the next certificate with the same key. @param made  false with RC_OK: there is one.
/// @retval RC_NOTFOUND there is no key.
RC credential_renew(struct tokenstore *store, struct span name, int64_t wall_ms, bool *made);

#endif

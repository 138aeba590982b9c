// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the box signs in with: the credential in use, and the one that is to follow it, side by
 * side, so that a renewal costs no minute. Both certificates are of the box's one key.
 * Model:   records "device-certificate" and "device-certificate-next", or "client-secret" and
 *          "client-secret-next". When the one in use is refused or has expired, and daily while
 *          there is a next one, the next one is tried; accepted, it takes the other's place.
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

#define CREDENTIAL_CERT        "device-certificate"
#define CREDENTIAL_CERT_NEXT   "device-certificate-next"
#define CREDENTIAL_SECRET      "client-secret"
#define CREDENTIAL_SECRET_NEXT "client-secret-next"
#define CREDENTIAL_EXPIRES     "-expires" ///< behind the secret's name

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

/// Look at both. @retval RC_RETRY, RC_CORRUPT, RC_IO as the token store.
RC credential_look(const struct config *c,
                   struct tokenstore *store,
                   struct now now,
                   struct credential_status *out);
/// The next one was accepted: it takes the other's place. Durable, and at any moment of a power cut
/// one of them is there.
RC credential_promote(const struct config *c, struct tokenstore *store);
/// Make the next certificate with the same key. @retval RC_OK also if there is one.
RC credential_renew(struct tokenstore *store, struct span name, int64_t wall_ms);

#endif

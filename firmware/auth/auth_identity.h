// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The making of certificates, for auth/ itself.
 */
#ifndef AUTH_AUTH_IDENTITY_H
#define AUTH_AUTH_IDENTITY_H
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

/// A certificate for the store's signing key, into a record, and appended.
/// @retval RC_NOTFOUND there is no key. @retval else as the token store.
RC auth_certify(struct tokenstore *store,
                struct span record,
                struct span name,
                int64_t wall_ms,
                struct buf *cert);

#endif

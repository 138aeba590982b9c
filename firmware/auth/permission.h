// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The permissions that a tenant's administrator may grant, and what became of each. Pure data.
 * Source: Graph permissions reference: CallRecords.Read.All, User.Read.All and
 *         TeamworkDevice.Read.All are application permissions (roles in an app-only token);
 *         User.Read is delegated (scp in the token of whoever signed in).
 */
#ifndef AUTH_PERMISSION_H
#define AUTH_PERMISSION_H
#include <stdbool.h>

#include "base/span.h"

#include "config/config.h"

/// What became of one of them. Order is of no meaning.
enum verdict {
    VERDICT_NONE = 0,    ///< not wanted, or not looked at yet
    VERDICT_GOOD,        ///< Graph answered
    VERDICT_MISSING,     ///< the token does not name it: not granted
    VERDICT_FORBIDDEN,   ///< granted as far as the token tells, and Graph says 403
    VERDICT_UNAVAILABLE, ///< Graph does not offer this any more, or not in this cloud: 404, 410,
                         ///< 501
    VERDICT_NO_ANSWER,   ///< asked, and no answer that says anything: network, 429, 5xx
    VERDICTS,
};

struct permission_info {
    const char *name;  ///< Graph's: "CallRecords.Read.All"
    const char *gives; ///< for people: what it opens, a noun phrase
    bool delegated;    ///< of whoever signs in; never needed for collecting
    bool beta;         ///< its interface is Graph's beta: if it goes away, nobody waits for it
};

/// enum config_permission (config.h) is the index; the bit of a mask is 1 << index.
const struct permission_info *permission_info(enum config_permission p);
/// Bit of the application permission of that name, 0 for any other.
unsigned permission_of_role(struct span name);
/// Appends "A", "A and B" or "A, B and C": Graph's names of a mask.
void permission_put_names(struct buf *b, unsigned mask);
const char *verdict_name(enum verdict v); ///< "none", "good", "missing", "forbidden", ...
const char *verdict_text(enum verdict v); ///< a short clause for people: "granted and answering"

#endif

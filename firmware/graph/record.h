// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A call record as it comes: the few members that we judge by, and the record without its big
 * arrays.
 * Source: Graph callRecord resource type; see also "properties may be added, reordered, absent".
 */
#ifndef GRAPH_RECORD_H
#define GRAPH_RECORD_H
#include "base/clock.h"

#include "graph/rows.h"
#include "json/json.h"

#define LINK_BYTES_MAX 4095u ///< a request's URL without its NUL

struct callrec {
    struct record_id id;
    uint64_t version; ///< 1 or more
    int64_t start_ms;
    int64_t end_ms; ///< start_ms if absent
};

/**
 * @param node  an object.
 * @retval RC_PARSE   id, version or startDateTime is missing or unusable: *reason says which.
 * @retval RC_TOOBIG  the id is longer than RECORD_ID_BYTES_MAX.
 */
RC callrec_read(const struct json *doc, int node, struct callrec *out, const char **reason);

/// Writes (into an empty buffer) the object without sessions, participants_v2 and their @odata
/// annotations, byte for byte otherwise.
/// @retval RC_TOOBIG
RC callrec_put_shell(const struct json *doc, int node, struct buf *out);

/// A link beside an array: member `name` of the object, decoded into out.
/// @retval RC_NOTFOUND there is none.
/// @retval RC_PARSE, RC_TOOBIG
RC link_read(const struct json *doc, int node, struct span name, struct buf *out);

/**
 * Check a link before the bearer token is attached to a request for it: it must lie below graph_url
 * (scheme, host and port), carry no user info and no control characters. The "$metadata#" that
 * Graph's own examples carry in such links is taken out.
 * @param graph_url  e.g. "https://graph.microsoft.com".
 * @retval RC_DENIED  another origin.  @retval RC_PARSE not a URL that we send.
 */
RC link_check(struct buf *link, struct span graph_url);

#endif

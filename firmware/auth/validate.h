// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Validation: one cheap request for each wanted application permission; its answer is the verdict.
 * Model:   a round asks one permission after the other. A round begins when it is asked for, with
 *          every new token while not all verdicts are good, daily, and on the pace of 403
 *          (VALIDATE_SOON_MS for an hour after one began with it, then VALIDATE_LATE_MS: Microsoft
 *          gives no time for consent to spread). 403 makes the token suspect: it may be from before
 *          consent, so that another one is fetched at first and then once per pace. What the token
 *          does not name is MISSING without a request, until a token names it (whoever waits for
 *          consent fetches tokens). 404 is looked at again on the late pace; of the beta, daily
 *          only.
 * Verdict: one that was found stays until an answer says something else: no answer at all replaces
 *          none but VERDICT_NONE. 401 is the token's fault until the next one gets it as well: then
 *          it is no answer, so that one endpoint does not take the token from the others.
 * Memory:  struct validate. The answers are thrown away unread.
 * Source:  Graph "Resolve authorization errors", "List callRecords", "List users", "List
 *          teamworkDevice".
 */
#ifndef AUTH_VALIDATE_H
#define AUTH_VALIDATE_H
#include "base/activity.h"
#include "base/clock.h"

#include "auth/permission.h"
#include "net/http.h"

#define VALIDATE_SOON_MS     ((int64_t)5 * 60 * 1000)
#define VALIDATE_SOON_FOR_MS ((int64_t)60 * 60 * 1000)
#define VALIDATE_LATE_MS     ((int64_t)15 * 60 * 1000)
#define VALIDATE_DAILY_MS    ((int64_t)24 * 3600 * 1000)
#define VALIDATE_ASK_MS      ((int64_t)10 * 1000) ///< between rounds that a person asks for

/// The app-only token of the moment.
struct validate_token {
    struct span authorization; ///< whole header line, or empty: nothing is asked
    uint32_t generation;
    unsigned roles; ///< mask of the permissions that it names (of those that exist)
    bool readable;  ///< false: an opaque token, `roles` says nothing and everything is asked
};

struct validate_facts {
    bool token_refused; ///< 401: the token is of no use (auth_reject)
    bool token_stale;   ///< 403: it may be from before consent. Fetch another, and use this one
                        ///< meanwhile: it may be good for the other permissions (auth_renew)
    uint32_t refused;   ///< generation of that token
};

struct validate_row {
    enum verdict verdict;
    int status;                         ///< HTTP, of the last answer; 0
    int64_t at_ms;                      ///< wall; of the verdict; 0: never
    char request_id[HTTP_ID_BYTES_MAX]; ///< Graph's, of the last answer that was not good, for its
                                        ///< support; "" else
};

struct validate_setup {
    const struct config *config;
    struct http *http;
    unsigned slot; ///< its transfer
    struct span ca_pem;
};

struct validate; ///< defined in validate_state.h

void validate_init(struct validate *v, const struct validate_setup *setup);
/// At most one request is under way. @return when it wants to run next.
struct mono validate_step(struct validate *v,
                          struct validate_token token,
                          struct now now,
                          struct validate_facts *facts);
/// Ask all of them again now: a person wants it. Bounded: at most once in VALIDATE_ASK_MS, more are
/// joined.
void validate_ask(struct validate *v, struct now now);
/// The same for a source that got 403: at most once in VALIDATE_SOON_MS.
void validate_doubt(struct validate *v, struct now now);
const struct validate_row *validate_row(const struct validate *v, enum config_permission p);
/// A round is under way, or was due at the last step.
bool validate_is_busy(const struct validate *v);
struct mono validate_next(const struct validate *v); ///< when the next round begins, with a token
struct activity validate_activity(const struct validate *v);

#endif

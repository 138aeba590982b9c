// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The infrastructure's life, as an administrator sees it: from a box that knows nobody to one that
 * collects, and what is in the way.
 * Model:   one table, life_next[state][event]. Each turn the facts are condensed into the one event
 *          that holds (life_event_of, a fixed order), and the table says where it leads. No state
 *          is final. COLLECTING is entered without anybody's help as soon as everything that is
 *          wanted answers: authorised means enabled.
 * Waiting: 403 after consent is expected for LIFE_PROPAGATION_MS (Microsoft's up to two hours and a
 *          margin): PROPAGATING counts it down from the first 403, over restarts. Then it is
 *          ATTENTION, which names the permission, and goes on looking all the same.
 * Pure:    `now` and facts are passed in; nothing is read or sent. What has to survive a restart is
 *          in struct life_kept, which the caller stores when life_step says that it changed.
 */
#ifndef AUTH_LIFE_H
#define AUTH_LIFE_H
#include "base/clock.h"
#include "base/span.h"

#include "auth/auth_cause.h"
#include "auth/permission.h"

#define LIFE_PROPAGATION_MS ((int64_t)(120 + 15) * 60 * 1000)
/// Age of a good verdict after which it is looked at again.
#define LIFE_REVALIDATE_MS ((int64_t)24 * 3600 * 1000)

enum life_state {
    LIFE_ILLEGAL = 0,
    LIFE_UNCONFIGURED,     ///< nothing to sign in with yet, or nobody knows it
    LIFE_AWAITING_CONSENT, ///< signed in, and no permission that is wanted is granted
    LIFE_VALIDATING,       ///< something is granted; Graph is being asked
    LIFE_PROPAGATING,      ///< granted, and Graph says 403 still: expected for a while
    LIFE_COLLECTING,       ///< everything that is wanted answers
    LIFE_DEGRADED,         ///< some of it answers (or somebody enabled with a warning)
    LIFE_ATTENTION,        ///< a person has to do something: see reason
    LIFE_STATES,
};

enum life_event {
    LIFE_EV_WAIT = 0,      ///< nothing that says anything: no time, no network, no answer yet
    LIFE_EV_NO_CREDENTIAL, ///< nothing to sign in with, or it was never accepted so far
    LIFE_EV_BROKEN,        ///< sign-in refused for a reason that needs a person
    LIFE_EV_NOT_GRANTED,   ///< signed in; none of what is wanted is granted
    LIFE_EV_GRANTED,       ///< some is granted, and not all of that has a verdict yet
    LIFE_EV_FORBIDDEN,     ///< nothing answers; some granted permission says 403, in its time
    LIFE_EV_OVERDUE,       ///< a granted permission says 403, and the time for it is over
    LIFE_EV_SOME,          ///< some of what is wanted answers
    LIFE_EV_ALL,           ///< all of it
    LIFE_EVENTS,
};

/// Indexed by state; 0 where a pair cannot be.
extern const uint8_t life_next[LIFE_STATES][LIFE_EVENTS];

/// What the other machines know, handed over each turn.
struct life_facts {
    bool configured;      ///< a tenant and an application are named
    enum auth_cause auth; ///< AUTH_CAUSE_NONE while there is a good token
    bool ever_signed_in;  ///< this credential has been accepted once (kept over restarts)
    unsigned wanted;      ///< mask of application permissions
    enum verdict verdicts[CONFIG_PERMISSIONS]; ///< MISSING and GOOD.. from roles and validation
};

/// Survives restarts (a record of the token store, written seldom).
struct life_kept {
    bool signed_in;              ///< some credential was accepted once
    bool enabled_with_warning;   ///< by a person, until everything answers
    int64_t forbidden_since_ms;  ///< wall; first 403 of this episode; 0: none
    int64_t collecting_since_ms; ///< wall; 0: never
};

struct life {
    enum life_state state;
    enum life_event event;  ///< the last one
    struct mono since;      ///< in this state
    enum auth_cause reason; ///< ATTENTION because of the sign-in; else AUTH_CAUSE_NONE
    unsigned lacking;       ///< mask of wanted permissions that do not answer
    unsigned answering;     ///< mask of those that do
    struct life_kept kept;
};

void life_init(struct life *l, const struct life_kept *kept, struct now now);
enum life_event life_event_of(const struct life *l, const struct life_facts *f, struct now now);
/// Once a turn. @param changed  set if `kept` has to be stored. @return when time alone changes
/// something (the end of the propagation), or MONO_NEVER.
struct mono life_step(struct life *l, const struct life_facts *f, struct now now, bool *changed);
/// A person wants to collect what answers already.
void life_enable_with_warning(struct life *l, bool *changed);
/// Whether a source may collect that needs this permission.
bool life_allows(const struct life *l, enum config_permission p);
/// Time left of the propagation, 0 if there is none.
int64_t life_left_ms(const struct life *l, struct now now);

const char *life_state_name(enum life_state s); ///< "awaiting_consent", ...: for JSON and metrics
/// For people: what is, what happens next and when (in `next`, e.g. "asked again in 4 min"), what a
/// person can do (may be empty). Appended.
void life_describe(
    const struct life *l, struct now now, struct buf *what, struct buf *next, struct buf *advice);

/// Text form of struct life_kept for the store. @retval RC_PARSE unreadable: as if there were none.
void life_write(const struct life_kept *kept, struct buf *out);
RC life_read(struct span text, struct life_kept *kept);

#endif

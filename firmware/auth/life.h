// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The infrastructure's life, as an administrator sees it: from a box that knows nobody to one that
 * collects, and what is in the way.
 * Model:   one table, life_next[state][event]. Each turn the facts are condensed into the one event
 *          that holds (life_event_of, a fixed order), and the table says where it leads. No state
 *          is final, and every pair has a successor: facts may change in any way between two turns.
 *          COLLECTING is entered without anybody's help as soon as everything that is wanted
 *          answers: authorised means enabled.
 * Facts:   what was once learned of a permission holds until something else is: an answer that says
 *          nothing (NO_ANSWER), or none, changes nothing. Only what Entra or Graph say makes
 *          ATTENTION; what lies between (network, clock, their outages) changes no state but
 *          COLLECTING, which is DEGRADED while there is no token: nothing can be collected then.
 * Waiting: 403 after consent is expected for LIFE_PROPAGATION_MS (Microsoft's up to two hours and a
 *          margin), for each permission from its own first 403: PROPAGATING counts the first of
 *          them down, over restarts, by trusted time only. Then it is ATTENTION, which names that
 *          permission, and goes on looking all the same. What collected before goes on collecting
 *          whatever else is refused.
 * Pure:    `now` and facts are passed in; nothing is read or sent. What has to survive a restart is
 *          in struct life_kept, which the caller stores (auth/life_kept.h) when life_step says that
 *          it changed.
 */
#ifndef AUTH_LIFE_H
#define AUTH_LIFE_H
#include "base/clock.h"
#include "base/span.h"

#include "auth/auth_cause.h"
#include "auth/permission.h"

#define LIFE_PROPAGATION_MS ((int64_t)(120 + 15) * 60 * 1000)
/// Longest text of each kind that life_describe appends.
#define LIFE_TEXT_BYTES_MAX 768u

enum life_state {
    LIFE_ILLEGAL = 0,
    LIFE_UNCONFIGURED,     ///< nothing to sign in with yet, or nobody knows it
    LIFE_AWAITING_CONSENT, ///< signed in, and no permission that is wanted is granted
    LIFE_VALIDATING,       ///< something is granted; Graph is being asked
    LIFE_PROPAGATING,      ///< granted, and Graph says 403 still: expected for a while
    LIFE_COLLECTING,       ///< everything that is wanted answers
    LIFE_DEGRADED,         ///< some of it answers (or somebody enabled with a warning), or there is
                           ///< no token for the time being
    LIFE_ATTENTION,        ///< a person has to do something: see reason, and refused
    LIFE_STATES,
};

enum life_event {
    LIFE_EV_WAIT = 0,      ///< nothing is known yet: the first token is being asked for, or another
    LIFE_EV_UNREACHED,     ///< no token, and nobody says why: network, time, an outage of theirs
    LIFE_EV_NO_CREDENTIAL, ///< nothing to sign in with, or it was never accepted so far
    LIFE_EV_BROKEN,        ///< sign-in refused for a reason that needs a person
    LIFE_EV_NOT_GRANTED,   ///< signed in; none of what is wanted is granted
    LIFE_EV_GRANTED,       ///< some is granted, and not all of that has a verdict yet
    LIFE_EV_FORBIDDEN,     ///< some granted permission says 403, in its time; nothing is collected
    LIFE_EV_OVERDUE,       ///< a granted permission says 403, and the time for it is over
    LIFE_EV_UNAVAILABLE,   ///< Graph offers nothing of what is wanted and granted
    LIFE_EV_SOME,          ///< some of what is wanted answers (or a person enabled it)
    LIFE_EV_ALL,           ///< all of it
    LIFE_EVENTS,
};

/// Indexed by state; 0 for LIFE_ILLEGAL only.
extern const uint8_t life_next[LIFE_STATES][LIFE_EVENTS];

/// What the other machines know, handed over each turn.
struct life_facts {
    bool configured;       ///< there is a configuration: a tenant and an application are named
    const char *config_at; ///< where it belongs while there is none, for people; kept. NULL: said
                           ///< nowhere
    bool config_part;      ///< then: something is there, and it does not end
    enum auth_cause auth;  ///< AUTH_CAUSE_NONE while there is a good token
    unsigned wanted;       ///< mask of permissions (delegated ones are not looked at)
    enum verdict verdicts[CONFIG_PERMISSIONS]; ///< MISSING and GOOD.. from roles and validation
    struct mono next; ///< when something is asked again, for people only: the sign-in without a
                      ///< token; a newer token while something is not granted; else validation
};

/// Survives restarts (a record of the token store, written seldom).
struct life_kept {
    bool signed_in;            ///< some credential was accepted once
    bool enabled_with_warning; ///< by a person, until everything answers
    unsigned forbidden;        ///< mask of those that say 403
    /// Wall; since when each does; 0: it does not, or the time was not known so far.
    int64_t forbidden_since_ms[CONFIG_PERMISSIONS];
    int64_t collecting_since_ms; ///< wall; 0: nothing was collected since consent was given
};

struct life {
    enum life_state state;
    enum life_event event;   ///< the last one
    struct mono since;       ///< in this state
    bool configured;         ///< as the facts said
    const char *config_at;   ///< likewise
    bool config_part;        ///< likewise
    enum auth_cause reason;  ///< UNCONFIGURED, AWAITING_CONSENT, ATTENTION because of the sign-in;
                             ///< else AUTH_CAUSE_NONE
    enum auth_cause without; ///< why there is no token at this moment; AUTH_CAUSE_NONE: there is
    enum verdict known[CONFIG_PERMISSIONS]; ///< the last that said something
    unsigned wanted;                        ///< mask, as the facts said
    unsigned answering;                     ///< mask of wanted permissions that answer
    unsigned lacking; ///< mask of those that do not (without what Graph's beta took away)
    unsigned overdue; ///< of these, what says 403 for longer than consent takes to spread
    unsigned refused; ///< of these, what a person has to see to: not granted, or 403
    struct mono next; ///< as the facts said
    struct life_kept kept;
};

void life_init(struct life *l, const struct life_kept *kept, struct now now);
enum life_event life_event_of(const struct life *l, const struct life_facts *f, struct now now);
/// Once a turn. @param changed  whether `kept` has to be stored. @return when time alone changes
/// something (the end of the propagation), or MONO_NEVER.
struct mono life_step(struct life *l, const struct life_facts *f, struct now now, bool *changed);
/// Enabling with a warning would change something: some permission says 403 in a state that waits
/// for it, and nobody did so yet.
bool life_can_enable(const struct life *l);
/// A person wants to collect what answers already. Nothing happens if life_can_enable says no.
void life_enable_with_warning(struct life *l, bool *changed);
/// Whether a source may collect that needs this permission.
bool life_allows(const struct life *l, enum config_permission p);
/// Time left until the propagation is over for one more permission; 0 if there is none that waits,
/// or while the time is not known.
int64_t life_left_ms(const struct life *l, struct now now);

const char *life_state_name(enum life_state s); ///< "awaiting_consent", ...: for JSON and metrics
const char *life_event_name(enum life_event e); ///< "not_granted", ...: for log lines
/// Stable code of what is in the way: "C01" no configuration, the sign-in's ("A10"), or of
/// permissions "P01" not granted, "P02" 403 in its time, "P03" 403 for too long, "P04" not offered,
/// "P05" no answer; "" if nothing is.
const char *life_code(const struct life *l);
/// For people: what is, what happens next and when (in `next`, e.g. "Looked at again in 4
/// minutes."), what a person can do (may be empty). Appended, whole sentences each.
void life_describe(
    const struct life *l, struct now now, struct buf *what, struct buf *next, struct buf *advice);

#endif

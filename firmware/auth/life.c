// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Facts to one event, the table, and what is kept. The words are in life_words.c.
 */
#include "auth/life.h"

#include <string.h>

#include "base/assert.h"

#include "sys/log.h"

// clang-format off
const uint8_t life_next[LIFE_STATES][LIFE_EVENTS] = {
// What Entra or Graph say leads to one state, wherever it finds the box.
#define ANSWERED                                                                                   \
    [LIFE_EV_NO_CREDENTIAL] = LIFE_UNCONFIGURED, [LIFE_EV_BROKEN] = LIFE_ATTENTION,                \
    [LIFE_EV_NOT_GRANTED] = LIFE_AWAITING_CONSENT, [LIFE_EV_GRANTED] = LIFE_VALIDATING,            \
    [LIFE_EV_OVERDUE] = LIFE_ATTENTION, [LIFE_EV_UNAVAILABLE] = LIFE_ATTENTION,                    \
    [LIFE_EV_SOME] = LIFE_DEGRADED, [LIFE_EV_ALL] = LIFE_COLLECTING
    [LIFE_UNCONFIGURED] = {
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_UNCONFIGURED,
        [LIFE_EV_UNREACHED] = LIFE_UNCONFIGURED,
        [LIFE_EV_FORBIDDEN] = LIFE_PROPAGATING },
    [LIFE_AWAITING_CONSENT] = {
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_AWAITING_CONSENT,
        [LIFE_EV_UNREACHED] = LIFE_AWAITING_CONSENT,
        [LIFE_EV_FORBIDDEN] = LIFE_PROPAGATING },
    [LIFE_VALIDATING] = {
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_VALIDATING,
        [LIFE_EV_UNREACHED] = LIFE_VALIDATING,
        [LIFE_EV_FORBIDDEN] = LIFE_PROPAGATING },
    [LIFE_PROPAGATING] = {
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_PROPAGATING,
        [LIFE_EV_UNREACHED] = LIFE_PROPAGATING,
        [LIFE_EV_FORBIDDEN] = LIFE_PROPAGATING },
    [LIFE_COLLECTING] = { // a token is renewed early: to have none has lasted already
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_COLLECTING,
        [LIFE_EV_UNREACHED] = LIFE_DEGRADED,
        [LIFE_EV_FORBIDDEN] = LIFE_DEGRADED }, // no fresh consent that would have to spread
    [LIFE_DEGRADED] = {
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_DEGRADED,
        [LIFE_EV_UNREACHED] = LIFE_DEGRADED,
        [LIFE_EV_FORBIDDEN] = LIFE_DEGRADED },
    [LIFE_ATTENTION] = {
        ANSWERED,
        [LIFE_EV_WAIT] = LIFE_ATTENTION,
        [LIFE_EV_UNREACHED] = LIFE_ATTENTION,
        [LIFE_EV_FORBIDDEN] = LIFE_PROPAGATING },
#undef ANSWERED
};

// What a cause of the sign-in means, apart from consent and from whether it ever worked.
static const enum life_event event_of_cause[AUTH_CAUSE_COUNT] = {
    [AUTH_CAUSE_STARTING] = LIFE_EV_WAIT,
    [AUTH_CAUSE_NO_CREDENTIAL] = LIFE_EV_NO_CREDENTIAL,
    [AUTH_CAUSE_CLOCK] = LIFE_EV_UNREACHED,
    [AUTH_CAUSE_NETWORK] = LIFE_EV_UNREACHED,
    [AUTH_CAUSE_TRUST] = LIFE_EV_UNREACHED,
    [AUTH_CAUSE_SERVICE] = LIFE_EV_UNREACHED,
    [AUTH_CAUSE_THROTTLED] = LIFE_EV_UNREACHED,
    [AUTH_CAUSE_SECRET_WRONG] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_SECRET_EXPIRED] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_CERT_REJECTED] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_CERT_EXPIRED] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_APP_UNKNOWN] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_TENANT_UNKNOWN] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_WRONG_CLOUD] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_CONSENT] = LIFE_EV_NOT_GRANTED,
    [AUTH_CAUSE_POLICY] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_CONFIGURATION] = LIFE_EV_BROKEN,
    [AUTH_CAUSE_NONSENSE] = LIFE_EV_UNREACHED,
    [AUTH_CAUSE_STORE_BUSY] = LIFE_EV_UNREACHED,
};

// clang-format on

// ---- facts ------------------------------------------------------------------

/// What is known of the permissions that are wanted: a mask for each verdict.
struct view {
    unsigned wanted, expected; ///< expected: without what Graph's beta took away
    unsigned of[VERDICTS];
};

static unsigned of_kind(bool beta)
{
    unsigned mask = 0;

    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        const struct permission_info *info = permission_info((enum config_permission)p);
        mask |= !info->delegated && (!beta || info->beta) ? 1u << p : 0u;
    }
    return mask;
}

/// What holds of a permission: the last that said something. One that was not granted, and is
/// looked at now, is granted.
static enum verdict learned(enum verdict known, enum verdict said)
{
    bool says = said != VERDICT_NONE && said != VERDICT_NO_ANSWER;
    bool knew = known != VERDICT_NONE && known != VERDICT_NO_ANSWER && known != VERDICT_MISSING;

    return says || !knew ? said : known;
}

static void learn(enum verdict known[CONFIG_PERMISSIONS], const struct life_facts *f)
{
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        ASSERT(f->verdicts[p] < VERDICTS);
        if (f->auth == AUTH_CAUSE_NONE) {
            known[p] = learned(known[p], f->verdicts[p]);
        } else if (f->auth == AUTH_CAUSE_CONSENT) {
            known[p] = VERDICT_MISSING;
        }
    }
}

static struct view view_of(const enum verdict known[CONFIG_PERMISSIONS], unsigned wanted)
{
    struct view v = {.wanted = wanted & of_kind(false)};

    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        v.of[known[p]] |= v.wanted & 1u << p;
    }
    v.expected = v.wanted & ~(v.of[VERDICT_UNAVAILABLE] & of_kind(true));
    return v;
}

/// Mask of those whose time for 403 is over. *left_ms: until that is so for the next one, or 0.
static unsigned overdue_of(const struct life_kept *k, struct now now, int64_t *left_ms)
{
    unsigned over = 0;

    *left_ms = 0;
    for (unsigned p = 0; p < CONFIG_PERMISSIONS && now.wall.quality == CLOCK_TRUSTED; p++) {
        if (k->forbidden_since_ms[p] == 0) {
            continue;
        }
        int64_t gone_ms = now.wall.ms - k->forbidden_since_ms[p];
        int64_t ms = LIFE_PROPAGATION_MS - (gone_ms > 0 ? gone_ms : 0);
        over |= ms <= 0 ? 1u << p : 0u;
        *left_ms = ms > 0 && (*left_ms == 0 || ms < *left_ms) ? ms : *left_ms;
    }
    return over & k->forbidden;
}

/// Signed in, and nothing of what is wanted answers.
static enum life_event event_of_none(const struct view *v)
{
    if (v->of[VERDICT_FORBIDDEN] != 0) {
        return LIFE_EV_FORBIDDEN;
    }
    if ((v->of[VERDICT_NONE] | v->of[VERDICT_NO_ANSWER]) != 0) {
        return LIFE_EV_GRANTED;
    }
    return v->of[VERDICT_MISSING] != 0 ? LIFE_EV_NOT_GRANTED : LIFE_EV_UNAVAILABLE;
}

static enum life_event event_of_view(const struct life *l, const struct view *v, struct now now)
{
    unsigned good = v->of[VERDICT_GOOD];
    unsigned forbidden = v->of[VERDICT_FORBIDDEN];
    bool enabled = l->kept.enabled_with_warning;
    bool runs = l->state == LIFE_COLLECTING || l->state == LIFE_DEGRADED;
    bool ran = runs || enabled || l->kept.collecting_since_ms != 0;

    if (v->wanted == 0 || (v->expected != 0 && good == v->expected)) {
        return LIFE_EV_ALL;
    }
    bool accepted = enabled && (good | v->of[VERDICT_NONE]) != 0; // by whoever enabled it
    int64_t left_ms;
    if (forbidden != 0 && (overdue_of(&l->kept, now, &left_ms) & forbidden) != 0 && !accepted) {
        return LIFE_EV_OVERDUE;
    }
    if (good == 0) {
        return enabled && forbidden != 0 ? LIFE_EV_SOME : event_of_none(v);
    }
    if (forbidden != 0 && !ran) {
        return LIFE_EV_FORBIDDEN;
    }
    // A round that is not over yet: no need to show half of it, unless one that gives no answer
    // holds up the others.
    bool soon = v->of[VERDICT_NONE] != 0 && v->of[VERDICT_NO_ANSWER] == 0;
    return soon && !runs ? LIFE_EV_GRANTED : LIFE_EV_SOME;
}

static enum life_event event_of_sign_in(const struct life *l, enum auth_cause cause)
{
    ASSERT(cause < AUTH_CAUSE_COUNT);
    bool unknown_yet = cause == AUTH_CAUSE_CERT_REJECTED || cause == AUTH_CAUSE_SECRET_WRONG ||
                       cause == AUTH_CAUSE_APP_UNKNOWN;
    if (unknown_yet && !l->kept.signed_in) {
        return LIFE_EV_NO_CREDENTIAL; // what every box says before somebody uploads its certificate
    }
    return event_of_cause[cause];
}

enum life_event life_event_of(const struct life *l, const struct life_facts *f, struct now now)
{
    enum verdict known[CONFIG_PERMISSIONS];

    if (!f->configured) {
        return LIFE_EV_NO_CREDENTIAL;
    }
    if (f->auth != AUTH_CAUSE_NONE) {
        return event_of_sign_in(l, f->auth);
    }
    memcpy(known, l->known, sizeof(known));
    learn(known, f);
    struct view v = view_of(known, f->wanted);
    return event_of_view(l, &v, now);
}

// ---- the machine ------------------------------------------------------------

static void tell(const struct life *l, enum life_state from)
{
    char names[128];
    struct buf lacking = BUF(names);

    permission_put_names(&lacking, l->lacking);
    LOG_DEBUG("ev=life_edge from=%s to=%s because=%s code=%s lacking=\"%" PRISPAN "\"",
              life_state_name(from),
              life_state_name(l->state),
              life_event_name(l->event),
              life_code(l),
              SPANARG(buf_span(&lacking)));
}

static void life_go(struct life *l, enum life_event event, struct mono now)
{
    enum life_state from = l->state;
    enum life_state next = (enum life_state)life_next[from][event];

    ASSERT(next != LIFE_ILLEGAL);
    l->event = event;
    if (next != from) {
        l->state = next;
        l->since = now;
        tell(l, from);
    }
}

void life_init(struct life *l, const struct life_kept *kept, struct now now)
{
    memset(l, 0, sizeof(*l));
    l->kept = *kept;
    l->kept.forbidden &= of_kind(false);
    l->since = now.mono;
    l->without = AUTH_CAUSE_STARTING;
    l->next = MONO_NEVER;
    l->configured = true;
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        bool refused = (l->kept.forbidden & 1u << p) != 0;
        l->known[p] = refused ? VERDICT_FORBIDDEN : VERDICT_NONE;
    }
    int64_t left_ms;
    l->overdue = overdue_of(&l->kept, now, &left_ms);
    if (l->kept.forbidden == 0) {
        l->state = kept->signed_in ? LIFE_VALIDATING : LIFE_UNCONFIGURED;
    } else if (l->overdue != 0 && !kept->enabled_with_warning) {
        l->state = LIFE_ATTENTION;
    } else {
        bool ran = kept->enabled_with_warning || kept->collecting_since_ms != 0;
        l->state = ran ? LIFE_DEGRADED : LIFE_PROPAGATING;
    }
}

/// Since when each says 403, until it says something else. A clock that was set back begins it
/// anew, so that no wait is longer than it should be.
static void keep_forbidden(struct life *l, const struct view *v, struct now now)
{
    struct life_kept *k = &l->kept;
    bool trusted = now.wall.quality == CLOCK_TRUSTED;

    k->forbidden = v->of[VERDICT_FORBIDDEN];
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        int64_t *since_ms = &k->forbidden_since_ms[p];
        if ((k->forbidden & 1u << p) == 0) {
            *since_ms = 0;
        } else if (trusted && (*since_ms == 0 || *since_ms > now.wall.ms)) {
            *since_ms = now.wall.ms;
        }
    }
}

static void keep_outcome(struct life *l, struct now now)
{
    struct life_kept *k = &l->kept;
    bool runs = l->state == LIFE_COLLECTING || l->state == LIFE_DEGRADED;

    if (l->event == LIFE_EV_ALL) {
        k->enabled_with_warning = false;
    }
    if (l->event == LIFE_EV_NOT_GRANTED) {
        k->collecting_since_ms = 0; // what is granted next is a new consent
    } else if (runs && l->answering != 0 && k->collecting_since_ms == 0 &&
               now.wall.quality == CLOCK_TRUSTED) {
        k->collecting_since_ms = now.wall.ms;
    }
}

/// The reason stays while nothing new is said.
static void take_reason(struct life *l, const struct life_facts *f, enum life_event event)
{
    if (event == LIFE_EV_WAIT || event == LIFE_EV_UNREACHED) {
        return;
    }
    bool of_sign_in =
        event == LIFE_EV_NO_CREDENTIAL || event == LIFE_EV_BROKEN || event == LIFE_EV_NOT_GRANTED;
    l->reason = of_sign_in && f->configured ? f->auth : AUTH_CAUSE_NONE;
}

static bool same_kept(const struct life_kept *a, const struct life_kept *b)
{
    return a->signed_in == b->signed_in && a->enabled_with_warning == b->enabled_with_warning &&
           a->forbidden == b->forbidden &&
           memcmp(a->forbidden_since_ms, b->forbidden_since_ms, sizeof(a->forbidden_since_ms)) ==
               0 &&
           a->collecting_since_ms == b->collecting_since_ms;
}

struct mono life_step(struct life *l, const struct life_facts *f, struct now now, bool *changed)
{
    ASSERT(l->state != LIFE_ILLEGAL && l->state < LIFE_STATES);
    const struct life_kept before = l->kept;

    if (f->configured) {
        learn(l->known, f);
    }
    struct view v = view_of(l->known, f->wanted);
    if (f->configured) { // else nothing is said of the tenant
        l->kept.signed_in = before.signed_in || f->auth == AUTH_CAUSE_NONE;
        keep_forbidden(l, &v, now);
    }
    l->configured = f->configured;
    l->config_at = f->config_at;
    l->config_part = f->config_part;
    l->without = f->auth;
    l->next = f->next;
    l->wanted = v.wanted;
    l->answering = v.of[VERDICT_GOOD];
    l->lacking = v.expected & ~l->answering;
    l->refused = v.of[VERDICT_MISSING] | v.of[VERDICT_FORBIDDEN];

    enum life_event event = life_event_of(l, f, now);
    take_reason(l, f, event);
    life_go(l, event, now.mono);
    keep_outcome(l, now);
    *changed = !same_kept(&before, &l->kept);
    int64_t left_ms;
    l->overdue = overdue_of(&l->kept, now, &left_ms);
    return left_ms > 0 ? mono_after(now.mono, left_ms) : MONO_NEVER;
}

// ---- what others ask --------------------------------------------------------

bool life_can_enable(const struct life *l)
{
    bool waits = l->state == LIFE_PROPAGATING ||
                 (l->state == LIFE_ATTENTION && l->event == LIFE_EV_OVERDUE && l->answering != 0);
    return waits && !l->kept.enabled_with_warning;
}

void life_enable_with_warning(struct life *l, bool *changed)
{
    *changed = life_can_enable(l);
    l->kept.enabled_with_warning = l->kept.enabled_with_warning || *changed;
}

bool life_allows(const struct life *l, enum config_permission p)
{
    ASSERT(p < CONFIG_PERMISSIONS);
    bool again = l->state == LIFE_VALIDATING && l->kept.collecting_since_ms != 0; // restarted
    bool runs = l->state == LIFE_COLLECTING || l->state == LIFE_DEGRADED || again ||
                (l->state == LIFE_ATTENTION && l->reason == AUTH_CAUSE_NONE);
    return runs && (l->answering & 1u << p) != 0;
}

int64_t life_left_ms(const struct life *l, struct now now)
{
    int64_t left_ms;
    (void)overdue_of(&l->kept, now, &left_ms);
    return left_ms;
}

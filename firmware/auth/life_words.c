// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a person is told of a life. Only our own words, Graph's names of permissions, and times.
 */
#include "base/assert.h"

#include "auth/life.h"

#define MINUTE_MS ((int64_t)60 * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define HOURS_MAX 48 ///< longer waits are said in days

const char *life_state_name(enum life_state s)
{
    static const char *const names[LIFE_STATES] = {
        [LIFE_ILLEGAL] = "illegal",
        [LIFE_UNCONFIGURED] = "unconfigured",
        [LIFE_AWAITING_CONSENT] = "awaiting_consent",
        [LIFE_VALIDATING] = "validating",
        [LIFE_PROPAGATING] = "propagating",
        [LIFE_COLLECTING] = "collecting",
        [LIFE_DEGRADED] = "degraded",
        [LIFE_ATTENTION] = "attention",
    };

    ASSERT(s < LIFE_STATES);
    return names[s];
}

const char *life_event_name(enum life_event e)
{
    static const char *const names[LIFE_EVENTS] = {
        [LIFE_EV_WAIT] = "wait",
        [LIFE_EV_UNREACHED] = "unreached",
        [LIFE_EV_NO_CREDENTIAL] = "no_credential",
        [LIFE_EV_BROKEN] = "broken",
        [LIFE_EV_NOT_GRANTED] = "not_granted",
        [LIFE_EV_GRANTED] = "granted",
        [LIFE_EV_FORBIDDEN] = "forbidden",
        [LIFE_EV_OVERDUE] = "overdue",
        [LIFE_EV_UNAVAILABLE] = "unavailable",
        [LIFE_EV_SOME] = "some",
        [LIFE_EV_ALL] = "all",
    };

    ASSERT(e < LIFE_EVENTS);
    return names[e];
}

static unsigned known_as(const struct life *l, enum verdict v)
{
    unsigned mask = 0;

    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        mask |= l->known[p] == v ? l->wanted & 1u << p : 0u;
    }
    return mask;
}

/// A token is missing for a reason that is worth a word (and is not the state's own).
static bool is_cut_off(const struct life *l)
{
    return l->without != AUTH_CAUSE_NONE && l->without != AUTH_CAUSE_STARTING &&
           l->without != l->reason;
}

const char *life_code(const struct life *l)
{
    if (!l->configured) {
        return "C01";
    }
    if (l->reason != AUTH_CAUSE_NONE && l->reason != AUTH_CAUSE_STARTING) {
        return auth_cause_info(l->reason)->code;
    }
    if (is_cut_off(l)) {
        return auth_cause_info(l->without)->code;
    }
    if (l->lacking == 0 || l->state == LIFE_UNCONFIGURED || l->state == LIFE_VALIDATING) {
        return "";
    }
    if (l->event == LIFE_EV_OVERDUE) {
        return "P03";
    }
    return known_as(l, VERDICT_FORBIDDEN) != 0     ? "P02"
           : known_as(l, VERDICT_MISSING) != 0     ? "P01"
           : known_as(l, VERDICT_UNAVAILABLE) != 0 ? "P04"
                                                   : "P05";
}

// ---- pieces -----------------------------------------------------------------

static void put_number(struct buf *b, int64_t n, const char *unit)
{
    buf_put_i64(b, n);
    buf_put_char(b, ' ');
    buf_put_str(b, unit);
    buf_put_str(b, n == 1 ? "" : "s");
}

/// Rounded up to whole minutes: what is promised has passed by then.
static void put_duration(struct buf *b, int64_t ms)
{
    int64_t minutes = ms / MINUTE_MS + (ms % MINUTE_MS != 0);
    int64_t hours = minutes / 60;

    if (hours >= HOURS_MAX) {
        put_number(b, hours / 24, "day");
        return;
    }
    if (hours > 0) {
        put_number(b, hours, "hour");
    }
    if (hours == 0 || minutes % 60 != 0) {
        buf_put_str(b, hours > 0 ? " " : "");
        put_number(b, minutes > 0 ? minutes % 60 : 1, "minute");
    }
}

/// "VERB in 4 minutes", "VERB now", or only VERB if nobody knows when.
static void put_when(struct buf *b, const char *verb, const struct life *l, struct now now)
{
    buf_put_str(b, verb);
    if (l->next.ms == MONO_NEVER.ms) {
        return;
    }
    if (mono_due(l->next, now.mono)) {
        buf_put_str(b, " now");
        return;
    }
    buf_put_str(b, " in ");
    put_duration(b, l->next.ms - now.mono.ms);
}

/// "BEFORE names AFTER", if there are names.
static void put_those(struct buf *b, const char *before, unsigned mask, const char *after)
{
    if (mask != 0) {
        buf_put_str(b, before);
        permission_put_names(b, mask);
        buf_put_str(b, after);
    }
}

static void put_what_is_lacking(struct buf *b, const struct life *l)
{
    put_those(b, " Not granted: ", known_as(l, VERDICT_MISSING), ".");
    put_those(b, " Refused by Graph (403): ", known_as(l, VERDICT_FORBIDDEN), ".");
    put_those(b, " Without an answer for now: ", known_as(l, VERDICT_NO_ANSWER), ".");
    put_those(b, " Not looked at yet: ", known_as(l, VERDICT_NONE), ".");
    put_those(b,
              " Not offered by Graph in this cloud, or not any more: ",
              known_as(l, VERDICT_UNAVAILABLE),
              ".");
}

static void put_consent_advice(struct buf *b, const struct life *l)
{
    buf_put_str(b,
                known_as(l, VERDICT_MISSING) == 0
                    ? ""
                    : "An administrator of the tenant opens the consent link in any browser and "
                      "accepts. A permission that the link does not ask for has to be added to the "
                      "app registration first.");
}

static void put_forbidden_advice(struct buf *b, const struct life *l)
{
    put_those(b,
              "Look in the Entra admin centre whether admin consent for ",
              known_as(l, VERDICT_FORBIDDEN),
              " is given to this application, as an application permission, and whether a "
              "Conditional Access policy or a missing licence stands in the way.");
}

/// What goes with a cause of the sign-in: what happened, and what a person can do.
static void put_cause(enum auth_cause cause, struct buf *what, struct buf *advice)
{
    const struct auth_cause_info *info = auth_cause_info(cause);

    buf_put_str(what, info->what);
    buf_put_str(advice, info->advice);
}

// ---- states -----------------------------------------------------------------

struct words {
    struct buf *what, *next, *advice;
};

static void unconfigured(const struct life *l, struct now now, const struct words *w)
{
    if (!l->configured) {
        bool said = l->config_at != NULL && l->config_at[0] != '\0';
        buf_put_str(w->what, "The box has no configuration yet, so it asks nobody for anything");
        const char *why = l->config_part ? ": a part is missing at the end of " //
                                         : ": there is no file ";
        buf_put_str(w->what, said ? why : "");
        buf_put_str(w->what, said ? l->config_at : "");
        buf_put_char(w->what, '.');
        buf_put_str(
            w->next,
            "Once the file is there, the box starts anew by itself, reads it and signs in.");
        buf_put_str(w->advice,
                    "Write the configuration (anteroomctl config help lists its keys), look at it "
                    "with anteroomctl config check, and put it there. The box's certificate can be "
                    "uploaded before that.");
        return;
    }
    bool by_cause = l->reason != AUTH_CAUSE_NONE || l->without != AUTH_CAUSE_NONE;
    if (by_cause) {
        put_cause(l->reason != AUTH_CAUSE_NONE ? l->reason : l->without, w->what, w->advice);
    } else {
        buf_put_str(w->what, "The box has not signed in yet.");
    }
    put_when(w->next, "The box tries to sign in by itself", l, now);
    buf_put_str(w->next, ", and goes on from there.");
}

static void awaiting_consent(const struct life *l, struct now now, const struct words *w)
{
    buf_put_str(w->what, "The box is known to the tenant, but nothing that it needs is granted");
    put_those(w->what, ": ", l->lacking, "");
    buf_put_char(w->what, '.');
    put_when(w->next, "The box looks again", l, now);
    buf_put_str(w->next, ". Once consent is given, it starts to collect without anybody.");
    put_consent_advice(w->advice, l);
}

static void validating(const struct life *l, struct now now, const struct words *w)
{
    unsigned silent = known_as(l, VERDICT_NO_ANSWER);

    buf_put_str(w->what,
                l->without == AUTH_CAUSE_NONE
                    ? "The box is signed in, and finds out what Graph answers."
                    : "The box signs in, and then finds out what Graph answers.");
    put_those(w->what, " No answer yet that says anything, for ", silent, ".");
    put_when(w->next, l->without == AUTH_CAUSE_NONE ? "Graph is asked" : "It is tried", l, now);
    buf_put_str(w->next, "; collecting starts by itself as soon as it answers.");
}

static void propagating(const struct life *l, struct now now, const struct words *w)
{
    int64_t left_ms = life_left_ms(l, now);

    buf_put_str(w->what, "Consent is given, and Graph still refuses");
    put_those(w->what, " ", known_as(l, VERDICT_FORBIDDEN), "");
    buf_put_str(w->what, " (403). That is usual for 10 minutes to 2 hours after consent.");
    put_those(w->what, " Not granted: ", known_as(l, VERDICT_MISSING), ".");
    put_when(w->next, "Asked again", l, now);
    if (left_ms > 0) {
        buf_put_str(w->next, "; in ");
        put_duration(w->next, left_ms);
        buf_put_str(w->next, " at the latest it should answer");
    }
    buf_put_str(w->next, ". Then collecting starts by itself.");
    if (l->answering != 0 && life_can_enable(l)) {
        put_those(w->advice,
                  "Nothing has to be done. To collect at once what answers already (",
                  l->answering,
                  "), enable it with a warning.");
    } else if (known_as(l, VERDICT_MISSING) != 0) {
        put_consent_advice(w->advice, l);
    } else {
        buf_put_str(w->advice, "Nothing has to be done but to wait.");
    }
}

static void collecting(const struct life *l, struct now now, const struct words *w)
{
    if (l->wanted == 0) {
        buf_put_str(w->what, "The box is signed in, and nothing is to be collected.");
        buf_put_str(w->next, "It stays signed in.");
        buf_put_str(w->advice, "Add a source to the configuration if something should be.");
        return;
    }
    buf_put_str(w->what, "The box collects; everything that it needs answers.");
    put_those(w->what,
              " Left out, because Graph does not offer it in this cloud, or not any more: ",
              known_as(l, VERDICT_UNAVAILABLE),
              ".");
    put_when(w->next, "Each permission is looked at again", l, now);
    buf_put_char(w->next, '.');
}

static void degraded(const struct life *l, struct now now, const struct words *w)
{
    if (is_cut_off(l)) {
        buf_put_str(w->what, "The box cannot sign in for the time being and collects nothing. ");
        put_cause(l->without, w->what, w->advice);
        put_when(w->next, "The box tries again", l, now);
        buf_put_str(w->next, ", and then collects what came in meanwhile: Graph keeps 30 days.");
        return;
    }
    put_those(w->what, "The box collects with ", l->answering, " only.");
    buf_put_str(w->what, l->answering == 0 ? "The box collects nothing for now." : "");
    put_what_is_lacking(w->what, l);
    put_when(w->next, "The box asks again", l, now);
    buf_put_str(w->next, "; what answers then is collected by itself.");
    put_consent_advice(w->advice, l);
    if (known_as(l, VERDICT_MISSING) == 0) {
        put_forbidden_advice(w->advice, l);
    }
}

static void attention(const struct life *l, struct now now, const struct words *w)
{
    if (l->reason != AUTH_CAUSE_NONE) {
        put_cause(l->reason, w->what, w->advice);
        put_when(w->next, "The box tries again", l, now);
        buf_put_str(w->next, ", and goes on by itself once it is let in.");
        return;
    }
    unsigned forbidden = known_as(l, VERDICT_FORBIDDEN);
    unsigned overdue = l->overdue != 0 ? l->overdue & forbidden : forbidden;
    put_those(w->what,
              "Graph refuses ",
              overdue,
              " (403) for longer than consent takes to spread: somebody has to look.");
    put_those(w->what, " Refused too, and in its time still: ", forbidden & ~overdue, ".");
    buf_put_str(w->what, forbidden == 0 ? "Graph offers nothing of what the box needs." : "");
    put_those(w->what, " Collected is what answers: ", l->answering, ".");
    put_those(w->what, " Not granted: ", known_as(l, VERDICT_MISSING), ".");
    put_those(w->what,
              " Not offered by Graph in this cloud, or not any more: ",
              known_as(l, VERDICT_UNAVAILABLE),
              ".");
    put_when(w->next, "The box asks again", l, now);
    buf_put_str(w->next, ", and goes on by itself once it is answered.");
    put_forbidden_advice(w->advice, l);
    if (forbidden == 0) {
        buf_put_str(w->advice, "Check cloud and permissions in the configuration.");
    }
}

void life_describe(
    const struct life *l, struct now now, struct buf *what, struct buf *next, struct buf *advice)
{
    static void (*const states[LIFE_STATES])(
        const struct life *, struct now, const struct words *) = {
        [LIFE_UNCONFIGURED] = unconfigured,
        [LIFE_AWAITING_CONSENT] = awaiting_consent,
        [LIFE_VALIDATING] = validating,
        [LIFE_PROPAGATING] = propagating,
        [LIFE_COLLECTING] = collecting,
        [LIFE_DEGRADED] = degraded,
        [LIFE_ATTENTION] = attention,
    };

    ASSERT(l->state != LIFE_ILLEGAL && l->state < LIFE_STATES);
    states[l->state](l, now, &(struct words){.what = what, .next = next, .advice = advice});
    bool said = !l->configured || l->state == LIFE_DEGRADED ||
                (l->state == LIFE_UNCONFIGURED && l->reason == AUTH_CAUSE_NONE);
    if (is_cut_off(l) && !said) {
        buf_put_str(what, " At this moment: ");
        bool more = advice->len > 0 && auth_cause_info(l->without)->advice[0] != '\0';
        buf_put_str(advice, more ? " " : "");
        put_cause(l->without, what, advice);
    }
}

// SPDX-License-Identifier: Apache-2.0
#include "auth_switch.h"

#include <inttypes.h>

#include "sys/log.h"

#define DAY_MS INT64_C(86400000)

static bool has_expired(const struct credential_status *c, enum credential_which w, struct wall now)
{
    return c->expires_ms[w] != 0 && now.quality == CLOCK_TRUSTED && c->expires_ms[w] <= now.ms;
}

static const char *kind_of(const struct auth *a)
{
    return a->config->credential == CREDENTIAL_CERTIFICATE ? "certificate" : "secret";
}

/// The day on which one of them ends, or "unknown".
static const char *end_of(const struct auth *a, enum credential_which w, struct buf *text)
{
    if (a->credentials.expires_ms[w] == 0) {
        return "unknown";
    }
    time_put_iso_s(text, a->credentials.expires_ms[w]);
    return buf_terminate(text) ? text->ptr : "unknown";
}

static void look(struct auth *a, struct now now)
{
    enum rc rc = credential_look(a->config, a->store, now, &a->credentials);
    if (rc != RC_OK && rc != a->look_told) {
        LOG_WARN("ev=credential_unreadable cause=%s now=the_other_one_is_used_if_there_is_one "
                 "advice=anteroomctl_status",
                 rc_name(rc));
    }
    a->look_told = rc;
    if (rc == RC_OK && !a->credentials.there[CREDENTIAL_NEXT]) {
        a->next_told = false;
        a->next_try = now.mono; // one that comes is tried at once
    }
}

static bool wants_renewal(const struct auth *a, struct now now)
{
    const struct credential_status *c = &a->credentials;
    return a->config->credential == CREDENTIAL_CERTIFICATE && c->there[CREDENTIAL_NOW] &&
           !c->there[CREDENTIAL_NEXT] && a->look_told == RC_OK &&
           now.wall.quality == CLOCK_TRUSTED &&
           c->expires_ms[CREDENTIAL_NOW] < now.wall.ms + CREDENTIAL_RENEW_DAYS * DAY_MS;
}

static void renew(struct auth *a, struct now now)
{
    bool made = false;
    char text[CLOCK_TEXT_BYTES];
    struct buf end = BUF(text);
    enum rc rc = credential_renew(a->store, span_from_str(a->config->name), now.wall.ms, &made);
    a->renew_due = mono_after(now.mono, AUTH_SWITCH_TRY_MS);
    if (rc != RC_OK) {
        LOG_WARN("ev=certificate_not_renewed cause=%s now=tried_again_in_a_day expires=%s",
                 rc_name(rc),
                 end_of(a, CREDENTIAL_NOW, &end));
    } else if (made) {
        LOG_WARN("ev=certificate_renewed expires=%s "
                 "advice=upload_the_output_of_anteroomctl_certificate_next "
                 "now=the_box_changes_over_within_a_day_of_the_upload",
                 end_of(a, CREDENTIAL_NOW, &end));
        look(a, now);
        a->next_try = a->renew_due; // nobody can have uploaded it yet
    }
}

void auth_switch_look(struct auth *a, struct now now)
{
    look(a, now);
    if (wants_renewal(a, now) && mono_due(a->renew_due, now.mono)) {
        renew(a, now);
    }
}

void auth_switch_begin(struct auth *a, struct now now)
{
    const struct credential_status *c = &a->credentials;
    if (a->second) {
        return;
    }
    auth_switch_look(a, now);
    bool next = c->there[CREDENTIAL_NEXT] &&
                (!c->there[CREDENTIAL_NOW] || has_expired(c, CREDENTIAL_NOW, now.wall) ||
                 mono_due(a->next_try, now.mono));
    a->asking = next ? CREDENTIAL_NEXT : CREDENTIAL_NOW;
}

static void tell_next(struct auth *a, enum auth_cause cause)
{
    if (!a->next_told) {
        LOG_INFO("ev=credential_next_refused kind=%s code=%s now=the_one_in_use_goes_on "
                 "next_try_in_s=%" PRId64 " advice=%s",
                 kind_of(a),
                 auth_cause_info(cause)->code,
                 AUTH_SWITCH_TRY_MS / 1000,
                 a->config->credential == CREDENTIAL_CERTIFICATE
                     ? "upload_the_output_of_anteroomctl_certificate_next"
                     : "anteroomctl_secret_put_next");
    }
    a->next_told = true;
}

bool auth_switch_refused(struct auth *a, enum auth_cause *cause, struct now now)
{
    enum credential_which other = a->asking == CREDENTIAL_NEXT ? CREDENTIAL_NOW : CREDENTIAL_NEXT;
    if (a->asking == CREDENTIAL_NEXT) {
        a->next_try = mono_after(now.mono, AUTH_SWITCH_TRY_MS);
        tell_next(a, *cause);
    }
    if (!a->second && a->credentials.there[other]) {
        a->second = true;
        a->first_cause = *cause;
        a->asking = other;
        return true;
    }
    if (a->second && a->asking == CREDENTIAL_NEXT) {
        *cause = a->first_cause; // of the one in use
    }
    auth_switch_over(a);
    return false;
}

void auth_switch_over(struct auth *a)
{
    a->second = false;
}

static void promote(struct auth *a, const char *why, struct now now)
{
    char text[CLOCK_TEXT_BYTES];
    struct buf end = BUF(text);
    enum rc rc = credential_promote(a->config, a->store);
    if (rc != RC_OK) {
        a->next_try = now.mono;
        LOG_WARN("ev=credential_not_switched kind=%s cause=%s now=used_and_tried_again",
                 kind_of(a),
                 rc_name(rc));
        look(a, now);
        return;
    }
    a->credentials.used = CREDENTIAL_NOW;
    look(a, now);
    LOG_INFO("ev=credential_switched kind=%s why=%s expires=%s "
             "advice=the_old_one_may_be_removed_from_the_app_registration",
             kind_of(a),
             why,
             end_of(a, CREDENTIAL_NOW, &end));
}

void auth_switch_accepted(struct auth *a, struct now now)
{
    const char *why = a->second ? auth_cause_info(a->first_cause)->key : "accepted";
    auth_switch_over(a);
    a->credentials.used = a->asking;
    if (a->asking == CREDENTIAL_NEXT) {
        promote(a, why, now);
    } else {
        look(a, now);
    }
}

// SPDX-License-Identifier: Apache-2.0
// The infrastructure's life: what sign-in, validation and the person behind it say becomes one
// state, and that decides what may collect.
#include "base/bytes.h"
#include "hal/entropy.h"

#include "app/app_state.h"
#include "sys/log.h"

#define KEEP_AGAIN_MS 60000
// When a token is asked for that may name more permissions: while somebody is about to grant them,
// later, and when it may be meant as it is.
#define ASK_SOON_MS     60000
#define ASK_SOON_FOR_MS (15 * 60 * 1000)
#define ASK_LATE_MS     (5 * 60 * 1000)
#define ASK_LATE_FOR_MS (24 * 3600 * 1000)
#define ASK_SELDOM_MS   (3600 * 1000)

#define APPLICATION_PERMISSIONS ((1u << PERMISSION_USER) - 1u)

// ---- building ----

void app_build_validate(struct app *a)
{
    const struct validate_setup validate = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_VALIDATE,
        .ca_pem = a->ca_pem,
    };

    http_release(&a->http, SLOT_VALIDATE);
    validate_init(&a->validate, &validate);
}

void app_build_signin(struct app *a)
{
    const struct signin_setup signin = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_SIGNIN,
        .store = &a->store,
        .ca_pem = a->ca_pem,
    };

    http_release(&a->http, SLOT_SIGNIN);
    signin_init(&a->signin, &signin);
}

/// A life that cannot be read begins anew: everything in it is found out again.
void app_recall_life(struct app *a, struct now now)
{
    struct life_kept kept = {.signed_in = false};
    // Without a configuration it is about nobody: what is kept of a tenant stays for the next life.
    enum rc rc = app_awaits_config(a) ? RC_OK : life_load(&a->store, &a->config, &kept);

    a->keep_due = MONO_NEVER;
    if (rc == RC_STALE) { // at once: anteroomctl tells by it what the box is about
        LOG_INFO("ev=life_begun_anew why=another_tenant_or_application");
        a->keep_due = now.mono;
    } else if (rc != RC_OK) {
        LOG_WARN("ev=life_unreadable cause=%s now=begun_anew text=\"What the box had kept of its "
                 "authorisation cannot be read. It finds it out again. Whoever enabled it with a "
                 "warning has to do so once more.\"",
                 rc_name(rc));
    }
    life_init(&a->life, &kept, now);
    a->life_told = LIFE_ILLEGAL;
    a->ask_due = MONO_NEVER;
    uint8_t random[CONSENT_RANDOM_BYTES];
    hal_entropy_fill(random, sizeof(random));
    consent_make_state(random, a->consent_state);
}

// ---- the step ----

static struct mono keep(struct app *a, bool changed, struct now now)
{
    if (changed) {
        a->keep_due = now.mono;
    }
    if (!mono_due(a->keep_due, now.mono)) {
        return a->keep_due;
    }
    enum rc rc = life_save(&a->store, &a->config, &a->life.kept);
    if (rc != RC_OK) {
        LOG_WARN("ev=life_not_kept cause=%s now=tried_again", rc_name(rc));
    }
    a->keep_due = rc == RC_OK ? MONO_NEVER : mono_after(now.mono, KEEP_AGAIN_MS);
    return a->keep_due;
}

static struct mono step_validate(struct app *a, struct now now)
{
    struct validate_facts facts = {.token_refused = false};
    struct validate_token token = {.authorization = auth_bearer(&a->auth, now),
                                   .generation = auth_generation(&a->auth)};

    token.roles = auth_roles(&a->auth, &token.readable);
    struct mono wake = validate_step(&a->validate, token, now, &facts);
    if (facts.token_refused) {
        auth_reject(&a->auth, facts.refused, now);
        return now.mono;
    }
    if (facts.token_stale) { // 403 with a token that may be from before consent: it stays in use
        auth_renew(&a->auth, now);
        return now.mono;
    }
    return wake;
}

/// Permissions that are granted later stand in a later token only.
static struct mono ask_for_token(struct app *a, struct now now)
{
    bool signed_in = auth_status(&a->auth)->cause == AUTH_CAUSE_NONE;
    bool lacking = a->life.state == LIFE_AWAITING_CONSENT || a->life.state == LIFE_UNCONFIGURED ||
                   (a->life.state == LIFE_DEGRADED && signed_in);
    bool soon = now.mono.ms - a->life.since.ms < ASK_SOON_FOR_MS ||
                now.mono.ms - a->wished.ms < ASK_SOON_FOR_MS;

    if (!lacking || (!signed_in && !soon)) { // then it goes by the sign-in's own pace
        a->ask_due = MONO_NEVER;
        return MONO_NEVER;
    }
    bool long_ago = now.mono.ms - a->life.since.ms > ASK_LATE_FOR_MS;
    int64_t pace_ms = soon ? ASK_SOON_MS : long_ago ? ASK_SELDOM_MS : ASK_LATE_MS;
    if (a->ask_due.ms == MONO_NEVER.ms || a->ask_due.ms - now.mono.ms > pace_ms) {
        a->ask_due = mono_after(now.mono, pace_ms);
    }
    if (mono_due(a->ask_due, now.mono)) {
        auth_renew(&a->auth, now);
        a->ask_due = mono_after(now.mono, pace_ms);
        return now.mono;
    }
    return a->ask_due;
}

static void tell(struct app *a, struct now now)
{
    char text[LIFE_TEXT_BYTES_MAX];
    char rest[LIFE_TEXT_BYTES_MAX];
    struct buf what = BUF(text), other = BUF(rest), advice = BUF(rest);

    if (a->life.state == a->life_told) {
        return;
    }
    a->life_told = a->life.state;
    a->consent_declined = false;
    life_describe(&a->life, now, &what, &other, &advice);
    LOG_INFO("ev=life state=%s code=%s lacking=%u answering=%u text=\"%" PRISPAN "\"",
             life_state_name(a->life.state),
             life_code(&a->life),
             a->life.lacking,
             a->life.answering,
             SPANARG(buf_span(&what)));
}

unsigned app_wanted(const struct app *a)
{
    return a->config.permissions & APPLICATION_PERMISSIONS;
}

/// Without a configuration: nothing to ask for, nothing to keep. What is kept of a tenant stays.
static struct mono step_unconfigured(struct app *a, struct now now)
{
    const struct life_facts facts = {.configured = false,
                                     .config_at = a->config_at,
                                     .config_part = a->config_part,
                                     .auth = AUTH_CAUSE_NO_CREDENTIAL,
                                     .next = MONO_NEVER};
    bool changed = false;
    struct mono wake = life_step(&a->life, &facts, now, &changed);

    tell(a, now);
    return wake;
}

struct mono app_step_life(struct app *a, struct now now)
{
    struct life_facts facts = {
        .configured = true, .auth = auth_status(&a->auth)->cause, .wanted = app_wanted(a)};
    bool changed = false;
    if (app_awaits_config(a)) {
        return step_unconfigured(a, now);
    }
    struct mono wake = app_runs(a, MACHINE_VALIDATE) ? step_validate(a, now) : MONO_NEVER;

    facts.next = facts.auth == AUTH_CAUSE_NONE ? mono_min(validate_next(&a->validate), a->ask_due)
                                               : auth_status(&a->auth)->next_attempt;
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        facts.verdicts[p] = validate_row(&a->validate, (enum config_permission)p)->verdict;
    }
    wake = mono_min(wake, life_step(&a->life, &facts, now, &changed));
    wake = mono_min(wake, keep(a, changed, now));
    wake = mono_min(wake, ask_for_token(a, now));
    if (app_runs(a, MACHINE_SIGNIN)) {
        signin_set_offset(&a->signin, auth_offset_ms(&a->auth));
        wake = mono_min(wake, signin_step(&a->signin, now));
    }
    tell(a, now);
    return wake;
}

// ---- what a person wants (port.c) ----

static void redirected(struct app *a, struct span value, struct now now)
{
    static struct consent_redirect redirect; // large, and holds a code for a moment

    consent_read_redirect(value, a->consent_state, signin_link_state(&a->signin), &redirect);
    if (redirect.kind != CONSENT_NOTHING) { // else anybody may have sent it, as often as they like
        a->wished = now.mono;
        LOG_INFO("ev=wish kind=redirect");
    }
    switch (redirect.kind) {
    case CONSENT_GIVEN: // believed for nothing: look
        auth_renew(&a->auth, now);
        validate_ask(&a->validate, now);
        break;
    case CONSENT_CODE:
        signin_redirected(&a->signin, &redirect, now);
        break;
    case CONSENT_REFUSED:
        if (redirect.sign_in) {
            signin_redirected(&a->signin, &redirect, now);
        } else {
            a->consent_declined = true;
            LOG_INFO("ev=consent_declined error=%s aadsts=%d now=the_link_stays_good",
                     redirect.error,
                     redirect.aadsts);
        }
        break;
    default:
        LOG_DEBUG("ev=redirect_ignored why=not_of_a_link_that_is_out");
        break;
    }
    bytes_wipe(&redirect, sizeof(redirect));
}

void app_wish(struct app *a, const struct status_wish *wish, struct now now)
{
    static const char *const names[] = {
        [STATUS_WISH_SIGN_IN] = "sign_in",
        [STATUS_WISH_DEVICE_CODE] = "device_code",
        [STATUS_WISH_ENABLE] = "enable",
        [STATUS_WISH_VALIDATE] = "validate",
        [STATUS_WISH_FORGET] = "forget",
    };
    char link[CONSENT_LINK_BYTES_MAX];
    struct buf b = BUF(link);
    bool changed = false;

    if (wish->kind == STATUS_WISH_NONE ||
        (app_awaits_config(a) && wish->kind != STATUS_WISH_FORGET)) { // nobody to ask for it
        return;
    }
    if (wish->kind == STATUS_WISH_REDIRECT) {
        redirected(a, wish->value, now);
        return;
    }
    a->wished = now.mono;
    LOG_INFO("ev=wish kind=%s", names[wish->kind]);
    switch (wish->kind) {
    case STATUS_WISH_SIGN_IN:
        if (signin_begin_link(&a->signin, now, &b) != RC_OK) {
            LOG_INFO("ev=sign_in_waits why=time_unknown");
        }
        break;
    case STATUS_WISH_DEVICE_CODE:
        signin_begin_device(&a->signin, now);
        break;
    case STATUS_WISH_ENABLE:
        life_enable_with_warning(&a->life, &changed);
        (void)keep(a, changed, now);
        break;
    case STATUS_WISH_VALIDATE:
        auth_renew(&a->auth, now);
        validate_ask(&a->validate, now);
        break;
    default:
        app_ask_forget(a, now);
        break;
    }
    bytes_wipe(link, sizeof(link));
}

// SPDX-License-Identifier: Apache-2.0
#include "signin_cause.h"

#include "base/assert.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// clang-format off
static const struct {
    const char *name, *text;
} infos[SIGNIN_CAUSES] = {
    [SIGNIN_CAUSE_NONE] = { "none", "" },
    [SIGNIN_CAUSE_DECLINED] = { "declined",
        "The sign-in was declined. Nothing was changed; begin again if that was a mistake." },
    [SIGNIN_CAUSE_EXPIRED] = { "expired",
        "Nobody signed in before the code expired, or it was used already. Begin again; if the "
        "sign-in page says that access is blocked, the tenant forbids codes: use the link." },
    [SIGNIN_CAUSE_BLOCKED] = { "blocked",
        "A policy of the tenant blocks this sign-in (Conditional Access; many tenants block device"
        " code sign-in). The box does not try again. Sign in by the link, or let the policy's "
        "owner look up the sign-in in Entra's log." },
    [SIGNIN_CAUSE_CONSENT] = { "consent",
        "User.Read is not granted to the application, so the box cannot tell who signed in. Let an"
        " administrator grant it, then sign in again." },
    [SIGNIN_CAUSE_MFA] = { "mfa",
        "More is asked of the person than was given, for example a second factor. Sign in again by"
        " the link, and complete every step." },
    [SIGNIN_CAUSE_REVOKED] = { "revoked",
        "The sign-in is no longer valid: it expired, was revoked, or the password was changed. "
        "Collecting goes on. Sign in again to show who authorised this box." },
    [SIGNIN_CAUSE_TENANT] = { "tenant",
        "The person belongs to another tenant. Nothing of theirs was kept; sign in with an account"
        " of the configured tenant." },
    [SIGNIN_CAUSE_CONFIGURATION] = { "configuration",
        "The sign-in host refuses the request as it is configured. Check that sign_in.redirect_uri"
        " is registered exactly so, that client_id and tenant_id are right, and for device code "
        "that public client flows are allowed or the credential is accepted." },
    [SIGNIN_CAUSE_NETWORK] = { "network",
        "The sign-in host or Graph gave no usable answer. Check name lookup, firewall and proxy, "
        "then begin again." },
    [SIGNIN_CAUSE_STORE] = { "store",
        "The box could not keep the sign-in in its token store, so it was not used. Look for "
        "ev=signin_not_kept in its log, then begin again." },
};

#define NUMBERS_MAX 20u

static const struct {
    enum signin_cause cause;
    int aadsts[NUMBERS_MAX]; // the rest is 0
} numbers[] = {
    { SIGNIN_CAUSE_DECLINED, { 65004 } },
    { SIGNIN_CAUSE_EXPIRED, { 70019, 70018, 54005, 50134 } },
    // 50199: the person is to confirm something in a browser, which this flow cannot show.
    { SIGNIN_CAUSE_BLOCKED,
      { 53003, 53000, 53001, 53002, 53004, 50131, 530032, 530031, 530034, 50199, 50105, 50057 } },
    { SIGNIN_CAUSE_CONSENT, { 65001, 90094, 90095, 90008 } },
    { SIGNIN_CAUSE_MFA,
      { 50076, 50079, 50072, 50074, 50078, 50158, 50055, 50058, 50144, 50203 } },
    { SIGNIN_CAUSE_REVOKED,
      { 700082, 700084, 70000, 50089, 50173, 50133, 50132, 70043, 700081, 70044 } },
    { SIGNIN_CAUSE_TENANT, { 50020, 50034, 51004, 16000, 90072, 500213, 500212, 50128 } },
    { SIGNIN_CAUSE_CONFIGURATION,
      { 50011, 500113, 700016, 70001, 7000112, 90002, 90038, 900382, 900432, 700054, 7000218,
        700025, 9002325, 501481, 900971, 9002327, 7000215, 7000222, 700027, 70002 } },
    { SIGNIN_CAUSE_CONFIGURATION,
      { 50012, 50013, 500133, 700024, 70011, 28002, 28003, 700022, 500011, 650052, 650056, 650057,
        70003 } },
    { SIGNIN_CAUSE_NETWORK, { 50196, 90055, 90033, 90090, 90006, 90024, 90012, 50033, 50087 } },
};

static const struct {
    const char *error;
    enum signin_cause cause;
} errors[] = {
    { "temporarily_unavailable", SIGNIN_CAUSE_NETWORK },
    { "server_error", SIGNIN_CAUSE_NETWORK },
    { "slow_down", SIGNIN_CAUSE_NETWORK }, // of a poll: see signin.c
    { "authorization_declined", SIGNIN_CAUSE_DECLINED },
    { "access_denied", SIGNIN_CAUSE_DECLINED },
    { "expired_token", SIGNIN_CAUSE_EXPIRED },
    { "bad_verification_code", SIGNIN_CAUSE_EXPIRED },
    { "consent_required", SIGNIN_CAUSE_CONSENT },
    { "interaction_required", SIGNIN_CAUSE_MFA },
    { "login_required", SIGNIN_CAUSE_MFA },
    { "invalid_grant", SIGNIN_CAUSE_EXPIRED }, // or REVOKED, of a refresh token
};

// clang-format on

const char *signin_cause_name(enum signin_cause c)
{
    ASSERT(c < SIGNIN_CAUSES);
    return infos[c].name;
}

const char *signin_cause_text(enum signin_cause c)
{
    ASSERT(c < SIGNIN_CAUSES);
    return infos[c].text;
}

static enum signin_cause by_number(int aadsts)
{
    for (size_t i = 0; i < COUNT(numbers) * NUMBERS_MAX; i++) {
        if (aadsts != 0 && numbers[i / NUMBERS_MAX].aadsts[i % NUMBERS_MAX] == aadsts) {
            return numbers[i / NUMBERS_MAX].cause;
        }
    }
    return SIGNIN_CAUSE_NONE;
}

static enum signin_cause by_error(struct span error)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (span_equal(span_from_str(errors[i].error), error)) {
            return errors[i].cause;
        }
    }
    return SIGNIN_CAUSE_CONFIGURATION; // invalid_client, invalid_scope ..., and what may come
}

enum signin_cause
signin_cause_of(enum signin_ask ask, struct span error, int aadsts, int http_status)
{
    bool passing = http_status == 429 || http_status >= 500;
    enum signin_cause told = error.len > 0 ? by_error(error) : SIGNIN_CAUSE_NETWORK;
    if (passing || (told == SIGNIN_CAUSE_NETWORK && error.len > 0)) {
        return SIGNIN_CAUSE_NETWORK; // a number cannot make "try again" wait for a person
    }
    enum signin_cause cause = by_number(aadsts);
    cause = cause != SIGNIN_CAUSE_NONE ? cause : told;
    // 70008 and invalid_grant itself: the same word for a code that nobody used in time and for a
    // refresh token that is of no use any more.
    bool worn = cause == SIGNIN_CAUSE_EXPIRED || cause == SIGNIN_CAUSE_REVOKED;
    if (!worn) {
        return cause;
    }
    return ask == SIGNIN_ASK_REFRESH ? SIGNIN_CAUSE_REVOKED : SIGNIN_CAUSE_EXPIRED;
}

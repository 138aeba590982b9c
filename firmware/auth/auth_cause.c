// SPDX-License-Identifier: Apache-2.0
#include "auth/auth_cause.h"

#include "base/assert.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// clang-format off
static const struct auth_cause_info infos[AUTH_CAUSE_COUNT] = {
    [AUTH_CAUSE_NONE] = { "A00", "none",
        "Signed in.",
        "",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_STARTING] = { "A01", "starting",
        "No token yet: the box is asking for one.",
        "",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_NO_CREDENTIAL] = { "A02", "no_credential",
        "The box has nothing to sign in with.",
        "Put the secret with 'anteroomctl secret put --state DIR client-secret', or make and "
        "upload the certificate with 'anteroomctl certificate --state DIR'.",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_CLOCK] = { "A03", "clock",
        "The time is not known yet, or differs from what the sign-in host has.",
        "If this lasts, look for ev=time_unknown in the log of the box.",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_NETWORK] = { "A04", "network",
        "The sign-in host gave no answer.",
        "If this lasts, check name lookup, firewall and proxy.",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_TRUST] = { "A05", "trust",
        "The certificate of the sign-in host is not Microsoft's: something on the way opens "
        "TLS.",
        "Exempt the box from TLS inspection.",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_SERVICE] = { "A06", "service",
        "The sign-in service has a problem of its own.",
        "",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_THROTTLED] = { "A07", "throttled",
        "The sign-in service asks for fewer requests.",
        "Look for another program that uses the same application.",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_SECRET_WRONG] = { "A08", "secret_wrong",
        "The secret is wrong.",
        "Store the secret's value (not its ID) with 'anteroomctl secret put --state DIR "
        "client-secret'.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_SECRET_EXPIRED] = { "A09", "secret_expired",
        "The secret has expired.",
        "Make a new one in the app registration and store it with 'anteroomctl secret put "
        "--state DIR --expires DATE client-secret', or change to the certificate.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_CERT_REJECTED] = { "A10", "cert_rejected",
        "The certificate of the box is not known to the application, or not accepted.",
        "Upload the box's certificate to the app registration (Certificates & secrets): its "
        "status page offers it, and 'anteroomctl certificate --state DIR' prints it.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_CERT_EXPIRED] = { "A11", "cert_expired",
        "The certificate of the box has expired.",
        "The box has made the next one and changes over by itself: upload what 'anteroomctl "
        "certificate --next --state DIR' prints.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_APP_UNKNOWN] = { "A12", "app_unknown",
        "The application is not in this tenant or is disabled.",
        "Check client_id and tenant_id, and the enterprise application.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_TENANT_UNKNOWN] = { "A13", "tenant_unknown",
        "The tenant does not exist in this cloud.",
        "Check tenant_id and cloud.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_WRONG_CLOUD] = { "A14", "wrong_cloud",
        "The tenant lives in another cloud.",
        "Correct cloud in the configuration.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_CONSENT] = { "A15", "consent",
        "An administrator has not granted the application's permissions.",
        "Open the consent link as an administrator and accept, or grant admin consent in the "
        "app registration.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_POLICY] = { "A16", "policy",
        "A Conditional Access policy of the tenant refuses the box.",
        "Give its administrator the trace_id of the box's log.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_CONFIGURATION] = { "A17", "configuration",
        "The sign-in service refuses the request as it is configured.",
        "Check cloud, tenant_id, client_id, credential and the app registration.",
        AUTH_PACE_SLOW },
    [AUTH_CAUSE_NONSENSE] = { "A18", "nonsense",
        "The answer was none of the sign-in service's.",
        "A proxy or login portal may be in the way: exempt the box from it.",
        AUTH_PACE_QUICK },
    [AUTH_CAUSE_STORE_BUSY] = { "A19", "store_busy",
        "The token store's device (TPM) is busy or locked out for now.",
        "If this lasts for hours, restart the machine.",
        AUTH_PACE_QUICK },
};

#define NUMBERS_MAX 24u

static const struct {
    enum auth_cause cause;
    int aadsts[NUMBERS_MAX]; // the rest is 0
} numbers[] = {
    { AUTH_CAUSE_SECRET_WRONG, { 7000215, 70002 } },
    { AUTH_CAUSE_SECRET_EXPIRED, { 7000222 } },
    // The last twelve are of refresh tokens, passwords and device codes, which this flow has not:
    // the request is not what we think it is.
    { AUTH_CAUSE_CONFIGURATION,
      { 7000218, 700025, 500011, 650057, 650052, 70011, 28002, 700022, 70008, 700082, 700084,
        70000, 50089, 50173, 50133, 50132, 70043, 70016, 70018, 70019 } },
    { AUTH_CAUSE_CERT_REJECTED, { 700027, 50012, 50013 } },
    { AUTH_CAUSE_CLOCK, { 500133, 700024 } },
    { AUTH_CAUSE_APP_UNKNOWN, { 700016, 70001, 7000112 } },
    { AUTH_CAUSE_TENANT_UNKNOWN, { 90002 } },
    { AUTH_CAUSE_WRONG_CLOUD, { 90038, 900382, 900432 } },
    { AUTH_CAUSE_CONSENT, { 65001, 90094, 65004 } },
    // Multi-factor sign-in (the first five) cannot be asked of an application by right: a policy
    // catches more than it should.
    { AUTH_CAUSE_POLICY, { 50076, 50079, 50072, 50074, 50078, 53003, 53000, 50131, 530032 } },
    { AUTH_CAUSE_THROTTLED, { 50196, 90055 } },
    { AUTH_CAUSE_SERVICE, { 90033, 90090, 90006, 90024, 90012, 50033, 50087 } },
};

static const struct {
    const char *error;
    enum auth_cause cause;
} errors[] = {
    { "temporarily_unavailable", AUTH_CAUSE_SERVICE }, { "server_error", AUTH_CAUSE_SERVICE },
    { "slow_down", AUTH_CAUSE_THROTTLED },
    { "invalid_client", AUTH_CAUSE_CERT_REJECTED }, // or SECRET_WRONG: see auth.c
    { "unauthorized_client", AUTH_CAUSE_APP_UNKNOWN },
    { "consent_required", AUTH_CAUSE_CONSENT },
    { "interaction_required", AUTH_CAUSE_POLICY }, { "access_denied", AUTH_CAUSE_POLICY },
    { "login_required", AUTH_CAUSE_POLICY },
};

// clang-format on

const struct auth_cause_info *auth_cause_info(enum auth_cause cause)
{
    ASSERT(cause < AUTH_CAUSE_COUNT);
    return &infos[cause];
}

static enum auth_cause cause_of_number(int aadsts)
{
    for (size_t i = 0; i < COUNT(numbers) * NUMBERS_MAX; i++) {
        if (aadsts != 0 && numbers[i / NUMBERS_MAX].aadsts[i % NUMBERS_MAX] == aadsts) {
            return numbers[i / NUMBERS_MAX].cause;
        }
    }
    return AUTH_CAUSE_NONE;
}

static enum auth_cause cause_of_error(struct span error)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (span_equal(span_from_str(errors[i].error), error)) {
            return errors[i].cause;
        }
    }
    // "Every other error needs a human": invalid_request, invalid_scope, invalid_resource, and what
    // may come.
    return AUTH_CAUSE_CONFIGURATION;
}

static enum auth_cause cause_of_status(int http_status)
{
    if (http_status == 429) {
        return AUTH_CAUSE_THROTTLED;
    }
    return http_status >= 500 ? AUTH_CAUSE_SERVICE : AUTH_CAUSE_NONSENSE;
}

enum auth_cause auth_cause_of(struct span error, int aadsts, int http_status)
{
    // Microsoft: decide by `error`, numbers may change. So a number only refines; it cannot make an
    // error that says "try again" into one that waits for a person.
    enum auth_cause refined = cause_of_number(aadsts);
    enum auth_cause by_error = error.len > 0 ? cause_of_error(error) : cause_of_status(http_status);
    if (by_error == AUTH_CAUSE_SERVICE || by_error == AUTH_CAUSE_THROTTLED) {
        return refined == AUTH_CAUSE_THROTTLED ? refined : by_error;
    }
    if (refined != AUTH_CAUSE_NONE) {
        return refined;
    }
    if (error.len > 0 && cause_of_status(http_status) != AUTH_CAUSE_NONSENSE) {
        return cause_of_status(http_status);
    }
    return by_error;
}

// SPDX-License-Identifier: Apache-2.0
#include "app/led_code.h"

static enum led_code code_of_auth(const struct led_facts *f)
{
    switch (f->auth) {
    case AUTH_CAUSE_NONE:
    case AUTH_CAUSE_STARTING:
    case AUTH_CAUSE_NO_CREDENTIAL: // see waits_for_setup
        return LED_CODE_NORMAL;
    case AUTH_CAUSE_NETWORK:
    case AUTH_CAUSE_NONSENSE: // a login portal
        return LED_CODE_NETWORK;
    case AUTH_CAUSE_CLOCK: // without a known time it only waits for one
        return f->time_known ? LED_CODE_TIME : LED_CODE_NORMAL;
    case AUTH_CAUSE_TRUST:
        return LED_CODE_TIME;
    case AUTH_CAUSE_SERVICE:
    case AUTH_CAUSE_THROTTLED:
        return LED_CODE_BUFFERING; // their trouble, and passing
    default:
        return LED_CODE_REFUSED;
    }
}

/// A known time lasts: it takes more than one failure to say something about the box.
static enum led_code code_of_time(const struct led_facts *f)
{
    if (f->time_failures < (f->time_known ? LED_FAILURES_MANY : 1u)) {
        return LED_CODE_NORMAL;
    }
    return f->time == TIMESYNC_CAUSE_NETWORK ? LED_CODE_NETWORK : LED_CODE_TIME;
}

static enum led_code code_of_graph(const struct led_facts *f)
{
    if (f->forbidden) {
        return LED_CODE_REFUSED;
    }
    if (f->graph_failures < LED_FAILURES_MANY) {
        return LED_CODE_NORMAL;
    }
    switch (f->graph) {
    case FETCH_FAIL_NETWORK:
        return LED_CODE_NETWORK;
    case FETCH_FAIL_THROTTLED:
    case FETCH_FAIL_SERVER:
        return LED_CODE_BUFFERING;
    default: // one request's matter
        return LED_CODE_NORMAL;
    }
}

static enum led_code lower(enum led_code a, enum led_code b)
{
    return a < b ? a : b;
}

/// The rest of a life: a state of set-up that another machine's trouble keeps from being one is no
/// trouble of its own.
static enum led_code code_of_life(const struct led_facts *f)
{
    bool refused = f->life == LIFE_ATTENTION || (f->life == LIFE_DEGRADED && f->permission_refused);

    return refused ? LED_CODE_REFUSED : LED_CODE_NORMAL;
}

static bool waits_for_setup(const struct led_facts *f)
{
    switch (f->life) {
    case LIFE_AWAITING_CONSENT:
    case LIFE_PROPAGATING:
        return true;
    case LIFE_VALIDATING:
        return !f->collected;
    case LIFE_UNCONFIGURED: // by the word of Entra, or with nothing to show to it, or nobody to ask
        return f->no_configuration || f->auth == AUTH_CAUSE_NO_CREDENTIAL ||
               code_of_auth(f) == LED_CODE_REFUSED;
    default:
        return f->auth == AUTH_CAUSE_NO_CREDENTIAL;
    }
}

enum led_code led_code_of(const struct led_facts *f)
{
    enum led_code code = lower(code_of_auth(f), lower(code_of_time(f), code_of_graph(f)));

    code = lower(code, code_of_life(f));
    code = f->sink_failing ? lower(code, LED_CODE_BUFFERING) : code;
    code = f->filled ? lower(code, LED_CODE_FULL) : code;
    if (waits_for_setup(f) && code != LED_CODE_NETWORK && code != LED_CODE_TIME) {
        return LED_CODE_UNPROVISIONED;
    }
    return f->credential_ends && code == LED_CODE_NORMAL ? LED_CODE_TIME : code;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Which code the LED is to show (app/led_pattern.h), from what the machines say of themselves.
 * Pure.
 * Order:  the lowest number that holds. "Waiting for setup" (4) holds when nothing is wrong but
 * that somebody has to set the box up: not while the network (5) or time and trust (6) are missing,
 * which have to be there first. A credential that ends soon (6) is a warning, and gives way to
 * every trouble of the moment: it would hide them for a month.
 */
#ifndef APP_LED_CODE_H
#define APP_LED_CODE_H
#include "app/led_pattern.h"
#include "auth/auth_cause.h"
#include "auth/life.h"
#include "graph/fetch.h"
#include "timesync/cause.h"

#define LED_FAILURES_MANY 3u ///< in a row: no longer a moment's trouble

struct led_facts {
    bool time_known;
    uint32_t time_failures; ///< in a row
    enum timesync_cause time;
    enum auth_cause auth;
    enum life_state life;
    bool no_configuration;     ///< nobody is asked for anything
    bool collected;            ///< before, since consent was given: what is validated now is no
                               ///< setup
    bool permission_refused;   ///< not granted, or 403
    bool credential_ends;      ///< the one in use, within CREDENTIAL_WARN_DAYS
    uint32_t graph_failures;   ///< in a row
    enum fetch_fail graph;     ///< the latest of them
    bool forbidden;            ///< Graph does not give what was asked for
    bool sink_failing, filled; ///< a sink; the store nearly
};

/// The lowest code that holds, of those from LED_CODE_UNPROVISIONED on.
enum led_code led_code_of(const struct led_facts *f);

#endif

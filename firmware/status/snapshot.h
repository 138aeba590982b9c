// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the box may say of itself to whoever can reach its status port, and nothing else: a value
 * that is not in here cannot be shown. Plain data, filled by app/ once per answer.
 * Never:  tokens, keys, URLs with queries, tenant and application ids, addresses or names of the
 *         customer's systems (a sink has the name that the operator gave it), user names but the
 *         one who authorised the box, collected data, the whole serial number, texts
 *         of remote servers but a device code and its address. The links to consent and to sign in
 *         carry ids: they are on the page alone, while a state or a sign-in needs them. File paths
 *         but one: where the configuration belongs, while there is none.
 * Memory: strings are borrowed for the rendering; "" where there is nothing.
 */
#ifndef STATUS_SNAPSHOT_H
#define STATUS_SNAPSHOT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define SNAPSHOT_PERMISSIONS_MAX 4u
#define SNAPSHOT_SOURCES_MAX     5u
#define SNAPSHOT_SINKS_MAX       CONFIG_SINKS_MAX
#define SNAPSHOT_MINUTES         60u
#define SNAPSHOT_NEVER           INT64_MIN

enum snapshot_level {
    SNAPSHOT_GOOD = 1, ///< works
    SNAPSHOT_WAIT,     ///< waits for something that comes by itself
    SNAPSHOT_SETUP,    ///< waits for a person, as planned
    SNAPSHOT_WARN,     ///< works in part, or will not for long
    SNAPSHOT_BAD,      ///< a person has to do something
};

struct snapshot_permission {
    const char *name, *gives, *verdict, *text; ///< auth/permission.h's words
    bool wanted, delegated;
    enum snapshot_level level;
    int64_t age_s; ///< of the verdict; SNAPSHOT_NEVER
};

struct snapshot_source {
    const char *name;  ///< "call_records"
    const char *state; ///< "on", "waiting", "unavailable", "off"
    const char *text;  ///< why, for people
    enum snapshot_level level;
    uint64_t listed, done, quarantined, requests, throttled, failures, restarts;
    uint32_t pending;
    int64_t last_age_s; ///< since something was collected; SNAPSHOT_NEVER
};

struct snapshot_sink {
    const char *name;           ///< the operator's
    const char *state, *reason; ///< ship.h's words
    enum snapshot_level level;
    uint64_t sent, dead, batches, retries;
    uint64_t backlog;     ///< events that it does not have yet
    int64_t oldest_age_s; ///< of the oldest of them; SNAPSHOT_NEVER
    int64_t last_age_s;   ///< since something was accepted; SNAPSHOT_NEVER
};

struct snapshot_credential {
    bool there;
    bool certificate;     ///< else a secret
    int64_t expires_in_s; ///< SNAPSHOT_NEVER: not known
    char thumbprint[65];  ///< hex SHA-256 of a certificate, "" of a secret
};

/// The person behind the delegated part.
struct snapshot_signin {
    const char *state, *text;
    const char *who;                   ///< "" if nobody
    int64_t age_s;                     ///< since the sign-in; SNAPSHOT_NEVER
    const char *user_code, *verify_at; ///< device code in progress; ""
    const char *link;                  ///< sign-in link in progress; "". Page only
    int64_t left_s;
};

struct snapshot {
    // ---- the state ----
    const char *name;      ///< the infrastructure's
    const char *state;     ///< life_state_name
    bool no_configuration; ///< nobody can be asked for anything: what asks makes no sense
    enum snapshot_level level;
    struct span what, next, advice; ///< sentences; any may be empty but the first
    const char *reason;             ///< stable code of what is in the way ("A10"), or ""
    unsigned led_code;
    const char *led_shows;      ///< how the LED shows it: "amber, 6 flashes"
    int64_t propagation_left_s; ///< SNAPSHOT_NEVER outside of it
    bool can_enable;            ///< "enable with a warning" makes sense now
    bool enabled_with_warning;
    bool consent_wanted;      ///< the consent link is of use in this state
    const char *consent_link; ///< page only
    // ---- parts ----
    struct snapshot_permission permissions[SNAPSHOT_PERMISSIONS_MAX];
    unsigned permissions_count;
    struct snapshot_source sources[SNAPSHOT_SOURCES_MAX];
    unsigned sources_count;
    struct snapshot_sink sinks[SNAPSHOT_SINKS_MAX];
    unsigned sinks_count;
    struct snapshot_credential credential, credential_next;
    struct snapshot_signin signin;
    uint64_t tokens, token_failures;
    // ---- the last hour ----
    uint32_t collected[SNAPSHOT_MINUTES], sent[SNAPSHOT_MINUTES]; ///< events; [0] is now
    // ---- the box ----
    const char *board, *serial_end; ///< last four
    char serial_hash[17];           ///< hex, first 8 bytes of the SHA-256
    const char *build;              ///< build id, no versions of libraries
    const char *clock;              ///< "unknown", "floor", "trusted"
    int64_t wall_ms;                ///< 0 while unknown
    uint64_t uptime_s;
    const char *restart_cause;
    uint32_t boots, level_of_ladder;
    const char *token_class; ///< "tpm", "file", "ram"
    bool holding;            ///< the ladder is exhausted
    uint64_t store_events, store_bytes, store_quota_bytes, dead_events;
    uint32_t store_percent;
    int64_t oldest_age_s; ///< of what is held; SNAPSHOT_NEVER
    uint64_t heap_used_bytes, heap_peak_bytes, heap_bytes, wakeups;
    int64_t watchdog_slack_ms;
    // ---- the port itself ----
    char fingerprint[65]; ///< hex SHA-256 of the TLS certificate
    uint64_t port_requests, port_refused;
};

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct app: the whole program's memory, in the order in which it is started.
 */
#ifndef APP_APP_STATE_H
#define APP_APP_STATE_H
#include "base/crypto.h"
#include "hal/button.h"
#include "hal/console.h"
#include "hal/identity.h"
#include "hal/led.h"
#include "hal/reset.h"
#include "hal/stall.h"
#include "hal/tokenstore.h"
#include "hal/watchdog.h"

#include "app/app.h"
#include "app/files.h"
#include "app/health.h"
#include "app/hour.h"
#include "app/led_pattern.h"
#include "auth/auth.h"
#include "auth/auth_state.h"
#include "auth/consent.h"
#include "auth/life_kept.h"
#include "auth/setup_code.h"
#include "auth/signin_state.h"
#include "auth/validate_state.h"
#include "config/config.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "loop/loop.h"
#include "net/http.h"
#include "net/http_state.h"
#include "net/serve_state.h"
#include "ship/ship.h"
#include "ship/ship_state.h"
#include "spool/spool.h"
#include "spool/spool_state.h"
#include "status/render.h"
#include "status/status_state.h"
#include "sys/arrival.h"
#include "sys/confine.h"
#include "timesync/timesync.h"
#include "timesync/timesync_state.h"

/// Transfers, by purpose.
enum app_slot {
    SLOT_AUTH = 0,
    SLOT_TIME = 1,                           ///< one per host
    SLOT_GRAPH = SLOT_TIME + TIMESYNC_HOSTS, ///< list, then one per lane
    SLOT_SINKS = SLOT_GRAPH + 1 + CONFIG_GRAPH_LANES,
    SLOT_VALIDATE = SLOT_SINKS + CONFIG_SINKS_MAX,
    SLOT_SIGNIN,
    SLOT_COUNT,
};

_Static_assert(SLOT_COUNT <= HTTP_TRANSFERS_MAX, "one transfer for every purpose");

#define APP_CA_BYTES_MAX (32u * 1024u)

/// The oldest event that some sink does not have, as last looked for.
struct app_oldest {
    struct mono due;
    uint64_t seq;
    int64_t collected_ms; ///< wall; 0: not known
};

/// What the status port and the console line are made of.
struct app_port {
    struct snapshot snapshot;
    char what[LIFE_TEXT_BYTES_MAX], next[LIFE_TEXT_BYTES_MAX], advice[LIFE_TEXT_BYTES_MAX];
    char link[CONSENT_LINK_BYTES_MAX];
    char pem[CRYPTO_CERT_PEM_BYTES_MAX];
    char fingerprint[2u * SHA256_BYTES + 1u]; ///< of the port's certificate
    char build[24];
    struct app_oldest oldest;
    struct mono collected_at, sent_at[CONFIG_SINKS_MAX]; ///< last; 0: not since the start
    uint64_t sent[CONFIG_SINKS_MAX];
    struct mono line_due;
    struct mono forget_at; ///< this life ends for it; MONO_NEVER
    bool forget_failed;    ///< nothing was forgotten, and a person believes so
    struct mono trim_due;  ///< memory of connections that are gone; MONO_NEVER: given back
    uint64_t records;      ///< done, as of the last turn
    bool flows;            ///< the last hour has begun
};

struct app {
    struct options options;
    struct config config;
    struct arrival arrival; ///< of the configuration, while there is none
    char config_at[160];    ///< then: where it belongs, for people
    bool config_part;       ///< then: something is there, and it does not end
    int state_fd;           ///< STATE; from app_become on it is also the working directory
    struct confine confine;
    const char *memory; ///< what of it is locked: a word for the log
    struct now started;
    struct watchdog watchdog;
    struct led led;
    struct button button;
    struct console console;
    struct identity identity;
    struct stall stall;
    struct reset reset;
    struct tokenstore store;
    struct tokenstore_findings store_findings;
    struct spool spool;
    struct loop loop;
    struct http http;
    struct timesync timesync;
    struct auth auth;
    struct graph graph;
    bool graph_ready; ///< begun, once the time was known
    struct ship ships[CONFIG_SINKS_MAX];
    struct validate validate;
    struct signin signin;
    struct life life;
    enum life_state life_told; ///< in a log line
    struct mono keep_due;      ///< what the life has to keep, not kept yet; MONO_NEVER: nothing
    struct mono ask_due;       ///< for a token that may name more permissions
    struct mono wished;        ///< a person asked for something, last
    bool consent_declined;     ///< by whoever followed the link, in this state
    char consent_state[CONSENT_STATE_BYTES];
    struct serve serve;
    struct status status;
    struct hour hour;
    struct app_port port;

    struct health health;
    struct led_pattern pattern;
    enum led_code code_told; ///< in a log line
    enum led_colour shown;
    struct mono note_due;
    bool led_failing, feed_failing;
    uint32_t failing;    ///< machines that failed often in a row, one bit each
    unsigned unwritable; ///< records that could not be written, one bit each

    int signal_fd;
    bool begun; ///< the start came to its end: turns can be made
    bool stop;
    enum exit_code exit_code; ///< when stopped
    char words[96];           ///< then: why, if it is for a restart
    bool by_hand;             ///< then: because of what a person did, not of any trouble
    struct mono commit_due;   ///< MONO_NEVER: nothing staged
    bool commit_failing;
    enum spool_found store_found;
    char store_reason[128]; ///< SPOOL_FOUND_BROKEN: why, printable
    bool trimmed;           ///< memory was given back since the last work
    struct span ca_pem;     ///< sandbox trust, or empty

    struct json_token tokens[CONFIG_JSON_TOKENS_MAX];
    char ca_bytes[APP_CA_BYTES_MAX];
    char line[SPOOL_EVENT_BYTES_MAX];
    char shell[GRAPH_SHELL_BYTES];
    char scratch[SPOOL_BLOCK_RAW_BYTES_MAX];
    char text[CONFIG_TEXT_BYTES_MAX];
};

_Static_assert(sizeof(struct app) <= CONFIG_APP_RAM_KIB * 1024u,
               "RAM budget of the board (CONFIG_APP_RAM_KIB)");

#include "app/parts.h"

#endif

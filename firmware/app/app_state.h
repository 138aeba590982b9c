// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct app: the whole program's memory, in the order in which it is started.
 */
#ifndef APP_APP_STATE_H
#define APP_APP_STATE_H
#include "hal/button.h"
#include "hal/identity.h"
#include "hal/led.h"
#include "hal/reset.h"
#include "hal/stall.h"
#include "hal/tokenstore.h"
#include "hal/watchdog.h"

#include "app/app.h"
#include "app/files.h"
#include "app/health.h"
#include "app/led_pattern.h"
#include "auth/auth.h"
#include "auth/auth_state.h"
#include "config/config.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "loop/loop.h"
#include "net/http.h"
#include "net/http_state.h"
#include "ship/ship.h"
#include "ship/ship_state.h"
#include "spool/spool.h"
#include "spool/spool_state.h"
#include "sys/confine.h"
#include "timesync/timesync.h"
#include "timesync/timesync_state.h"

/// Transfers, by purpose.
enum app_slot {
    SLOT_AUTH = 0,
    SLOT_TIME = 1,                           ///< one per host
    SLOT_GRAPH = SLOT_TIME + TIMESYNC_HOSTS, ///< list, then one per lane
    SLOT_SINKS = SLOT_GRAPH + 1 + CONFIG_GRAPH_LANES,
    SLOT_COUNT = SLOT_SINKS + CONFIG_SINKS_MAX,
};

_Static_assert(SLOT_COUNT <= HTTP_TRANSFERS_MAX, "one transfer for every purpose");

#define APP_CA_BYTES_MAX (32u * 1024u)

struct app {
    struct options options;
    struct config config;
    int state_fd; ///< STATE; from app_become on it is also the working directory
    struct confine confine;
    const char *memory; ///< what of it is locked: a word for the log
    struct now started;
    struct watchdog watchdog;
    struct led led;
    struct button button;
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

// ---- app.c ----

/// What is listed, and what expires, is a matter of wall time; and a token is shown to nobody whose
/// certificate's dates could not be checked.
bool app_time_is_known(struct now now);

// ---- start_config.c ----

/// One line for people on standard error: what is wrong with what, and what they can do.
void app_say(const char *what, const char *subject, const char *advice);
/// Read configuration and trust; faults are written to standard error. Shared with --check.
enum exit_code app_read_config(struct app *a);

// ---- start.c ----
bool app_end_asked(void); ///< a signal to end waits, while the box starts
/// Open and build everything, in order, up to `begun` unless we are asked to end before. What is
/// wrong was said, and is left as last words.
enum exit_code app_start(struct app *a);
void app_finish(struct app *a);

// ---- confined.c ----

/// The working directory is STATE once we have become its owner.
#define APP_STATE "."

/// Open STATE as a directory. What is wrong was said.
enum exit_code app_open_state(struct app *a);
/// Become STATE's owner, without any capability. What is wrong was said.
enum exit_code app_become(struct app *a);
/// Whether the limit on locked memory has room for the token store, the pool and `more` bytes.
bool app_lockable(size_t more);
/// Shut everything that a running box does not need. What is wrong was said.
enum exit_code app_lock(struct app *a);
/// Whether lookups fail because the resolver's files were replaced; said, if so.
bool app_resolver_lost(struct app *a);

// ---- secrets.c ----

/// Which keys of the box a configuration asks for.
struct app_needs {
    bool sign_in, tls;
};
struct app_needs app_needs(const struct config *c);
/// The token store's device, before privileges are given up. What is wrong was said.
enum exit_code app_attach_secrets(struct app *a);
/// The token store itself, and the keys that the configuration needs. What is wrong was said.
enum exit_code app_open_secrets(struct app *a);

// ---- devices.c ----

void app_no_devices(struct app *a); ///< nothing is open yet
/// What is wrong was said.
enum exit_code app_open_devices(struct app *a);
RC app_watch_button(struct app *a);
void app_feed_start(void *app); ///< between two steps of the start
/// The watchdog is stopped if nobody will start us again, and else handed over armed.
void app_leave_devices(struct app *a, enum exit_code code);
bool app_ends_for_good(enum exit_code code); ///< ends after which nobody starts us again

// ---- past.c ----

/// Why we were started, and what the ladder says to that.
enum exit_code app_recall(struct app *a);
void app_store_ladder(struct app *a); ///< if it changed
struct mono app_note_life(struct app *a, struct now now);
void app_leave_words(struct app *a, enum reset_cause cause, const char *words);

// ---- machines.c ----

/// What is wrong was said.
enum exit_code app_build(struct app *a);
/// The collector, once the time is known; sets graph_ready, unless the store takes nothing now.
enum exit_code app_build_graph(struct app *a, struct now now);
void app_rebuild(struct app *a, unsigned machine, struct now now);
void app_still(struct app *a); ///< everything stands still from now on

// ---- tell.c ----

void app_tell_start(struct app *a, struct now now);
void app_tell_factory_asked(struct app *a, struct now now);

// ---- tend.c ----

/// The end of a turn. @return when the next one is wanted.
struct mono app_tend(struct app *a, struct now now);
void app_await_reset(struct app *a); ///< at the start: nothing but the reset, if it is due
/// The ladder has said so.
void app_climbed(struct app *a, enum ladder_level level, unsigned cause, struct now now);
/// End in good order, to be started again. @param words  why.
void app_end_for_restart(struct app *a, enum exit_code code, const char *words);

// ---- check.c ----

enum exit_code app_check(struct app *a);

#endif

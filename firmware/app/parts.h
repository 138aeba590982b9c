// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the files of app/ ask of each other, file by file. Included by app_state.h only.
 */
#ifndef APP_PARTS_H
#define APP_PARTS_H
#include "app/app_state.h"

// ---- app.c ----

/// What is listed, and what expires, is a matter of wall time; and a token is shown to nobody whose
/// certificate's dates could not be checked.
bool app_time_is_known(struct now now);

// ---- start_config.c ----

/// One line for people on standard error: what is wrong with what, and what they can do.
void app_say(const char *what, const char *subject, const char *advice);
/// Read configuration and trust; faults are written to standard error. Shared with --check.
enum exit_code app_read_config(struct app *a);

// ---- awaited.c ----

/// There is no such file, or only a part: the board's defaults instead, and from now on it is
/// waited for. False: nothing can be done without it (--check, --until-idle).
bool app_await_config(struct app *a);
void app_tell_awaited(const struct app *a);
void app_await_no_more(struct app *a); ///< it has come meanwhile
/// It waits: it has no tenant, no sink, nobody to ask for anything.
bool app_awaits_config(const struct app *a);
RC app_watch_arrival(struct app *a);
/// Ends the life for the next one when it has come. Asks for no turn of its own.
void app_step_arrival(struct app *a, struct now now);

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
/// What the store may need: its quota, or what it holds if that is more (without a configuration
/// the quota is the board's default).
uint64_t app_store_bytes(const struct app *a);
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

// ---- forget.c ----

/// If somebody asked for it: STATE becomes that of a new box. What is wrong was said.
enum exit_code app_forget(struct app *a);
/// A person asked for it: marked on return, so that nothing in between undoes it, and done by the
/// next start, for which this life ends in a moment. If it cannot be marked, nothing happens: said,
/// on the page as well.
void app_ask_forget(struct app *a, struct now now);

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

bool app_runs(const struct app *a, unsigned machine); ///< app.c: not held, not frozen by a test

// ---- authorised.c ----

void app_build_validate(struct app *a);
void app_build_signin(struct app *a);
void app_recall_life(struct app *a, struct now now);
struct mono app_step_life(struct app *a, struct now now);
unsigned app_wanted(const struct app *a); ///< mask of application permissions
/// What a person asked for at the status port.
void app_wish(struct app *a, const struct status_wish *wish, struct now now);

// ---- port.c ----

/// The status port, if there is to be one. What keeps it from opening is said; the box goes on.
enum exit_code app_open_port(struct app *a);
struct mono app_step_port(struct app *a, struct now now);

// ---- snapshot.c ----

void app_fill_snapshot(struct app *a, struct now now);
void app_put_hex(char *out, const uint8_t *bytes, size_t count); ///< and a NUL

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

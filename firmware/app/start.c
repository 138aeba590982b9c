// SPDX-License-Identifier: Apache-2.0
// Start, in the one order that works: what needs privileges comes before they are given up; the
// store is checked in a child before any library thread or key exists; keys come before the
// network; the sandbox closes last.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "hal/clock.h"

#include "app/app_state.h"
#include "sys/log.h"

static enum exit_code start_clock(struct app *a)
{
    enum rc rc = hal_clock_open(a->state_fd);

    a->started = loop_now();
    log_set_now(a->started);
    if (rc != RC_OK) {
        LOG_WARN("ev=clock_floor_unusable cause=%s now=begun_anew_from_the_day_of_the_build",
                 rc_name(rc));
    }
    return EXIT_DONE;
}

static enum exit_code start_store(struct app *a)
{
    struct buf reason = buf_of(a->store_reason, sizeof(a->store_reason) - 1u);
    const struct spool_options options = {
        .state_dir = APP_STATE,
        .map_mib = a->config.spool_map_mib,
        .high_percent = a->config.spool_high_percent,
        .while_waiting = app_feed_start,
        .context = a,
    };
    enum rc rc = spool_open(&a->spool, &options, &a->store_found, &reason);

    a->store_reason[reason.len] = '\0';
    if (rc == RC_AGAIN) {
        app_say("in use by another anteroomd",
                a->options.state_dir,
                "one state directory serves one box");
        return EXIT_TEMPFAIL;
    }
    if (rc == RC_RETRY) {
        app_say("not checked within 5 minutes, left as it is",
                a->options.state_dir,
                "is its disk slow or failing?");
        return EXIT_IOERR;
    }
    if (rc != RC_OK) {
        app_say("the store cannot be opened or made",
                a->options.state_dir,
                "check that it exists, is writable and has space");
        return EXIT_IOERR;
    }
    struct span names[CONFIG_SINKS_MAX];
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        names[i] = span_from_str(a->config.sinks[i].name);
    }
    if (spool_set_sinks(&a->spool, names, a->config.sinks_count) != RC_OK) {
        app_say("the sinks' positions cannot be read",
                a->options.state_dir,
                "the store is damaged; it is checked at the next start");
        return EXIT_IOERR;
    }
    return EXIT_DONE;
}

static sigset_t end_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

/// From before the watchdog is armed: nobody would feed or stop it if one of these killed us.
static void hold_signals(void)
{
    sigset_t set = end_signals();

    (void)sigprocmask(SIG_BLOCK, &set, NULL); // fails for wrong arguments only
    signal(SIGPIPE, SIG_IGN);
}

bool app_end_asked(void)
{
    sigset_t set;

    return sigpending(&set) == 0 &&
           (sigismember(&set, SIGTERM) > 0 || sigismember(&set, SIGINT) > 0);
}

static RC open_signals(struct app *a)
{
    sigset_t set = end_signals();

    a->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return a->signal_fd >= 0 ? RC_OK : RC_IO;
}

static void on_signal(void *context, int fd, unsigned ready)
{
    struct app *a = context;
    struct signalfd_siginfo info;

    (void)ready;
    if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        a->stop = true;
    }
}

static enum exit_code start_loop(struct app *a)
{
    if (loop_init(&a->loop) != RC_OK || open_signals(a) != RC_OK ||
        loop_watch(&a->loop, a->signal_fd, LOOP_READ, on_signal, a) != RC_OK ||
        app_watch_button(a) != RC_OK || app_watch_arrival(a) != RC_OK ||
        http_init(&a->http, &a->loop) != RC_OK) {
        fprintf(stderr,
                "anteroomd: the event loop cannot be set up; see the limits on memory and open "
                "files\n");
        return EXIT_OSERR;
    }
    return EXIT_DONE;
}

/// The order of the start. A step that fails has said why.
static const struct {
    const char *name; ///< for last words; NULL: nobody can write any yet
    enum exit_code (*run)(struct app *a);
} steps[] = {
    {NULL, app_read_config},       // as whoever started us
    {NULL, app_open_state},        // a handle of the state directory
    {NULL, app_open_devices},      // while we may; from here on the watchdog wants to be fed
    {NULL, app_attach_secrets},    // likewise
    {NULL, app_become},            // its owner, for good
    {NULL, app_forget},            // if that was asked for: before anything of it is read
    {NULL, start_clock},           // nothing is proven yet: the floor
    {NULL, app_recall},            // why we were started, and how often that was in vain
    {"store", start_store},        // forks its checking child: before any thread, key or filter
    {"secrets", app_open_secrets}, // before anything that may need one
    {"loop", start_loop},          // signals, button, transfers
    {"build", app_build},          // time, sign-in, sinks; the collector when the time is known
    {"port", app_open_port},       // bound here: nothing can be, behind the lock
    {"lock", app_lock},            // last: nothing above works behind it
};

/// What ended the life before is told by the first start that comes so far.
static void leave_failed(struct app *a, enum exit_code code, const char *step)
{
    (void)snprintf(a->words, sizeof(a->words), "start failed: %s", step);
    ladder_untold(&a->health.ladder, a->reset.cause);
    app_store_ladder(a);
    app_leave_words(a, app_ends_for_good(code) ? RESET_CLEAN : RESET_ASKED, a->words);
}

enum exit_code app_start(struct app *a)
{
    a->started = loop_now();
    log_set_now(a->started);
    hold_signals();
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (app_end_asked()) {
            if (a->reset.cause != RESET_ILLEGAL) {
                app_leave_words(a, RESET_CLEAN, "");
            }
            return EXIT_DONE;
        }
        enum exit_code code = steps[i].run(a);
        if (code != EXIT_DONE && steps[i].name != NULL) {
            leave_failed(a, code, steps[i].name);
        }
        if (code != EXIT_DONE) {
            return code;
        }
        app_feed_start(a);
    }
    a->begun = true;
    app_tell_start(a, a->started);
    LOG_INFO("ev=started board=%s clock=%s sinks=%u held=%" PRIu64,
             CONFIG_BOARD_NAME,
             clock_quality_name(a->started.wall.quality),
             a->config.sinks_count,
             spool_stats(&a->spool).events_held);
    return EXIT_DONE;
}

void app_finish(struct app *a)
{
    if (a->graph_ready) {
        graph_stop(&a->graph);
    }
    if (spool_has_staged(&a->spool) && spool_commit(&a->spool) != RC_OK) {
        LOG_WARN("ev=stopped_with_staged_events now=they_are_fetched_again");
    }
    timesync_stop(&a->timesync);
    http_deinit(&a->http);
    spool_close(&a->spool);
    hal_tokenstore_close(&a->store);
    loop_deinit(&a->loop);
    close(a->signal_fd);
    arrival_close(&a->arrival);
    bool clean = a->exit_code == EXIT_DONE || a->by_hand;
    app_leave_words(a, clean ? RESET_CLEAN : RESET_ASKED, a->words);
    app_leave_devices(a, a->exit_code);
    close(a->state_fd);
    LOG_INFO("ev=stopped");
}

// SPDX-License-Identifier: Apache-2.0
// The devices of the box: opened while we may, let go at the end. One that the board names and that
// is not there is never worked around.
#include <stdio.h>

#include <poll.h>

#include "base/assert.h"

#include "app/app_state.h"
#include "sys/log.h"

#define WATCHDOG_WANTED_MS (CONFIG_WATCHDOG_TIMEOUT_S * 1000u)
#define HELD_TRIES         50
#define HELD_MS            20

void app_no_devices(struct app *a)
{
    a->state_fd = -1;
    arrival_none(&a->arrival);
    a->watchdog.fd = -1;
    a->button.fd = -1;
    a->console.fd = -1;
    for (unsigned i = 0; i < sizeof(a->led.fds) / sizeof(a->led.fds[0]); i++) {
        a->led.fds[i] = -1;
    }
}

static enum exit_code refused(struct app *a, enum rc rc, const char *missing)
{
    if (rc == RC_AGAIN) {
        app_say("in use by another anteroomd",
                a->options.state_dir,
                "one state directory, and one watchdog, serve one box");
        return EXIT_TEMPFAIL;
    }
    fprintf(stderr,
            "anteroomd: a device that the board %s has: %s; not started. Connect it, load its "
            "driver or give access to it; a box without it needs a board of its own\n",
            CONFIG_BOARD_NAME,
            missing);
    switch (rc) {
    case RC_DENIED:
        return EXIT_NOPERM;
    case RC_UNSUPPORTED:
        return EXIT_CONFIG;
    default:
        return EXIT_IOERR; // the next start may have more luck
    }
}

static int64_t transfer_ms(const struct config *c)
{
    return (int64_t)c->connect_ms + 2 * (int64_t)c->stall_ms;
}

/// The limits of health have to fit what the watchdog took.
static enum exit_code fit_watchdog(struct app *a)
{
    const struct watchdog *w = &a->watchdog;
    struct health_limits limits;

    if (health_limits_for(w->timeout_ms, transfer_ms(&a->config), &limits) != RC_OK) {
        fprintf(stderr,
                "anteroomd: the watchdog takes %u ms, which is too short for a disk that flushes; "
                "not started. CONFIG_WATCHDOG_TIMEOUT_S asks for %u s: another driver, or its "
                "parameters, may allow that\n",
                w->timeout_ms,
                (unsigned)CONFIG_WATCHDOG_TIMEOUT_S);
        return EXIT_CONFIG;
    }
    health_init(&a->health, &limits, a->started.mono);
    if (w->timeout_ms != WATCHDOG_WANTED_MS) {
        LOG_WARN("ev=watchdog_adapted wanted_ms=%u timeout_ms=%u feed_ms=%d",
                 WATCHDOG_WANTED_MS,
                 w->timeout_ms,
                 (int)limits.feed_ms);
    }
    if (!w->stays_armed) {
        LOG_WARN("ev=watchdog_stops_with_the_process why=its_driver advice=let_init_guard_it");
    }
    return EXIT_DONE;
}

/// Whoever had it before us may have been killed a moment ago, in the middle of a fork: then the
/// child of it is about to end, and still has what its parent had.
static RC open_watchdog(struct app *a)
{
    enum rc rc = hal_watchdog_open(&a->watchdog, a->state_fd, WATCHDOG_WANTED_MS);

    if (rc == RC_AGAIN) {
        LOG_INFO("ev=watchdog_held now=waiting most_ms=%d", HELD_TRIES * HELD_MS);
    }
    for (int i = 0; i < HELD_TRIES && rc == RC_AGAIN; i++) {
        (void)poll(NULL, 0, HELD_MS);
        rc = hal_watchdog_open(&a->watchdog, a->state_fd, WATCHDOG_WANTED_MS);
    }
    return rc;
}

enum exit_code app_open_devices(struct app *a)
{
    enum rc rc = open_watchdog(a);

    if (rc != RC_OK) {
        return refused(a, rc, a->watchdog.missing);
    }
    rc = hal_led_open(&a->led, a->state_fd);
    if (rc != RC_OK) {
        return refused(a, rc, a->led.missing);
    }
    rc = hal_button_open(&a->button, a->state_fd);
    if (rc != RC_OK) {
        return refused(a, rc, a->button.missing);
    }
    rc = hal_console_open(&a->console, a->state_fd);
    if (rc != RC_OK) {
        return refused(a, rc, a->console.missing);
    }
    rc = hal_identity_read(&a->identity, a->state_fd);
    if (rc != RC_OK) {
        return refused(a, rc, a->identity.missing);
    }
    rc = hal_stall_open(&a->stall, a->state_fd);
    if (rc != RC_OK) {
        return refused(a, rc, "STATE/sandbox/freeze");
    }
    if (hal_reset_look(&a->reset, a->state_fd) != RC_OK) { // what only root sees: now or never
        LOG_WARN("ev=panics_not_seen missing=\"%s\" now=a_panic_looks_like_a_loss_of_power",
                 a->reset.missing);
    }
    led_pattern_init(&a->pattern, a->started.mono);
    return fit_watchdog(a);
}

void app_feed_start(void *app)
{
    struct app *a = app;

    if (a->watchdog.fd >= 0) {
        health_feed_start(&a->health, &a->watchdog, loop_now().mono);
    }
}

static void on_button(void *context, int fd, unsigned ready)
{
    struct app *a = context;

    (void)ready;
    if (hal_button_read(&a->button, loop_now().mono) != RC_OK) {
        LOG_WARN("ev=button_gone now=ignored_until_the_next_start");
        loop_unwatch(&a->loop, fd);
        hal_button_close(&a->button);
    }
}

RC app_watch_button(struct app *a)
{
    return a->button.fd < 0 ? RC_OK : loop_watch(&a->loop, a->button.fd, LOOP_READ, on_button, a);
}

bool app_ends_for_good(enum exit_code code)
{
    return code == EXIT_DONE || code == EXIT_USAGE || code == EXIT_NOINPUT || code == EXIT_NOPERM ||
           code == EXIT_CONFIG;
}

void app_leave_devices(struct app *a, enum exit_code code)
{
    // An armed watchdog that nobody feeds again would reset the box for ever. What a person put
    // there may keep the next start from coming so far.
    if (a->watchdog.fd >= 0 && (app_ends_for_good(code) || a->by_hand) &&
        hal_watchdog_stop(&a->watchdog) != RC_OK) {
        LOG_WARN("ev=watchdog_stays_armed now=it_resets_the_box_in_ms=%u unless=started_again",
                 a->watchdog.timeout_ms);
    }
    hal_watchdog_hand_over(&a->watchdog);
    hal_led_close(&a->led);
    hal_button_close(&a->button);
    hal_console_close(&a->console);
    hal_stall_close(&a->stall);
}

// SPDX-License-Identifier: Apache-2.0
// The end of every turn: look at the machines, do what the ladder says about one that stands still,
// feed the watchdog, drive LED and button.
#include <inttypes.h>
#include <stdio.h>

#include <poll.h>

#include "app/app_state.h"
#include "app/led_code.h"
#include "sys/log.h"

#define FAILURES_MANY 5u ///< in a row: the handles that they share are built anew, once
#define FULL_PERCENT  90u
#define AWAIT_MS      1000

static const struct ladder_facts facts = {.probation = 0}; // nothing is ever on probation yet

// ---- what the machines say ----

static struct activity store_activity(const struct app *a)
{
    struct spool_stats s = spool_stats(&a->spool);
    struct mono due = a->commit_due.ms == MONO_NEVER.ms ? (struct mono){.ms = 0} : a->commit_due;

    return (struct activity){
        .kind = spool_has_staged(&a->spool) ? ACTIVITY_WAITING : ACTIVITY_IDLE,
        .until = due,
        .progress = s.commits + s.commit_failures,
    };
}

/// Many failures in a row may have to do with connections that are no longer good.
static void refresh_handles(struct app *a, unsigned machine, uint32_t failures)
{
    uint32_t bit = UINT32_C(1) << machine;

    if (failures >= FAILURES_MANY && (a->failing & bit) == 0) {
        LOG_INFO("ev=health machine=%s state=failing level=%d now=new_connections",
                 health_machine_name(machine),
                 (int)LADDER_MODULE);
        http_idle(&a->http);
        a->failing |= bit;
    } else if (failures == 0) {
        a->failing &= ~bit;
    }
}

static void see(struct app *a, unsigned machine, struct activity activity, struct now now)
{
    health_see(&a->health, machine, &activity, now.mono);
    refresh_handles(a, machine, activity.failures);
}

static void see_all(struct app *a, struct now now)
{
    health_turn(&a->health, now.mono);
    if (a->health.holding) {
        return;
    }
    see(a, MACHINE_TIME, timesync_activity(&a->timesync), now);
    see(a, MACHINE_AUTH, auth_activity(&a->auth), now);
    see(a, MACHINE_VALIDATE, validate_activity(&a->validate), now);
    see(a, MACHINE_SIGNIN, signin_activity(&a->signin), now);
    if (a->graph_ready && app_time_is_known(now)) {
        see(a, MACHINE_GRAPH, graph_activity(&a->graph), now);
    }
    see(a, MACHINE_STORE, store_activity(a), now);
    see(a, MACHINE_HTTP, http_activity(&a->http), now);
    for (unsigned i = 0; app_time_is_known(now) && i < a->config.sinks_count; i++) {
        see(a, MACHINE_SHIP + i, ship_activity(&a->ships[i]), now);
    }
}

// ---- what is done about it ----

void app_end_for_restart(struct app *a, enum exit_code code, const char *words)
{
    (void)snprintf(a->words, sizeof(a->words), "%s", words);
    a->exit_code = code;
    a->stop = true;
}

void app_climbed(struct app *a, enum ladder_level level, unsigned cause, struct now now)
{
    char words[sizeof(a->words)];

    if (level < LADDER_PROCESS) {
        return;
    }
    health_begin(&a->health, level, now.mono);
    (void)snprintf(words,
                   sizeof(words),
                   "level=%s cause=%s",
                   ladder_level_name(level),
                   health_machine_name(cause));
    LOG_ERROR("ev=ladder level=%d action=%s cause=%s",
              (int)level,
              ladder_level_name(level),
              health_machine_name(cause));
    app_store_ladder(a);
    switch (level) {
    case LADDER_PROCESS:
        app_end_for_restart(a, EXIT_SOFTWARE, words);
        break;
    case LADDER_REBOOT:
        app_leave_words(a, RESET_ASKED, words);
        break;
    default: // there is nothing to go back to yet
        a->health.holding = false;
        health_begin(&a->health, LADDER_HOLD, now.mono);
    }
}

static void act(struct app *a, struct health_verdict v, struct now now)
{
    if (v.level == LADDER_RETRY) {
        return;
    }
    LOG_WARN("ev=health machine=%s state=late level=%d late_ms=%" PRId64 " kind=%s",
             health_machine_name(v.machine),
             (int)v.level,
             a->health.machines[v.machine].late_ms,
             a->health.machines[v.machine].last.kind == ACTIVITY_BUSY ? "busy" : "waiting");
    if (v.level == LADDER_MODULE) {
        app_rebuild(a, v.machine, now);
        return;
    }
    app_climbed(a, v.level, v.machine, now);
    if (a->health.holding) {
        app_still(a);
    }
}

static void look_again(struct app *a, struct now now)
{
    if (health_probe(&a->health, now.mono)) {
        LOG_INFO("ev=probe now=trying_again");
        app_rebuild(a, MACHINE_HTTP, now);
        app_rebuild(a, MACHINE_STORE, now);
    }
    if (health_unbitten(&a->health, &a->watchdog, now.mono)) {
        LOG_ERROR("ev=watchdog_did_not_bite now=working_on advice=check_the_watchdog");
    }
}

// ---- what is shown ----

static bool sink_failing(const struct app *a)
{
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        if (ship_status(&a->ships[i])->failures > 0) {
            return true;
        }
    }
    return false;
}

static enum led_code code_of(const struct app *a, struct now now)
{
    const struct timesync_status *time = timesync_status(&a->timesync);

    if (a->health.holding || a->health.starving || a->feed_failing) {
        return LED_CODE_RESET;
    }
    return led_code_of(&(struct led_facts){
        .time_known = app_time_is_known(now),
        .time_failures = time->failures,
        .time = time->cause,
        .auth = auth_status(&a->auth)->cause,
        .life = a->life.state,
        .no_configuration = app_awaits_config(a),
        .collected = a->life.kept.collecting_since_ms != 0,
        .permission_refused = a->life.refused != 0,
        .credential_ends = auth_credentials(&a->auth)->warn,
        .graph_failures = a->graph_ready ? a->graph.failures : 0,
        .graph = a->graph.fail,
        .forbidden = a->graph_ready && a->graph.forbidden > 0,
        .sink_failing = sink_failing(a),
        .filled = spool_stats(&a->spool).used_percent * 100u >=
                  a->config.spool_high_percent * FULL_PERCENT,
    });
}

static struct mono light(struct app *a, struct now now)
{
    struct mono again = MONO_NEVER;
    enum led_colour colour = LED_OFF;

    led_pattern_want(&a->pattern, code_of(a, now));
    if (a->led.none) { // what nobody sees is not worth a wake-up
        again = led_pattern_unseen(&a->pattern, now.mono);
    } else {
        colour = led_pattern_at(&a->pattern, now.mono, &again);
    }
    if (a->pattern.code != a->code_told) {
        LOG_INFO("ev=led code=%d", (int)a->pattern.code);
        a->code_told = a->pattern.code;
    }
    if (colour == a->shown) {
        return again;
    }
    a->shown = colour;
    if (hal_led_set(&a->led, colour) != RC_OK) {
        if (!a->led_failing) {
            LOG_WARN("ev=led_failing now=tried_again_with_every_change");
        }
        a->led_failing = true;
    } else {
        a->led_failing = false;
    }
    return again;
}

static struct mono feel_button(struct app *a, struct now now)
{
    struct mono again = MONO_NEVER;

    switch (hal_button_event(&a->button, now.mono, &again)) {
    case BUTTON_CODE:
        LOG_INFO("ev=button shown=code code=%d", (int)a->pattern.code);
        led_pattern_show(&a->pattern, now.mono);
        break;
    case BUTTON_FACTORY:
        app_tell_factory_asked(a, now);
        break;
    default:
        break;
    }
    return again;
}

// ---- the turn ----

static struct mono feed(struct app *a, struct now now)
{
    bool failed = a->feed_failing; // until a turn tries
    struct mono again = health_feed(&a->health, &a->watchdog, now.mono, &failed);

    if (failed && !a->feed_failing) {
        LOG_ERROR("ev=watchdog_refuses now=it_will_reset_the_box");
    }
    a->feed_failing = failed;
    return again;
}

/// A process that goes on and dies again would open the watchdog again, and feed it by that: the
/// reset would never come.
void app_await_reset(struct app *a)
{
    while (a->health.starving && !app_end_asked()) {
        struct now now = loop_now();
        log_set_now(now);
        int64_t ms = light(a, now).ms - now.mono.ms;
        (void)poll(NULL, 0, ms < AWAIT_MS ? (int)ms : AWAIT_MS);
        look_again(a, now);
    }
    app_store_ladder(a);
}

struct mono app_tend(struct app *a, struct now now)
{
    see_all(a, now);
    act(a, health_judge(&a->health, &facts, now), now);
    look_again(a, now);
    app_store_ladder(a);
    struct mono wake = feed(a, now);
    wake = mono_min(wake, feel_button(a, now));
    wake = mono_min(wake, light(a, now));
    return mono_min(wake, app_note_life(a, now));
}

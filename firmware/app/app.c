// SPDX-License-Identifier: Apache-2.0
// The turn: a fixed order, whatever woke us. One policy's facts are handed to another as arguments
// here and nowhere else.
#include "app/app.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/crypto.h"
#include "hal/clock.h"

#include "app/app_state.h"
#include "sys/heap.h"
#include "sys/log.h"
#include "sys/pages.h"

#define PAGE_BYTES      4096
#define COMMIT_RETRY_MS 1000
#define QUIET_MS        5000 ///< with nothing to do for this long, memory is given back

static _Alignas(PAGE_BYTES) struct app app; // whole pages: they are guarded

struct app *app_instance(void)
{
    return &app;
}

bool app_time_is_known(struct now now)
{
    return now.wall.quality == CLOCK_TRUSTED;
}

/// Nothing moves while the box holds still; and a test may freeze a machine.
bool app_runs(const struct app *a, unsigned machine)
{
    return !a->health.holding && !hal_stalled(&a->stall, machine);
}

static struct mono step_graph(struct app *a, struct now now)
{
    struct graph_facts facts;
    bool allowed = life_allows(&a->life, PERMISSION_CALL_RECORDS);
    const struct graph_token token = {.authorization =
                                          allowed ? auth_bearer(&a->auth, now) : SPAN_NONE,
                                      .generation = auth_generation(&a->auth)};

    if (!a->config.call_records_on || !app_time_is_known(now) || !app_runs(a, MACHINE_GRAPH)) {
        return MONO_NEVER;
    }
    enum exit_code code = a->graph_ready ? EXIT_DONE : app_build_graph(a, now);
    if (code != EXIT_DONE) {
        app_end_for_restart(a, code, "the store's rows cannot be read");
        return now.mono;
    }
    if (!a->graph_ready) {
        return mono_after(now.mono, COMMIT_RETRY_MS);
    }
    struct mono wake = graph_step(&a->graph, token, now, &facts);
    if (facts.forbidden) { // consent may be withdrawn: find out
        validate_doubt(&a->validate, now);
        wake = now.mono;
    }
    if (facts.token_refused) {
        auth_reject(&a->auth, facts.refused, now);
        wake = now.mono;
    }
    return wake;
}

static bool collected(struct app *a, struct now now)
{
    return !a->config.call_records_on || (a->graph_ready && graph_is_idle(&a->graph, now));
}

/// Events wait in RAM for a fuller block, but never longer than commit_ms, and not at all when
/// nothing more is coming.
static struct mono step_commit(struct app *a, struct now now)
{
    if (!app_runs(a, MACHINE_STORE)) {
        return MONO_NEVER;
    }
    if (!spool_has_staged(&a->spool)) {
        a->commit_due = MONO_NEVER;
        return MONO_NEVER;
    }
    if (a->commit_due.ms == MONO_NEVER.ms) {
        a->commit_due = mono_after(now.mono, a->config.commit_ms);
    }
    bool wanted = spool_wants_commit(&a->spool) || collected(a, now);
    if (!mono_due(a->commit_due, now.mono) && (a->commit_failing || !wanted)) {
        return a->commit_due;
    }
    enum rc rc = spool_commit(&a->spool);
    if (rc == RC_OK) {
        if (a->commit_failing) {
            LOG_INFO("ev=commit_recovered");
        }
        a->commit_failing = false;
        a->commit_due = MONO_NEVER;
        return now.mono; // the sinks have something to do
    }
    if (!a->commit_failing) {
        LOG_WARN("ev=commit_failed cause=%s now=kept_in_ram_and_tried_again", rc_name(rc));
    }
    a->commit_failing = true;
    a->commit_due = mono_after(now.mono, COMMIT_RETRY_MS);
    return a->commit_due;
}

static struct mono step_ships(struct app *a, struct now now)
{
    struct mono wake = MONO_NEVER;

    for (unsigned i = 0; app_time_is_known(now) && i < a->config.sinks_count; i++) {
        if (app_runs(a, MACHINE_SHIP + i)) {
            wake = mono_min(wake, ship_step(&a->ships[i], now));
        }
    }
    return wake;
}

static bool delivered(const struct app *a)
{
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        if (!ship_is_idle(&a->ships[i])) {
            return false;
        }
    }
    return !spool_has_staged(&a->spool);
}

// Memory that the kernel does not take back costs memory, nothing else.
static void give_back(void *start, size_t bytes)
{
    (void)pages_drop(start, bytes);
}

static void trim(struct app *a)
{
    http_idle(&a->http);
    spool_idle(&a->spool);
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        ship_idle(&a->ships[i]);
    }
    give_back(a->graph.list.fetch.element_bytes, FETCH_ELEMENT_BYTES + FETCH_REST_BYTES);
    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        give_back(a->graph.lanes[i].fetch.element_bytes, FETCH_ELEMENT_BYTES + FETCH_REST_BYTES);
    }
    give_back(a->tokens, sizeof(a->tokens));
    give_back(a->line, sizeof(a->line));
    give_back(a->shell, sizeof(a->shell));
    give_back(a->scratch, sizeof(a->scratch));
    give_back(a->text, sizeof(a->text));
    heap_trim();
    a->trimmed = true;
}

/// A block that fails its checksum stays where it is, and its sink with it. The check at the next
/// start sets the store aside, and what it held is fetched again: the boot path is the recovery
/// path.
static bool store_damaged(const struct app *a)
{
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        if (span_equal(span_from_str(ship_status(&a->ships[i])->reason), SPAN("corrupt"))) {
            return true;
        }
    }
    return false;
}

/// Every machine once, in an order that hands facts on.
static struct mono step_machines(struct app *a, struct now now)
{
    struct mono wake = app_runs(a, MACHINE_TIME) ? timesync_step(&a->timesync, now) : MONO_NEVER;

    if (app_runs(a, MACHINE_AUTH)) {
        wake = mono_min(wake, auth_step(&a->auth, now));
    }
    wake = mono_min(wake, app_step_life(a, now)); // says what may collect
    wake = mono_min(wake, step_graph(a, now));
    wake = mono_min(wake, step_commit(a, now));
    wake = mono_min(wake, step_ships(a, now));
    wake = mono_min(wake, app_step_port(a, now));
    app_step_arrival(a, now);
    if (app_runs(a, MACHINE_HTTP)) { // last: what the others started is part of the sleep
        wake = mono_min(wake, http_step(&a->http, now));
    }
    return wake;
}

static struct mono app_step(struct app *a, struct now now)
{
    struct mono wake = step_machines(a, now);

    if (store_damaged(a)) {
        LOG_ERROR("ev=store_damaged now=stopping_so_that_the_next_start_checks_it");
        app_end_for_restart(a, EXIT_IOERR, "the store is damaged");
    }
    if (http_took_lookup_failure(&a->http) && app_resolver_lost(a)) {
        app_end_for_restart(a, EXIT_TEMPFAIL, "the name servers' file cannot be read any more");
    }
    bool quiet = collected(a, now) && delivered(a);
    if (quiet && a->options.until_idle) {
        a->stop = true;
    }
    if (!quiet) {
        a->trimmed = false;
    } else if (!a->trimmed && wake.ms - now.mono.ms > QUIET_MS) {
        trim(a);
    }
    if (a->health.holding && a->options.until_idle) {
        app_end_for_restart(a, EXIT_SOFTWARE, "holding still");
    }
    return mono_min(wake, app_tend(a, now));
}

static void run(struct app *a)
{
    struct mono wake = loop_now().mono;

    while (!a->stop) {
        struct now now = loop_wait(&a->loop, wake);
        log_set_now(now);
        // While the time is unknown only the time itself is asked for, and a certificate counts as
        // expired only if it surely is.
        crypto_set_time(app_time_is_known(now) ? now.wall.ms : hal_clock_floor());
        wake = app_step(a, now);
    }
}

static void say_totals(const struct app *a)
{
    const struct graph_status *g = graph_status(&a->graph);
    struct heap_stats heap = heap_stats();

    LOG_INFO("ev=totals listed=%" PRIu64 " new=%" PRIu64 " done=%" PRIu64 " quarantined=%" PRIu64
             " requests=%" PRIu64 " restarts=%" PRIu64 " throttled=%" PRIu64
             " pool_peak_bytes=%zu wakeups=%" PRIu64,
             g->records_listed,
             g->records_new,
             g->records_done,
             g->records_quarantined,
             g->requests,
             g->restarts,
             g->throttled,
             heap.peak_bytes,
             a->loop.wakeups);
}

enum exit_code app_main(struct app *a, const struct options *options)
{
    a->options = *options;
    app_no_devices(a);
    if (options->check) {
        return app_check(a);
    }
    enum exit_code code = app_start(a);
    if (code != EXIT_DONE || !a->begun) {
        app_leave_devices(a, code);
        return code;
    }
    run(a);
    say_totals(a);
    app_finish(a);
    return a->exit_code;
}

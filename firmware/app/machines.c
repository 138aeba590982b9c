// SPDX-License-Identifier: Apache-2.0
// The machines: built at the start, torn down and built anew one by one when one stands still, and
// all of them when the box holds still. What is staged in the store survives all of that.
#include "app/app_state.h"
#include "sys/log.h"

static void build_time(struct app *a)
{
    const struct timesync_setup timesync = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_TIME,
        .loop = &a->loop,
        .state_fd = a->state_fd,
        .ca_pem = a->ca_pem,
    };

    timesync_init(&a->timesync, &timesync);
}

static void build_auth(struct app *a)
{
    const struct auth_setup auth = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_AUTH,
        .store = &a->store,
        .ca_pem = a->ca_pem,
        .time_trusted = a->auth.time_trusted, // else it would count as idle while it is frozen
        .generation = a->auth.generation,
    };

    http_release(&a->http, SLOT_AUTH);
    auth_init(&a->auth, &auth);
}

static void build_ship(struct app *a, unsigned index)
{
    const struct ship_setup ship = {
        .config = &a->config,
        .index = index,
        .http = &a->http,
        .slot = SLOT_SINKS + index,
        .spool = &a->spool,
        .store = &a->store,
        .ca_pem = a->ca_pem,
        .scratch = buf_of(a->scratch, sizeof(a->scratch)),
    };

    http_release(&a->http, ship.slot);
    ship_init(&a->ships[index], &ship);
}

enum exit_code app_build_graph(struct app *a, struct now now)
{
    const struct graph_setup graph = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_GRAPH,
        .spool = &a->spool,
        .ca_pem = a->ca_pem,
        .scratch =
            {
                .tokens = a->tokens,
                .tokens_max = CONFIG_JSON_TOKENS_MAX,
                .line = buf_of(a->line, sizeof(a->line)),
                .shell = buf_of(a->shell, sizeof(a->shell)),
            },
    };

    enum rc rc = graph_init(&a->graph, &graph, now);

    if (rc == RC_FULL || rc == RC_RETRY) { // what a wait may mend is no reason to end
        LOG_WARN("ev=collector_waits cause=%s now=tried_again", rc_name(rc));
        return EXIT_DONE;
    }
    if (rc != RC_OK) {
        app_say("the store's rows cannot be read",
                a->options.state_dir,
                "were they written by a newer version?");
        return EXIT_IOERR;
    }
    a->graph_ready = true;
    return EXIT_DONE;
}

enum exit_code app_build(struct app *a)
{
    build_time(a);
    build_auth(a);
    app_build_validate(a);
    app_build_signin(a);
    app_recall_life(a, a->started);
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        build_ship(a, i);
    }
    a->commit_due = MONO_NEVER;
    return EXIT_DONE;
}

/// Everything that asks somebody for something. The requests under way are given up.
static void rebuild_network(struct app *a)
{
    if (a->graph_ready) {
        graph_stop(&a->graph);
    }
    timesync_stop(&a->timesync);
    http_reset(&a->http);
    build_time(a);
    build_auth(a);
    app_build_validate(a);
    app_build_signin(a);
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        build_ship(a, i);
    }
}

void app_rebuild(struct app *a, unsigned machine, struct now now)
{
    switch (machine) {
    case MACHINE_TIME:
        timesync_stop(&a->timesync);
        build_time(a);
        break;
    case MACHINE_AUTH:
        build_auth(a);
        break;
    case MACHINE_VALIDATE:
        app_build_validate(a);
        break;
    case MACHINE_SIGNIN:
        app_build_signin(a);
        break;
    case MACHINE_GRAPH:
        graph_stop(&a->graph);
        break;
    case MACHINE_STORE:
        spool_reopen(&a->spool); // what is staged stays so
        a->commit_due = now.mono;
        break;
    case MACHINE_HTTP:
        rebuild_network(a);
        break;
    default:
        if (machine >= MACHINE_SHIP && machine - MACHINE_SHIP < a->config.sinks_count) {
            build_ship(a, machine - MACHINE_SHIP);
        }
    }
    // whose handle was taken away has its whole time again too
    for (unsigned i = 0; i < MACHINES; i++) {
        if (i == machine || (machine == MACHINE_HTTP && i != MACHINE_STORE)) {
            health_rebuilt(&a->health, i);
        }
    }
}

void app_still(struct app *a)
{
    rebuild_network(a);
    if (spool_has_staged(&a->spool) && spool_commit(&a->spool) != RC_OK) {
        rc_ignore(RC_IO, "what is staged stays so, and is tried again by the probe");
    }
}

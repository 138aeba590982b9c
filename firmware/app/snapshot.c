// SPDX-License-Identifier: Apache-2.0
// What the box says of itself, gathered from its machines for one answer. What is not copied here
// cannot be shown.
#include <string.h>

#include "app/app_state.h"
#include "app/led_code.h"
#include "sys/heap.h"

#define SECOND_MS      1000
#define OLDEST_LOOK_MS 10000 ///< reading one event's block costs a millisecond or two

static int64_t age_of(struct mono at, struct now now)
{
    return at.ms == 0 ? SNAPSHOT_NEVER : (now.mono.ms - at.ms) / SECOND_MS;
}

static int64_t wall_age_of(int64_t at_ms, struct now now)
{
    bool known = at_ms != 0 && app_time_is_known(now) && at_ms <= now.wall.ms;

    return known ? (now.wall.ms - at_ms) / SECOND_MS : SNAPSHOT_NEVER;
}

static int64_t left_s(struct mono until, struct now now)
{
    return until.ms == MONO_NEVER.ms || until.ms <= now.mono.ms
               ? 0
               : (until.ms - now.mono.ms + SECOND_MS - 1) / SECOND_MS;
}

// ---- the state ----

void app_put_hex(char *out, const uint8_t *bytes, size_t count)
{
    struct buf b = buf_of(out, 2 * count + 1);

    buf_put_hex(&b, (struct span){.ptr = (const char *)bytes, .len = count});
    (void)buf_terminate(&b);
}

static enum snapshot_level level_of_state(const struct app *a)
{
    static const enum snapshot_level levels[LIFE_STATES] = {
        [LIFE_UNCONFIGURED] = SNAPSHOT_SETUP,
        [LIFE_AWAITING_CONSENT] = SNAPSHOT_SETUP,
        [LIFE_VALIDATING] = SNAPSHOT_WAIT,
        [LIFE_PROPAGATING] = SNAPSHOT_WAIT,
        [LIFE_COLLECTING] = SNAPSHOT_GOOD,
        [LIFE_DEGRADED] = SNAPSHOT_WARN,
        [LIFE_ATTENTION] = SNAPSHOT_BAD,
    };

    return a->health.holding ? SNAPSHOT_BAD : levels[a->life.state];
}

static void fill_state(struct app *a, struct snapshot *s, struct now now)
{
    struct app_port *p = &a->port;
    struct buf what = BUF(p->what), next = BUF(p->next), advice = BUF(p->advice);
    struct buf link = BUF(p->link);

    if (a->port.forget_failed) {
        buf_put_str(&what,
                    "The box was asked to forget everything and could not begin: its disk takes "
                    "nothing. Nothing was forgotten. ");
    }
    life_describe(&a->life, now, &what, &next, &advice);
    if (a->consent_declined) {
        buf_put_str(&what, " Whoever followed the link last declined, or may not grant this.");
    }
    s->name = a->config.name;
    s->state = life_state_name(a->life.state);
    s->no_configuration = app_awaits_config(a);
    s->level = level_of_state(a);
    s->what = buf_span(&what);
    s->next = buf_span(&next);
    s->advice = buf_span(&advice);
    s->reason = life_code(&a->life);
    s->led_code = (unsigned)a->pattern.code;
    s->led_shows = led_code_shows(a->pattern.code);
    bool propagating = a->life.state == LIFE_PROPAGATING;
    s->propagation_left_s = propagating ? life_left_ms(&a->life, now) / SECOND_MS : SNAPSHOT_NEVER;
    s->can_enable =
        (propagating || a->life.state == LIFE_VALIDATING) && !a->life.kept.enabled_with_warning;
    s->enabled_with_warning = a->life.kept.enabled_with_warning;
    s->consent_wanted =
        a->life.state == LIFE_AWAITING_CONSENT || (a->life.refused & ~a->life.kept.forbidden) != 0;
    if (s->consent_wanted) {
        consent_link(&a->config, a->consent_state, &link);
    }
    s->consent_link = s->consent_wanted && buf_ok(&link) ? p->link : "";
    s->holding = a->health.holding;
}

// ---- permissions, sources, sinks ----

static enum snapshot_level level_of_verdict(enum verdict v, bool wanted)
{
    static const enum snapshot_level levels[VERDICTS] = {
        [VERDICT_NONE] = SNAPSHOT_WAIT,
        [VERDICT_GOOD] = SNAPSHOT_GOOD,
        [VERDICT_MISSING] = SNAPSHOT_BAD,
        [VERDICT_FORBIDDEN] = SNAPSHOT_BAD,
        [VERDICT_UNAVAILABLE] = SNAPSHOT_WARN,
        [VERDICT_NO_ANSWER] = SNAPSHOT_WAIT,
    };

    return wanted ? levels[v] : SNAPSHOT_WAIT;
}

static enum verdict verdict_of_signin(const struct signin_status *s)
{
    switch (s->state) {
    case SIGNIN_DONE:
        return VERDICT_GOOD;
    case SIGNIN_FAILED:
        return s->cause == SIGNIN_CAUSE_CONSENT ? VERDICT_MISSING : VERDICT_NONE;
    default:
        return VERDICT_NONE;
    }
}

static void fill_permissions(struct app *a, struct snapshot *s, struct now now)
{
    unsigned wanted = app_wanted(a);

    s->permissions_count = CONFIG_PERMISSIONS;
    for (unsigned i = 0; i < CONFIG_PERMISSIONS; i++) {
        enum config_permission p = (enum config_permission)i;
        const struct permission_info *info = permission_info(p);
        const struct validate_row *row = validate_row(&a->validate, p);
        const struct signin_status *signin = signin_status(&a->signin);
        enum verdict v = info->delegated ? verdict_of_signin(signin) : row->verdict;
        struct snapshot_permission *out = &s->permissions[i];

        out->name = info->name;
        out->gives = info->gives;
        out->verdict = verdict_name(v);
        out->text = verdict_text(v);
        out->wanted = (wanted & (1u << i)) != 0;
        out->delegated = info->delegated;
        out->level = level_of_verdict(v, out->wanted);
        out->age_s = wall_age_of(info->delegated ? signin->at_ms : row->at_ms, now);
    }
}

/// Why nothing comes although it may; NULL: it does, or it is a moment's trouble.
static const char *trouble_of_graph(const struct app *a)
{
    if (!a->graph_ready || a->graph.failures < LED_FAILURES_MANY) {
        return NULL;
    }
    switch (a->graph.fail) {
    case FETCH_FAIL_NETWORK:
        return "Graph cannot be reached: tried again";
    case FETCH_FAIL_THROTTLED:
        return "Graph is overloaded or asks for fewer requests: slowed down";
    case FETCH_FAIL_SERVER:
        return "Graph has a problem of its own: tried again";
    case FETCH_FAIL_UNAUTHORIZED:
        return "Graph refuses the box's tokens (401): tried again with new ones";
    case FETCH_FAIL_FORBIDDEN:
        return "Graph refuses call records (403): tried again";
    default: // one request's matter
        return NULL;
    }
}

static void fill_sources(struct app *a, struct snapshot *s, struct now now)
{
    const struct graph_status *g = graph_status(&a->graph);
    struct snapshot_source *calls = &s->sources[0];
    bool allowed = life_allows(&a->life, PERMISSION_CALL_RECORDS);
    const char *trouble = trouble_of_graph(a);

    s->sources_count = 1;
    calls->name = "call_records";
    calls->state = !a->config.call_records_on ? "off" : allowed ? "on" : "waiting";
    calls->text = !a->config.call_records_on ? "not configured"
                  : !allowed                 ? "waits for its permission"
                  : g->paused                ? "paused: the store is full"
                  : trouble != NULL          ? trouble
                                             : "collecting";
    calls->level = !a->config.call_records_on || !allowed ? SNAPSHOT_WAIT
                   : g->paused || trouble != NULL         ? SNAPSHOT_WARN
                                                          : SNAPSHOT_GOOD;
    calls->listed = g->records_listed;
    calls->done = g->records_done;
    calls->quarantined = g->records_quarantined;
    calls->requests = g->requests;
    calls->throttled = g->throttled;
    calls->failures = g->failures;
    calls->restarts = g->restarts;
    calls->pending = g->pending;
    calls->last_age_s = age_of(a->port.collected_at, now);
}

/// When the oldest event that a sink does not have was collected: looked for seldom.
static int64_t oldest_age(struct app *a, uint64_t acked, struct now now)
{
    struct app_oldest *o = &a->port.oldest;
    struct span line;

    if (acked >= spool_stats(&a->spool).durable_seq) {
        return SNAPSHOT_NEVER;
    }
    bool due = mono_due(o->due, now.mono) && o->seq != acked + 1u;
    if (due) {
        struct buf scratch = buf_of(a->scratch, sizeof(a->scratch));
        o->seq = acked + 1u;
        o->due = mono_after(now.mono, OLDEST_LOOK_MS);
        o->collected_ms = 0;
        if (spool_line(&a->spool, o->seq, scratch, &line) != RC_OK ||
            event_collected_ms(line, &o->collected_ms) != RC_OK) {
            o->collected_ms = 0;
        }
    }
    return wall_age_of(o->collected_ms, now);
}

static enum snapshot_level level_of_sink(const struct ship_status *s)
{
    if (span_equal(span_from_str(s->state), SPAN("hold"))) {
        return SNAPSHOT_BAD;
    }
    return s->failures > 0 ? SNAPSHOT_WARN : SNAPSHOT_GOOD;
}

static void fill_sinks(struct app *a, struct snapshot *s, struct now now)
{
    uint64_t durable = spool_stats(&a->spool).durable_seq, least = durable;

    s->sinks_count = a->config.sinks_count;
    for (unsigned i = 0; i < s->sinks_count; i++) {
        least = spool_acked(&a->spool, i) < least ? spool_acked(&a->spool, i) : least;
    }
    s->oldest_age_s = oldest_age(a, least, now);
    for (unsigned i = 0; i < s->sinks_count; i++) {
        const struct ship_status *status = ship_status(&a->ships[i]);
        struct snapshot_sink *out = &s->sinks[i];
        uint64_t acked = spool_acked(&a->spool, i);

        out->name = a->config.sinks[i].name;
        out->state = status->state;
        out->reason = status->reason;
        out->level = level_of_sink(status);
        out->sent = status->events_sent;
        out->dead = status->events_dead;
        out->batches = status->batches;
        out->retries = status->retries;
        out->backlog = durable - (acked < durable ? acked : durable);
        // the sink that is furthest behind is the one whose oldest event was looked up
        out->oldest_age_s = out->backlog == 0 ? SNAPSHOT_NEVER : s->oldest_age_s;
        out->last_age_s = age_of(a->port.sent_at[i], now);
    }
}

// ---- who the box is to Entra ----

static void fill_credentials(struct app *a, struct snapshot *s, struct now now)
{
    const struct credential_status *c = auth_credentials(&a->auth);
    struct snapshot_credential *const outs[] = {&s->credential, &s->credential_next};

    for (unsigned i = 0; i < CREDENTIALS; i++) {
        bool known = c->expires_ms[i] != 0 && app_time_is_known(now);
        outs[i]->there = c->there[i];
        outs[i]->certificate = a->config.credential == CREDENTIAL_CERTIFICATE;
        outs[i]->expires_in_s =
            known ? (c->expires_ms[i] - now.wall.ms) / SECOND_MS : SNAPSHOT_NEVER;
        outs[i]->thumbprint[0] = '\0';
        if (outs[i]->there && outs[i]->certificate) {
            app_put_hex(outs[i]->thumbprint, c->sha256[i], sizeof(c->sha256[i]));
        }
    }
    s->tokens = auth_status(&a->auth)->tokens;
    s->token_failures = auth_status(&a->auth)->failures;
}

static void fill_signin(struct app *a, struct snapshot *s, struct now now)
{
    const struct signin_status *status = signin_status(&a->signin);
    struct span link = signin_link(&a->signin);

    s->signin.state = signin_state_name(status->state);
    s->signin.text = signin_cause_text(status->cause);
    s->signin.who = status->who;
    s->signin.age_s = wall_age_of(status->at_ms, now);
    s->signin.user_code = status->user_code;
    s->signin.verify_at = status->verify_at;
    s->signin.link = link.len > 0 ? link.ptr : "";
    s->signin.left_s = left_s(status->until, now);
}

// ---- the box ----

static void fill_box(struct app *a, struct snapshot *s, struct now now)
{
    struct spool_stats store = spool_stats(&a->spool);
    struct heap_stats heap = heap_stats();

    s->board = a->identity.board;
    s->serial_end = a->identity.serial_end;
    app_put_hex(s->serial_hash, a->identity.serial_sha256, 8);
    s->build = a->port.build;
    s->clock = clock_quality_name(now.wall.quality);
    s->wall_ms = app_time_is_known(now) ? now.wall.ms : 0;
    s->uptime_s = (uint64_t)(now.mono.ms - a->started.mono.ms) / SECOND_MS;
    s->restart_cause = hal_reset_cause_name(a->reset.cause);
    s->boots = a->health.ladder.boots;
    s->level_of_ladder = (uint32_t)a->health.ladder.level;
    s->token_class = hal_tokenstore_class_name(hal_tokenstore_class(&a->store));
    s->store_events = store.events_held;
    s->store_bytes = store.bytes_held;
    s->store_quota_bytes = (uint64_t)a->config.spool_map_mib << 20;
    s->store_percent = store.used_percent;
    s->dead_events = store.dead_rows;
    s->heap_used_bytes = heap.used_bytes;
    s->heap_peak_bytes = heap.peak_bytes;
    s->heap_bytes = heap.pool_bytes;
    s->wakeups = a->loop.wakeups;
    s->watchdog_slack_ms = (int64_t)a->watchdog.timeout_ms - (now.mono.ms - a->health.fed.ms);
    memcpy(s->fingerprint, a->port.fingerprint, sizeof(s->fingerprint));
    s->port_requests = status_requests(&a->status);
    s->port_refused = status_refused(&a->status);
}

void app_fill_snapshot(struct app *a, struct now now)
{
    struct snapshot *s = &a->port.snapshot;

    memset(s, 0, sizeof(*s));
    fill_state(a, s, now);
    fill_permissions(a, s, now);
    fill_sources(a, s, now);
    fill_sinks(a, s, now);
    fill_credentials(a, s, now);
    fill_signin(a, s, now);
    fill_box(a, s, now);
    hour_read(&a->hour, now.mono, s->collected, s->sent);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * GET /metrics. Names by Prometheus' conventions: base units, _total for counters, _info for what
 * is only told in labels. One word of several is a gauge of 0 or 1 for each of them, so that a
 * query can sum over it.
 */
#include "base/clock.h"

#include "status/render.h"
#include "status/text.h"

struct labels {
    const char *name, *value; ///< "" or NULL: the metric has none
    const char *second_name, *second_value;
};

#define NO_LABELS ((struct labels){.name = NULL})

/// HELP and TYPE of what follows. name without the prefix.
static void family(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_put_str(b, "# HELP anteroom_");
    buf_put_str(b, name);
    buf_put_char(b, ' ');
    buf_put_str(b, help);
    buf_put_str(b, "\n# TYPE anteroom_");
    buf_put_str(b, name);
    buf_put_char(b, ' ');
    buf_put_str(b, type);
    buf_put_char(b, '\n');
}

static void put_label(struct buf *b, const char *name, const char *value)
{
    buf_put_str(b, name);
    buf_put_str(b, "=\"");
    text_put(b, TEXT_LABEL, text_of(value), TEXT_WORD_BYTES);
    buf_put_char(b, '"');
}

static void put_name(struct buf *b, const char *name, struct labels l)
{
    buf_put_str(b, "anteroom_");
    buf_put_str(b, name);
    if (l.name != NULL) {
        buf_put_char(b, '{');
        put_label(b, l.name, l.value);
        if (l.second_name != NULL) {
            buf_put_char(b, ',');
            put_label(b, l.second_name, l.second_value);
        }
        buf_put_char(b, '}');
    }
    buf_put_char(b, ' ');
}

static void sample(struct buf *b, const char *name, struct labels l, uint64_t v)
{
    put_name(b, name, l);
    buf_put_u64(b, v);
    buf_put_char(b, '\n');
}

static void sample_signed(struct buf *b, const char *name, struct labels l, int64_t v)
{
    put_name(b, name, l);
    buf_put_i64(b, v);
    buf_put_char(b, '\n');
}

/// Nothing where there is no such time: a missing sample is what Prometheus calls "none".
static void sample_age(struct buf *b, const char *name, struct labels l, int64_t s)
{
    if (text_is_time(s)) {
        sample_signed(b, name, l, s < 0 ? 0 : s);
    }
}

static void gauge(struct buf *b, const char *name, const char *help, uint64_t v)
{
    family(b, name, "gauge", help);
    sample(b, name, NO_LABELS, v);
}

static void counter(struct buf *b, const char *name, const char *help, uint64_t v)
{
    family(b, name, "counter", help);
    sample(b, name, NO_LABELS, v);
}

static void put_info(struct buf *b, const char *name, const char *help, struct labels l)
{
    family(b, name, "gauge", help);
    sample(b, name, l, 1);
}

/// A gauge for each word, 1 for the one that holds: the last label's. One that is not in the list
/// is told as well.
static void put_words(struct buf *b, const char *name, struct labels l, const char *const *words)
{
    struct span held = text_of(l.second_name == NULL ? l.value : l.second_value);
    bool told = held.len == 0;

    for (; *words != NULL; words++) {
        bool is = span_equal(held, span_from_str(*words));
        struct labels each = l;
        *(l.second_name == NULL ? &each.value : &each.second_value) = *words;
        sample(b, name, each, is);
        told = told || is;
    }
    if (!told) {
        sample(b, name, l, 1);
    }
}

static void put_state(struct buf *b, const struct snapshot *s)
{
    static const char *const states[] = {
        "unconfigured",
        "awaiting_consent",
        "validating",
        "propagating",
        "collecting",
        "degraded",
        "attention",
        NULL,
    };

    family(b, "state", "gauge", "State of the infrastructure's life, 1 or 0.");
    put_words(b, "state", (struct labels){.name = "state", .value = s->state}, states);
    family(b, "state_reason", "gauge", "What is in the way, by its stable code.");
    if (text_of(s->reason).len > 0) {
        sample(b, "state_reason", (struct labels){.name = "reason", .value = s->reason}, 1);
    }
    gauge(b, "led_code", "Code that the status LED shows; 10 is normal.", s->led_code);
    family(b, "propagation_left_seconds", "gauge", "Time that consent may still take to spread.");
    sample_age(b, "propagation_left_seconds", NO_LABELS, s->propagation_left_s);
    gauge(b,
          "enabled_with_warning",
          "1 if a person enabled with a warning.",
          s->enabled_with_warning);
}

static struct labels of_permission(const struct snapshot_permission *p)
{
    return (struct labels){.name = "permission", .value = p->name};
}

static void put_permissions(struct buf *b, const struct snapshot *s)
{
    static const char *const verdicts[] = {
        "none",
        "good",
        "missing",
        "forbidden",
        "unavailable",
        "no_answer",
        NULL,
    };

    family(b, "permission_wanted", "gauge", "1 if the configuration needs this permission.");
    for (unsigned i = 0; i < s->permissions_count; i++) {
        sample(b, "permission_wanted", of_permission(&s->permissions[i]), s->permissions[i].wanted);
    }
    family(b, "permission_verdict", "gauge", "What became of the permission, 1 or 0.");
    for (unsigned i = 0; i < s->permissions_count; i++) {
        struct labels l = of_permission(&s->permissions[i]);
        l.second_name = "verdict";
        l.second_value = s->permissions[i].verdict;
        put_words(b, "permission_verdict", l, verdicts);
    }
    family(b, "permission_verdict_age_seconds", "gauge", "Time since that was found out.");
    for (unsigned i = 0; i < s->permissions_count; i++) {
        sample_age(b,
                   "permission_verdict_age_seconds",
                   of_permission(&s->permissions[i]),
                   s->permissions[i].age_s);
    }
}

static void put_expiry(struct buf *b, const char *which, const struct snapshot_credential *c)
{
    if (c->there && text_is_time(c->expires_in_s)) {
        struct labels l = {
            .name = "credential",
            .value = which,
            .second_name = "kind",
            .second_value = c->certificate ? "certificate" : "secret",
        };
        sample_signed(b, "credential_expires_seconds", l, c->expires_in_s);
    }
}

static void put_signing_in(struct buf *b, const struct snapshot *s)
{
    family(b, "credential_expires_seconds", "gauge", "Time until the credential expires.");
    put_expiry(b, "now", &s->credential);
    put_expiry(b, "next", &s->credential_next);
    counter(b, "tokens_total", "Access tokens that were got.", s->tokens);
    counter(b, "token_failures_total", "Attempts to get a token that failed.", s->token_failures);
    put_info(b,
             "sign_in_info",
             "State of the sign-in of a person.",
             (struct labels){.name = "state", .value = s->signin.state});
}

static struct labels of_source(const struct snapshot_source *c)
{
    return (struct labels){.name = "source", .value = c->name};
}

static uint64_t source_value(const struct snapshot_source *c, unsigned which)
{
    const uint64_t values[] = {
        c->listed,
        c->done,
        c->quarantined,
        c->requests,
        c->throttled,
        c->failures,
        c->restarts,
        c->pending,
    };

    return values[which];
}

static void put_sources(struct buf *b, const struct snapshot *s)
{
    static const char *const states[] = {"on", "waiting", "unavailable", "off", NULL};

    static const struct {
        const char *name, *type, *help;
    } families[] = {
        // In the order of source_value.
        {"source_listed_total", "counter", "Records that lists have named."},
        {"source_done_total", "counter", "Records that were collected in full."},
        {"source_quarantined_total", "counter", "Records that were set aside."},
        {"source_requests_total", "counter", "Requests to Graph."},
        {"source_throttled_total", "counter", "Answers that asked for fewer requests."},
        {"source_failures_total", "counter", "Requests that failed otherwise."},
        {"source_restarts_total", "counter", "Records that changed while being read."},
        {"source_pending", "gauge", "Records that are known and not collected yet."},
    };

    family(b, "source_state", "gauge", "State of a source, 1 or 0.");
    for (unsigned i = 0; i < s->sources_count; i++) {
        struct labels l = of_source(&s->sources[i]);
        l.second_name = "state";
        l.second_value = s->sources[i].state;
        put_words(b, "source_state", l, states);
    }
    for (unsigned f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
        family(b, families[f].name, families[f].type, families[f].help);
        for (unsigned i = 0; i < s->sources_count; i++) {
            sample(b, families[f].name, of_source(&s->sources[i]), source_value(&s->sources[i], f));
        }
    }
    family(b, "source_last_age_seconds", "gauge", "Time since something was collected.");
    for (unsigned i = 0; i < s->sources_count; i++) {
        sample_age(
            b, "source_last_age_seconds", of_source(&s->sources[i]), s->sources[i].last_age_s);
    }
}

static struct labels of_sink(const struct snapshot_sink *k)
{
    return (struct labels){.name = "sink", .value = k->name};
}

static uint64_t sink_value(const struct snapshot_sink *k, unsigned which)
{
    const uint64_t values[] = {k->sent, k->dead, k->batches, k->retries, k->backlog};

    return values[which];
}

static void put_sinks(struct buf *b, const struct snapshot *s)
{
    static const struct {
        const char *name, *type, *help;
    } families[] = {
        // In the order of sink_value.
        {"sink_sent_events_total", "counter", "Events that the sink has acknowledged."},
        {"sink_dead_events_total", "counter", "Events that the sink refuses for good."},
        {"sink_batches_total", "counter", "Requests that were acknowledged."},
        {"sink_retries_total", "counter", "Requests that were sent again."},
        {"sink_backlog_events", "gauge", "Events that the sink does not have yet."},
    };

    family(b, "sink_state", "gauge", "State of a sink, in the label; always 1.");
    for (unsigned i = 0; i < s->sinks_count; i++) {
        struct labels l = of_sink(&s->sinks[i]);
        l.second_name = "state";
        l.second_value = s->sinks[i].state;
        sample(b, "sink_state", l, 1);
    }
    for (unsigned f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
        family(b, families[f].name, families[f].type, families[f].help);
        for (unsigned i = 0; i < s->sinks_count; i++) {
            sample(b, families[f].name, of_sink(&s->sinks[i]), sink_value(&s->sinks[i], f));
        }
    }
    family(b, "sink_oldest_age_seconds", "gauge", "Age of the oldest event of the backlog.");
    for (unsigned i = 0; i < s->sinks_count; i++) {
        sample_age(b, "sink_oldest_age_seconds", of_sink(&s->sinks[i]), s->sinks[i].oldest_age_s);
    }
    family(b, "sink_last_age_seconds", "gauge", "Time since the sink took something.");
    for (unsigned i = 0; i < s->sinks_count; i++) {
        sample_age(b, "sink_last_age_seconds", of_sink(&s->sinks[i]), s->sinks[i].last_age_s);
    }
}

static void put_store(struct buf *b, const struct snapshot *s)
{
    gauge(b, "store_events", "Events in the store.", s->store_events);
    gauge(b, "store_bytes", "Bytes of the store in use.", s->store_bytes);
    gauge(b, "store_quota_bytes", "Bytes that the store may take.", s->store_quota_bytes);
    gauge(b, "store_dead_events", "Events in quarantine.", s->dead_events);
    family(b, "store_oldest_age_seconds", "gauge", "Age of the oldest event in the store.");
    sample_age(b, "store_oldest_age_seconds", NO_LABELS, s->oldest_age_s);
}

static void put_clock(struct buf *b, const struct snapshot *s)
{
    static const char *const qualities[] = {"unknown", "floor", "trusted", NULL};

    family(b, "clock_quality", "gauge", "How far the clock is believed, 1 or 0.");
    put_words(b, "clock_quality", (struct labels){.name = "quality", .value = s->clock}, qualities);
    family(b, "clock_seconds", "gauge", "Time of the box since 1970, if known.");
    if (s->wall_ms != 0) {
        sample_signed(b, "clock_seconds", NO_LABELS, s->wall_ms / 1000);
    }
}

static void put_box(struct buf *b, const struct snapshot *s)
{
    put_info(
        b,
        "build_info",
        "The firmware and the board that it was built for.",
        (struct labels){
            .name = "build", .value = s->build, .second_name = "board", .second_value = s->board});
    put_info(b,
             "restart_info",
             "Why this start was one.",
             (struct labels){.name = "cause", .value = s->restart_cause});
    put_info(b,
             "token_store_info",
             "Where the box keeps its keys and tokens.",
             (struct labels){.name = "class", .value = s->token_class});
    gauge(b, "uptime_seconds", "Time since the program was started.", s->uptime_s);
    counter(b, "starts_total", "Starts of the program, this one included.", s->boots);
    gauge(b, "ladder_level", "How far the box has gone to help itself.", s->level_of_ladder);
    gauge(b, "holding", "1 if nothing has helped and the box holds still.", s->holding);
    gauge(b, "heap_used_bytes", "Memory of libraries in use.", s->heap_used_bytes);
    gauge(b, "heap_peak_bytes", "The most that it ever was.", s->heap_peak_bytes);
    gauge(b, "heap_size_bytes", "The most that it can be.", s->heap_bytes);
    counter(b, "wakeups_total", "Turns of the loop.", s->wakeups);
    family(b, "watchdog_slack_seconds", "gauge", "Time left before the watchdog resets the box.");
    put_name(b, "watchdog_slack_seconds", NO_LABELS);
    int64_t ms = s->watchdog_slack_ms < 0 ? 0 : s->watchdog_slack_ms;
    buf_put_i64(b, ms / 1000);
    buf_put_char(b, '.');
    buf_put_i64(b, ms / 100 % 10);
    buf_put_i64(b, ms / 10 % 10);
    buf_put_i64(b, ms % 10);
    buf_put_char(b, '\n');
    counter(b, "port_requests_total", "Requests to the status port.", s->port_requests);
    counter(b, "port_refused_total", "Those that were refused.", s->port_refused);
}

void render_metrics(const struct snapshot *s, struct buf *out)
{
    put_state(out, s);
    put_permissions(out, s);
    put_signing_in(out, s);
    put_sources(out, s);
    put_sinks(out, s);
    put_store(out, s);
    put_clock(out, s);
    put_box(out, s);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * GET /status. Each member is described in status.schema.json, which refuses any other: what is
 * added here is added there, and thought about.
 */
#include "base/clock.h"

#include "status/render.h"
#include "status/text.h"

/// A member's name, behind a comma where it is not the first.
static void key(struct buf *b, const char *name)
{
    if (b->len > 0 && b->ptr[b->len - 1] != '{') {
        buf_put_char(b, ',');
    }
    buf_put_char(b, '"');
    buf_put_str(b, name);
    buf_put_str(b, "\":");
}

static void put_text(struct buf *b, const char *name, struct span text, size_t max)
{
    key(b, name);
    buf_put_char(b, '"');
    text_put(b, TEXT_JSON, text, max);
    buf_put_char(b, '"');
}

static void put_word(struct buf *b, const char *name, const char *word)
{
    put_text(b, name, text_of(word), TEXT_WORD_BYTES);
}

/// null where there is none.
static void put_word_or_null(struct buf *b, const char *name, const char *word)
{
    if (text_of(word).len > 0) {
        put_word(b, name, word);
        return;
    }
    key(b, name);
    buf_put_str(b, "null");
}

static void put_number(struct buf *b, const char *name, uint64_t v)
{
    key(b, name);
    buf_put_u64(b, v);
}

static void put_signed(struct buf *b, const char *name, int64_t v)
{
    key(b, name);
    buf_put_i64(b, v);
}

/// Seconds, or null for never.
static void put_seconds(struct buf *b, const char *name, int64_t s)
{
    key(b, name);
    if (text_is_time(s)) {
        buf_put_i64(b, s);
    } else {
        buf_put_str(b, "null");
    }
}

/// An age is never negative: a clock that was set back makes it 0.
static void put_age(struct buf *b, const char *name, int64_t s)
{
    put_seconds(b, name, text_is_time(s) && s < 0 ? 0 : s);
}

static void put_bool(struct buf *b, const char *name, bool v)
{
    key(b, name);
    buf_put_str(b, v ? "true" : "false");
}

/// Opens a member that is an object or an array.
static void begin(struct buf *b, const char *name, char bracket)
{
    key(b, name);
    buf_put_char(b, bracket);
}

/// Opens an element of an array.
static void begin_element(struct buf *b, unsigned i)
{
    buf_put_str(b, i > 0 ? ",{" : "{");
}

static void put_state(struct buf *b, const struct snapshot *s)
{
    begin(b, "state", '{');
    put_word(b, "name", s->state);
    put_word(b, "level", text_level(s->level));
    put_text(b, "what", s->what, TEXT_SENTENCE_BYTES);
    put_text(b, "next", s->next, TEXT_SENTENCE_BYTES);
    put_text(b, "advice", s->advice, TEXT_SENTENCE_BYTES);
    put_word_or_null(b, "reason", s->reason);
    put_number(b, "led_code", s->led_code);
    put_text(b, "led_shows", text_of(s->led_shows), TEXT_CLAUSE_BYTES);
    put_age(b, "propagation_left_s", s->propagation_left_s);
    put_bool(b, "can_enable", s->can_enable);
    put_bool(b, "enabled_with_warning", s->enabled_with_warning);
    buf_put_char(b, '}');
}

static void put_permissions(struct buf *b, const struct snapshot *s)
{
    begin(b, "permissions", '[');
    for (unsigned i = 0; i < s->permissions_count; i++) {
        const struct snapshot_permission *p = &s->permissions[i];
        begin_element(b, i);
        put_word(b, "name", p->name);
        put_text(b, "gives", text_of(p->gives), TEXT_CLAUSE_BYTES);
        put_word(b, "verdict", p->verdict);
        put_text(b, "text", text_of(p->text), TEXT_CLAUSE_BYTES);
        put_bool(b, "wanted", p->wanted);
        put_bool(b, "delegated", p->delegated);
        put_word(b, "level", text_level(p->level));
        put_age(b, "age_s", p->age_s);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
}

static void put_sources(struct buf *b, const struct snapshot *s)
{
    begin(b, "sources", '[');
    for (unsigned i = 0; i < s->sources_count; i++) {
        const struct snapshot_source *c = &s->sources[i];
        begin_element(b, i);
        put_word(b, "name", c->name);
        put_word(b, "state", c->state);
        put_word(b, "level", text_level(c->level));
        put_text(b, "text", text_of(c->text), TEXT_CLAUSE_BYTES);
        put_number(b, "listed", c->listed);
        put_number(b, "done", c->done);
        put_number(b, "pending", c->pending);
        put_number(b, "quarantined", c->quarantined);
        put_number(b, "requests", c->requests);
        put_number(b, "throttled", c->throttled);
        put_number(b, "failures", c->failures);
        put_number(b, "restarts", c->restarts);
        put_age(b, "last_age_s", c->last_age_s);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
}

static void put_sinks(struct buf *b, const struct snapshot *s)
{
    begin(b, "sinks", '[');
    for (unsigned i = 0; i < s->sinks_count; i++) {
        const struct snapshot_sink *k = &s->sinks[i];
        begin_element(b, i);
        put_word(b, "name", k->name);
        put_word(b, "state", k->state);
        put_word(b, "level", text_level(k->level));
        put_text(b, "reason", text_of(k->reason), TEXT_CLAUSE_BYTES);
        put_number(b, "sent", k->sent);
        put_number(b, "dead", k->dead);
        put_number(b, "batches", k->batches);
        put_number(b, "retries", k->retries);
        put_number(b, "backlog", k->backlog);
        put_age(b, "oldest_age_s", k->oldest_age_s);
        put_age(b, "last_age_s", k->last_age_s);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
}

static void put_credential(struct buf *b, const char *name, const struct snapshot_credential *c)
{
    key(b, name);
    if (!c->there) {
        buf_put_str(b, "null");
        return;
    }
    buf_put_char(b, '{');
    put_word(b, "kind", c->certificate ? "certificate" : "secret");
    put_seconds(b, "expires_in_s", c->expires_in_s);
    put_text(b, "thumbprint", text_of(c->thumbprint), sizeof(c->thumbprint));
    buf_put_char(b, '}');
}

/// Neither the link nor the user code: they are for the person in front of the page.
static void put_signin(struct buf *b, const struct snapshot *s)
{
    const struct snapshot_signin *g = &s->signin;

    begin(b, "sign_in", '{');
    put_word(b, "state", g->state);
    put_text(b, "text", text_of(g->text), TEXT_SENTENCE_BYTES);
    put_text(b, "who", text_of(g->who), TEXT_NAME_BYTES);
    put_age(b, "age_s", g->age_s);
    buf_put_char(b, '}');
    begin(b, "tokens", '{');
    put_number(b, "got", s->tokens);
    put_number(b, "failures", s->token_failures);
    buf_put_char(b, '}');
}

static void put_minutes(struct buf *b, const char *name, const uint32_t *minutes)
{
    begin(b, name, '[');
    for (unsigned i = 0; i < SNAPSHOT_MINUTES; i++) {
        if (i > 0) {
            buf_put_char(b, ',');
        }
        buf_put_u64(b, minutes[i]);
    }
    buf_put_char(b, ']');
}

static void put_box(struct buf *b, const struct snapshot *s)
{
    begin(b, "box", '{');
    put_word(b, "board", s->board);
    put_word(b, "serial_end", s->serial_end);
    put_word(b, "serial_sha256_start", s->serial_hash);
    put_word(b, "build", s->build);
    put_word(b, "restart_cause", s->restart_cause);
    put_number(b, "boots", s->boots);
    put_number(b, "uptime_s", s->uptime_s);
    put_number(b, "ladder_level", s->level_of_ladder);
    put_bool(b, "holding", s->holding);
    put_signed(b, "watchdog_slack_ms", s->watchdog_slack_ms);
    put_word(b, "token_class", s->token_class);
    put_number(b, "wakeups", s->wakeups);
    buf_put_char(b, '}');
}

static void put_clock(struct buf *b, const struct snapshot *s)
{
    begin(b, "clock", '{');
    put_word(b, "quality", s->clock);
    key(b, "time");
    if (s->wall_ms == 0) {
        buf_put_str(b, "null");
    } else {
        buf_put_char(b, '"');
        time_put_iso_s(b, s->wall_ms);
        buf_put_char(b, '"');
    }
    buf_put_char(b, '}');
}

static void put_stores(struct buf *b, const struct snapshot *s)
{
    begin(b, "store", '{');
    put_number(b, "events", s->store_events);
    put_number(b, "bytes", s->store_bytes);
    put_number(b, "quota_bytes", s->store_quota_bytes);
    put_number(b, "percent", s->store_percent);
    put_number(b, "dead_events", s->dead_events);
    put_age(b, "oldest_age_s", s->oldest_age_s);
    buf_put_char(b, '}');
    begin(b, "heap", '{');
    put_number(b, "used_bytes", s->heap_used_bytes);
    put_number(b, "peak_bytes", s->heap_peak_bytes);
    put_number(b, "bytes", s->heap_bytes);
    buf_put_char(b, '}');
}

static void put_port(struct buf *b, const struct snapshot *s)
{
    begin(b, "port", '{');
    put_text(b, "fingerprint", text_of(s->fingerprint), sizeof(s->fingerprint));
    put_number(b, "requests", s->port_requests);
    put_number(b, "refused", s->port_refused);
    buf_put_char(b, '}');
}

void render_json(const struct snapshot *s, struct buf *out)
{
    buf_put_char(out, '{');
    put_text(out, "name", text_of(s->name), TEXT_NAME_BYTES);
    put_state(out, s);
    put_permissions(out, s);
    put_sources(out, s);
    put_sinks(out, s);
    put_credential(out, "credential", &s->credential);
    put_credential(out, "credential_next", &s->credential_next);
    put_signin(out, s);
    begin(out, "last_hour", '{');
    put_minutes(out, "collected", s->collected);
    put_minutes(out, "sent", s->sent);
    buf_put_char(out, '}');
    put_clock(out, s);
    put_stores(out, s);
    put_box(out, s);
    put_port(out, s);
    buf_put_str(out, "}\n");
}

void render_line(const struct snapshot *s, struct buf *out)
{
    uint64_t backlog = 0;

    for (unsigned i = 0; i < s->sinks_count; i++) {
        backlog = s->sinks[i].backlog > backlog ? s->sinks[i].backlog : backlog;
    }
    buf_put_char(out, '{');
    put_text(out, "name", text_of(s->name), TEXT_NAME_BYTES);
    put_word(out, "state", s->state);
    put_word(out, "level", text_level(s->level));
    put_word_or_null(out, "reason", s->reason);
    put_number(out, "led_code", s->led_code);
    put_age(out, "propagation_left_s", s->propagation_left_s);
    put_clock(out, s);
    put_number(out, "uptime_s", s->uptime_s);
    put_number(out, "backlog", backlog);
    put_age(out, "oldest_age_s", s->oldest_age_s);
    put_number(out, "store_percent", s->store_percent);
    put_word(out, "serial_end", s->serial_end);
    put_text(out, "fingerprint", text_of(s->fingerprint), sizeof(s->fingerprint));
    buf_put_str(out, "}\n");
}

// SPDX-License-Identifier: Apache-2.0
// The collector's frame: what all requests share (gates, holds, links), and the turn.
#include "graph/graph.h"

#include <inttypes.h>

#include "base/backoff.h"
#include "base/crypto.h"
#include "hal/entropy.h"

#include "graph/graph_state.h"
#include "sys/log.h"

#define CURSOR_FORMAT 1u

int64_t graph_backoff_ms(const struct graph *g, uint32_t attempts)
{
    const struct config_call_records *c = &g->settings.config->call_records;

    return backoff_ms(attempts, c->retry_base_ms, c->retry_cap_ms, hal_entropy_u64());
}

struct mono graph_may_ask(const struct graph *g,
                          const struct gate *gate,
                          struct graph_token token,
                          struct now now)
{
    if (token.authorization.len == 0 || g->status.paused) {
        return MONO_NEVER; // the token or the sinks' acks will wake us
    }
    struct mono a = gate_opens(gate, now.mono);
    struct mono b = gate_opens(&g->app_gate, now.mono);
    struct mono opens = a.ms > b.ms ? a : b;
    return opens.ms > g->hold_until.ms ? opens : g->hold_until;
}

void graph_asked(struct graph *g, struct gate *gate, struct now now)
{
    gate_take(gate, now.mono);
    gate_take(&g->app_gate, now.mono);
    g->status.requests++;
}

void graph_failed(struct graph *g,
                  const struct fetch *f,
                  struct gate *gate,
                  struct now now,
                  struct graph_facts *facts)
{
    const struct config_call_records *c = &g->settings.config->call_records;
    int64_t wait_ms = f->retry_after_ms;

    g->status.failures++;
    g->failures += g->failures < UINT32_MAX;
    g->fail = f->fail;
    facts->refused = f->generation;
    switch (f->fail) {
    case FETCH_FAIL_UNAUTHORIZED:
        facts->token_refused = true;
        break;
    // perhaps a token from before the consent: once a new one, then slowly
    case FETCH_FAIL_FORBIDDEN:
        facts->token_refused = true;
        facts->forbidden = true;
        wait_ms =
            g->forbidden++ == 0 ? c->retry_base_ms : jitter_ms(c->retry_cap_ms, hal_entropy_u64());
        g->hold_until = mono_after(now.mono, wait_ms);
        LOG_WARN("ev=graph_forbidden status=%d times=%" PRIu32 " wait_ms=%" PRId64,
                 f->status,
                 g->forbidden,
                 wait_ms);
        break;
    case FETCH_FAIL_THROTTLED:
        g->status.throttled++;
        wait_ms = wait_ms > 0 ? wait_ms : c->retry_base_ms;
        // 503 does not say whose limit it was: everybody waits.
        gate_close(f->status == 429 ? gate : &g->app_gate,
                   now.mono,
                   jitter_ms(wait_ms, hal_entropy_u64()));
        LOG_WARN("ev=graph_throttled status=%d wait_ms=%" PRId64, f->status, wait_ms);
        break;
    default:
        break;
    }
}

RC graph_stage(struct graph *g)
{
    return spool_staging_has(g->spool, 6) ? RC_OK : spool_commit(g->spool);
}

void link_ring_start(struct link_ring *r, struct span first)
{
    r->count = 0;
    (void)link_ring_add(r, first); // an empty ring has no repeat
}

bool link_ring_add(struct link_ring *r, struct span link)
{
    uint8_t digest[SHA256_BYTES];
    uint64_t hash = 0;

    sha256(link, digest);
    for (unsigned i = 0; i < sizeof(hash); i++) {
        hash = hash << 8 | digest[i];
    }
    for (unsigned i = 0; i < LINK_RING && i < r->count; i++) {
        if (r->hashes[i] == hash) {
            return false;
        }
    }
    r->hashes[r->count++ % LINK_RING] = hash;
    return true;
}

RC graph_next_link(const struct graph *g,
                   const struct json *doc,
                   struct span name,
                   struct link_ring *ring,
                   struct buf *out)
{
    TRY(link_read(doc, 0, name, out));
    TRY(link_check(out, span_from_str(g->settings.config->graph_url)));
    return link_ring_add(ring, buf_span(out)) ? RC_OK : RC_STALE;
}

/// The moment of the first start with this store: the backfill counts from it. Made once.
static RC first_start(struct spool *spool, struct now now, int64_t *ms)
{
    char bytes[32];
    struct buf b = BUF(bytes);
    enum rc rc = spool_get(spool, SPOOL_CURSOR, SPAN(SOURCE_CALL_RECORDS), &b);

    if (rc == RC_OK) {
        struct reader r = {.left = buf_span(&b)};
        uint8_t format = reader_u8(&r);
        *ms = (int64_t)reader_be64(&r);
        return reader_ok(&r) && format == CURSOR_FORMAT ? RC_OK : RC_CORRUPT;
    }
    if (rc != RC_NOTFOUND) {
        return rc;
    }
    *ms = now.wall.ms;
    buf_put_u8(&b, CURSOR_FORMAT);
    buf_put_be64(&b, (uint64_t)*ms);
    TRY(spool_put(spool, SPOOL_CURSOR, SPAN(SOURCE_CALL_RECORDS), buf_span(&b)));
    rc_ignore(spool_commit(spool), "a disk that is full now: it stays staged, and is tried again");
    return RC_OK;
}

/// Walk one table from its first row. @return RC_NOTFOUND at its end
static RC
next_row(struct spool *spool, enum spool_table table, struct rows_key *at, struct buf *value)
{
    char bytes[SPOOL_KEY_BYTES_MAX];
    struct buf key = BUF(bytes);

    struct spool_from from = {.key = rows_key_span(at), .after = at->len != 0};
    TRY(spool_seek(spool, table, from, &key, value));
    at->len = 0;
    for (size_t i = 0; i < key.len; i++) {
        at->bytes[at->len++] = key.ptr[i];
    }
    return RC_OK;
}

static RC load_rows(struct graph *g, struct now now)
{
    struct rows_key at = {.len = 0};
    char bytes[64];
    struct buf value = BUF(bytes);
    enum rc rc = RC_OK;

    while ((rc = next_row(g->spool, SPOOL_WINDOW, &at, &value)) == RC_OK) {
        struct window_row row;
        int64_t start_s = 0;
        uint32_t width = 0;
        TRY(window_key_read(rows_key_span(&at), &start_s, &width));
        TRY(window_decode(buf_span(&value), &row));
        windows_load(&g->windows, start_s * 1000, width, &row, now.wall.ms);
        buf_reset(&value);
    }
    at.len = 0;
    while (rc == RC_NOTFOUND && (rc = next_row(g->spool, SPOOL_WORK, &at, &value)) == RC_OK) {
        g->status.pending++;
        buf_reset(&value);
        rc = RC_NOTFOUND;
    }
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

RC graph_init(struct graph *g, const struct graph_setup *setup, struct now now)
{
    const struct config_call_records *c = &setup->config->call_records;
    int64_t first_ms = 0;

    g->settings = (struct fetch_settings){
        .http = setup->http,
        .config = setup->config,
        .ca_pem = setup->ca_pem,
    };
    g->spool = setup->spool;
    g->scratch = setup->scratch;
    g->status = (struct graph_status){0};
    g->hold_until = g->work_next = g->list_next = now.mono;
    g->forbidden = 0;
    g->failures = 0;
    g->fail = FETCH_FAIL_NONE;
    g->wake = now.mono;
    TRY(first_start(g->spool, now, &first_ms));
    windows_init(&g->windows, c, first_ms);
    gate_init(&g->list_gate, c->list_per_20s, now.mono);
    gate_init(&g->app_gate, c->app_per_20s, now.mono);
    list_init(g, setup->slot);
    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        lane_init(&g->lanes[i], setup->slot + 1 + i);
    }
    return load_rows(g, now);
}

static void notice_room(struct graph *g, struct now now)
{
    bool paused = !spool_has_room(g->spool);

    if (paused != g->status.paused) {
        if (paused) {
            LOG_WARN("ev=collecting_paused used_percent=%" PRIu32
                     " why=store_full_until_sinks_take",
                     spool_stats(g->spool).used_percent);
        } else {
            LOG_INFO("ev=collecting_resumed used_percent=%" PRIu32,
                     spool_stats(g->spool).used_percent);
        }
        g->status.paused = paused;
        g->work_next = now.mono; // look at once
    }
}

struct mono
graph_step(struct graph *g, struct graph_token token, struct now now, struct graph_facts *facts)
{
    struct mono wake = MONO_NEVER;
    uint64_t done = g->status.records_done + g->status.pages;

    *facts = (struct graph_facts){.token_refused = false};
    notice_room(g, now);
    if (!g->status.paused || g->list.state != LIST_IDLE) {
        wake = mono_min(wake, list_step(g, token, now, facts));
    }
    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        wake = mono_min(wake, lane_step(g, &g->lanes[i], token, now, facts));
    }
    if (g->status.records_done + g->status.pages != done) {
        g->forbidden = 0;
    }
    if (facts->progress) {
        g->failures = 0;
    }
    g->wake = wake;
    return wake;
}

bool graph_is_idle(struct graph *g, struct now now)
{
    if (g->list.state != LIST_IDLE || mono_due(g->list_next, now.mono) || g->status.pending != 0) {
        return false;
    }
    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        if (g->lanes[i].state != LANE_IDLE) {
            return false;
        }
    }
    // one that waits for its next try is due all the same
    return !windows_failing(&g->windows, now.wall.ms);
}

const struct graph_status *graph_status(const struct graph *g)
{
    return &g->status;
}

/// Also what moves without giving a byte of a body: a slow peer is http's matter, not a standstill.
static uint64_t fetch_progress(const struct graph *g, const struct fetch *f)
{
    return f->bytes_taken + (f->active ? http_progress(g->settings.http, f->slot) : 0);
}

struct activity graph_activity(const struct graph *g)
{
    const struct graph_status *s = &g->status;
    const struct fetch *list = &g->list.fetch;
    bool busy = list->active && !list->holds; // what is held waits for room in the store
    uint64_t progress = s->requests + s->failures + s->pages + s->records_listed + s->records_done +
                        s->records_quarantined + fetch_progress(g, list);

    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        const struct fetch *f = &g->lanes[i].fetch;
        busy = busy || (f->active && !f->holds);
        progress += fetch_progress(g, f);
    }
    return (struct activity){
        .kind = busy                          ? ACTIVITY_BUSY
                : g->wake.ms == MONO_NEVER.ms ? ACTIVITY_IDLE
                                              : ACTIVITY_WAITING,
        .until = g->wake,
        .progress = progress,
        .failures = g->failures,
    };
}

void graph_stop(struct graph *g)
{
    list_stop(g);
    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        lane_stop(g, &g->lanes[i]);
    }
}

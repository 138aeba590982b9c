// SPDX-License-Identifier: Apache-2.0
// The durable work list. A record's master row is in SEEN; its WORK row is the queue entry and
// exists exactly while SEEN says PENDING. Everything here is staged: it becomes durable with the
// next commit, together with the events and the window row of the same decision.
#include <string.h>

#include "base/assert.h"
#include "base/crypto.h"

#include "graph/graph_state.h"
#include "sys/fault.h"
#include "sys/log.h"

#define PURGE_ROWS_MAX 64u
#define PURGE_AGE_MS   ((GRAPH_RETENTION_DAYS + 1) * 24 * HOUR_MS)
#define WAIT_MS_MAX    (2 * HOUR_MS)
#define PICK_LOOKS_MAX (2u * CONFIG_GRAPH_LANES + 2u)

static RC window_pending(struct graph *g, int64_t start_ms, int32_t change, struct now now)
{
    struct window *win = windows_at(&g->windows, start_ms, now.wall.ms);

    if (change > 0) {
        g->status.pending++;
    } else if (g->status.pending > 0) {
        g->status.pending--;
        if (g->status.pending == WORK_HIGH - 1u) {
            g->list_next = now.mono; // windows may have been passed over while the list was long
        }
    }
    if (win == NULL) {
        return RC_OK;
    }
    if (change > 0) {
        win->row.pending++;
    } else if (win->row.pending > 0) {
        win->row.pending--;
    }
    struct rows_key key = window_key(win->start_ms / 1000, g->windows.settings.window_hours);
    return window_put(g->spool, rows_key_span(&key), &win->row);
}

/// A place in the queue.
struct place {
    enum work_class class;
    uint64_t order;
};

static struct place ready(int64_t start_ms)
{
    return (struct place){.class = WORK_READY, .order = work_order_ready(start_ms)};
}

static RC queue(struct graph *g,
                struct span key,
                struct seen_row *seen,
                struct place at,
                const struct work_row *work)
{
    seen->state = SEEN_PENDING;
    seen->work_class = at.class;
    seen->work_order = at.order;
    struct rows_key wk = work_key(at.class, at.order, key);
    TRY(work_put(g->spool, rows_key_span(&wk), work));
    return seen_put(g->spool, key, seen);
}

RC work_want(struct graph *g, const struct callrec *r, bool *is_new, struct now now)
{
    struct rows_key key = seen_key(r->start_ms, record_id_span(&r->id));
    struct seen_row seen = {.state = SEEN_ILLEGAL};
    enum rc rc = seen_get(g->spool, rows_key_span(&key), &seen);

    *is_new = false;
    if (rc == RC_NOTFOUND) {
        seen = (struct seen_row){.id = r->id};
    } else if (rc != RC_OK) {
        return rc;
    } else if (r->version <= seen.version_wanted) {
        return RC_OK;
    }
    TRY(graph_stage(g));
    *is_new = true;
    seen.version_wanted = r->version;
    seen.end_ms = r->end_ms;
    if (seen.state == SEEN_PENDING) {
        return seen_put(g->spool, rows_key_span(&key), &seen); // its place in the queue stays
    }
    const struct work_row fresh = {0};
    TRY(queue(g, rows_key_span(&key), &seen, ready(r->start_ms), &fresh));
    g->work_next = now.mono;
    return window_pending(g, r->start_ms, +1, now);
}

static bool held_by_a_lane(const struct graph *g, struct span seen)
{
    for (unsigned i = 0; i < CONFIG_GRAPH_LANES; i++) {
        const struct lane *l = &g->lanes[i];
        if (l->state != LANE_IDLE && span_equal(rows_key_span(&l->seen_key), seen)) {
            return true;
        }
    }
    return false;
}

/// First row of a class that no lane holds and that is due.
/// @retval RC_NOTFOUND  none; *due_ms then says when the first waiting one is
static RC
first_of(struct graph *g, enum work_class c, struct lane *l, int64_t now_ms, int64_t *due_ms)
{
    char from_byte = (char)c;
    char bytes[SPOOL_KEY_BYTES_MAX];
    struct rows_key from = {.len = 1};

    from.bytes[0] = from_byte;
    for (unsigned looks = 0; looks < PICK_LOOKS_MAX; looks++) {
        char value_bytes[64];
        struct buf key = BUF(bytes);
        struct buf value = BUF(value_bytes);
        enum work_class found = WORK_ILLEGAL;
        uint64_t order = 0;
        struct spool_from at = {.key = rows_key_span(&from), .after = looks != 0};
        TRY(spool_seek(g->spool, SPOOL_WORK, at, &key, &value));
        TRY(work_key_read(buf_span(&key), &found, &order, &l->seen_key));
        if (found != c) {
            return RC_NOTFOUND;
        }
        memcpy(from.bytes, key.ptr, key.len);
        from.len = key.len;
        if (held_by_a_lane(g, rows_key_span(&l->seen_key))) {
            continue;
        }
        // Due by far too late means that the clock was set back since: then it is due now.
        if (c == WORK_WAITING && (int64_t)order > now_ms && (int64_t)order - now_ms < WAIT_MS_MAX) {
            *due_ms = (int64_t)order;
            return RC_NOTFOUND;
        }
        l->work_key = from;
        return RC_OK;
    }
    return RC_NOTFOUND;
}

RC work_pick(struct graph *g, struct lane *l, bool waiting_first, struct now now)
{
    int64_t due_ms = INT64_MAX;

    enum work_class order[2] = {waiting_first ? WORK_WAITING : WORK_READY,
                                waiting_first ? WORK_READY : WORK_WAITING};
    enum rc rc = RC_NOTFOUND;

    for (unsigned i = 0; i < 2 && rc == RC_NOTFOUND; i++) {
        rc = first_of(g, order[i], l, now.wall.ms, &due_ms);
    }
    if (rc == RC_NOTFOUND) {
        g->work_next =
            due_ms == INT64_MAX ? MONO_NEVER : mono_after(now.mono, due_ms - now.wall.ms);
        return rc;
    }
    TRY(rc);
    TRY(work_get(g->spool, rows_key_span(&l->work_key), &l->work));
    rc = seen_get(g->spool, rows_key_span(&l->seen_key), &l->seen);
    if (rc == RC_NOTFOUND || (rc == RC_OK && l->seen.state != SEEN_PENDING)) {
        // A queue entry without its record cannot be staged by us; drop it, the next listing finds
        // the record again.
        TRY(graph_stage(g));
        TRY(spool_delete(g->spool, SPOOL_WORK, rows_key_span(&l->work_key)));
        return RC_NOTFOUND;
    }
    return rc;
}

RC work_put_back(struct graph *g, struct lane *l, int64_t delay_ms, struct now now)
{
    struct seen_row seen;
    int64_t start_ms = seen_key_start_ms(rows_key_span(&l->seen_key));

    TRY(graph_stage(g));
    // a listing may have raised version_wanted meanwhile
    TRY(seen_get(g->spool, rows_key_span(&l->seen_key), &seen));
    seen.version_wanted =
        seen.version_wanted > l->seen.version_wanted ? seen.version_wanted : l->seen.version_wanted;
    TRY(spool_delete(g->spool, SPOOL_WORK, rows_key_span(&l->work_key)));
    g->work_next = now.mono;
    if (delay_ms == 0) {
        return queue(g, rows_key_span(&l->seen_key), &seen, ready(start_ms), &l->work);
    }
    const struct place later = {
        .class = WORK_WAITING,
        .order = (uint64_t)(now.wall.ms + delay_ms),
    };
    return queue(g, rows_key_span(&l->seen_key), &seen, later, &l->work);
}

RC work_finish(struct graph *g, struct lane *l, enum seen_state state, struct now now)
{
    struct seen_row seen;
    struct span key = rows_key_span(&l->seen_key);
    int64_t start_ms = seen_key_start_ms(key);

    ASSERT(state == SEEN_DONE || state == SEEN_QUARANTINED);
    TRY(graph_stage(g));
    TRY(seen_get(g->spool, key, &seen));
    TRY(spool_delete(g->spool, SPOOL_WORK, rows_key_span(&l->work_key)));
    if (state == SEEN_DONE) {
        seen.version_done = l->version;
    }
    if (seen.version_wanted > l->version) { // a listing saw a higher one while this was fetched
        const struct work_row fresh = {0};
        g->work_next = now.mono;
        return queue(g, key, &seen, ready(start_ms), &fresh);
    }
    seen.state = state;
    seen.version_wanted = l->version;
    seen.work_class = WORK_ILLEGAL;
    TRY(seen_put(g->spool, key, &seen));
    return window_pending(g, start_ms, -1, now);
}

RC work_bury_unreadable(struct graph *g,
                        struct span element,
                        const char *reason,
                        int64_t window_start_ms,
                        struct now now)
{
    uint8_t digest[SHA256_BYTES];
    char name[2 * GUID_BYTES];
    char data[128];
    struct buf id = BUF(name);
    struct buf d = BUF(data);
    struct seen_row seen = {.state = SEEN_QUARANTINED, .version_wanted = 1};
    const struct config *config = g->settings.config;

    // Named by its content, so that listing the window again does not report it again.
    sha256(element, digest);
    buf_put_hex(&id, (struct span){.ptr = (const char *)digest, .len = GUID_BYTES});
    struct rows_key key = seen_key(window_start_ms, buf_span(&id));
    struct seen_row before;
    enum rc rc = seen_get(g->spool, rows_key_span(&key), &before);
    if (rc != RC_NOTFOUND) {
        return rc;
    }
    TRY(graph_stage(g));
    TRY(record_id_set(&seen.id, buf_span(&id)));
    buf_put_str(&d, "{\"reason\":\"unreadable\",\"member\":");
    json_put_string(&d, span_from_str(reason));
    buf_put_char(&d, '}');
    const struct event e = {.type = EVENT_CALL_QUARANTINED,
                            .source = SOURCE_CALL_RECORDS,
                            .tenant = span_from_str(config->tenant_id),
                            .id = buf_span(&id),
                            .version = 1,
                            .event_ms = window_start_ms,
                            .data = buf_span(&d)};
    TRY(event_emit(g->spool, g->scratch.line, &e, now));
    g->status.records_quarantined++;
    LOG_WARN("ev=record_unreadable member=%s bytes=%zu", reason, element.len);
    return seen_put(g->spool, rows_key_span(&key), &seen);
}

/// Oldest rows of one time-ordered table, as long as they are older than the limit.
static void purge_table(struct graph *g, enum spool_table table, uint64_t before)
{
    for (unsigned i = 0; i < PURGE_ROWS_MAX; i++) {
        char key_bytes[SPOOL_KEY_BYTES_MAX];
        char value_bytes[256];
        struct buf key = BUF(key_bytes);
        struct buf value = BUF(value_bytes);
        enum rc rc = spool_seek(g->spool, table, (struct spool_from){.after = false}, &key, &value);
        // a damaged row names its key and goes like the others
        if (rc != RC_OK && rc != RC_CORRUPT) {
            return;
        }
        struct reader r = {.left = buf_span(&key)};
        if (reader_be64(&r) >= before || graph_stage(g) != RC_OK ||
            spool_delete(g->spool, table, buf_span(&key)) != RC_OK) {
            return;
        }
    }
}

void work_purge(struct graph *g, struct now now)
{
    if (now.wall.quality != CLOCK_TRUSTED) {
        return; // nothing is ever expired by a clock that is not trusted
    }
    int64_t before_ms = now.wall.ms - PURGE_AGE_MS;
    purge_table(g, SPOOL_SEEN, (uint64_t)before_ms);
    purge_table(g, SPOOL_WINDOW, (uint64_t)(before_ms - windows_width_ms(&g->windows)) / 1000u);
}

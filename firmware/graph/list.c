// SPDX-License-Identifier: Apache-2.0
// Listing one window: every page, every element compared with what was seen. The window's row is
// staged behind everything that its listing found, so "listed" can never become durable before the
// findings. A broken listing begins again at the first page: Graph promises nothing about a
// nextLink that is kept for later.
#include <inttypes.h>

#include "base/assert.h"

#include "graph/graph_state.h"
#include "sys/log.h"

#define ELEMENTS_PER_TURN 16u

void list_init(struct graph *g, unsigned slot)
{
    g->list.state = LIST_IDLE;
    fetch_init(&g->list.fetch, slot);
}

static void list_url(struct graph *g, const struct window *win)
{
    char tail[512];
    struct buf b = BUF(tail);

    buf_put_str(&b, "?$filter=startDateTime%20ge%20");
    time_put_iso_s(&b, win->start_ms);
    buf_put_str(&b, "%20and%20startDateTime%20lt%20");
    time_put_iso_s(&b, win->start_ms + windows_width_ms(&g->windows));
    if (g->settings.config->call_records.depth == DEPTH_SESSIONS) {
        // Only what decides whether to fetch: a page is then a third of its size.
        buf_put_str(
            &b,
            "&$select=id,version,type,modalities,startDateTime,endDateTime,lastModifiedDateTime");
    }
    fetch_url(&g->list.fetch, g->settings.config, SPAN_NONE, buf_span(&b));
    link_ring_start(&g->list.links,
                    (struct span){.ptr = g->list.fetch.url, .len = g->list.fetch.url_len});
}

/// Open the most urgent window.
static void choose_window(struct graph *g, struct now now)
{
    struct list *l = &g->list;
    int64_t next_ms = INT64_MAX;
    const struct window *win =
        windows_due(&g->windows, now.wall.ms, g->status.pending < WORK_HIGH, &next_ms);

    if (win == NULL) {
        g->list_next = next_ms == INT64_MAX ? mono_after(now.mono, HOUR_MS)
                                            : mono_after(now.mono, next_ms - now.wall.ms);
        return;
    }
    l->state = LIST_READING;
    l->window_start_ms = win->start_ms;
    l->began_ms = now.wall.ms;
    l->records = 0;
    l->pages = 0;
    l->empty_pages = 0;
    l->emitted = 0;
    l->page_open = false;
    l->tries = 0;
    l->ask_at = now.mono;
    list_url(g, win);
}

/// A page that failed in passing is asked for again where it is: what it held so far was compared
/// already and is known by now.
static bool list_retry(struct graph *g, struct now now)
{
    struct list *l = &g->list;
    enum fetch_fail fail = l->fetch.fail;
    bool passing = fail == FETCH_FAIL_NETWORK || fail == FETCH_FAIL_THROTTLED ||
                   fail == FETCH_FAIL_SERVER || fail == FETCH_FAIL_UNAUTHORIZED;

    if (!passing || ++l->tries >= PAGE_TRIES_MAX) {
        return false;
    }
    l->ask_at = mono_after(now.mono, graph_backoff_ms(g, l->tries));
    l->emitted = 0;
    return true;
}

static void list_abandon(struct graph *g, struct now now, const char *why)
{
    struct window *win = windows_at(&g->windows, g->list.window_start_ms, now.wall.ms);

    fetch_cancel(&g->list.fetch, &g->settings);
    g->list.state = LIST_IDLE;
    g->list_next = now.mono;
    if (win == NULL) {
        return; // it became too old while it was read
    }
    win->failures++;
    win->retry_ms = now.wall.ms + graph_backoff_ms(g, win->failures);
    if (win->failures == 1) {
        LOG_WARN("ev=list_failed cause=%s status=%d pages=%" PRIu32,
                 why,
                 g->list.fetch.status,
                 g->list.pages);
    }
}

/// The record at hand on its way into the spool.
struct emission {
    const struct json *doc;
    struct event event;
    uint32_t number; ///< events so far over all arrays; those below `emitted` are staged already
};

/// One array of the record at hand. @param count  filled: its elements
static RC
emit_array(struct graph *g, struct emission *m, struct span member, uint32_t *count, struct now now)
{
    *count = 0;
    for (int n = json_first(m->doc, json_get(m->doc, 0, member)); n != JSON_NONE;
         n = json_next(m->doc, n)) {
        (*count)++;
        if (m->number++ < g->list.emitted) {
            continue;
        }
        m->event.part = *count;
        m->event.data = json_text(m->doc, n);
        TRY(event_emit(g->spool, g->scratch.line, &m->event, now));
        g->list.emitted++;
    }
    return RC_OK;
}

static RC emit_shell(struct graph *g, struct emission *m, struct now now)
{
    struct buf shell = g->scratch.shell;

    buf_reset(&shell);
    TRY(callrec_put_shell(m->doc, 0, &shell));
    m->event.type = EVENT_CALL_RECORD;
    m->event.part = 0;
    m->event.data = buf_span(&shell);
    TRY(event_emit(g->spool, g->scratch.line, &m->event, now));
    g->list.emitted++;
    return RC_OK;
}

/// All that the list carries of one record, when nothing more is to be fetched. Called again after
/// a full store, it goes on where it was.
static RC
emit_inline(struct graph *g, const struct json *doc, const struct callrec *r, struct now now)
{
    struct emission m = {
        .doc = doc,
        .event =
            {
                .source = SOURCE_CALL_RECORDS,
                .tenant = span_from_str(g->settings.config->tenant_id),
                .id = record_id_span(&r->id),
                .version = r->version,
                .event_ms = r->start_ms,
            },
    };
    char data[EVENT_COUNTS_BYTES];
    struct buf counts = BUF(data);
    uint32_t sessions = 0;
    uint32_t participants = 0;

    m.event.type = EVENT_CALL_SESSION;
    TRY(emit_array(g, &m, SPAN("sessions"), &sessions, now));
    m.event.type = EVENT_CALL_PARTICIPANT;
    TRY(emit_array(g, &m, SPAN("participants_v2"), &participants, now));
    if (m.number == g->list.emitted) {
        TRY(emit_shell(g, &m, now));
    }
    event_put_counts(&counts, sessions, participants);
    m.event.type = EVENT_CALL_COMPLETE;
    m.event.part = 0;
    m.event.data = buf_span(&counts);
    return event_emit(g->spool, g->scratch.line, &m.event, now);
}

/// DEPTH_RECORDS: the element is all there is.
static RC take_whole(
    struct graph *g, const struct json *doc, const struct callrec *r, bool *is_new, struct now now)
{
    struct rows_key key = seen_key(r->start_ms, record_id_span(&r->id));
    struct seen_row seen;
    enum rc rc = seen_get(g->spool, rows_key_span(&key), &seen);

    if (rc == RC_OK && r->version <= seen.version_wanted && g->list.emitted == 0) {
        return RC_OK;
    }
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        return rc;
    }
    TRY(graph_stage(g));
    TRY(emit_inline(g, doc, r, now));
    *is_new = true;
    g->status.records_done++;
    seen = (struct seen_row){
        .state = SEEN_DONE, .version_done = r->version, .version_wanted = r->version, .id = r->id};
    return seen_put(g->spool, rows_key_span(&key), &seen);
}

/// @return RC_OK: dealt with; anything else: the element stays at hand for the next turn.
static RC take_element(struct graph *g, struct now now)
{
    struct span element = fetch_element(&g->list.fetch);
    const char *reason = "object";
    struct callrec r;
    struct json doc;
    bool is_new = false;

    enum rc rc =
        json_parse_element(&doc, &g->list.fetch.cut, g->scratch.tokens, g->scratch.tokens_max);
    if (rc == RC_OK) {
        rc = callrec_read(&doc, 0, &r, &reason);
    }
    if (rc != RC_OK) {
        return work_bury_unreadable(
            g, element, rc == RC_TOOBIG ? "size" : reason, g->list.window_start_ms, now);
    }
    rc = g->settings.config->call_records.depth == DEPTH_RECORDS
             ? take_whole(g, &doc, &r, &is_new, now)
             : work_want(g, &r, &is_new, now);
    if (rc == RC_TOOBIG) { // one event is longer than a line may be: that cannot become better
        rc = work_bury_unreadable(g, element, "size", g->list.window_start_ms, now);
    }
    g->status.records_new += rc == RC_OK && is_new;
    return rc;
}

static RC window_listed(struct graph *g, struct now now)
{
    struct list *l = &g->list;
    struct window *win = windows_at(&g->windows, l->window_start_ms, now.wall.ms);

    if (win != NULL) {
        TRY(graph_stage(g));
        struct window_row row = win->row;
        row.listed_ms = l->began_ms;
        row.records = l->records;
        struct rows_key key = window_key(win->start_ms / 1000, g->windows.settings.window_hours);
        TRY(window_put(g->spool, rows_key_span(&key), &row));
        win->row = row;
        if (win->failures != 0) {
            LOG_INFO("ev=list_recovered failures=%" PRIu32, win->failures);
        }
        win->failures = 0;
        win->retry_ms = 0;
    }
    work_purge(g, now);
    g->status.windows_listed++;
    l->state = LIST_IDLE;
    g->list_next = now.mono;
    return RC_OK;
}

/// A page is in: follow its link, or close the window.
static RC page_end(struct graph *g, struct now now)
{
    struct list *l = &g->list;
    struct buf link = g->scratch.shell;
    struct json doc;

    l->pages++;
    l->empty_pages = l->fetch.cut.elements == 0 ? l->empty_pages + 1 : 0;
    if (json_parse(&doc, fetch_rest(&l->fetch), g->scratch.tokens, g->scratch.tokens_max) !=
            RC_OK ||
        !json_is_array(&doc, json_get(&doc, 0, SPAN("value")))) {
        list_abandon(g, now, "no_value_array"); // an answer without the array is no empty window
        return RC_OK;
    }
    enum rc rc = graph_next_link(g, &doc, SPAN("@odata.nextLink"), &l->links, &link);
    if (rc == RC_NOTFOUND) {
        return window_listed(g, now);
    }
    if (rc != RC_OK || l->pages >= LIST_PAGES_MAX || l->empty_pages >= LIST_EMPTY_PAGES_MAX) {
        list_abandon(g,
                     now,
                     rc == RC_DENIED ? "link_of_another_origin"
                     : rc != RC_OK   ? "link_repeated"
                                     : "no_progress");
        return RC_OK;
    }
    fetch_url_link(&l->fetch, buf_span(&link));
    return RC_OK;
}

/// One event of the transfer. @return false when there is nothing more to do this turn.
static bool list_read(struct graph *g, struct now now, struct graph_facts *facts)
{
    struct list *l = &g->list;

    switch (fetch_next(&l->fetch, &g->settings, "graph.list", now)) {
    case FETCH_ELEMENT:
        if (take_element(g, now) != RC_OK) {
            return false;
        }
        l->emitted = 0;
        l->records++;
        g->status.records_listed++;
        fetch_taken(&l->fetch);
        break;
    case FETCH_TOOBIG:
        if (work_bury_unreadable(g, SPAN("element"), "size", l->window_start_ms, now) != RC_OK) {
            return false;
        }
        fetch_taken(&l->fetch);
        break;
    case FETCH_END:
        g->status.pages++;
        l->tries = 0;
        l->page_open = page_end(g, now) != RC_OK;
        break;
    case FETCH_FAILED:
        graph_failed(g, &l->fetch, &g->list_gate, now, facts);
        if (!list_retry(g, now)) {
            list_abandon(g, now, fetch_fail_name(l->fetch.fail));
        }
        return false;
    default:
        return false;
    }
    facts->progress = true;
    return true;
}

static struct mono list_ask(struct graph *g, struct graph_token token, struct now now)
{
    struct mono opens = graph_may_ask(g, &g->list_gate, token, now);

    opens = opens.ms > g->list.ask_at.ms ? opens : g->list.ask_at;
    if (!mono_due(opens, now.mono)) {
        return opens;
    }
    if (fetch_start(&g->list.fetch, &g->settings, token, SPAN("value"), now) != RC_OK) {
        return mono_after(now.mono, GRAPH_MEMORY_WAIT_MS);
    }
    graph_asked(g, &g->list_gate, now);
    return MONO_NEVER; // the answer wakes us
}

struct mono
list_step(struct graph *g, struct graph_token token, struct now now, struct graph_facts *facts)
{
    struct list *l = &g->list;

    if (l->state == LIST_IDLE && mono_due(g->list_next, now.mono)) {
        choose_window(g, now);
    }
    if (l->state == LIST_IDLE) {
        return g->list_next;
    }
    if (l->page_open) { // the page is in, but the store had no room for the window's row
        l->page_open = page_end(g, now) != RC_OK;
        return mono_after(now.mono, GRAPH_STORE_WAIT_MS);
    }
    if (!l->fetch.active) {
        return list_ask(g, token, now);
    }
    for (unsigned i = 0; i < ELEMENTS_PER_TURN; i++) {
        if (!list_read(g, now, facts)) {
            return l->fetch.active && l->fetch.holds ? mono_after(now.mono, GRAPH_STORE_WAIT_MS)
                   : l->fetch.active                 ? MONO_NEVER
                                                     : now.mono;
        }
        if (!l->fetch.active) {
            return now.mono;
        }
    }
    return now.mono;
}

void list_stop(struct graph *g)
{
    fetch_cancel(&g->list.fetch, &g->settings);
    g->list.state = LIST_IDLE;
    g->list.page_open = false;
}

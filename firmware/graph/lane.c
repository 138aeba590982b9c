// SPDX-License-Identifier: Apache-2.0
// One record's details, from the work list to call_complete. Order of the requests: participants
// first, the record with its sessions last. Versions only grow, so when the record then still has
// the version that we came for, everything read before belongs to it too. Only if the sessions go
// on over more pages is the version asked for once more. Parts that were staged for a version that
// moved meanwhile stay without their call_complete and therefore mean nothing.
#include <inttypes.h>

#include "base/assert.h"
#include "hal/entropy.h"

#include "graph/graph_state.h"
#include "sys/log.h"

#define ELEMENTS_PER_TURN 8u

// clang-format off
const uint8_t lane_next[LANE_STATES][LANE_EVENTS] = {
    [LANE_IDLE] = {
        [LANE_EV_PICKED] = LANE_PARTICIPANTS },
    [LANE_PARTICIPANTS] = {
        [LANE_EV_PARTICIPANTS_IN] = LANE_RECORD, [LANE_EV_GONE] = LANE_IDLE },
    [LANE_RECORD] = {
        [LANE_EV_RECORD_IN] = LANE_SHELL, [LANE_EV_RESTART] = LANE_PARTICIPANTS,
        [LANE_EV_GONE] = LANE_IDLE },
    [LANE_SHELL] = {
        [LANE_EV_SHELL_STAGED] = LANE_SESSIONS, [LANE_EV_SHELL_STAGED_LAST] = LANE_COMPLETE,
        [LANE_EV_GONE] = LANE_IDLE },
    [LANE_SESSIONS] = {
        [LANE_EV_SESSIONS_IN] = LANE_VERIFY, [LANE_EV_GONE] = LANE_IDLE },
    [LANE_VERIFY] = {
        [LANE_EV_VERIFIED] = LANE_COMPLETE, [LANE_EV_RESTART] = LANE_PARTICIPANTS,
        [LANE_EV_GONE] = LANE_IDLE },
    [LANE_COMPLETE] = {
        [LANE_EV_GONE] = LANE_IDLE },
};

// clang-format on

static void lane_go(struct lane *l, enum lane_event ev)
{
    enum lane_state next = (enum lane_state)lane_next[l->state][ev];

    // our bug: a peer can only cause RESTART and GONE, and those only where a request is under way
    ASSERT(next != LANE_ILLEGAL);
    l->state = next;
    l->url_ready = false;
    l->pages = 0;
    l->tries = 0;
    l->page_base = next == LANE_SESSIONS ? l->sessions : 0;
}

void lane_init(struct lane *l, unsigned slot)
{
    l->state = LANE_IDLE;
    l->url_ready = false;
    l->quarantine = NULL;
    fetch_init(&l->fetch, slot);
}

static void begin_pass(struct lane *l, uint64_t version)
{
    l->version = version;
    l->participants = 0;
    l->sessions = 0;
}

static struct event event_of(
    const struct graph *g, const struct lane *l, const char *type, uint32_t part, struct span data)
{
    return (struct event){.type = type,
                          .source = SOURCE_CALL_RECORDS,
                          .tenant = span_from_str(g->settings.config->tenant_id),
                          .id = record_id_span(&l->seen.id),
                          .version = l->version,
                          .part = part,
                          .event_ms = seen_key_start_ms(rows_key_span(&l->seen_key)),
                          .data = data};
}

// ---- ways out of a record ----

/// Let go of the record; if its rows cannot be staged now they stand as they were, and the record
/// is simply picked again.
static void let_go(struct graph *g, struct lane *l, int64_t delay_ms, struct now now)
{
    fetch_cancel(&l->fetch, &g->settings);
    rc_ignore(work_put_back(g, l, delay_ms, now), "the old queue entry stands");
    lane_go(l, LANE_EV_GONE);
}

static void try_later(struct graph *g, struct lane *l, bool strike, struct now now)
{
    l->work.attempts++;
    l->work.strikes += strike;
    let_go(g, l, graph_backoff_ms(g, l->work.attempts), now);
}

/// Stage the quarantine event and rows. @return false: the store has no room, again later.
static bool quarantine(struct graph *g, struct lane *l, const char *reason, struct now now)
{
    char data[96];
    struct buf b = BUF(data);

    fetch_cancel(&l->fetch, &g->settings);
    l->quarantine = reason;
    buf_put_str(&b, "{\"reason\":");
    json_put_string(&b, span_from_str(reason));
    buf_put_char(&b, '}');
    struct event e = event_of(g, l, EVENT_CALL_QUARANTINED, 0, buf_span(&b));
    if (graph_stage(g) != RC_OK || event_emit(g->spool, g->scratch.line, &e, now) != RC_OK ||
        work_finish(g, l, SEEN_QUARANTINED, now) != RC_OK) {
        return false;
    }
    g->status.records_quarantined++;
    LOG_WARN("ev=record_quarantined record=%s version=%" PRIu64 " reason=%s",
             log_id(record_id_span(&l->seen.id)).text,
             l->version,
             reason);
    l->quarantine = NULL;
    lane_go(l, LANE_EV_GONE);
    return true;
}

static void strike(struct graph *g, struct lane *l, const char *reason, struct now now)
{
    if (l->work.strikes + 1 >= WORK_STRIKES_MAX) {
        (void)quarantine(g, l, reason, now); // false is remembered in l->quarantine
        return;
    }
    try_later(g, l, true, now);
}

static void not_found(struct graph *g, struct lane *l, struct now now)
{
    int64_t wait_ms = (int64_t)g->settings.config->call_records.ready_wait_s * 1000;

    if (now.wall.ms < l->seen.end_ms + wait_ms) {
        try_later(g, l, false, now); // not generated yet: up to 150 minutes after the end
        return;
    }
    strike(g, l, "not_found", now);
}

/// In the middle of a long record a page that failed in passing is asked for again; its parts get
/// the same numbers.
static bool retry_page(struct graph *g, struct lane *l, struct now now)
{
    enum fetch_fail fail = l->fetch.fail;
    bool passing =
        fail == FETCH_FAIL_NETWORK || fail == FETCH_FAIL_SERVER || fail == FETCH_FAIL_UNAUTHORIZED;

    // Being told to wait is no failure of the page: beginning again would only ask for more.
    if ((l->state == LANE_PARTICIPANTS && l->pages == 0) ||
        (fail != FETCH_FAIL_THROTTLED && (!passing || ++l->tries >= PAGE_TRIES_MAX))) {
        return false;
    }
    if (l->state == LANE_PARTICIPANTS) {
        l->participants = l->page_base;
    } else if (l->state != LANE_VERIFY) {
        l->sessions = l->page_base;
    }
    l->ask_at = mono_after(now.mono,
                           fail == FETCH_FAIL_THROTTLED ? l->fetch.retry_after_ms
                                                        : graph_backoff_ms(g, l->tries));
    l->url_ready = true;
    return true;
}

static void failed(struct graph *g, struct lane *l, struct now now, struct graph_facts *facts)
{
    // the record's own limit is far above our share: a 429 is everybody's
    graph_failed(g, &l->fetch, &g->app_gate, now, facts);
    if (retry_page(g, l, now)) {
        return;
    }
    switch (l->fetch.fail) {
    case FETCH_FAIL_UNAUTHORIZED:
    case FETCH_FAIL_FORBIDDEN:
        let_go(g, l, 0, now); // nobody can say that it was the record's fault
        break;
    case FETCH_FAIL_THROTTLED:
        l->work.attempts++;
        let_go(g,
               l,
               l->fetch.retry_after_ms > 0 ? l->fetch.retry_after_ms
                                           : graph_backoff_ms(g, l->work.attempts),
               now);
        break;
    case FETCH_FAIL_NOTFOUND:
        not_found(g, l, now);
        break;
    case FETCH_FAIL_REFUSED:
    case FETCH_FAIL_NONSENSE:
        strike(g, l, fetch_fail_name(l->fetch.fail), now);
        break;
    default:
        try_later(g, l, false, now);
    }
}

/// The version is not the one that we came for.
static void version_moved(struct graph *g, struct lane *l, uint64_t version, struct now now)
{
    g->status.restarts++;
    if (version > l->seen.version_wanted) {
        l->seen.version_wanted = version;
    }
    if (version < l->version || ++l->restarts >= LANE_RESTARTS_MAX) {
        // an older copy answered, or it changes faster than it can be read
        try_later(g, l, false, now);
        return;
    }
    begin_pass(l, version);
    lane_go(l, LANE_EV_RESTART);
}

// ---- what arrives ----

static RC take_element(struct graph *g, struct lane *l, struct now now)
{
    bool participant = l->state == LANE_PARTICIPANTS;
    uint32_t *count = participant ? &l->participants : &l->sessions;
    struct event e = event_of(g,
                              l,
                              participant ? EVENT_CALL_PARTICIPANT : EVENT_CALL_SESSION,
                              *count + 1,
                              fetch_element(&l->fetch));

    TRY(event_emit(g->spool, g->scratch.line, &e, now));
    (*count)++;
    return RC_OK;
}

/// The link of a page of participants or sessions. @return true if another page is to be asked for.
static bool
follow(struct graph *g, struct lane *l, const struct json *doc, struct span name, bool *bad)
{
    struct buf link = g->scratch.shell;
    enum rc rc = graph_next_link(g, doc, name, &l->links, &link);

    l->pages++;
    *bad = (rc != RC_OK && rc != RC_NOTFOUND) || l->pages >= LANE_PAGES_MAX;
    if (rc != RC_OK || *bad) {
        return false;
    }
    fetch_url_link(&l->fetch, buf_span(&link));
    l->url_ready = true;
    l->tries = 0;
    l->page_base = l->state == LANE_PARTICIPANTS ? l->participants : l->sessions;
    return true;
}

static void page_end(struct graph *g, struct lane *l, const struct json *doc, struct now now)
{
    bool bad = false;

    if (!json_is_array(doc, json_get(doc, 0, SPAN("value")))) {
        strike(g, l, "no_value_array", now);
    } else if (follow(g, l, doc, SPAN("@odata.nextLink"), &bad)) {
        return;
    } else if (bad) {
        strike(g, l, "bad_link", now);
    } else {
        lane_go(l, l->state == LANE_PARTICIPANTS ? LANE_EV_PARTICIPANTS_IN : LANE_EV_SESSIONS_IN);
    }
}

/// The record itself, or id and version of it.
static void record_end(struct graph *g, struct lane *l, const struct json *doc, struct now now)
{
    int64_t version = 0;

    if (json_i64(doc, json_get(doc, 0, SPAN("version")), &version) != RC_OK || version < 1) {
        strike(g, l, "no_version", now);
    } else if ((uint64_t)version != l->version) {
        version_moved(g, l, (uint64_t)version, now);
    } else {
        lane_go(l, l->state == LANE_RECORD ? LANE_EV_RECORD_IN : LANE_EV_VERIFIED);
    }
}

static void answer_end(struct graph *g, struct lane *l, struct now now)
{
    struct json doc;

    if (json_parse(&doc, fetch_rest(&l->fetch), g->scratch.tokens, g->scratch.tokens_max) !=
        RC_OK) {
        strike(g, l, "rest_too_big", now);
    } else if (l->state == LANE_PARTICIPANTS || l->state == LANE_SESSIONS) {
        page_end(g, l, &doc, now);
    } else {
        record_end(g, l, &doc, now);
    }
}

/// LANE_SHELL: the record's event, and whether its sessions go on.
/// @return false: the store has no room, again later.
static bool stage_shell(struct graph *g, struct lane *l, struct now now)
{
    struct buf shell = g->scratch.shell;
    struct json doc;
    bool bad = false;

    enum rc rc = json_parse(&doc, fetch_rest(&l->fetch), g->scratch.tokens, g->scratch.tokens_max);
    ASSERT(rc == RC_OK); // it was parsed in LANE_RECORD
    buf_reset(&shell);
    if (callrec_put_shell(&doc, 0, &shell) != RC_OK) {
        return quarantine(g, l, "size", now);
    }
    struct event e = event_of(g, l, EVENT_CALL_RECORD, 0, buf_span(&shell));
    if (event_emit(g->spool, g->scratch.line, &e, now) != RC_OK) {
        return false;
    }
    bool more = follow(g, l, &doc, SPAN("sessions@odata.nextLink"), &bad);
    if (bad) {
        strike(g, l, "bad_link", now);
        return true;
    }
    lane_go(l, more ? LANE_EV_SHELL_STAGED : LANE_EV_SHELL_STAGED_LAST);
    l->url_ready = more;
    l->pages = more ? 1 : 0; // the first page of the sessions came with the record
    return true;
}

/// LANE_COMPLETE. @return false: the store has no room, again later.
static bool stage_complete(struct graph *g, struct lane *l, struct now now)
{
    char data[EVENT_COUNTS_BYTES];
    struct buf counts = BUF(data);

    event_put_counts(&counts, l->sessions, l->participants);
    struct event e = event_of(g, l, EVENT_CALL_COMPLETE, 0, buf_span(&counts));
    if (graph_stage(g) != RC_OK || event_emit(g->spool, g->scratch.line, &e, now) != RC_OK ||
        work_finish(g, l, SEEN_DONE, now) != RC_OK) {
        return false;
    }
    g->status.records_done++;
    lane_go(l, LANE_EV_GONE);
    return true;
}

// ---- turns ----

static void set_url(const struct graph *g, struct lane *l)
{
    static const char *const tails[LANE_STATES] = {
        [LANE_PARTICIPANTS] = "/participants_v2",
        [LANE_RECORD] = "?$expand=sessions($expand=segments)",
        [LANE_VERIFY] = "?$select=id,version",
    };

    ASSERT(tails[l->state] != NULL);
    fetch_url(
        &l->fetch, g->settings.config, record_id_span(&l->seen.id), span_from_str(tails[l->state]));
    l->url_ready = true;
    link_ring_start(&l->links, (struct span){.ptr = l->fetch.url, .len = l->fetch.url_len});
}

static struct mono
lane_ask(struct graph *g, struct lane *l, struct graph_token token, struct now now)
{
    struct mono opens = graph_may_ask(g, &l->record_gate, token, now);

    opens = opens.ms > l->ask_at.ms ? opens : l->ask_at;
    if (!mono_due(opens, now.mono)) {
        return opens;
    }
    if (!l->url_ready) {
        set_url(g, l);
    }
    struct span array = l->state == LANE_RECORD   ? SPAN("sessions")
                        : l->state == LANE_VERIFY ? SPAN_NONE
                                                  : SPAN("value");
    if (fetch_start(&l->fetch, &g->settings, token, array, now) != RC_OK) {
        return mono_after(now.mono, GRAPH_MEMORY_WAIT_MS);
    }
    l->url_ready = false;
    graph_asked(g, &l->record_gate, now);
    return MONO_NEVER; // the answer wakes us
}

/// One event of the transfer.
/// @return false when there is nothing more to do this turn; *wake says when to look again.
static bool lane_read(
    struct graph *g, struct lane *l, struct now now, struct mono *wake, struct graph_facts *facts)
{
    enum rc rc = RC_OK;

    *wake = MONO_NEVER;
    switch (fetch_next(&l->fetch, &g->settings, "graph.detail", now)) {
    case FETCH_ELEMENT:
        rc = take_element(g, l, now);
        if (rc == RC_TOOBIG) {
            (void)quarantine(g, l, "size", now);
            *wake = now.mono;
            return false;
        }
        if (rc != RC_OK) {
            *wake = mono_after(now.mono, GRAPH_STORE_WAIT_MS);
            return false;
        }
        fetch_taken(&l->fetch);
        break;
    case FETCH_TOOBIG:
        (void)quarantine(g, l, "size", now);
        *wake = now.mono;
        return false;
    case FETCH_END:
        answer_end(g, l, now);
        *wake = now.mono;
        break;
    case FETCH_FAILED:
        failed(g, l, now, facts);
        *wake = now.mono;
        return false;
    default:
        return false;
    }
    facts->progress = true;
    return l->fetch.active;
}

static struct mono lane_pick(struct graph *g, struct lane *l, struct now now)
{
    enum rc rc = RC_NOTFOUND;

    if (!mono_due(g->work_next, now.mono)) {
        return g->work_next;
    }
    rc = work_pick(g, l, l == &g->lanes[0], now);
    if (rc == RC_NOTFOUND) {
        return g->work_next;
    }
    if (rc != RC_OK) {
        return mono_after(now.mono, GRAPH_STORE_WAIT_MS);
    }
    l->restarts = 0;
    l->ask_at = now.mono;
    gate_init(&l->record_gate, g->settings.config->call_records.record_per_20s, now.mono);
    begin_pass(l, l->seen.version_wanted);
    lane_go(l, LANE_EV_PICKED);
    return now.mono;
}

struct mono lane_step(struct graph *g,
                      struct lane *l,
                      struct graph_token token,
                      struct now now,
                      struct graph_facts *facts)
{
    struct mono wake = MONO_NEVER;

    if (l->quarantine != NULL) {
        return quarantine(g, l, l->quarantine, now) ? now.mono
                                                    : mono_after(now.mono, GRAPH_STORE_WAIT_MS);
    }
    switch (l->state) {
    case LANE_IDLE:
        return g->status.paused || token.authorization.len == 0 ? MONO_NEVER : lane_pick(g, l, now);
    case LANE_SHELL:
        return stage_shell(g, l, now) ? now.mono : mono_after(now.mono, GRAPH_STORE_WAIT_MS);
    case LANE_COMPLETE:
        return stage_complete(g, l, now) ? now.mono : mono_after(now.mono, GRAPH_STORE_WAIT_MS);
    default:
        break;
    }
    if (!l->fetch.active) {
        return lane_ask(g, l, token, now);
    }
    for (unsigned i = 0; i < ELEMENTS_PER_TURN; i++) {
        if (!lane_read(g, l, now, &wake, facts)) {
            return wake;
        }
    }
    return now.mono;
}

void lane_stop(struct graph *g, struct lane *l)
{
    fetch_cancel(&l->fetch, &g->settings);
    if (l->state != LANE_IDLE && l->quarantine == NULL) {
        lane_go(l, LANE_EV_GONE);
    }
}

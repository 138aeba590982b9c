// SPDX-License-Identifier: Apache-2.0
/*
 * GET /. What varies is written into `out`, the rest are constants of the program. Elements with
 * data-u and an id are what page.js exchanges: their set is the same on every page, what does not
 * apply is hidden. No attribute carries style: the policy forbids it.
 */
#include "base/clock.h"

#include "status/assets.h"
#include "status/page_ask.h"
#include "status/page_put.h"
#include "status/render.h"
#include "status/text.h"

#define VARYING_BYTES_MAX (12800u + CONFIG_SINKS_MAX * 1024u) ///< keeps the whole under 24 KB
#define PLOT_STEP         4                                   ///< units a minute
#define PLOT_HEIGHT       100                                 ///< units
#define SOON_S            ((int64_t)30 * 86400)
#define SPREAD_S          ((int64_t)135 * 60) ///< all of the propagation; more leaves the bar empty

static void put(struct buf *b, const char *html)
{
    buf_put_str(b, html);
}

static bool has(const char *text)
{
    return text_of(text).len > 0;
}

static const char *level_words(enum snapshot_level level)
{
    static const char *const words[] = {
        [SNAPSHOT_GOOD] = "In order",
        [SNAPSHOT_WAIT] = "Waiting; it goes on by itself",
        [SNAPSHOT_SETUP] = "Waiting for you",
        [SNAPSHOT_WARN] = "In order in part; please look",
        [SNAPSHOT_BAD] = "Needs you",
    };

    return level >= SNAPSHOT_GOOD && level <= SNAPSHOT_BAD ? words[level] : "Nothing is known yet";
}

/// The tab shows the state as well.
static const char *level_colour(enum snapshot_level level)
{
    static const char *const colours[] = {
        [SNAPSHOT_GOOD] = "2a9d57",
        [SNAPSHOT_WAIT] = "2f7fc9",
        [SNAPSHOT_SETUP] = "8b5fd0",
        [SNAPSHOT_WARN] = "d98a00",
        [SNAPSHOT_BAD] = "d2342c",
    };

    return level >= SNAPSHOT_GOOD && level <= SNAPSHOT_BAD ? colours[level] : "777777";
}

static void put_time(struct buf *b, int64_t wall_ms)
{
    char iso[CLOCK_TEXT_BYTES];
    struct buf t = BUF(iso);

    if (wall_ms == 0) {
        put(b, "time not known");
        return;
    }
    time_put_iso_s(&t, wall_ms);
    buf_put(b, span_sub(buf_span(&t), 0, 10));
    put(b, " ");
    buf_put(b, span_sub(buf_span(&t), 11, 8));
    put(b, " UTC");
}

static void put_head(struct buf *b, const struct snapshot *s)
{
    put(b, "</style><title>");
    page_word(b, s->state);
    put(b, has(s->name) ? ": " : "");
    page_text(b, s->name, TEXT_NAME_BYTES);
    put(b,
        "</title><link rel=icon href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'"
        " viewBox='0 0 8 8'%3E%3Ccircle cx='4' cy='4' r='4' fill='%23");
    put(b, level_colour(s->level));
    put(b, "'/%3E%3C/svg%3E\"></head><body class=");
    put(b, text_level(s->level));
    put(b, "><header><p class=k>Anteroom</p><h1>");
    page_text(b, has(s->name) ? s->name : "Without a name", TEXT_NAME_BYTES);
    put(b, "</h1><p id=u data-u>");
    put_time(b, s->wall_ms);
    put(b, "</p><p id=c role=status></p></header><main>");
}

static void put_sentence(struct buf *b, const char *name, struct span text)
{
    if (text.len > 0) {
        page_reading(b, name);
        text_put(b, TEXT_HTML, text, TEXT_SENTENCE_BYTES);
        page_reading_end(b);
    }
}

static void put_countdown(struct buf *b, int64_t left_s)
{
    int64_t left = left_s < 0 ? 0 : left_s;
    int64_t done = left < SPREAD_S ? SPREAD_S - left : 0;

    put(b, "<p><b>");
    page_duration(b, left);
    put(b,
        "</b>at most, until what was granted has spread</p><progress aria-label=\"time gone\" "
        "max=");
    buf_put_i64(b, SPREAD_S);
    put(b, " value=");
    buf_put_i64(b, done);
    put(b, "></progress>");
}

static void put_expiry(struct buf *b, const struct snapshot_credential *c)
{
    if (!c->there || !text_is_time(c->expires_in_s) || c->expires_in_s > SOON_S) {
        return;
    }
    page_reading(b, c->certificate ? "Certificate" : "Secret");
    put(b, "<b>");
    if (c->expires_in_s > 0) {
        page_duration(b, c->expires_in_s);
        put(b, "</b>until it expires");
    } else {
        put(b, "expired</b>");
    }
    page_reading_end(b);
}

static void put_window(struct buf *b, const struct snapshot *s)
{
    put(b, "<section id=s aria-label=State><div id=v data-u aria-live=polite><h2>");
    page_word(b, has(s->state) ? s->state : "starting");
    put(b, "</h2><p class=l>");
    put(b, level_words(s->level));
    put(b, s->enabled_with_warning ? "; enabled with a warning" : "");
    put(b, "</p><p>");
    text_put(b, TEXT_HTML, s->what, TEXT_SENTENCE_BYTES);
    put(b, "</p>");
    if (s->holding) {
        put(b,
            "<p class=l>Nothing has helped so far: the box holds still, loses nothing, and tries "
            "again by itself. Pulling the plug makes it try at once.</p>");
    }
    put(b, "</div><div id=x data-u><p class=k>LED</p><b>");
    buf_put_u64(b, s->led_code);
    put(b, "</b><p>");
    page_text(b, s->led_shows, TEXT_CLAUSE_BYTES);
    put(b, "</p></div><div id=w data-u>");
    if (text_is_time(s->propagation_left_s)) {
        put_countdown(b, s->propagation_left_s);
    }
    put(b, "<dl>");
    put_sentence(b, "Next", s->next);
    put_sentence(b, "What you can do", s->advice);
    put_expiry(b, &s->credential);
    put_sentence(b, "Cause", text_of(s->reason));
    put(b, "</dl></div></section>");
}

static void put_notice(struct buf *b, const struct render_page *page)
{
    if (has(page->notice)) {
        put(b, page->notice_bad ? "<p role=alert class=bad>" : "<p role=alert>");
        page_text(b, page->notice, TEXT_SENTENCE_BYTES);
        put(b, "</p>");
    }
}

// ---- the last hour ----

static uint32_t highest(const struct snapshot *s)
{
    uint32_t most = 1;

    for (unsigned i = 0; i < SNAPSHOT_MINUTES; i++) {
        most = s->collected[i] > most ? s->collected[i] : most;
        most = s->sent[i] > most ? s->sent[i] : most;
    }
    return most;
}

static uint64_t sum(const uint32_t *minutes)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < SNAPSHOT_MINUTES; i++) {
        all += minutes[i];
    }
    return all;
}

/// Something is never drawn as nothing.
static int height(uint32_t v, uint32_t most)
{
    return v == 0 ? 0 : 1 + (int)((uint64_t)v * (PLOT_HEIGHT - 3) / most);
}

/// Oldest first; one vertical line each, moved to relatively.
static void put_bars(struct buf *b, const uint32_t *minutes, uint32_t most)
{
    int gap = PLOT_STEP / 2, down = 0;

    put(b, "<path class=c d=\"M0 100");
    for (unsigned i = SNAPSHOT_MINUTES; i-- > 0;) {
        int high = height(minutes[i], most);
        if (high > 0) {
            put(b, "m");
            buf_put_i64(b, gap);
            put(b, " ");
            buf_put_i64(b, down);
            put(b, "v-");
            buf_put_i64(b, high);
            gap = 0;
            down = high;
        }
        gap += PLOT_STEP;
    }
    put(b, "\"/>");
}

static void put_curve(struct buf *b, const uint32_t *minutes, uint32_t most)
{
    int at = height(minutes[SNAPSHOT_MINUTES - 1u], most);

    put(b, "<path d=\"M2 ");
    buf_put_i64(b, PLOT_HEIGHT - at);
    put(b, "l");
    for (unsigned i = SNAPSHOT_MINUTES - 1u; i-- > 0;) {
        int high = height(minutes[i], most);
        put(b, "4 ");
        buf_put_i64(b, at - high);
        put(b, i > 0 ? " " : "");
        at = high;
    }
    put(b, "\"/>");
}

static void put_hour(struct buf *b, const struct snapshot *s)
{
    uint64_t collected = sum(s->collected), sent = sum(s->sent);
    uint32_t most = highest(s);

    put(b, "<section id=h data-u aria-labelledby=hh><h2 id=hh>Last hour</h2>");
    if (collected + sent == 0) {
        put(b, "<p>Nothing was collected, and nothing sent.</p></section>");
        return;
    }
    put(b,
        "<svg class=g viewBox=\"0 0 240 100\" preserveAspectRatio=none role=img "
        "aria-label=\"Events a minute, 60 minutes\">");
    put_bars(b, s->collected, most);
    put_curve(b, s->sent, most);
    put(b, "</svg><p class=t><small>an hour ago</small><small>now</small></p>");
    put(b, "<p class=t><span><i></i>collected ");
    page_count(b, collected);
    put(b, "</span><span><i class=o></i>sent ");
    page_count(b, sent);
    put(b, "</span><span>peak ");
    page_count(b, most);
    put(b, " a minute</span></p></section>");
}

// ---- readings ----

static void put_permissions(struct buf *b, const struct snapshot *s)
{
    put(b, "<section id=p data-u aria-labelledby=ph><h2 id=ph>Permissions</h2><ul>");
    for (unsigned i = 0; i < s->permissions_count; i++) {
        const struct snapshot_permission *p = &s->permissions[i];
        put(b, "<li><div class=t><span class=n>");
        page_text(b, p->name, TEXT_WORD_BYTES);
        put(b, "</span>");
        page_verdict(b, p->level, p->wanted || p->delegated ? p->text : "not wanted");
        put(b, "</div><p>");
        page_text(b, p->gives, TEXT_CLAUSE_BYTES);
        put(b, p->delegated ? "; of whoever signs in, not needed to collect" : "");
        if (text_is_time(p->age_s)) {
            put(b, "; looked at ");
            page_ago(b, p->age_s);
        }
        put(b, "</p></li>");
    }
    put(b, "</ul></section>");
}

static void put_item(struct buf *b, const char *name, const char *state, enum snapshot_level level)
{
    put(b, "<li><div class=t><span class=n>");
    page_text(b, name, TEXT_WORD_BYTES);
    put(b, "</span>");
    page_verdict(b, level, state);
    put(b, "</div>");
}

static void put_why(struct buf *b, const char *text)
{
    if (has(text)) {
        put(b, "<p>");
        page_text(b, text, TEXT_CLAUSE_BYTES);
        put(b, "</p>");
    }
}

static void put_age(struct buf *b, const char *name, int64_t age_s)
{
    page_reading(b, name);
    page_ago(b, age_s);
    page_reading_end(b);
}

static void put_sources(struct buf *b, const struct snapshot *s)
{
    put(b, "<section id=o data-u aria-labelledby=oh><h2 id=oh>Sources</h2><ul>");
    for (unsigned i = 0; i < s->sources_count; i++) {
        const struct snapshot_source *c = &s->sources[i];
        put_item(b, c->name, c->state, c->level);
        put_why(b, c->text);
        put(b, "<dl>");
        page_reading_count(b, "collected", c->done);
        page_reading_count(b, "pending", c->pending);
        put_age(b, "last", c->last_age_s);
        if (c->quarantined > 0) {
            page_reading_count(b, "set aside", c->quarantined);
        }
        put(b, "</dl></li>");
    }
    put(b, "</ul></section>");
}

static void put_sinks(struct buf *b, const struct snapshot *s)
{
    put(b, "<section id=k data-u aria-labelledby=kh><h2 id=kh>Sinks</h2>");
    if (s->sinks_count == 0) {
        put(b, "<p>None is configured.</p></section>");
        return;
    }
    put(b, "<ul>");
    for (unsigned i = 0; i < s->sinks_count; i++) {
        const struct snapshot_sink *k = &s->sinks[i];
        put_item(b, k->name, k->state, k->level);
        put_why(b, k->reason);
        put(b, "<dl>");
        page_reading_count(b, "backlog", k->backlog);
        if (k->backlog > 0) {
            put_age(b, "oldest", k->oldest_age_s);
        }
        page_reading_count(b, "sent", k->sent);
        put_age(b, "last taken", k->last_age_s);
        if (k->dead > 0) {
            page_reading_count(b, "refused", k->dead);
        }
        put(b, "</dl></li>");
    }
    put(b, "</ul></section>");
}

static void put_credential(struct buf *b, const char *name, const struct snapshot_credential *c)
{
    if (!c->there) {
        return;
    }
    page_reading(b, name);
    put(b, c->certificate ? "certificate, " : "secret, ");
    if (!text_is_time(c->expires_in_s)) {
        put(b, "end not known");
    } else if (c->expires_in_s <= 0) {
        put(b, "expired");
    } else {
        put(b, "good for ");
        page_duration(b, c->expires_in_s);
    }
    page_reading_end(b);
}

static void put_word(struct buf *b, const char *name, const char *word)
{
    if (has(word)) {
        page_reading(b, name);
        page_text(b, word, TEXT_WORD_BYTES);
        page_reading_end(b);
    }
}

static void put_store(struct buf *b, const struct snapshot *s)
{
    page_reading(b, "store");
    buf_put_u64(b, s->store_percent);
    put(b, " % of ");
    page_bytes(b, s->store_quota_bytes);
    page_reading_end(b);
    page_reading_count(b, "events in store", s->store_events);
    if (text_is_time(s->oldest_age_s)) {
        put_age(b, "oldest of them", s->oldest_age_s);
    }
    if (s->dead_events > 0) {
        page_reading_count(b, "in quarantine", s->dead_events);
    }
}

static void put_signed_in(struct buf *b, const struct snapshot_signin *g)
{
    page_reading(b, "authorised by");
    page_text(b, has(g->who) ? g->who : "nobody signed in", TEXT_NAME_BYTES);
    if (text_is_time(g->age_s)) {
        put(b, ", ");
        page_ago(b, g->age_s);
    }
    page_reading_end(b);
    if (has(g->text)) {
        put(b, "<div class=w><dt>sign-in<dd>");
        page_text(b, g->text, TEXT_SENTENCE_BYTES);
        page_reading_end(b);
    }
}

static void put_box(struct buf *b, const struct snapshot *s)
{
    put(b, "<section id=b data-u aria-labelledby=bh><h2 id=bh>Box</h2><dl>");
    put_word(b, "clock", s->clock);
    put_store(b, s);
    put_credential(b, "credential", &s->credential);
    put_credential(b, "next credential", &s->credential_next);
    put_signed_in(b, &s->signin);
    put_word(b, "keys kept in", s->token_class);
    page_reading(b, "up for");
    page_duration(b, s->uptime_s > INT64_MAX ? INT64_MAX : (int64_t)s->uptime_s);
    page_reading_end(b);
    put_word(b, "started after", s->restart_cause);
    put_word(b, "board", s->board);
    put_word(b, "serial number ends in", s->serial_end);
    put_word(b, "build", s->build);
    if (has(s->fingerprint)) {
        put(b, "<div class=w><dt>SHA-256 of this port's certificate<dd>");
        page_text(b, s->fingerprint, sizeof(s->fingerprint));
        page_reading_end(b);
    }
    put(b, "</dl></section>");
}

static void put_foot(struct buf *b, const struct snapshot *s)
{
    put(b, "</main><footer><a href=/status>JSON</a><a href=/metrics>Metrics</a>");
    put(b,
        s->credential.there && s->credential.certificate ? "<a href=/certificate>Certificate</a>"
                                                         : "");
    put(b,
        "<noscript><p>Without scripts this page does not follow by itself: <a href=/>load it again"
        "</a>.</p></noscript></footer><script>");
}

/// A person has come to do something: the form stands high on the page.
static bool is_form_wanted(const struct snapshot *s, const struct render_page *page)
{
    return s->can_enable || s->consent_wanted || page_is_link(s->signin.link) || page->can_forget ||
           s->level == SNAPSHOT_BAD;
}

/// @return where the QR code belongs; 0: nowhere
static size_t put_all(struct buf *b, const struct snapshot *s, const struct render_page *page)
{
    put_head(b, s);
    put_window(b, s);
    put_notice(b, page);
    size_t code_at = page_to_do(b, s);
    bool early = is_form_wanted(s, page);
    if (early) {
        page_form(b, s, page);
    }
    put_hour(b, s);
    put(b, "<div class=m>");
    put_permissions(b, s);
    put_sinks(b, s);
    put_sources(b, s);
    put_box(b, s);
    put(b, "</div>");
    if (!early) {
        page_form(b, s, page);
    }
    put_foot(b, s);
    return code_at;
}

/// The QR code is the largest piece, and the one that a page can do without (its link stands beside
/// it): it is written last, into the room that is left, and handed out where it belongs.
unsigned render_page(const struct snapshot *s,
                     const struct render_page *page,
                     struct buf *out,
                     struct span *parts)
{
    size_t room = out->cap - out->len;
    struct buf b = buf_of(out->ptr + out->len, room < VARYING_BYTES_MAX ? room : VARYING_BYTES_MAX);
    size_t code_at = put_all(&b, s, page);
    struct span text = buf_span(&b);

    if (!buf_ok(&b)) {
        return 0;
    }
    if (code_at > 0) {
        rc_ignore(render_qr(text_of(s->consent_link), &b), "the link alone will do");
    }
    out->len += b.len;
    parts[0] = SPAN("<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport "
                    "content=\"width=device-width,initial-scale=1\"><style>");
    parts[1] = assets_css;
    parts[2] = span_sub(text, 0, code_at);
    parts[3] = span_sub(buf_span(&b), text.len, b.len);
    parts[4] = span_sub(text, code_at, text.len);
    parts[5] = assets_js;
    parts[6] = SPAN("</script></body></html>\n");
    return 7;
}

struct span render_page_csp(void)
{
    return assets_policy;
}

// SPDX-License-Identifier: Apache-2.0
#include "graph/windows.h"

#include "base/assert.h"

#define DAY_MS (24 * HOUR_MS)
/// The last listing of a window happens this long before Graph forgets its oldest record, whatever
/// the schedule says.
#define LAST_CALL_MS (6 * HOUR_MS)

void windows_init(struct windows *w,
                  const struct config_call_records *settings,
                  int64_t first_start_ms)
{
    *w = (struct windows){.settings = *settings, .first_start_ms = first_start_ms};
    ASSERT(settings->window_hours >= 1);
}

int64_t windows_width_ms(const struct windows *w)
{
    return (int64_t)w->settings.window_hours * HOUR_MS;
}

static int64_t grid_floor(const struct windows *w, int64_t ms)
{
    int64_t width = windows_width_ms(w);

    return ms >= 0 ? ms / width * width : 0;
}

/// Start of the oldest window that is looked at.
static int64_t oldest_start(const struct windows *w, int64_t now_ms)
{
    int64_t kept = now_ms - GRAPH_RETENTION_DAYS * DAY_MS;
    int64_t wanted = w->first_start_ms - (int64_t)w->settings.backfill_days * DAY_MS;

    return grid_floor(w, kept > wanted ? kept : wanted);
}

/// The table is a ring over the grid: at most WINDOWS_MAX windows are in reach at a time, so a slot
/// has one meaning at any moment.
static struct window *slot_of(struct windows *w, int64_t start_ms)
{
    struct window *slot = &w->slots[(uint64_t)(start_ms / windows_width_ms(w)) % WINDOWS_MAX];

    if (slot->start_ms != start_ms) {
        *slot = (struct window){.start_ms = start_ms};
    }
    return slot;
}

void windows_load(struct windows *w,
                  int64_t start_ms,
                  uint32_t width_hours,
                  const struct window_row *row,
                  int64_t now_ms)
{
    if (width_hours != w->settings.window_hours || start_ms % windows_width_ms(w) != 0 ||
        start_ms < oldest_start(w, now_ms) || start_ms > now_ms) {
        return;
    }
    slot_of(w, start_ms)->row = *row;
}

struct window *windows_at(struct windows *w, int64_t start_ms, int64_t now_ms)
{
    int64_t start = grid_floor(w, start_ms);

    if (start < oldest_start(w, now_ms) || start > now_ms) {
        return NULL;
    }
    return slot_of(w, start);
}

int64_t windows_interval_ms(const struct windows *w, int64_t start_ms, int64_t now_ms)
{
    int64_t age_ms = now_ms - (start_ms + windows_width_ms(w));

    if (age_ms < (int64_t)w->settings.hot_hours * HOUR_MS) {
        return (int64_t)w->settings.hot_interval_s * 1000;
    }
    if (age_ms < (int64_t)w->settings.warm_hours * HOUR_MS) {
        return (int64_t)w->settings.warm_interval_s * 1000;
    }
    return (int64_t)w->settings.cold_interval_s * 1000;
}

/// Wall time at which the window wants to be listed again.
static int64_t due_ms(const struct windows *w, const struct window *win, int64_t now_ms)
{
    int64_t due = win->row.listed_ms + windows_interval_ms(w, win->start_ms, now_ms);
    int64_t last_call = win->start_ms + GRAPH_RETENTION_DAYS * DAY_MS - LAST_CALL_MS;

    if (win->row.listed_ms > now_ms) {
        due = now_ms; // listed in the future: the clock was set back, so the stamp says nothing
    }
    if (win->row.listed_ms < last_call && last_call < due) {
        due = last_call;
    }
    // Further ahead than any back-off: the clock was set back here, too.
    bool retry_says = win->retry_ms - now_ms <= (int64_t)w->settings.retry_cap_ms;
    return retry_says && win->retry_ms > due ? win->retry_ms : due;
}

/// True if a is to be listed before b; both are due.
static bool
more_urgent(const struct windows *w, const struct window *a, const struct window *b, int64_t now_ms)
{
    bool a_new = a->row.listed_ms == 0;
    bool b_new = b->row.listed_ms == 0;

    if (a_new || b_new) {
        return a_new && (!b_new || a->start_ms > b->start_ms);
    }
    int64_t a_late = (now_ms - a->row.listed_ms) / windows_interval_ms(w, a->start_ms, now_ms);
    int64_t b_late = (now_ms - b->row.listed_ms) / windows_interval_ms(w, b->start_ms, now_ms);
    return a_late != b_late ? a_late > b_late : a->start_ms > b->start_ms;
}

struct window *windows_due(struct windows *w, int64_t now_ms, bool backfill, int64_t *next_ms)
{
    struct window *best = NULL;
    int64_t newest = grid_floor(w, now_ms);

    *next_ms = INT64_MAX;
    for (int64_t start = oldest_start(w, now_ms); start <= newest; start += windows_width_ms(w)) {
        struct window *win = slot_of(w, start);
        if (!backfill && win->row.listed_ms == 0 && start != newest) {
            continue;
        }
        int64_t due = due_ms(w, win, now_ms);
        if (due > now_ms) {
            *next_ms = due < *next_ms ? due : *next_ms;
        } else if (best == NULL || more_urgent(w, win, best, now_ms)) {
            best = win;
        }
    }
    return best;
}

bool windows_failing(struct windows *w, int64_t now_ms)
{
    int64_t newest = grid_floor(w, now_ms);

    for (int64_t start = oldest_start(w, now_ms); start <= newest; start += windows_width_ms(w)) {
        if (slot_of(w, start)->failures != 0) {
            return true;
        }
    }
    return false;
}

unsigned windows_count_due(struct windows *w, int64_t now_ms)
{
    unsigned count = 0;
    int64_t newest = grid_floor(w, now_ms);

    for (int64_t start = oldest_start(w, now_ms); start <= newest; start += windows_width_ms(w)) {
        if (due_ms(w, slot_of(w, start), now_ms) <= now_ms) {
            count++;
        }
    }
    return count;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The windows: which half-open span of startDateTime is to be listed next.
 * Model:   windows of equal width lie on a fixed grid (multiples of the width since 1970), so they
 *          tile without overlap or gap and mean the same after a restart. From the first start
 *          minus the backfill, but never before what Graph keeps, up to now. A window is due when
 *          it was never listed, or when its last complete listing began longer ago than its age
 *          allows: hot, warm, cold. Never-listed ones come first, newest first; of the others the
 *          one that is late by the largest share of its interval.
 * Memory:  a table of WINDOWS_MAX rows; rows are loaded once and mirrored.
 * Time:    pure: `now` is wall time.
 */
#ifndef GRAPH_WINDOWS_H
#define GRAPH_WINDOWS_H
#include "config/config.h"
#include "graph/rows.h"

#define GRAPH_RETENTION_DAYS 30
#define WINDOWS_MAX          (GRAPH_RETENTION_DAYS * 24u + 2u)
#define HOUR_MS              INT64_C(3600000)

struct window {
    int64_t start_ms; ///< 0 with row.listed_ms 0: free slot
    struct window_row row;
    int64_t retry_ms; ///< after a failed listing: not before this wall time
    uint32_t failures;
};

struct windows {
    struct config_call_records settings;
    int64_t first_start_ms; ///< wall time of the first start with this spool
    struct window slots[WINDOWS_MAX];
};

void windows_init(struct windows *w,
                  const struct config_call_records *settings,
                  int64_t first_start_ms);
int64_t windows_width_ms(const struct windows *w);
/// Put a stored row into the table; rows of another width or out of reach are ignored.
void windows_load(struct windows *w,
                  int64_t start_ms,
                  uint32_t width_hours,
                  const struct window_row *row,
                  int64_t now_ms);
/// The window that holds `start_ms`, or NULL if it is older than what is kept.
struct window *windows_at(struct windows *w, int64_t start_ms, int64_t now_ms);
/**
 * The window to list next.
 * @param backfill  false: only windows that were listed before, or that hold the present (used
 *                  while the work list is long).
 * @param next_ms   wall time when the next one will be due, if none is now.
 * @return NULL if none is due.
 */
struct window *windows_due(struct windows *w, int64_t now_ms, bool backfill, int64_t *next_ms);
/// Is there a window in reach whose latest listing failed?
bool windows_failing(struct windows *w, int64_t now_ms);
unsigned windows_count_due(struct windows *w, int64_t now_ms);
/// Interval between two listings of a window that began at start_ms.
int64_t windows_interval_ms(const struct windows *w, int64_t start_ms, int64_t now_ms);

#endif

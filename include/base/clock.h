// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Time as values. Monotonic and wall time are different types so that they cannot be mixed.
 * Nobody but loop/ and hal/clock reads a clock; `now` is passed down.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

struct mono {
    int64_t ms; ///< milliseconds since some fixed moment before start; never goes back
};

enum clock_quality {
    CLOCK_UNKNOWN = 0,
    CLOCK_FLOOR,
    CLOCK_TRUSTED
};

struct wall {
    int64_t ms;                 ///< milliseconds since 1970-01-01T00:00:00Z
    enum clock_quality quality; ///< nothing is expired by a clock that is not trusted
};

/// The one clock read of a loop turn, as it is passed down.
struct now {
    struct mono mono;
    struct wall wall;
};

#define MONO_NEVER       ((struct mono){.ms = INT64_MAX})
#define CLOCK_TEXT_BYTES 25u ///< "2026-11-23T10:00:00.000Z" and NUL

struct mono mono_min(struct mono a, struct mono b);
struct mono mono_after(struct mono a, int64_t ms); ///< saturates
bool mono_due(struct mono deadline, struct mono now);

const char *clock_quality_name(enum clock_quality q); ///< "unknown", "floor", "trusted"

/// Appends YYYY-MM-DDThh:mm:ss.mmmZ. Years 1..9999; other times become the nearest inside.
void time_put_iso(struct buf *b, int64_t wall_ms);
/// Appends YYYY-MM-DDThh:mm:ssZ (Graph filter literals).
void time_put_iso_s(struct buf *b, int64_t wall_ms);

/**
 * ISO 8601 as Graph writes it: date, 'T', time, 0 to 9 fractional digits, 'Z' or an offset +hh:mm.
 * Years 1..9999 (year 1 is how .NET writes "never"). Digits finer than a millisecond are cut off; a
 * leap second (:60) is taken as :59.999.
 * @retval RC_PARSE  anything else, impossible dates included (Feb 30, hour 24); *wall_ms is then
 *                   untouched.
 */
RC time_parse_iso(struct span text, int64_t *wall_ms);

/// A date and time of day (UTC) as fields, as certificates carry it.
struct time_fields {
    int year, month, day, hour, minute, second;
};

/// @retval RC_PARSE  no date of the years 1..9999, or no time; *wall_ms is then untouched.
RC time_of_fields(const struct time_fields *fields, int64_t *wall_ms);

/// IMF-fixdate, RFC 850 (years 1970..2069) and asctime forms (RFC 9110 5.6.7).
/// @retval RC_PARSE  anything else; *wall_ms is then untouched.
RC time_parse_http(struct span text, int64_t *wall_ms);

#define RETRY_AFTER_MIN_MS 1000
#define RETRY_AFTER_MAX_MS 900000
/**
 * Retry-After as whole seconds, decimal seconds (seen on Graph: "2.128") or an HTTP date, clamped
 * to [RETRY_AFTER_MIN_MS, RETRY_AFTER_MAX_MS]. A date needs a trusted clock: against any other the
 * wait is unknown.
 * @retval RC_PARSE  neither form (negative numbers included), or a date without a trusted clock;
 *                   *ms is then untouched.
 */
RC time_parse_retry_after(struct span text, struct wall now, int64_t *ms);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "base/assert.h"

#include "calendar.h"

struct mono mono_min(struct mono a, struct mono b)
{
    return a.ms < b.ms ? a : b;
}

struct mono mono_after(struct mono a, int64_t ms)
{
    int64_t sum;
    if (__builtin_add_overflow(a.ms, ms, &sum)) {
        sum = ms < 0 ? INT64_MIN : INT64_MAX;
    }
    return (struct mono){.ms = sum};
}

bool mono_due(struct mono deadline, struct mono now)
{
    return deadline.ms <= now.ms;
}

const char *clock_quality_name(enum clock_quality q)
{
    static const char *const names[] = {
        [CLOCK_UNKNOWN] = "unknown",
        [CLOCK_FLOOR] = "floor",
        [CLOCK_TRUSTED] = "trusted",
    };
    ASSERT((unsigned)q < sizeof(names) / sizeof(names[0]));
    return names[q];
}

// The civil calendar after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years
// begin in March, so that the leap day is the last of its year; eras of 400 years repeat exactly.
#define ERA_DAYS     146097
#define ERA_TO_EPOCH 719468 // days from 0000-03-01 to 1970-01-01
#define DAY_MS       86400000

int64_t calendar_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400; // y is not negative: years begin with 1
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - ERA_TO_EPOCH;
}

struct civil {
    int64_t year, month, day, ms; // ms of the day
};

static struct civil civil_of(int64_t wall_ms)
{
    int64_t days = (wall_ms >= 0 ? wall_ms : wall_ms - (DAY_MS - 1)) / DAY_MS;
    int64_t z = days + ERA_TO_EPOCH; // not negative: wall_ms is clamped to year 1 and later
    int64_t era = z / ERA_DAYS;
    int64_t doe = z - era * ERA_DAYS;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    return (struct civil){
        .year = yoe + era * 400 + (month <= 2 ? 1 : 0),
        .month = month,
        .day = doy - (153 * mp + 2) / 5 + 1,
        .ms = wall_ms - days * DAY_MS,
    };
}

static void put_padded(struct buf *b, int64_t v, unsigned width)
{
    char digits[4];
    ASSERT(width <= sizeof(digits));
    for (unsigned i = width; i > 0; i--) {
        digits[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    buf_put(b, (struct span){.ptr = digits, .len = width});
}

static void put_fields(struct buf *b, const struct civil *c)
{
    put_padded(b, c->year, 4);
    buf_put_char(b, '-');
    put_padded(b, c->month, 2);
    buf_put_char(b, '-');
    put_padded(b, c->day, 2);
    buf_put_char(b, 'T');
    put_padded(b, c->ms / 3600000, 2);
    buf_put_char(b, ':');
    put_padded(b, c->ms / 60000 % 60, 2);
    buf_put_char(b, ':');
    put_padded(b, c->ms / 1000 % 60, 2);
}

static int64_t clamp(int64_t wall_ms)
{
    // Times come from peers: a year that has no four digits is shown as the nearest that has.
    if (wall_ms < CALENDAR_MS_MIN) {
        return CALENDAR_MS_MIN;
    }
    return wall_ms > CALENDAR_MS_MAX ? CALENDAR_MS_MAX : wall_ms;
}

void time_put_iso(struct buf *b, int64_t wall_ms)
{
    struct civil c = civil_of(clamp(wall_ms));
    put_fields(b, &c);
    buf_put_char(b, '.');
    put_padded(b, c.ms % 1000, 3);
    buf_put_char(b, 'Z');
}

void time_put_iso_s(struct buf *b, int64_t wall_ms)
{
    struct civil c = civil_of(clamp(wall_ms));
    put_fields(b, &c);
    buf_put_char(b, 'Z');
}

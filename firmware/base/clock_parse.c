// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "calendar.h"

// A cursor over the text with a sticky failure, so that a format reads as one straight line of
// calls.
struct cursor {
    struct span left;
    bool bad;
};

struct fields {
    int64_t year, month, day, hour, minute, second; // as written, not yet checked
    int64_t ms;
};

static char take(struct cursor *c)
{
    if (c->left.len == 0) {
        c->bad = true;
        return '\0';
    }
    char first = c->left.ptr[0];
    c->left = span_sub(c->left, 1, c->left.len);
    return first;
}

static void take_char(struct cursor *c, char wanted)
{
    if (take(c) != wanted) {
        c->bad = true;
    }
}

static int64_t take_digits(struct cursor *c, unsigned count)
{
    int64_t v = 0;
    for (unsigned i = 0; i < count; i++) {
        char d = take(c);
        if (d < '0' || d > '9') {
            c->bad = true;
            return 0;
        }
        v = v * 10 + (d - '0');
    }
    return v;
}

static bool at_digit(const struct cursor *c)
{
    return c->left.len > 0 && c->left.ptr[0] >= '0' && c->left.ptr[0] <= '9';
}

static bool take_if(struct cursor *c, char wanted)
{
    if (c->left.len == 0 || c->left.ptr[0] != wanted) {
        return false;
    }
    c->left = span_sub(c->left, 1, c->left.len);
    return true;
}

// Up to nine digits of a second's fraction; what is finer than a millisecond is cut off.
static int64_t take_fraction_ms(struct cursor *c)
{
    int64_t ms = 0;
    unsigned count = 0;
    while (at_digit(c) && count < 9) {
        int64_t digit = take_digits(c, 1);
        if (count < 3) {
            ms = ms * 10 + digit;
        }
        count++;
    }
    if (count == 0) {
        c->bad = true;
    }
    for (; count < 3; count++) {
        ms *= 10;
    }
    return ms;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month];
}

static RC fields_to_ms(struct fields *f, int64_t *wall_ms)
{
    if (f->year < 1 || f->month < 1 || f->month > 12 || f->day < 1) {
        return RC_PARSE;
    }
    if (f->day > month_days(f->year, f->month) || f->hour > 23 || f->minute > 59 ||
        f->second > 60) {
        return RC_PARSE;
    }
    if (f->second == 60) { // a leap second has no place of its own in POSIX time
        f->second = 59;
        f->ms = 999;
    }
    int64_t seconds = (f->hour * 60 + f->minute) * 60 + f->second;
    *wall_ms = (calendar_days(f->year, f->month, f->day) * 86400 + seconds) * 1000 + f->ms;
    return RC_OK;
}

RC time_of_fields(const struct time_fields *fields, int64_t *wall_ms)
{
    struct fields f = {.year = fields->year,
                       .month = fields->month,
                       .day = fields->day,
                       .hour = fields->hour,
                       .minute = fields->minute,
                       .second = fields->second};
    if (f.year > 9999 || f.hour < 0 || f.minute < 0 || f.second < 0) {
        return RC_PARSE;
    }
    return fields_to_ms(&f, wall_ms);
}

static void take_clock(struct cursor *c, struct fields *f)
{
    f->hour = take_digits(c, 2);
    take_char(c, ':');
    f->minute = take_digits(c, 2);
    take_char(c, ':');
    f->second = take_digits(c, 2);
}

static int64_t take_offset_ms(struct cursor *c)
{
    char sign = take(c);
    if (sign == 'Z') {
        return 0;
    }
    int64_t hours = take_digits(c, 2);
    take_char(c, ':');
    int64_t minutes = take_digits(c, 2);
    if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59) {
        c->bad = true;
    }
    int64_t ms = (hours * 60 + minutes) * 60000;
    return sign == '-' ? -ms : ms;
}

RC time_parse_iso(struct span text, int64_t *wall_ms)
{
    struct cursor c = {.left = text, .bad = false};
    struct fields f = {.ms = 0};
    f.year = take_digits(&c, 4);
    take_char(&c, '-');
    f.month = take_digits(&c, 2);
    take_char(&c, '-');
    f.day = take_digits(&c, 2);
    take_char(&c, 'T');
    take_clock(&c, &f);
    if (take_if(&c, '.')) {
        f.ms = take_fraction_ms(&c);
    }
    int64_t offset_ms = take_offset_ms(&c);
    if (c.bad || c.left.len > 0) {
        return RC_PARSE;
    }
    int64_t local_ms;
    TRY(fields_to_ms(&f, &local_ms));
    *wall_ms = local_ms - offset_ms;
    return RC_OK;
}

// One of `count` names, of which the text must start with the first `len` letters (0: all).
// 1-based; 0 and bad if none.
static int64_t take_name(struct cursor *c, const char *const *names, unsigned count, size_t len)
{
    for (unsigned i = 0; i < count; i++) {
        struct span name = span_from_str(names[i]);
        name = span_sub(name, 0, len == 0 ? name.len : len);
        if (span_starts(c->left, name)) {
            c->left = span_sub(c->left, name.len, c->left.len);
            return i + 1;
        }
    }
    c->bad = true;
    return 0;
}

static const char *const weekdays[] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

static int64_t take_month(struct cursor *c)
{
    static const char *const months[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return take_name(c, months, 12, 0);
}

static void take_gmt(struct cursor *c)
{
    take_char(c, ' ');
    take_char(c, 'G');
    take_char(c, 'M');
    take_char(c, 'T');
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
static void take_imf_fixdate(struct cursor *c, struct fields *f)
{
    (void)take_name(c, weekdays, 7, 3);
    take_char(c, ',');
    take_char(c, ' ');
    f->day = take_digits(c, 2);
    take_char(c, ' ');
    f->month = take_month(c);
    take_char(c, ' ');
    f->year = take_digits(c, 4);
    take_char(c, ' ');
    take_clock(c, f);
    take_gmt(c);
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
static void take_rfc850(struct cursor *c, struct fields *f)
{
    (void)take_name(c, weekdays, 7, 0);
    take_char(c, ',');
    take_char(c, ' ');
    f->day = take_digits(c, 2);
    take_char(c, '-');
    f->month = take_month(c);
    take_char(c, '-');
    f->year = take_digits(c, 2);
    f->year += f->year < 70 ? 2000 : 1900; // a date before 1970 would have no use in HTTP
    take_char(c, ' ');
    take_clock(c, f);
    take_gmt(c);
}

// "Sun Nov  6 08:49:37 1994"
static void take_asctime(struct cursor *c, struct fields *f)
{
    (void)take_name(c, weekdays, 7, 3);
    take_char(c, ' ');
    f->month = take_month(c);
    take_char(c, ' ');
    f->day = take_digits(c, take_if(c, ' ') ? 1 : 2);
    take_char(c, ' ');
    take_clock(c, f);
    take_char(c, ' ');
    f->year = take_digits(c, 4);
}

RC time_parse_http(struct span text, int64_t *wall_ms)
{
    struct cursor c = {.left = text, .bad = false};
    struct fields f = {.ms = 0};
    size_t comma = span_index(text, ',');
    if (comma == 3) {
        take_imf_fixdate(&c, &f);
    } else if (comma < text.len) {
        take_rfc850(&c, &f);
    } else {
        take_asctime(&c, &f);
    }
    if (c.bad || c.left.len > 0) {
        return RC_PARSE;
    }
    return fields_to_ms(&f, wall_ms);
}

static struct span trimmed(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = span_sub(s, 1, s.len);
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

// "2" or "2.128"; digits beyond the millisecond are ignored. More seconds than the longest wait
// count as that.
static bool seconds_to_ms(struct span text, int64_t *ms)
{
    struct cursor c = {.left = text, .bad = false};
    int64_t whole = 0;
    int64_t fraction = 0;
    do {
        whole = whole * 10 + take_digits(&c, 1);
        whole = whole > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : whole;
    } while (at_digit(&c));
    if (take_if(&c, '.')) {
        fraction = take_fraction_ms(&c);
        while (at_digit(&c)) {
            (void)take_digits(&c, 1);
        }
    }
    *ms = whole * 1000 + fraction;
    return !c.bad && c.left.len == 0;
}

RC time_parse_retry_after(struct span text, struct wall now, int64_t *ms)
{
    struct span value = trimmed(text);
    int64_t wait_ms;
    if (!seconds_to_ms(value, &wait_ms)) {
        int64_t until_ms;
        TRY(time_parse_http(value, &until_ms));
        if (now.quality != CLOCK_TRUSTED) {
            return RC_PARSE;
        }
        wait_ms = until_ms - now.ms;
    }
    if (wait_ms < RETRY_AFTER_MIN_MS) {
        wait_ms = RETRY_AFTER_MIN_MS;
    }
    *ms = wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
    return RC_OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "status/page_put.h"

#include "status/text.h"

#define LINK_BYTES_MAX 1024u
#define MINUTE_S       60
#define HOUR_S         3600
#define DAY_S          86400
#define KIB            1024u
#define NBSP           "\xC2\xA0"

void page_text(struct buf *b, const char *text, size_t max)
{
    text_put(b, TEXT_HTML, text_of(text), max);
}

void page_word(struct buf *b, const char *word)
{
    char shown[TEXT_WORD_BYTES];
    struct span s = span_sub(text_of(word), 0, sizeof(shown));

    for (size_t i = 0; i < s.len; i++) {
        shown[i] = s.ptr[i] == '_' ? ' ' : s.ptr[i];
    }
    if (s.len > 0 && shown[0] >= 'a' && shown[0] <= 'z') {
        shown[0] = (char)(shown[0] - 'a' + 'A');
    }
    text_put(b, TEXT_HTML, (struct span){.ptr = shown, .len = s.len}, TEXT_WORD_BYTES);
}

void page_count(struct buf *b, uint64_t v)
{
    char digits[20];
    struct buf d = BUF(digits);

    buf_put_u64(&d, v);
    for (size_t i = 0; i < d.len; i++) {
        if (i > 0 && (d.len - i) % 3 == 0) {
            buf_put_char(b, ',');
        }
        buf_put_char(b, digits[i]);
    }
}

static void put_unit(struct buf *b, int64_t v, const char *unit)
{
    buf_put_i64(b, v);
    buf_put_str(b, NBSP); // a number stays with its unit
    buf_put_str(b, unit);
}

void page_duration(struct buf *b, int64_t s)
{
    if (s < MINUTE_S) {
        put_unit(b, s < 0 ? 0 : s, "s");
    } else if (s < HOUR_S) {
        put_unit(b, s / MINUTE_S, "min");
    } else if (s < DAY_S) {
        put_unit(b, s / HOUR_S, s % HOUR_S < 10 * MINUTE_S ? "h" NBSP "0" : "h" NBSP);
        put_unit(b, s % HOUR_S / MINUTE_S, "min");
    } else {
        put_unit(b, s / DAY_S, "d");
        if (s < 10 * DAY_S && s % DAY_S >= HOUR_S) {
            buf_put_str(b, NBSP);
            put_unit(b, s % DAY_S / HOUR_S, "h");
        }
    }
}

void page_ago(struct buf *b, int64_t s)
{
    if (!text_is_time(s)) {
        buf_put_str(b, "never");
        return;
    }
    page_duration(b, s);
    buf_put_str(b, " ago");
}

void page_bytes(struct buf *b, uint64_t bytes)
{
    static const char *const units[] = {
        NBSP "KiB", NBSP "MiB", NBSP "GiB", NBSP "TiB", NBSP "PiB", NBSP "EiB"};
    unsigned unit = 0;
    uint64_t tenths = bytes / KIB * 10u + bytes % KIB * 10u / KIB;

    while (tenths >= 10u * KIB && unit + 1 < sizeof(units) / sizeof(units[0])) {
        tenths /= KIB;
        unit++;
    }
    buf_put_u64(b, tenths / 10u);
    buf_put_char(b, '.');
    buf_put_u64(b, tenths % 10u);
    buf_put_str(b, units[unit]);
}

void page_reading(struct buf *b, const char *name)
{
    buf_put_str(b, "<div><dt>");
    buf_put_str(b, name);
    buf_put_str(b, "<dd>");
}

void page_reading_end(struct buf *b)
{
    buf_put_str(b, "</div>");
}

void page_reading_count(struct buf *b, const char *name, uint64_t v)
{
    page_reading(b, name);
    page_count(b, v);
    page_reading_end(b);
}

void page_verdict(struct buf *b, enum snapshot_level level, const char *text)
{
    buf_put_str(b, "<em class=");
    buf_put_str(b, text_level(level));
    buf_put_char(b, '>');
    page_text(b, text, TEXT_CLAUSE_BYTES);
    buf_put_str(b, "</em>");
}

bool page_is_link(const char *url)
{
    struct span s = text_of(url);

    return s.len <= LINK_BYTES_MAX && span_starts(s, SPAN("https://"));
}

void page_link(struct buf *b, const char *url, const char *text)
{
    if (!page_is_link(url)) {
        return;
    }
    buf_put_str(b, "<a target=_blank rel=\"noopener noreferrer\" href=\"");
    page_text(b, url, LINK_BYTES_MAX + LINK_BYTES_MAX / 8u); // with its '&'s escaped
    buf_put_str(b, "\">");
    page_text(b, text, TEXT_NAME_BYTES);
    buf_put_str(b, "</a>");
}

// SPDX-License-Identifier: Apache-2.0
#include "status/text.h"

#include "base/assert.h"

#include "json/json.h"

#define CUT SPAN("\xE2\x80\xA6") // "…"

static struct span escape_of(enum text_place place, char c)
{
    if (place == TEXT_HTML) {
        switch (c) {
        case '&':
            return SPAN("&amp;");
        case '<':
            return SPAN("&lt;");
        case '>':
            return SPAN("&gt;");
        case '"':
            return SPAN("&#34;");
        case '\'':
            return SPAN("&#39;");
        default:
            return SPAN_NONE;
        }
    }
    if (c == '"') {
        return SPAN("\\\"");
    }
    return c == '\\' ? SPAN("\\\\") : SPAN_NONE;
}

/// C1 controls, U+2028 to U+202E and U+2066 to U+2069 (separators, embeddings, isolates), marks of
/// direction, and the byte order mark.
static bool unseen(struct span c)
{
    unsigned char a = (unsigned char)c.ptr[0], b = (unsigned char)c.ptr[1];

    if (c.len == 2) {
        return (a == 0xC2 && b < 0xA0) || (a == 0xD8 && b == 0x9C);
    }
    if (c.len != 3) {
        return false;
    }
    unsigned char d = (unsigned char)c.ptr[2];
    return (a == 0xE2 && b == 0x80 && ((d >= 0xA8 && d <= 0xAE) || d == 0x8E || d == 0x8F)) ||
           (a == 0xE2 && b == 0x81 && d >= 0xA6 && d <= 0xA9) ||
           (a == 0xEF && b == 0xBB && d == 0xBF);
}

/// What is written for the character at s[at]. @param len  of that character
static struct span piece(enum text_place place, struct span s, size_t at, size_t *len)
{
    unsigned char c = (unsigned char)s.ptr[at];

    *len = json_utf8_len(s, at);
    if (*len == 0) {
        *len = 1;
        return SPAN("\xEF\xBF\xBD");
    }
    struct span whole = span_sub(s, at, *len);
    if (c < 0x20 || c == 0x7F || (c >= 0x80 && unseen(whole))) {
        return SPAN(" ");
    }
    struct span escaped = escape_of(place, s.ptr[at]);
    return escaped.len > 0 ? escaped : whole;
}

/// All of what is left fits into max.
static bool rest_fits(enum text_place place, struct span s, size_t at, size_t max)
{
    size_t used = 0;

    for (size_t len = 0; at < s.len && used <= max; at += len) {
        used += piece(place, s, at, &len).len;
    }
    return used <= max;
}

void text_put(struct buf *b, enum text_place place, struct span s, size_t max)
{
    const size_t start = b->len;

    ASSERT(max >= CUT.len);
    for (size_t at = 0, len = 0; at < s.len; at += len) {
        struct span p = piece(place, s, at, &len);
        size_t used = b->len - start;
        if (used + p.len + CUT.len > max && !rest_fits(place, s, at, max - used)) {
            buf_put(b, CUT);
            return;
        }
        buf_put(b, p);
    }
}

struct span text_of(const char *nul_terminated_or_null)
{
    return nul_terminated_or_null == NULL ? SPAN_NONE : span_from_str(nul_terminated_or_null);
}

const char *text_level(enum snapshot_level level)
{
    static const char *const names[] = {
        [SNAPSHOT_GOOD] = "good",
        [SNAPSHOT_WAIT] = "wait",
        [SNAPSHOT_SETUP] = "setup",
        [SNAPSHOT_WARN] = "warn",
        [SNAPSHOT_BAD] = "bad",
    };

    return level >= SNAPSHOT_GOOD && level <= SNAPSHOT_BAD ? names[level] : "none";
}

bool text_is_time(int64_t s)
{
    return s != SNAPSHOT_NEVER;
}

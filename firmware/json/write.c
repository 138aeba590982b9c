// SPDX-License-Identifier: Apache-2.0
#include "json/scan.h"

size_t json_utf8_len(struct span s, size_t at)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        uint8_t len;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4},
    };

    unsigned char first = (unsigned char)s.ptr[at];

    if (first < 0x80) {
        return 1;
    }
    for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        if (first < forms[f].first_low || first > forms[f].first_high) {
            continue;
        }
        if (s.len - at < forms[f].len) {
            return 0;
        }
        unsigned char second = (unsigned char)s.ptr[at + 1];
        bool good = second >= forms[f].second_low && second <= forms[f].second_high;
        for (size_t i = 2; i < forms[f].len; i++) {
            good = good && ((unsigned char)s.ptr[at + i] & 0xC0u) == 0x80u;
        }
        return good ? forms[f].len : 0;
    }
    return 0;
}

static void put_escaped(struct buf *b, unsigned char c)
{
    const char byte = (char)c;

    switch (c) {
    case '"':
        buf_put_str(b, "\\\"");
        break;
    case '\\':
        buf_put_str(b, "\\\\");
        break;
    case '\n':
        buf_put_str(b, "\\n");
        break;
    case '\r':
        buf_put_str(b, "\\r");
        break;
    case '\t':
        buf_put_str(b, "\\t");
        break;
    default:
        buf_put_str(b, "\\u00");
        buf_put_hex(b, (struct span){.ptr = &byte, .len = 1});
    }
}

/// What stands at s[at] and cannot be copied with its neighbours. @return its length
static size_t put_special(struct buf *b, struct span s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c < 0x80) {
        put_escaped(b, c);
        return 1;
    }
    size_t len = json_utf8_len(s, at);
    if (len == 0) {
        buf_put_str(b, "\xEF\xBF\xBD"); // U+FFFD in place of what is no UTF-8
        return 1;
    }
    buf_put(b, span_sub(s, at, len));
    return len;
}

void json_put_string(struct buf *b, struct span text)
{
    size_t at = 0;

    buf_put_char(b, '"');
    while (at < text.len) {
        size_t plain = json_scan_plain(span_sub(text, at, text.len));
        buf_put(b, span_sub(text, at, plain));
        at += plain;
        if (at < text.len) {
            at += put_special(b, text, at);
        }
    }
    buf_put_char(b, '"');
}

// SPDX-License-Identifier: Apache-2.0
#include "auth/life_kept.h"

#include "base/bytes.h"

#define HEAD     "anteroom-life 2\n"
#define HEAD_1   "anteroom-life 1\n" // one forbidden-since, for all of them
#define TIME_MAX 253402300799999u    ///< the last millisecond of the year 9999

enum line_index {
    LINE_SUBJECT,
    LINE_SIGNED_IN,
    LINE_ENABLED,
    LINE_FORBIDDEN,
    LINE_SINCE, ///< one for each permission
    LINE_COLLECTING = LINE_SINCE + CONFIG_PERMISSIONS,
    LINES,
};

uint32_t life_subject(const struct config *c)
{
    uint32_t crc = crc32c(0, span_from_str(c->authority_url));

    crc = crc32c(crc, span_from_str(c->tenant_id));
    return crc32c(crc, span_from_str(c->client_id));
}

/// The lines in their order; a value is a whole number up to max.
struct line {
    const char *key;
    uint64_t max, value;
};

static void
lines_of(struct line lines[static LINES], const struct life_kept *kept, uint32_t subject)
{
    lines[LINE_SUBJECT] = (struct line){"subject ", UINT32_MAX, subject};
    lines[LINE_SIGNED_IN] = (struct line){"signed-in ", 1, kept->signed_in};
    lines[LINE_ENABLED] = (struct line){"enabled-with-warning ", 1, kept->enabled_with_warning};
    lines[LINE_FORBIDDEN] =
        (struct line){"forbidden ", (1u << CONFIG_PERMISSIONS) - 1u, kept->forbidden};
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        lines[LINE_SINCE + p] =
            (struct line){"forbidden-since ", TIME_MAX, (uint64_t)kept->forbidden_since_ms[p]};
    }
    lines[LINE_COLLECTING] =
        (struct line){"collecting-since ", TIME_MAX, (uint64_t)kept->collecting_since_ms};
}

void life_write(const struct life_kept *kept, uint32_t subject, struct buf *out)
{
    struct line lines[LINES];

    lines_of(lines, kept, subject);
    buf_put_str(out, HEAD);
    for (unsigned i = 0; i < LINES; i++) {
        buf_put_str(out, lines[i].key);
        buf_put_u64(out, lines[i].value < lines[i].max ? lines[i].value : lines[i].max);
        buf_put_char(out, '\n');
    }
}

/// "KEY VALUE\n" off the front of `text`.
static bool take_line(struct span *text, struct line *line)
{
    struct span key = span_from_str(line->key);
    size_t end = span_index(*text, '\n');

    if (end == text->len || !span_starts(*text, key) ||
        !span_u64(span_sub(*text, key.len, end - key.len), &line->value)) {
        return false;
    }
    *text = span_sub(*text, end + 1u, text->len);
    return line->value <= line->max;
}

RC life_read(struct span text, uint32_t subject, struct life_kept *kept)
{
    struct line lines[LINES];
    struct span left = span_sub(text, sizeof(HEAD) - 1u, text.len);
    bool one = span_starts(text, SPAN(HEAD_1));
    bool good = one || span_starts(text, SPAN(HEAD));

    lines_of(lines, &(struct life_kept){.signed_in = false}, 0);
    for (unsigned i = 0; i < LINES && good; i++) {
        bool same = one && i > LINE_SINCE && i < LINE_COLLECTING;
        lines[i].value = same ? lines[LINE_SINCE].value : 0;
        good = same || take_line(&left, &lines[i]);
    }
    if (!good || left.len > 0) {
        return RC_PARSE;
    }
    if (lines[LINE_SUBJECT].value != subject) {
        return RC_STALE;
    }
    *kept = (struct life_kept){
        .signed_in = lines[LINE_SIGNED_IN].value != 0,
        .enabled_with_warning = lines[LINE_ENABLED].value != 0,
        .forbidden = (unsigned)lines[LINE_FORBIDDEN].value,
        .collecting_since_ms = (int64_t)lines[LINE_COLLECTING].value,
    };
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        bool other = one && (kept->forbidden & 1u << p) == 0;
        kept->forbidden_since_ms[p] = other ? 0 : (int64_t)lines[LINE_SINCE + p].value;
    }
    return RC_OK;
}

RC life_load(struct tokenstore *store, const struct config *c, struct life_kept *kept)
{
    char text[LIFE_KEPT_BYTES_MAX];
    struct buf b = BUF(text);

    *kept = (struct life_kept){.signed_in = false};
    enum rc rc = hal_tokenstore_get(store, SPAN(LIFE_KEPT_NAME), &b);
    if (rc == RC_OK) {
        return life_read(buf_span(&b), life_subject(c), kept);
    }
    return rc == RC_NOTFOUND ? RC_OK : rc == RC_STALE ? RC_CORRUPT : rc;
}

RC life_save(struct tokenstore *store, const struct config *c, const struct life_kept *kept)
{
    char text[LIFE_KEPT_BYTES_MAX];
    struct buf b = BUF(text);

    life_write(kept, life_subject(c), &b);
    return buf_ok(&b) ? hal_tokenstore_put(store, SPAN(LIFE_KEPT_NAME), buf_span(&b)) : RC_TOOBIG;
}

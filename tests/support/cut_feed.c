// SPDX-License-Identifier: Apache-2.0
#include "cut_feed.h"

#include "base/assert.h"

#include "seeded.h"

static char element_bytes[CUT_FEED_ELEMENT_BYTES];
static char rest_bytes[CUT_FEED_ELEMENT_BYTES];

struct feeding {
    struct json_cut cut;
    struct cut_outcome *out;
    uint64_t seed;
    size_t joined_rest; ///< bytes of the rest that are in joined
    bool first;         ///< no element was put where the rest ends now
};

static void join_rest(struct feeding *f)
{
    struct span rest = json_cut_rest(&f->cut);
    if (rest.len > f->joined_rest) {
        buf_put(&f->out->joined, span_sub(rest, f->joined_rest, rest.len));
        f->joined_rest = rest.len;
        f->first = true;
    }
}

static void take_element(struct feeding *f)
{
    struct span element = json_cut_element(&f->cut);
    struct cut_outcome *out = f->out;
    join_rest(f);
    if (!f->first) {
        buf_put_char(&out->joined, ',');
    }
    f->first = false;
    buf_put(&out->joined, element);
    buf_put(&out->trace, json_cut_array(&f->cut));
    buf_put_str(&out->trace, ": ");
    buf_put(&out->trace, element);
    buf_put_char(&out->trace, '\n');
    out->cut++;
    out->invalid += json_validate(element) != RC_OK;
}

static size_t piece(const struct cut_feed *how, struct feeding *f, size_t at, size_t left)
{
    size_t bytes = left;
    switch (how->pieces) {
    case CUT_FEED_SPLIT:
        bytes = at < how->bytes ? how->bytes - at : left;
        break;
    case CUT_FEED_EVEN:
        bytes = how->bytes;
        break;
    case CUT_FEED_RANDOM:
        bytes = seeded_below(&f->seed, (unsigned)how->bytes + 1u);
        break;
    default:
        break;
    }
    return bytes < left ? bytes : left;
}

/// @return false: nothing more will be taken.
static bool push(struct feeding *f, struct span in)
{
    while (in.len > 0) {
        size_t used = 0;
        enum json_cut_got got = json_cut_push(&f->cut, in, &used);
        ASSERT(used <= in.len);
        f->out->bytes += used;
        if (got == JSON_CUT_BAD) {
            return false;
        }
        if (got == JSON_CUT_ELEMENT) {
            take_element(f);
        } else if (got == JSON_CUT_TOOBIG) {
            f->out->toobig++;
            buf_put_str(&f->out->trace, "toobig\n");
        } else {
            ASSERT(got == JSON_CUT_MORE && used == in.len);
        }
        in = span_sub(in, used, in.len);
    }
    return true;
}

void cut_feed(struct span text, const struct cut_feed *how, struct cut_outcome *out)
{
    static struct feeding f;
    ASSERT(how->element_bytes <= sizeof(element_bytes) && how->rest_bytes <= sizeof(rest_bytes));
    f = (struct feeding){.out = out, .seed = how->seed, .first = true};
    *out = (struct cut_outcome){.trace = out->trace, .joined = out->joined};
    buf_reset(&out->trace);
    buf_reset(&out->joined);
    json_cut_init(&f.cut,
                  how->arrays,
                  how->arrays_count,
                  buf_of(element_bytes, how->element_bytes),
                  buf_of(rest_bytes, how->rest_bytes));
    bool good = true;
    for (size_t at = 0; good && at < text.len;) {
        size_t bytes = piece(how, &f, at, text.len - at);
        good = push(&f, span_sub(text, at, bytes));
        at += bytes;
    }
    out->end = json_cut_finish(&f.cut);
    ASSERT(good || out->end == JSON_CUT_BAD);
    ASSERT(f.cut.bytes == out->bytes);
    out->elements = f.cut.elements;
    if (out->end == JSON_CUT_END) {
        join_rest(&f);
        buf_put(&out->trace, json_cut_rest(&f.cut));
    } else {
        buf_put_str(&out->trace, "bad");
    }
}

void json_compact(struct span text, struct buf *out)
{
    bool in_string = false;
    bool escaped = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (space && !in_string) {
            continue;
        }
        buf_put_char(out, c);
        in_string = in_string != (c == '"' && !escaped);
        escaped = in_string && c == '\\' && !escaped;
    }
}

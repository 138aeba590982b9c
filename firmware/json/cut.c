// SPDX-License-Identifier: Apache-2.0
// The cutter rides on the automaton: it copies the runs that the automaton accepts and looks up
// only at structural bytes of the two outer levels.
#include "base/assert.h"

#include "json/scan.h"

#define WATCH_DEPTH 2u ///< the top-level object is depth 1, elements of its arrays begin at depth 2

enum cut_mode {
    CUT_ILLEGAL = 0,
    CUT_REST,
    CUT_CHOSEN /* its key was read, '[' may follow */,
    CUT_ARRAY,
    CUT_BAD,
    CUT_ENDED
};

void json_cut_init(struct json_cut *c,
                   const struct span *arrays,
                   unsigned arrays_count,
                   struct buf element,
                   struct buf rest)
{
    ASSERT(arrays_count <= JSON_CUT_ARRAYS_MAX);
    *c = (struct json_cut){.element = element,
                           .rest = rest,
                           .arrays_count = arrays_count,
                           .array = -1,
                           .mode = CUT_REST};
    json_scan_init(&c->scan);
    buf_reset(&c->element);
    buf_reset(&c->rest);
    for (unsigned i = 0; i < arrays_count; i++) {
        c->arrays[i] = arrays[i];
    }
}

struct span json_cut_element(const struct json_cut *c)
{
    return buf_span(&c->element);
}

struct span json_cut_array(const struct json_cut *c)
{
    return c->array >= 0 ? c->arrays[c->array] : SPAN_NONE;
}

struct span json_cut_rest(const struct json_cut *c)
{
    return buf_span(&c->rest);
}

/// The key that ends in rest as "name": is one of the chosen arrays'?
static int chosen(const struct json_cut *c)
{
    struct span quoted = span_sub(buf_span(&c->rest), c->key_at, c->rest.len);

    if (c->rest.overflow) {
        return -1; // the key is not whole in there
    }
    for (unsigned i = 0; i < c->arrays_count; i++) {
        if (json_key_is(span_sub(quoted, 1, quoted.len - 3), c->arrays[i])) {
            return (int)i;
        }
    }
    return -1;
}

static enum json_cut_got hand_out(struct json_cut *c)
{
    c->in_element = false;
    c->handed_out = true;
    c->elements++;
    return c->element.overflow ? JSON_CUT_TOOBIG : JSON_CUT_ELEMENT;
}

/// A structural byte in the rest, already copied.
static void mark_in_rest(struct json_cut *c, char mark)
{
    unsigned depth = c->scan.depth;

    if (c->mode == CUT_CHOSEN) {
        c->mode = mark == '[' ? CUT_ARRAY : CUT_REST;
    }
    if (depth == 1 && mark == ':') {
        int array = chosen(c);
        c->array = array;
        c->mode = array >= 0 ? CUT_CHOSEN : CUT_REST;
    } else if (depth == 1 && (mark == ',' || mark == '{')) {
        c->key_at = c->rest.len;
    }
}

/// A structural byte in a chosen array, the last one of `run`.
static enum json_cut_got mark_in_array(struct json_cut *c, struct span run)
{
    char mark = run.ptr[run.len - 1];
    bool ends_array = mark == ']' && c->scan.depth == 1;
    struct span part = ends_array || mark == ',' ? span_sub(run, 0, run.len - 1) : run;

    if (part.len != 0) {
        c->in_element = true;
        buf_put(&c->element, part);
    }
    if (ends_array) {
        c->mode = CUT_REST;
        c->close_waits = c->in_element;
        if (!c->in_element) {
            buf_put_char(&c->rest, ']');
        }
    }
    return c->in_element ? hand_out(c) : JSON_CUT_MORE;
}

static enum json_cut_got take_run(struct json_cut *c, struct span run, enum json_scan_stop stop)
{
    if (c->mode == CUT_ARRAY && stop == JSON_SCAN_MARK) {
        return mark_in_array(c, run);
    }
    if (c->mode == CUT_ARRAY) {
        c->in_element = true;
        buf_put(&c->element, run);
        return JSON_CUT_MORE;
    }
    buf_put(&c->rest, run);
    if (stop == JSON_SCAN_MARK) {
        mark_in_rest(c, run.ptr[run.len - 1]);
    }
    return JSON_CUT_MORE;
}

static enum json_cut_got bad(struct json_cut *c)
{
    c->mode = CUT_BAD;
    return JSON_CUT_BAD;
}

static void begin_push(struct json_cut *c)
{
    if (c->handed_out) {
        c->handed_out = false;
        buf_reset(&c->element);
    }
    if (c->close_waits) {
        c->close_waits = false;
        buf_put_char(&c->rest, ']');
    }
}

enum json_cut_got json_cut_push(struct json_cut *c, struct span in, size_t *used)
{
    size_t at = 0;
    enum json_cut_got got = JSON_CUT_MORE;

    *used = 0;
    if (c->mode == CUT_BAD || c->mode == CUT_ENDED) {
        return bad(c);
    }
    begin_push(c);
    while (at < in.len && got == JSON_CUT_MORE) {
        size_t took = 0;
        struct span left = span_sub(in, at, in.len);
        enum json_scan_stop stop = json_scan_run(&c->scan, left, WATCH_DEPTH, &took);
        if (took != 0) {
            got = take_run(c, span_sub(left, 0, took), stop);
        }
        at += took;
        if (stop == JSON_SCAN_SPACE) {
            at += json_scan_space(&c->scan, span_sub(in, at, in.len));
        }
        if (stop == JSON_SCAN_ERROR || c->rest.overflow) {
            got = bad(c);
        }
    }
    *used = at;
    c->bytes += at;
    return got;
}

enum json_cut_got json_cut_finish(struct json_cut *c)
{
    if (c->mode == CUT_BAD) {
        return JSON_CUT_BAD;
    }
    begin_push(c);
    if (json_scan_end(&c->scan) != RC_OK) { // a rest that overflowed ended it before
        return bad(c);
    }
    c->mode = CUT_ENDED;
    return JSON_CUT_END;
}

// SPDX-License-Identifier: Apache-2.0
#include "graph/record.h"

#include <string.h>

#include "base/assert.h"

static RC read_time(const struct json *doc, int node, int64_t *ms)
{
    char text[64]; // no time is longer; decoded, because some writers escape '+'
    struct buf b = BUF(text);

    TRY(json_string(doc, node, &b));
    return time_parse_iso(buf_span(&b), ms);
}

static RC read_id(const struct json *doc, int node, struct record_id *id)
{
    char text[RECORD_ID_BYTES_MAX + 1];
    struct buf b = BUF(text);

    TRY(json_string(doc, node, &b));
    return record_id_set(id, buf_span(&b));
}

RC callrec_read(const struct json *doc, int node, struct callrec *out, const char **reason)
{
    enum {
        ID,
        VERSION,
        START,
        END,
        COUNT
    };
    static const struct span names[COUNT] = {[ID] = {"id", 2},
                                             [VERSION] = {"version", 7},
                                             [START] = {"startDateTime", 13},
                                             [END] = {"endDateTime", 11}};
    int nodes[COUNT];
    int64_t version = 0;

    json_get_each(doc, node, names, nodes, COUNT);
    *reason = "id";
    TRY(read_id(doc, nodes[ID], &out->id));
    *reason = "version";
    TRY(json_i64(doc, nodes[VERSION], &version));
    if (version < 1) {
        return RC_PARSE;
    }
    out->version = (uint64_t)version;
    *reason = "startDateTime";
    if (read_time(doc, nodes[START], &out->start_ms) != RC_OK || out->start_ms < 0) {
        return RC_PARSE;
    }
    if (read_time(doc, nodes[END], &out->end_ms) != RC_OK || out->end_ms < out->start_ms) {
        out->end_ms = out->start_ms; // only used to wait for a record that is not ready: absent
                                     // means "do not wait longer"
    }
    return RC_OK;
}

static bool is_big_member(struct span key)
{
    static const char *const names[] = {"sessions", "participants_v2"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct span name = span_from_str(names[i]);
        if (span_starts(key, name) && (key.len == name.len || key.ptr[name.len] == '@')) {
            return true;
        }
    }
    return false;
}

static void put_run(struct buf *out, struct span run)
{
    if (run.len != 0) {
        buf_put(out, out->len > 1 ? SPAN(",") : SPAN_NONE);
        buf_put(out, run);
    }
}

RC callrec_put_shell(const struct json *doc, int node, struct buf *out)
{
    struct span run = SPAN_NONE; // members side by side that stay are copied at once

    ASSERT(out->len == 0);
    buf_put_char(out, '{');
    for (int key = json_first(doc, node); key != JSON_NONE; key = json_next(doc, key)) {
        if (is_big_member(json_raw(doc, key))) {
            put_run(out, run);
            run = SPAN_NONE;
            continue;
        }
        struct span value = json_text(doc, json_value(doc, key));
        run.ptr = run.len != 0 ? run.ptr : json_text(doc, key).ptr;
        run.len = (size_t)(value.ptr + value.len - run.ptr);
    }
    put_run(out, run);
    buf_put_char(out, '}');
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

RC link_read(const struct json *doc, int node, struct span name, struct buf *out)
{
    int link = json_get(doc, node, name);

    buf_reset(out);
    if (link == JSON_NONE || json_is_null(doc, link)) {
        return RC_NOTFOUND;
    }
    return json_string(doc, link, out);
}

/// Graph's documentation prints inner links as ".../v1.0/$metadata#communications/...": a fragment
/// that no client would send.
static void drop_metadata_fragment(struct buf *link)
{
    const struct span artefact = SPAN("$metadata#");

    for (size_t at = 0; at + artefact.len <= link->len; at++) {
        if (memcmp(link->ptr + at, artefact.ptr, artefact.len) == 0) {
            memmove(link->ptr + at, link->ptr + at + artefact.len, link->len - at - artefact.len);
            link->len -= artefact.len;
            return;
        }
    }
}

RC link_check(struct buf *link, struct span graph_url)
{
    struct span l = buf_span(link);

    if (!span_starts(l, graph_url) || l.len == graph_url.len || l.ptr[graph_url.len] != '/') {
        return RC_DENIED;
    }
    drop_metadata_fragment(link);
    l = buf_span(link);
    if (l.len > LINK_BYTES_MAX) {
        return RC_PARSE;
    }
    for (size_t i = 0; i < l.len; i++) {
        if (l.ptr[i] <= ' ' || l.ptr[i] > '~' || l.ptr[i] == '#') {
            return RC_PARSE;
        }
    }
    return RC_OK;
}

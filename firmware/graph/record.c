// SPDX-License-Identifier: Apache-2.0
#include "graph/record.h"

#include <string.h>

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
    int64_t version = 0;
    int start = json_get(doc, node, SPAN("startDateTime"));
    int end = json_get(doc, node, SPAN("endDateTime"));

    *reason = "id";
    TRY(read_id(doc, json_get(doc, node, SPAN("id")), &out->id));
    *reason = "version";
    TRY(json_i64(doc, json_get(doc, node, SPAN("version")), &version));
    if (version < 1) {
        return RC_PARSE;
    }
    out->version = (uint64_t)version;
    *reason = "startDateTime";
    if (read_time(doc, start, &out->start_ms) != RC_OK || out->start_ms < 0) {
        return RC_PARSE;
    }
    if (read_time(doc, end, &out->end_ms) != RC_OK || out->end_ms < out->start_ms) {
        out->end_ms = out->start_ms; // only used to wait for a record that is not ready: absent means "do not wait longer"
    }
    return RC_OK;
}

static bool is_big_member(struct span key)
{
    static const char *const names[] = { "sessions", "participants_v2" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct span name = span_from_str(names[i]);
        if (span_starts(key, name) && (key.len == name.len || key.ptr[name.len] == '@')) {
            return true;
        }
    }
    return false;
}

RC callrec_put_shell(const struct json *doc, int node, struct buf *out)
{
    bool first = true;

    buf_put_char(out, '{');
    for (int key = json_first(doc, node); key != JSON_NONE; key = json_next(doc, key)) {
        if (is_big_member(json_raw(doc, key))) {
            continue;
        }
        if (!first) {
            buf_put_char(out, ',');
        }
        first = false;
        buf_put(out, json_text(doc, key));
        buf_put_char(out, ':');
        buf_put(out, json_text(doc, json_value(doc, key)));
    }
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

/// Graph's documentation prints inner links as ".../v1.0/$metadata#communications/...": a fragment that no client would send.
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

// SPDX-License-Identifier: Apache-2.0
/*
 * The few header fields of an answer that anybody asks for. An interim answer (1xx) is followed by
 * another status line, which begins anew.
 */
#include <string.h>

#include "net/http_state.h"

static struct span trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = span_sub(s, 1, s.len);
    }
    while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1u]) != NULL) {
        s.len--;
    }
    return s;
}

static void copy_printable(char *to, size_t to_bytes, struct span from)
{
    size_t len = 0;
    for (; len < from.len && len < to_bytes - 1u; len++) {
        to[len] = from.ptr[len] > ' ' && from.ptr[len] <= '~' ? from.ptr[len] : '?';
    }
    to[len] = '\0';
}

static bool contains(struct span s, struct span word)
{
    for (size_t i = 0; i + word.len <= s.len; i++) {
        if (span_equal_nocase(span_sub(s, i, word.len), word)) {
            return true;
        }
    }
    return false;
}

static void take_status(struct http_transfer *t, struct span line)
{
    uint64_t status = 0;
    struct span code = span_sub(line, span_index(line, ' ') + 1u, 3);
    if (code.len == 3 && span_u64(code, &status)) {
        t->result.status = (int)status;
    }
    t->result.date_ms = 0;
    t->result.request_id[0] = '\0';
    t->result.claims_challenge = false;
    t->retry_after[0] = '\0';
}

static void take_field(struct http_transfer *t, struct span name, struct span value)
{
    struct http_result *r = &t->result;
    if (span_equal_nocase(name, SPAN("retry-after"))) {
        // Its meaning needs the time of day: it is read when the transfer ends.
        size_t len = value.len < HTTP_RETRY_AFTER_BYTES_MAX ? value.len : 0u;
        memcpy(t->retry_after, value.ptr, len);
        t->retry_after[len] = '\0';
    } else if (span_equal_nocase(name, SPAN("request-id"))) {
        copy_printable(r->request_id, sizeof(r->request_id), value);
    } else if (span_equal_nocase(name, SPAN("date"))) {
        rc_ignore(time_parse_http(value, &r->date_ms), "date_ms stays 0 if it is no date");
    } else if (span_equal_nocase(name, SPAN("www-authenticate"))) {
        r->claims_challenge = r->claims_challenge || contains(value, SPAN("insufficient_claims"));
    }
}

bool http_answer_line(struct http_transfer *t, struct span line)
{
    if (line.len > HTTP_ANSWER_HEAD_BYTES_MAX - t->head_bytes) {
        return false;
    }
    t->head_bytes += (uint32_t)line.len;
    size_t colon = span_index(line, ':');
    if (span_starts(line, SPAN("HTTP/"))) {
        take_status(t, line);
    } else if (colon < line.len) {
        take_field(t, span_sub(line, 0, colon), trim(span_sub(line, colon + 1u, line.len)));
    }
    return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "graph/event.h"

#include "json/json.h"

static void put_member(struct buf *b, const char *comma_and_name, struct span text)
{
    buf_put_str(b, comma_and_name);
    json_put_string(b, text);
}

static void encode(struct buf *b, const struct event *e, uint64_t seq, struct now now)
{
    put_member(b, "{\"type\":", span_from_str(e->type));
    put_member(b, ",\"tenant\":", e->tenant);
    put_member(b, ",\"id\":", e->id);
    buf_put_str(b, ",\"version\":");
    buf_put_u64(b, e->version);
    buf_put_str(b, ",\"part\":");
    buf_put_u64(b, e->part);
    buf_put_str(b, ",\"seq\":");
    buf_put_u64(b, seq);
    buf_put_str(b, ",\"event_time\":\"");
    time_put_iso(b, e->event_ms);
    buf_put_str(b, "\",\"collected_time\":\"");
    time_put_iso(b, now.wall.ms);
    buf_put_str(b, "\",\"clock\":\"");
    buf_put_str(b, clock_quality_name(now.wall.quality));
    put_member(b, "\",\"source\":", span_from_str(e->source));
    buf_put_str(b, ",\"data\":");
    buf_put(b, e->data);
    buf_put_char(b, '}');
}

RC event_emit(struct spool *spool, struct buf line, const struct event *e, struct now now)
{
    buf_reset(&line);
    encode(&line, e, spool_next_seq(spool), now);
    if (!buf_ok(&line)) {
        return RC_TOOBIG;
    }
    enum rc rc = spool_append(spool, buf_span(&line));
    if (rc == RC_FULL && spool_has_room(spool)) {
        TRY(spool_commit(spool)); // the block is full, not the store
        rc = spool_append(spool, buf_span(&line));
    }
    return rc;
}

RC event_collected_ms(struct span line, int64_t *wall_ms)
{
    // In what came from outside every quotation mark is escaped: this can only be our own member.
    const struct span member = SPAN("\"collected_time\":\"");
    size_t at = 0;

    while (at < line.len && !span_starts(span_sub(line, at, line.len), member)) {
        at++;
    }
    struct span rest = span_sub(line, at + member.len, line.len);
    return time_parse_iso(span_sub(rest, 0, span_index(rest, '"')), wall_ms);
}

void event_put_counts(struct buf *b, uint32_t sessions, uint32_t participants)
{
    buf_put_str(b, "{\"sessions\":");
    buf_put_u64(b, sessions);
    buf_put_str(b, ",\"participants\":");
    buf_put_u64(b, participants);
    buf_put_char(b, '}');
}

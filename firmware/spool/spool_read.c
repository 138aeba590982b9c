// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Batches of committed events. Whole blocks go as they are stored; only a sink that wants less than
 * a block, or starts inside one, pays for inflating and deflating.
 */
#include <string.h>

#include "base/assert.h"

#include "spool/spool_db.h"

struct reading {
    const struct spool_want *want;
    uint64_t first_seq; // wanted first
    struct buf scratch;
    struct buf *body;
    struct spool_batch *batch;
};

int event_find(MDB_cursor *cursor, uint64_t seq, MDB_val *key, MDB_val *value)
{
    char key_bytes[8];
    uint64_t first = 0;
    *key = db_val(event_key(seq, key_bytes));
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (code == 0 && event_key_read(*key, &first) == RC_OK && first == seq) {
        return 0;
    }
    if (code == 0) {
        code = mdb_cursor_get(cursor, key, value, MDB_PREV);
        return code == MDB_NOTFOUND ? mdb_cursor_get(cursor, key, value, MDB_FIRST) : code;
    }
    return code == MDB_NOTFOUND ? mdb_cursor_get(cursor, key, value, MDB_LAST) : code;
}

bool event_cut(struct span raw, uint32_t skip, uint32_t lines, struct span *out)
{
    size_t from = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < skip + lines; i++) {
        size_t line_bytes = span_index(span_sub(raw, at, raw.len), '\n');
        if (line_bytes >= raw.len - at) {
            return false; // fewer lines than the header says
        }
        at += line_bytes + 1u;
        from = i + 1u == skip ? at : from;
    }
    *out = span_sub(raw, from, at - from);
    return true;
}

// What a damaged block held is told by its neighbour's key, so that the caller can step over it.
static enum rc
name_damaged(const struct spool *s, MDB_cursor *cursor, uint64_t first_seq, struct reading *r)
{
    MDB_val key;
    MDB_val value;
    uint64_t next = s->durable_seq + 1u;
    if (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 &&
        event_key_read(key, &next) != RC_OK) {
        next = s->durable_seq + 1u;
    }
    r->batch->first_seq = first_seq > r->first_seq ? first_seq : r->first_seq;
    r->batch->last_seq = next - 1u;
    r->batch->count = (uint32_t)(next - r->batch->first_seq);
    return RC_CORRUPT;
}

static bool block_fits(const struct reading *r, const struct event_block *block)
{
    return block->count <= r->want->events_max - r->batch->count &&
           block->raw_bytes <= r->want->raw_max - r->batch->raw_bytes &&
           r->body->cap - r->body->len >= block->deflated.len + GZIP_EXTRA_BYTES;
}

// `block` is the first, and fits. More follow until one does not, or is damaged: then the next call
// starts with it.
static void
take_blocks(const struct spool *s, MDB_cursor *cursor, struct event_block *block, struct reading *r)
{
    MDB_val key;
    MDB_val value;
    struct gzip gzip;
    struct spool_batch *batch = r->batch;
    gzip_begin(&gzip, r->body);
    do {
        gzip_block(&gzip, block->deflated, block->raw_bytes, block->raw_crc32, r->body);
        batch->count += block->count;
        batch->raw_bytes += block->raw_bytes;
        batch->last_seq = block->first_seq + block->count - 1u;
    } while (batch->last_seq < s->durable_seq &&
             mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 &&
             event_read(key, value, block) == RC_OK && block->first_seq == batch->last_seq + 1u &&
             block_fits(r, block));
    gzip_end(&gzip, r->body);
}

// One gzip member of `lines`. RC_FULL: they do not fit, and body is as it was.
static enum rc pack_lines(struct span lines, struct buf *body)
{
    struct gzip gzip;
    struct deflate d = {.is_open = false};
    struct buf out = *body;
    if (out.cap - out.len < GZIP_EXTRA_BYTES) {
        return RC_FULL;
    }
    gzip_begin(&gzip, &out);
    TRY(deflate_begin(&d));
    out.cap -= GZIP_EXTRA_BYTES / 2u; // for the trailer
    enum rc rc = deflate_put(&d, lines, &out);
    rc = rc != RC_OK ? rc : deflate_end(&d, &out);
    out.cap = body->cap;
    if (rc == RC_OK) {
        struct span in_place = {.ptr = out.ptr + out.len, .len = 0};
        gzip_block(&gzip, in_place, d.raw_bytes, d.raw_crc32, &out);
        gzip_end(&gzip, &out);
        ASSERT(buf_ok(&out));
        *body = out;
    }
    deflate_close(&d);
    return rc;
}

// As many lines as are wanted, or half of them, or half of that, until they fit.
static enum rc take_lines(const struct event_block *block, struct span raw, struct reading *r)
{
    struct span lines;
    struct spool_batch *batch = r->batch;
    uint32_t skip = (uint32_t)(r->first_seq - block->first_seq);
    uint32_t count = block->count - skip;
    count = count < r->want->events_max ? count : r->want->events_max;
    for (; count > 0; count /= 2u) {
        if (!event_cut(raw, skip, count, &lines)) {
            return RC_CORRUPT;
        }
        if (count > 1u && lines.len > r->want->raw_max) {
            continue;
        }
        enum rc rc = pack_lines(lines, r->body);
        if (rc != RC_FULL) {
            batch->count = count;
            batch->raw_bytes = lines.len;
            batch->last_seq = batch->first_seq + count - 1u;
            return rc;
        }
    }
    return RC_TOOBIG;
}

static enum rc read_at(const struct spool *s, MDB_cursor *cursor, struct reading *r)
{
    MDB_val key;
    MDB_val value;
    struct event_block block;
    int code = event_find(cursor, r->first_seq, &key, &value);
    if (code != 0) {
        return code == MDB_NOTFOUND ? RC_CORRUPT : db_rc(code);
    }
    enum rc rc = event_read(key, value, &block);
    if (rc != RC_OK || r->first_seq - block.first_seq >= block.count) {
        return name_damaged(s, cursor, block.first_seq, r);
    }
    r->batch->first_seq = r->first_seq;
    if (block.first_seq == r->first_seq && block_fits(r, &block)) {
        take_blocks(s, cursor, &block, r);
        return RC_OK;
    }
    rc = event_inflate(&block, &r->scratch);
    rc = rc != RC_OK ? rc : take_lines(&block, buf_span(&r->scratch), r);
    return rc == RC_CORRUPT ? name_damaged(s, cursor, block.first_seq, r) : rc;
}

RC spool_read(struct spool *s,
              const struct spool_want *want,
              struct buf scratch,
              struct buf *body,
              struct spool_batch *batch)
{
    struct reading r = {.want = want, .scratch = scratch, .body = body, .batch = batch};
    MDB_txn *txn;
    MDB_cursor *cursor;
    size_t body_from = body->len;
    ASSERT(want->events_max > 0 && scratch.cap >= SPOOL_BLOCK_RAW_BYTES_MAX);
    memset(batch, 0, sizeof(*batch));
    if (want->after_seq >= s->durable_seq) {
        return RC_NOTFOUND;
    }
    TRY(db_begin(s, MDB_RDONLY, &txn));
    r.first_seq = want->after_seq + 1u;
    r.first_seq = r.first_seq < s->counts.first_held ? s->counts.first_held : r.first_seq;
    buf_reset(&r.scratch);
    enum rc rc = db_rc(mdb_cursor_open(txn, s->dbi[SPOOL_EVENTS], &cursor));
    if (rc == RC_OK) {
        rc = read_at(s, cursor, &r);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    batch->body = span_sub(buf_span(body), body_from, body->len - body_from);
    return rc;
}

RC event_line(struct spool *s, MDB_txn *txn, uint64_t seq, struct buf *scratch)
{
    MDB_cursor *cursor;
    MDB_val key = {0};
    MDB_val value = {0};
    struct event_block block;
    struct span line;
    int code = mdb_cursor_open(txn, s->dbi[SPOOL_EVENTS], &cursor);
    if (code == 0) {
        code = event_find(cursor, seq, &key, &value);
        mdb_cursor_close(cursor);
    }
    TRY(db_rc(code));
    TRY(event_read(key, value, &block));
    if (seq - block.first_seq >= block.count) {
        return RC_CORRUPT;
    }
    TRY(event_inflate(&block, scratch));
    if (!event_cut(buf_span(scratch), (uint32_t)(seq - block.first_seq), 1, &line)) {
        return RC_CORRUPT;
    }
    memmove(scratch->ptr, line.ptr, line.len);
    scratch->len = line.len;
    return RC_OK;
}

RC spool_line(struct spool *s, uint64_t seq, struct buf scratch, struct span *line)
{
    MDB_txn *txn;
    ASSERT(scratch.cap >= SPOOL_BLOCK_RAW_BYTES_MAX);
    if (seq == 0 || seq > s->durable_seq || seq < s->counts.first_held) {
        return RC_NOTFOUND;
    }
    TRY(db_begin(s, MDB_RDONLY, &txn));
    buf_reset(&scratch);
    enum rc rc = event_line(s, txn, seq, &scratch);
    mdb_txn_abort(txn);
    *line =
        rc == RC_OK ? span_sub(buf_span(&scratch), 0, scratch.len - 1u) : SPAN_NONE; // no newline
    return rc;
}

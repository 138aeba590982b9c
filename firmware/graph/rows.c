// SPDX-License-Identifier: Apache-2.0
// The rows' encodings. Values carry a format byte of their own besides the spool's: the spool does
// not know what a record is.
#include "graph/rows.h"

#include <string.h>

#include "base/assert.h"
#include "base/crypto.h"

#define SEEN_FORMAT   1u
#define WORK_FORMAT   1u
#define WINDOW_FORMAT 1u

struct span record_id_span(const struct record_id *id)
{
    return (struct span){.ptr = id->text, .len = id->len};
}

static bool id_char_ok(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

RC record_id_set(struct record_id *id, struct span text)
{
    if (text.len > sizeof(id->text)) {
        return RC_TOOBIG;
    }
    if (text.len == 0 || span_equal(text, SPAN(".")) || span_equal(text, SPAN(".."))) {
        return RC_PARSE; // a path's dots lead elsewhere
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!id_char_ok(text.ptr[i])) {
            return RC_PARSE;
        }
    }
    memcpy(id->text, text.ptr, text.len);
    id->len = (uint8_t)text.len;
    return RC_OK;
}

struct span rows_key_span(const struct rows_key *k)
{
    return (struct span){.ptr = k->bytes, .len = k->len};
}

static struct rows_key key_from(const struct buf *b)
{
    struct rows_key k = {.len = b->len};

    ASSERT(buf_ok(b) && b->len <= sizeof(k.bytes));
    memcpy(k.bytes, b->ptr, b->len);
    return k;
}

/// Ids are GUIDs today, but Graph promises no form: anything else is stood for by its digest.
static void id_key_bytes(struct span id, uint8_t out[static GUID_BYTES])
{
    uint8_t digest[SHA256_BYTES];

    if (guid_parse(id, out) == RC_OK) {
        return;
    }
    sha256(id, digest);
    memcpy(out, digest, GUID_BYTES);
}

struct rows_key seen_key(int64_t start_ms, struct span id)
{
    char bytes[SEEN_KEY_BYTES];
    struct buf b = BUF(bytes);
    uint8_t id_bytes[GUID_BYTES];

    id_key_bytes(id, id_bytes);
    buf_put_be64(&b, (uint64_t)start_ms);
    buf_put(&b, (struct span){.ptr = (const char *)id_bytes, .len = sizeof(id_bytes)});
    return key_from(&b);
}

int64_t seen_key_start_ms(struct span key)
{
    struct reader r = {.left = key};

    return (int64_t)reader_be64(&r);
}

struct rows_key work_key(enum work_class c, uint64_t order, struct span seen)
{
    char bytes[WORK_KEY_BYTES];
    struct buf b = BUF(bytes);

    ASSERT(c == WORK_READY || c == WORK_WAITING);
    ASSERT(seen.len == SEEN_KEY_BYTES);
    buf_put_u8(&b, (uint8_t)c);
    buf_put_be64(&b, order);
    buf_put(&b, seen);
    return key_from(&b);
}

RC work_key_read(struct span key, enum work_class *c, uint64_t *order, struct rows_key *seen)
{
    struct reader r = {.left = key};
    uint8_t class_byte = reader_u8(&r);

    *order = reader_be64(&r);
    struct span rest = reader_bytes(&r, SEEN_KEY_BYTES);
    if (!reader_ok(&r) || (class_byte != WORK_READY && class_byte != WORK_WAITING)) {
        return RC_CORRUPT;
    }
    *c = (enum work_class)class_byte;
    memcpy(seen->bytes, rest.ptr, rest.len);
    seen->len = rest.len;
    return RC_OK;
}

uint64_t work_order_ready(int64_t start_ms)
{
    return UINT64_MAX - (uint64_t)start_ms;
}

struct rows_key window_key(int64_t start_s, uint32_t width_hours)
{
    char bytes[WINDOW_KEY_BYTES];
    struct buf b = BUF(bytes);

    buf_put_be64(&b, (uint64_t)start_s);
    buf_put_be32(&b, width_hours);
    return key_from(&b);
}

RC window_key_read(struct span key, int64_t *start_s, uint32_t *width_hours)
{
    struct reader r = {.left = key};

    *start_s = (int64_t)reader_be64(&r);
    *width_hours = reader_be32(&r);
    return reader_ok(&r) ? RC_OK : RC_CORRUPT;
}

/// The canonical text of the id bytes in a SEEN key: what nearly every id is, so that it need not
/// be stored twice.
static void put_guid_text(struct buf *b, struct span id_bytes)
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    size_t at = 0;

    for (size_t g = 0; g < sizeof(groups); g++) {
        if (g != 0) {
            buf_put_char(b, '-');
        }
        buf_put_hex(b, span_sub(id_bytes, at, groups[g]));
        at += groups[g];
    }
}

static struct span key_guid_text(struct span key, struct buf *b)
{
    put_guid_text(b, span_sub(key, sizeof(uint64_t), GUID_BYTES));
    return buf_span(b);
}

static RC row_read(struct spool *s, enum spool_table table, struct span key, struct buf *b)
{
    TRY(spool_get(s, table, key, b));
    return buf_ok(b) ? RC_OK : RC_CORRUPT;
}

RC seen_get(struct spool *s, struct span key, struct seen_row *row)
{
    char bytes[64 + RECORD_ID_BYTES_MAX];
    struct buf b = BUF(bytes);

    TRY(row_read(s, SPOOL_SEEN, key, &b));
    struct reader r = {.left = buf_span(&b)};
    uint8_t format = reader_u8(&r);
    uint8_t state = reader_u8(&r);
    uint8_t class_byte = reader_u8(&r);
    row->version_done = reader_be64(&r);
    row->version_wanted = reader_be64(&r);
    row->end_ms = class_byte == WORK_ILLEGAL ? 0 : (int64_t)reader_be64(&r);
    row->work_order = class_byte == WORK_ILLEGAL ? 0 : reader_be64(&r);
    struct span id = reader_bytes(&r, r.left.len);
    if (!reader_ok(&r) || format != SEEN_FORMAT || state == SEEN_ILLEGAL || state >= SEEN_STATES ||
        class_byte > WORK_WAITING || (state == SEEN_PENDING) != (class_byte != WORK_ILLEGAL)) {
        return RC_CORRUPT;
    }
    row->state = (enum seen_state)state;
    row->work_class = (enum work_class)class_byte;
    char guid[GUID_TEXT_BYTES];
    struct buf guid_text = BUF(guid);
    if (id.len == 0) {
        id = key_guid_text(key, &guid_text);
    }
    return record_id_set(&row->id, id) == RC_OK ? RC_OK : RC_CORRUPT;
}

RC seen_put(struct spool *s, struct span key, const struct seen_row *row)
{
    char bytes[64 + RECORD_ID_BYTES_MAX];
    struct buf b = BUF(bytes);

    ASSERT((row->state == SEEN_PENDING) == (row->work_class != WORK_ILLEGAL));
    buf_put_u8(&b, SEEN_FORMAT);
    buf_put_u8(&b, (uint8_t)row->state);
    buf_put_u8(&b, (uint8_t)row->work_class);
    buf_put_be64(&b, row->version_done);
    buf_put_be64(&b, row->version_wanted);
    if (row->work_class != WORK_ILLEGAL) {
        buf_put_be64(&b, (uint64_t)row->end_ms);
        buf_put_be64(&b, row->work_order);
    }
    char guid[GUID_TEXT_BYTES];
    struct buf guid_text = BUF(guid);
    if (!span_equal(key_guid_text(key, &guid_text), record_id_span(&row->id))) {
        buf_put(&b, record_id_span(&row->id));
    }
    ASSERT(buf_ok(&b));
    return spool_put(s, SPOOL_SEEN, key, buf_span(&b));
}

RC work_get(struct spool *s, struct span key, struct work_row *row)
{
    char bytes[32];
    struct buf b = BUF(bytes);

    TRY(row_read(s, SPOOL_WORK, key, &b));
    struct reader r = {.left = buf_span(&b)};
    uint8_t format = reader_u8(&r);
    row->attempts = reader_be32(&r);
    row->strikes = reader_be32(&r);
    return reader_ok(&r) && format == WORK_FORMAT ? RC_OK : RC_CORRUPT;
}

RC work_put(struct spool *s, struct span key, const struct work_row *row)
{
    char bytes[32];
    struct buf b = BUF(bytes);

    buf_put_u8(&b, WORK_FORMAT);
    buf_put_be32(&b, row->attempts);
    buf_put_be32(&b, row->strikes);
    return spool_put(s, SPOOL_WORK, key, buf_span(&b));
}

RC window_decode(struct span value, struct window_row *row)
{
    struct reader r = {.left = value};
    uint8_t format = reader_u8(&r);

    row->listed_ms = (int64_t)reader_be64(&r);
    row->records = reader_be32(&r);
    row->pending = reader_be32(&r);
    return reader_ok(&r) && format == WINDOW_FORMAT ? RC_OK : RC_CORRUPT;
}

RC window_put(struct spool *s, struct span key, const struct window_row *row)
{
    char bytes[32];
    struct buf b = BUF(bytes);

    buf_put_u8(&b, WINDOW_FORMAT);
    buf_put_be64(&b, (uint64_t)row->listed_ms);
    buf_put_be32(&b, row->records);
    buf_put_be32(&b, row->pending);
    return spool_put(s, SPOOL_WINDOW, key, buf_span(&b));
}

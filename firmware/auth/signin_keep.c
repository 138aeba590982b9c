// SPDX-License-Identifier: Apache-2.0
#include "signin_keep.h"

#include "base/clock.h"

RC signin_keep(
    struct tokenstore *store, const char *name, uint32_t subject, int64_t wall_ms, struct span text)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    time_put_iso(&value, wall_ms);
    buf_put_char(&value, ' ');
    buf_put_u64(&value, subject);
    buf_put_char(&value, '\n');
    buf_put(&value, text);
    enum rc rc = buf_ok(&value) ? hal_tokenstore_put(store, span_from_str(name), buf_span(&value))
                                : RC_TOOBIG;
    buf_wipe(&value);
    return rc;
}

static RC split(struct span value, uint32_t subject, int64_t *wall_ms, struct buf *text)
{
    size_t end = span_index(value, '\n');
    struct span head = span_sub(value, 0, end);
    size_t blank = span_index(head, ' ');
    uint64_t about;
    if (end == value.len || time_parse_iso(span_sub(head, 0, blank), wall_ms) != RC_OK ||
        !span_u64(span_sub(head, blank + 1u, head.len), &about)) {
        return RC_CORRUPT;
    }
    if (about != subject) {
        return RC_STALE;
    }
    buf_put(text, span_sub(value, end + 1u, value.len));
    return buf_ok(text) && text->len > 0 ? RC_OK : RC_CORRUPT;
}

RC signin_recall(struct tokenstore *store,
                 const char *name,
                 uint32_t subject,
                 int64_t *wall_ms,
                 struct buf *text)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    enum rc rc = hal_tokenstore_get(store, span_from_str(name), &value);
    if (rc == RC_OK) {
        rc = split(buf_span(&value), subject, wall_ms, text);
    }
    buf_wipe(&value);
    return rc;
}

RC signin_forget(struct tokenstore *store, const char *name)
{
    enum rc rc = hal_tokenstore_delete(store, span_from_str(name));
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

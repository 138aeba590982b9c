// SPDX-License-Identifier: Apache-2.0
#include "signin_keep.h"

#include "base/clock.h"

RC signin_keep(struct tokenstore *store, const char *name, int64_t wall_ms, struct span text)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    time_put_iso(&value, wall_ms);
    buf_put_char(&value, '\n');
    buf_put(&value, text);
    enum rc rc = buf_ok(&value) ? hal_tokenstore_put(store, span_from_str(name), buf_span(&value))
                                : RC_TOOBIG;
    buf_wipe(&value);
    return rc;
}

static RC split(struct span value, int64_t *wall_ms, struct buf *text)
{
    size_t end = span_index(value, '\n');
    if (end == value.len || time_parse_iso(span_sub(value, 0, end), wall_ms) != RC_OK) {
        return RC_CORRUPT;
    }
    buf_put(text, span_sub(value, end + 1u, value.len));
    return buf_ok(text) && text->len > 0 ? RC_OK : RC_CORRUPT;
}

RC signin_recall(struct tokenstore *store, const char *name, int64_t *wall_ms, struct buf *text)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    enum rc rc = hal_tokenstore_get(store, span_from_str(name), &value);
    if (rc == RC_OK) {
        rc = split(buf_span(&value), wall_ms, text);
    }
    buf_wipe(&value);
    return rc;
}

RC signin_forget(struct tokenstore *store, const char *name)
{
    enum rc rc = hal_tokenstore_delete(store, span_from_str(name));
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

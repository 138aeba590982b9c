// SPDX-License-Identifier: Apache-2.0
/*
 * The fence around libqrencode. Runs of dark modules are lines of one path, moved to relatively:
 * nothing shorter is drawn the same by every browser.
 */
#include <qrencode.h>

#include "status/render.h"

#define LEVEL_M_BYTES_MAX 213u ///< what 57 modules hold at level M; more is read better when coarse
#define TEXT_BYTES_MAX    425u ///< 69 modules at level L: more no phone reads from a small picture
#define QUIET             4    ///< modules around the code, ISO/IEC 18004

struct pen {
    int x, y;
};

static void put_run(struct buf *out, struct pen *pen, struct pen to, int len)
{
    buf_put_char(out, 'm');
    buf_put_i64(out, to.x - pen->x);
    buf_put_char(out, ' ');
    buf_put_i64(out, to.y - pen->y);
    buf_put_char(out, 'h');
    buf_put_i64(out, len);
    *pen = (struct pen){.x = to.x + len, .y = to.y};
}

static void put_row(struct buf *out, struct pen *pen, const unsigned char *row, struct pen at)
{
    int width = at.x;
    int from = 0;

    while (from < width) {
        int len = 0;
        while (from + len < width && (row[from + len] & 1u) != 0) {
            len++;
        }
        if (len > 0) {
            put_run(out, pen, (struct pen){.x = from, .y = at.y}, len);
        }
        from += len + 1;
    }
}

static void put_code(struct buf *out, const QRcode *code)
{
    struct pen pen = {0, 0};

    buf_put_str(out, "<svg class=qr viewBox=\"-4 -4 ");
    buf_put_i64(out, code->width + 2 * QUIET);
    buf_put_char(out, ' ');
    buf_put_i64(out, code->width + 2 * QUIET);
    buf_put_str(out,
                "\" role=img aria-label=\"QR code of the link\" shape-rendering=crispEdges>"
                "<path stroke=\"#000\" d=\"M0 .5");
    for (int y = 0; y < code->width; y++) {
        put_row(out, &pen, code->data + y * code->width, (struct pen){.x = code->width, .y = y});
    }
    buf_put_str(out, "\"/></svg>");
}

RC render_qr(struct span text, struct buf *out)
{
    const size_t start = out->len;

    if (text.len == 0 || text.len > TEXT_BYTES_MAX) {
        return RC_TOOBIG;
    }
    QRcode *code = QRcode_encodeData((int)text.len,
                                     (const unsigned char *)text.ptr,
                                     0,
                                     text.len <= LEVEL_M_BYTES_MAX ? QR_ECLEVEL_M : QR_ECLEVEL_L);
    if (code == NULL) { // by its size it fits, so memory it was
        return RC_RETRY;
    }
    bool fitted = buf_ok(out);
    put_code(out, code);
    QRcode_free(code);
    if (fitted && !buf_ok(out)) { // the page can do without it
        out->len = start;
        out->overflow = false;
        return RC_TOOBIG;
    }
    return RC_OK;
}

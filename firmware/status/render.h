// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Snapshot to bytes. Pure: no clock, no state, nothing but the snapshot is read. Everything that
 * came from outside is escaped for where it is put.
 * Bound:  a body that does not fit leaves `out` not ok (buf_ok), which the caller answers with 500;
 *         a test renders the largest snapshot that there can be.
 */
#ifndef STATUS_RENDER_H
#define STATUS_RENDER_H
#include "base/rc.h"
#include "base/span.h"

#include "status/snapshot.h"

// Bounds of each body; a sink more takes more.
#define RENDER_JSON_BYTES_MAX    (13312u + CONFIG_SINKS_MAX * 768u)
#define RENDER_METRICS_BYTES_MAX (16384u + CONFIG_SINKS_MAX * 1024u)
#define RENDER_PAGE_BYTES_MAX    (16384u + CONFIG_SINKS_MAX * 1024u) ///< what varies of the page
#define RENDER_LINE_BYTES_MAX    1024u
#define RENDER_PARTS_MAX         7u

/// GET /status, as firmware/status/status.schema.json says.
void render_json(const struct snapshot *s, struct buf *out);
/// GET /metrics: Prometheus text format 0.0.4.
void render_metrics(const struct snapshot *s, struct buf *out);
/// One line of JSON for the serial console, with its newline: the state, LED code, fingerprint,
/// clock, backlog.
void render_line(const struct snapshot *s, struct buf *out);

/// Fields of the page's form (POST /action), which status reads.
#define RENDER_FIELD_TOKEN "token" ///< struct render_page's
#define RENDER_FIELD_CODE  "code"  ///< the setup code of the box, as typed: any case, with blanks
#define RENDER_FIELD_DO    "do"    ///< sign_in, device_code, redirect, enable, validate, forget
#define RENDER_FIELD_VALUE "value" ///< redirect: the address; there may be no such field

/// What the page needs besides the snapshot.
struct render_page {
    const char *token;  ///< against cross-site requests, for the forms
    const char *notice; ///< what became of the form that was sent, or ""
    bool notice_bad;
    bool can_forget; ///< the button of the box was pressed a moment ago
};

/**
 * GET /: the page, as parts: constants of the program and pieces of `out`.
 * @param parts  RENDER_PARTS_MAX. @return how many; 0 if out has no room.
 */
unsigned render_page(const struct snapshot *s,
                     const struct render_page *page,
                     struct buf *out,
                     struct span *parts);
/// Content-Security-Policy of the page: no source but what stands in it, by hash.
struct span render_page_csp(void);

/// A QR code as one SVG path, or nothing if text is too long. Appended.
/// @retval RC_TOOBIG out has no room, or no code holds it. @retval RC_RETRY no memory now.
RC render_qr(struct span text, struct buf *out);

#endif

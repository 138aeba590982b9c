// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Reads one HTTP/1.x request. Pure and strict: what RFC 9112 leaves to taste is refused.
 * Takes:   GET, HEAD and POST; origin-form targets; HTTP/1.0 and 1.1; CRLF line ends; one Host; a
 *          body only with Content-Length (no Transfer-Encoding) and not for GET and HEAD; ASCII.
 * Source:  RFC 9110, RFC 9112.
 */
#ifndef STATUS_REQUEST_H
#define STATUS_REQUEST_H
#include <stdbool.h>

#include "base/rc.h"
#include "base/span.h"

#define REQUEST_TARGET_BYTES_MAX 3072u
#define REQUEST_BODY_BYTES_MAX   4096u
#define REQUEST_LINE_BYTES_MAX   4096u ///< of the header
#define REQUEST_HEADERS_MAX      48u

enum request_method {
    REQUEST_GET = 1,
    REQUEST_HEAD,
    REQUEST_POST,
    REQUEST_OTHER, ///< a well-formed one that we do not have
};

/// Spans point into the text that was read.
struct request {
    enum request_method method;
    struct span path, query;                      ///< as sent; query without '?'
    struct span host;                             ///< value of Host
    struct span origin, fetch_site, content_type; ///< empty if not there
    struct span body;
    bool http10;
    /// What a refusal is answered with: 400, 411, 413, 414, 417, 431, 501, 505. With RC_AGAIN: 413,
    /// 414 or 431, if there is no room for more.
    int status;
};

/**
 * @param text   everything that has arrived.
 * @param ended  nothing more will.
 * @retval RC_OK      complete: exactly one request, nothing behind it.
 * @retval RC_AGAIN   more is needed.
 * @retval RC_PARSE   no request (400; 411: POST without Content-Length), or something behind it.
 * @retval RC_TOOBIG  413, 414, 431.
 * @retval RC_UNSUPPORTED  Transfer-Encoding (501), Expect (417), another HTTP version (505).
 * A refusal stands whatever follows; what comes behind a complete request makes it RC_PARSE.
 */
RC request_read(struct span text, bool ended, struct request *out);

/// Value of a field of an application/x-www-form-urlencoded text, decoded, appended; nothing is,
/// unless RC_OK.
/// @retval RC_NOTFOUND @retval RC_PARSE a bad escape, a NUL, or the field twice @retval RC_TOOBIG
RC form_field(struct span form, struct span name, struct buf *out);

#endif

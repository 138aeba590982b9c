// SPDX-License-Identifier: Apache-2.0
/**
 * The text is read from its beginning whenever more of it is there: each byte is judged by what
 * stands before it only, so that a verdict does not depend on how the bytes came in pieces.
 */
#include "status/request.h"

#include <string.h>

#define METHOD_BYTES_MAX  16u
#define VERSION_BYTES     8u ///< "HTTP/1.1"
#define REQUEST_LINE_MAX  (METHOD_BYTES_MAX + 1u + REQUEST_TARGET_BYTES_MAX + 1u + VERSION_BYTES)
#define CONTENT_LENGTH_NO UINT64_MAX

struct reading {
    struct span left; ///< not read yet
    struct request *out;
    uint64_t body_bytes; ///< Content-Length, or CONTENT_LENGTH_NO
};

static RC refuse(struct reading *r, enum rc rc, int status)
{
    r->out->status = status;
    return rc;
}

/// RFC 9110 5.6.2.
static bool is_tchar(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_tchar(s.ptr[i])) {
            return false;
        }
    }
    return s.len > 0;
}

/// The next line without its CRLF. Nothing but printable ASCII and tabs is in it.
static RC take_line(struct reading *r, size_t bytes_max, struct span *line)
{
    struct span s = r->left;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '\r') {
            if (i + 1u == s.len) {
                return RC_AGAIN;
            }
            if (s.ptr[i + 1u] != '\n') {
                return refuse(r, RC_PARSE, 400);
            }
            *line = span_sub(s, 0, i);
            r->left = span_sub(s, i + 2u, s.len);
            return RC_OK;
        }
        // What is not ASCII is below or above, as char is signed or not.
        if ((c < ' ' && c != '\t') || c > '~') {
            return refuse(r, RC_PARSE, 400);
        }
        if (i >= bytes_max) {
            return refuse(r, RC_TOOBIG, r->out->status);
        }
    }
    return RC_AGAIN;
}

// ---- the request line ---------------------------------------------------------------------------

static RC read_version(struct reading *r, struct span version)
{
    if (span_equal(version, SPAN("HTTP/1.1"))) {
        return RC_OK;
    }
    r->out->http10 = span_equal(version, SPAN("HTTP/1.0"));
    if (r->out->http10) {
        return RC_OK;
    }
    bool other = version.len == VERSION_BYTES && span_starts(version, SPAN("HTTP/")) &&
                 version.ptr[5] >= '0' && version.ptr[5] <= '9' && version.ptr[6] == '.' &&
                 version.ptr[7] >= '0' && version.ptr[7] <= '9';
    return other ? refuse(r, RC_UNSUPPORTED, 505) : refuse(r, RC_PARSE, 400);
}

static enum request_method method_of(struct span name)
{
    if (span_equal(name, SPAN("GET"))) {
        return REQUEST_GET;
    }
    if (span_equal(name, SPAN("HEAD"))) {
        return REQUEST_HEAD;
    }
    return span_equal(name, SPAN("POST")) ? REQUEST_POST : REQUEST_OTHER;
}

/// Origin form: nobody has business with a proxy here.
static RC read_target(struct reading *r, struct span target)
{
    if (target.len > REQUEST_TARGET_BYTES_MAX) {
        return refuse(r, RC_TOOBIG, 414);
    }
    if (target.len == 0 || target.ptr[0] != '/' || span_index(target, '#') < target.len ||
        span_index(target, '\t') < target.len) {
        return refuse(r, RC_PARSE, 400);
    }
    size_t mark = span_index(target, '?');
    r->out->path = span_sub(target, 0, mark);
    r->out->query = span_sub(target, mark + 1u, target.len);
    return RC_OK;
}

static RC read_request_line(struct reading *r)
{
    struct span line;
    r->out->status = 414;
    TRY(take_line(r, REQUEST_LINE_MAX, &line));
    size_t first = span_index(line, ' ');
    struct span method = span_sub(line, 0, first);
    struct span rest = span_sub(line, first + 1u, line.len);
    size_t second = span_index(rest, ' ');
    if (method.len > METHOD_BYTES_MAX || !is_token(method)) {
        return refuse(r, RC_PARSE, 400);
    }
    r->out->method = method_of(method);
    TRY(read_version(r, span_sub(rest, second + 1u, rest.len)));
    return read_target(r, span_sub(rest, 0, second));
}

// ---- the header ---------------------------------------------------------------------------------

static struct span trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = span_sub(s, 1, s.len);
    }
    while (s.len > 0 && (s.ptr[s.len - 1u] == ' ' || s.ptr[s.len - 1u] == '\t')) {
        s.len--;
    }
    return s;
}

/// A value that decides something stands there once and says something.
static RC keep(struct reading *r, struct span value, struct span *to)
{
    if (to->len > 0 || value.len == 0) {
        return refuse(r, RC_PARSE, 400);
    }
    *to = value;
    return RC_OK;
}

static RC read_length(struct reading *r, struct span value)
{
    uint64_t bytes = 0;
    if (r->body_bytes != CONTENT_LENGTH_NO || !span_u64(value, &bytes)) {
        return refuse(r, RC_PARSE, 400);
    }
    if (bytes > REQUEST_BODY_BYTES_MAX) {
        return refuse(r, RC_TOOBIG, 413);
    }
    bool bodiless = r->out->method == REQUEST_GET || r->out->method == REQUEST_HEAD;
    if (bytes > 0 && bodiless) {
        return refuse(r, RC_PARSE, 400);
    }
    r->body_bytes = bytes;
    return RC_OK;
}

static RC read_field(struct reading *r, struct span line)
{
    size_t colon = span_index(line, ':');
    struct span name = span_sub(line, 0, colon);
    struct span value = trim(span_sub(line, colon + 1u, line.len));
    // A folded line and a space before the colon have no token there.
    if (colon == line.len || !is_token(name)) {
        return refuse(r, RC_PARSE, 400);
    }
    if (span_equal_nocase(name, SPAN("Host"))) {
        return keep(r, value, &r->out->host);
    }
    if (span_equal_nocase(name, SPAN("Origin"))) {
        return keep(r, value, &r->out->origin);
    }
    if (span_equal_nocase(name, SPAN("Sec-Fetch-Site"))) {
        return keep(r, value, &r->out->fetch_site);
    }
    if (span_equal_nocase(name, SPAN("Content-Type"))) {
        return keep(r, value, &r->out->content_type);
    }
    if (span_equal_nocase(name, SPAN("Content-Length"))) {
        return read_length(r, value);
    }
    if (span_equal_nocase(name, SPAN("Transfer-Encoding"))) {
        return refuse(r, RC_UNSUPPORTED, 501);
    }
    if (span_equal_nocase(name, SPAN("Expect"))) {
        return refuse(r, RC_UNSUPPORTED, 417);
    }
    return RC_OK;
}

static RC end_header(struct reading *r)
{
    if (r->out->host.len == 0) {
        return refuse(r, RC_PARSE, 400);
    }
    bool lengthless = r->out->method == REQUEST_POST && r->body_bytes == CONTENT_LENGTH_NO;
    return lengthless ? refuse(r, RC_PARSE, 411) : RC_OK;
}

static RC read_header(struct reading *r)
{
    r->out->status = 431;
    for (unsigned i = 0; i <= REQUEST_HEADERS_MAX; i++) {
        struct span line;
        TRY(take_line(r, REQUEST_LINE_BYTES_MAX, &line));
        if (line.len == 0) {
            return end_header(r);
        }
        if (i < REQUEST_HEADERS_MAX) {
            TRY(read_field(r, line));
        }
    }
    return refuse(r, RC_TOOBIG, 431);
}

// ---- the whole ----------------------------------------------------------------------------------

static RC read_body(struct reading *r)
{
    uint64_t bytes = r->body_bytes == CONTENT_LENGTH_NO ? 0 : r->body_bytes;
    if (r->left.len > bytes) {
        return refuse(r, RC_PARSE, 400);
    }
    if (r->left.len < bytes) {
        r->out->status = 413;
        return RC_AGAIN;
    }
    r->out->body = r->left;
    r->out->status = 0;
    return RC_OK;
}

static RC read_all(struct reading *r)
{
    TRY(read_request_line(r));
    TRY(read_header(r));
    return read_body(r);
}

RC request_read(struct span text, bool ended, struct request *out)
{
    memset(out, 0, sizeof(*out));
    struct reading r = {.left = text, .out = out, .body_bytes = CONTENT_LENGTH_NO};
    enum rc rc = read_all(&r);
    return rc == RC_AGAIN && ended ? refuse(&r, RC_PARSE, 400) : rc;
}

// ---- forms --------------------------------------------------------------------------------------

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// The next byte, decoded. @retval RC_NOTFOUND the end. @retval RC_PARSE a bad escape, or NUL.
static RC next_byte(struct span *s, char *out)
{
    size_t taken = 1;
    if (s->len == 0) {
        return RC_NOTFOUND;
    }
    *out = s->ptr[0] == '+' ? ' ' : s->ptr[0];
    if (s->ptr[0] == '%') {
        int high = s->len >= 3 ? hex_digit(s->ptr[1]) : -1;
        int low = s->len >= 3 ? hex_digit(s->ptr[2]) : -1;
        if (high < 0 || low < 0) {
            return RC_PARSE;
        }
        *out = (char)(high * 16 + low);
        taken = 3;
    }
    *s = span_sub(*s, taken, s->len);
    return *out == '\0' ? RC_PARSE : RC_OK;
}

/// @retval RC_OK it is the name.  @retval RC_NOTFOUND  it is another.  @retval RC_PARSE
static RC match(struct span text, struct span name)
{
    enum rc rc = RC_OK;
    bool same = true;
    size_t at = 0;
    for (; rc == RC_OK; at++) {
        char c = '\0';
        rc = next_byte(&text, &c);
        same = same && (rc != RC_OK || (at < name.len && name.ptr[at] == c));
    }
    if (rc == RC_PARSE) {
        return rc;
    }
    return same && at == name.len + 1u ? RC_OK : RC_NOTFOUND;
}

static RC decode(struct span text, struct buf *out)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK) { // each turn takes at least one byte
        char c = '\0';
        rc = next_byte(&text, &c);
        if (rc == RC_OK) {
            buf_put_char(out, c);
        }
    }
    if (rc == RC_NOTFOUND) {
        return buf_ok(out) ? RC_OK : RC_TOOBIG;
    }
    return rc;
}

static RC find_field(struct span form, struct span name, struct buf *out)
{
    bool found = false;
    while (form.len > 0) { // each turn takes a pair
        size_t end = span_index(form, '&');
        struct span pair = span_sub(form, 0, end);
        form = span_sub(form, end + 1u, form.len);
        size_t equals = span_index(pair, '=');
        enum rc rc = match(span_sub(pair, 0, equals), name);
        if (rc == RC_NOTFOUND) {
            continue;
        }
        if (rc != RC_OK || found) {
            return RC_PARSE;
        }
        found = true;
        TRY(decode(span_sub(pair, equals + 1u, pair.len), out));
    }
    return found ? RC_OK : RC_NOTFOUND;
}

RC form_field(struct span form, struct span name, struct buf *out)
{
    struct buf before = *out;
    enum rc rc = find_field(form, name, out);
    if (rc != RC_OK) {
        *out = before;
    }
    return rc;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The rules that a request must obey before the library sees it. The library checks less: it takes
 * other schemes unless told, and sends a header with a line break in it as two headers.
 */
#include "net/http_state.h"

static bool is_visible(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

// "host" or "host:port" up to the path; no user info, which could make one host look like another.
static bool authority_ok(struct span rest)
{
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?' && rest.ptr[len] != '#') {
        if (rest.ptr[len] == '@' || rest.ptr[len] == '\\') {
            return false;
        }
        len++;
    }
    return len > 0;
}

static bool url_ok(struct span url, struct span scheme, size_t bytes_max)
{
    return url.len <= bytes_max && is_visible(url) && span_starts(url, scheme) &&
           authority_ok(span_sub(url, scheme.len, url.len));
}

static bool is_token(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alphanumeric && c != '-' && c != '_') {
            return false;
        }
    }
    return name.len > 0;
}

// A line without a value would make the library leave out a header of its own, so it is refused
// too.
static bool header_ok(struct span line)
{
    size_t colon = span_index(line, ':');
    if (line.len > HTTP_HEADER_BYTES_MAX || colon == line.len ||
        !is_token(span_sub(line, 0, colon))) {
        return false;
    }
    bool has_value = false;
    for (size_t i = colon + 1u; i < line.len; i++) {
        if (line.ptr[i] < ' ' || line.ptr[i] > '~') {
            return false;
        }
        has_value = has_value || line.ptr[i] != ' ';
    }
    return has_value;
}

static bool headers_ok(const struct http_request *r)
{
    for (unsigned i = 0; i < HTTP_HEADERS_MAX; i++) {
        if (r->headers[i].len > 0 && !header_ok(r->headers[i])) {
            return false;
        }
    }
    return true;
}

static bool trust_ok(const struct http_request *r)
{
    bool anchors = r->trust == HTTP_TRUST_ROOTS || (r->trust == HTTP_TRUST_CA && r->ca_pem.len > 0);
    bool both = (r->client_cert_pem.len > 0) == (r->client_key_pem.len > 0);
    return anchors && both && r->client_key_pem.len < HTTP_SCRATCH_BYTES;
}

static bool bounds_ok(const struct http_request *r)
{
    return r->connect_ms >= 1000 && r->connect_ms <= 60000 && r->total_ms >= 1000 &&
           r->total_ms <= 3600000 && r->stall_ms >= 1000;
}

bool http_request_ok(const struct http_request *r)
{
    return url_ok(r->url, SPAN("https://"), HTTP_URL_BYTES_MAX) && headers_ok(r) && trust_ok(r) &&
           bounds_ok(r) && (r->post || r->body.len == 0) &&
           (r->proxy.len == 0 || url_ok(r->proxy, SPAN("http://"), HTTP_PROXY_BYTES_MAX));
}

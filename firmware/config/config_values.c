// SPDX-License-Identifier: Apache-2.0
#include "config_values.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"

#define PORT_MAX 65535u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool printable(struct span text, bool lines)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool line_end = c == '\n' || c == '\r' || c == '\t';
        if ((c < 0x20 || c == 0x7f) && !(lines && line_end)) {
            return false;
        }
    }
    return true;
}

static bool name_ok(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool small = c >= 'a' && c <= 'z';
        if (!small && (i == 0 || (!is_digit(c) && c != '-'))) {
            return false;
        }
    }
    return name.len > 0;
}

// ---- URLs -------------------------------------------------------------------

static bool host_name_ok(struct span host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return host.len > 0 && host.ptr[0] != '-' && host.ptr[0] != '.';
}

static bool ipv6_ok(struct span inner)
{
    for (size_t i = 0; i < inner.len; i++) {
        char c = inner.ptr[i];
        bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hex && c != ':' && c != '.') {
            return false;
        }
    }
    return inner.len >= 2;
}

static bool port_ok(struct span port)
{
    uint64_t number;
    return span_u64(port, &number) && number >= 1 && number <= PORT_MAX;
}

/// host, host:port, [v6], [v6]:port
static bool authority_ok(struct span authority, bool port_needed)
{
    size_t host_len = span_index(authority, ':');
    bool host_good;
    if (authority.len > 0 && authority.ptr[0] == '[') {
        size_t end = span_index(authority, ']');
        if (end == authority.len) {
            return false;
        }
        host_good = ipv6_ok(span_sub(authority, 1, end - 1u));
        host_len = end + 1u;
    } else {
        host_good = host_name_ok(span_sub(authority, 0, host_len));
    }
    if (!host_good) {
        return false;
    }
    if (host_len == authority.len) {
        return !port_needed;
    }
    return authority.ptr[host_len] == ':' &&
           port_ok(span_sub(authority, host_len + 1u, authority.len));
}

static bool url_chars_ok(struct span url)
{
    for (size_t i = 0; i < url.len; i++) {
        char c = url.ptr[i];
        if (c <= ' ' || c > '~' || strchr("\"<>\\^`{|}#", c) != NULL) {
            return false;
        }
    }
    return true;
}

static bool url_ok(struct span url, struct span scheme, const struct config_key *key)
{
    if (!span_starts(url, scheme) || !url_chars_ok(url)) {
        return false;
    }
    struct span rest = span_sub(url, scheme.len, url.len);
    size_t slash = span_index(rest, '/');
    size_t query = span_index(rest, '?');
    size_t end = slash < query ? slash : query;
    if ((key->kind == KEY_BASE_URL || key->kind == KEY_REDIRECT) && query < rest.len) {
        return false;
    }
    if (key->kind == KEY_PROXY && end < rest.len) {
        return false;
    }
    return authority_ok(span_sub(rest, 0, end), key->kind == KEY_PROXY);
}

/// The one place where a browser's plain HTTP does not leave the machine that it runs on.
static bool localhost_ok(struct span url, const struct config_key *key)
{
    static const struct span start = {"http://localhost", 16};
    struct span rest = span_sub(url, start.len, url.len);
    bool host_ends = rest.len == 0 || rest.ptr[0] == ':' || rest.ptr[0] == '/';
    return span_starts(url, start) && host_ends && url_ok(url, SPAN("http://"), key);
}

bool config_listen_ok(struct span text)
{
    struct address ignored;
    return address_parse_listen(text, CONFIG_STATUS_PORT, &ignored) == RC_OK;
}

bool config_host_ok(struct span text)
{
    return host_name_ok(text);
}

bool config_text_ok(const struct config_key *key, struct span text)
{
    uint8_t guid[GUID_BYTES];
    unsigned certificates;
    if (!printable(text, key->kind == KEY_PEM)) {
        return false;
    }
    switch (key->kind) {
    case KEY_TEXT:
        return text.len >= key->low;
    case KEY_NAME:
        return name_ok(text);
    case KEY_GUID:
        return guid_parse(text, guid) == RC_OK;
    case KEY_URL:
    case KEY_BASE_URL:
        return url_ok(text, SPAN("https://"), key);
    case KEY_PROXY:
        return url_ok(text, SPAN("http://"), key);
    case KEY_REDIRECT:
        return url_ok(text, SPAN("https://"), key) || localhost_ok(text, key);
    case KEY_LISTEN:
        return span_equal(text, SPAN("off")) || config_listen_ok(text);
    case KEY_PEM:
        return crypto_count_certificates(text, &certificates) == RC_OK;
    default:
        return false;
    }
}

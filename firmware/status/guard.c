// SPDX-License-Identifier: Apache-2.0
#include "status/guard.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crypto.h"

#include "sys/log.h"

#define TOKEN_INFO_BYTES 48u

// ---- the box's own name -------------------------------------------------------------------------

struct authority {
    struct span host; ///< with its brackets
    bool good;
};

/// RFC 3986 3.2, without user information. An address of version 6 has brackets.
static struct authority read_authority(struct span text)
{
    uint64_t port = 0;
    size_t end = span_index(text, ':');
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t close = span_index(text, ']');
        end = close < text.len ? close + 1u : 0;
    }
    struct span rest = span_sub(text, end, text.len);
    bool port_good = rest.len == 0 ||
                     (rest.ptr[0] == ':' && rest.len <= 6 &&
                      span_u64(span_sub(rest, 1, rest.len), &port) && port > 0 && port <= 65535);
    return (struct authority){.host = span_sub(text, 0, end), .good = end > 0 && port_good};
}

bool guard_host(const struct config *c, struct span host, struct address local)
{
    struct authority asked = read_authority(host);
    struct address literal = {0};
    if (!asked.good) {
        return false;
    }
    if (address_parse(asked.host, 1, &literal) == RC_OK && address_same_host(&literal, &local)) {
        return true;
    }
    if (address_is_loopback(&local) && span_equal_nocase(asked.host, SPAN("localhost"))) {
        return true;
    }
    for (unsigned i = 0; i < c->status_hosts_count; i++) {
        if (span_equal_nocase(asked.host, span_from_str(c->status_hosts[i]))) {
            return true;
        }
    }
    return false;
}

// ---- the box's own page -------------------------------------------------------------------------

bool guard_same_site(const struct guard_source *source)
{
    if (source->fetch_site.len > 0 && !span_equal(source->fetch_site, SPAN("same-origin")) &&
        !span_equal(source->fetch_site, SPAN("none"))) {
        return false;
    }
    if (source->origin.len == 0) {
        return true;
    }
    struct span scheme = source->plain ? SPAN("http://") : SPAN("https://");
    return span_starts(source->origin, scheme) &&
           span_equal_nocase(span_sub(source->origin, scheme.len, source->origin.len),
                             source->host);
}

/// Of a half hour, for a peer: what one has read on one machine is of no use on another.
static void token_of(const struct guard *g,
                     struct address peer,
                     uint64_t half_hour,
                     char out[static GUARD_TOKEN_BYTES])
{
    char info_bytes[TOKEN_INFO_BYTES];
    uint8_t digest[CRYPTO_KEY_BYTES];
    struct buf info = BUF(info_bytes);
    struct buf text = buf_of(out, GUARD_TOKEN_BYTES);
    struct address from = address_unmapped(&peer);
    buf_put(&info, SPAN("anteroom page token"));
    buf_put_u8(&info, from.is_v6 ? 6 : 4);
    buf_put(&info, (struct span){.ptr = (const char *)from.bytes, .len = sizeof(from.bytes)});
    buf_put_be64(&info, half_hour);
    ASSERT(buf_ok(&info));
    crypto_derive((struct span){.ptr = (const char *)g->secret, .len = sizeof(g->secret)},
                  buf_span(&info),
                  digest);
    buf_put_hex(&text, (struct span){.ptr = (const char *)digest, .len = sizeof(digest) / 2u});
    bool ended = buf_terminate(&text);
    ASSERT(ended);
}

static uint64_t half_hour_of(struct mono now)
{
    ASSERT(now.ms >= 0);
    return (uint64_t)(now.ms / GUARD_TOKEN_MS);
}

void guard_token(const struct guard *g,
                 struct address peer,
                 struct mono now,
                 char out[static GUARD_TOKEN_BYTES])
{
    token_of(g, peer, half_hour_of(now), out);
}

bool guard_token_good(const struct guard *g, struct span text, struct address peer, struct mono now)
{
    char good[GUARD_TOKEN_BYTES];
    uint64_t half_hour = half_hour_of(now);
    token_of(g, peer, half_hour, good);
    bool is_good = span_equal_secret(text, span_from_str(good));
    if (half_hour > 0) {
        token_of(g, peer, half_hour - 1u, good);
        is_good = span_equal_secret(text, span_from_str(good)) || is_good;
    }
    bytes_wipe(good, sizeof(good));
    return is_good;
}

// ---- the person with the code -------------------------------------------------------------------

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/// Without dashes and blanks; longer than any code at most.
static struct span bare_code(struct span text, char out[static GUARD_CODE_CHARS + 1u])
{
    struct buf bare = buf_of(out, GUARD_CODE_CHARS + 1u);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '-' && c != ' ' && c != '\t') {
            buf_put_char(&bare, upper(c));
        }
    }
    return buf_span(&bare);
}

void guard_init(struct guard *g, struct span code, const uint8_t secret[static 32])
{
    char bare[GUARD_CODE_CHARS + 1u];
    ASSERT(code.len == STATUS_CODE_CHARS);
    struct span kept = bare_code(code, bare);
    ASSERT(kept.len == GUARD_CODE_CHARS);
    memset(g, 0, sizeof(*g));
    memcpy(g->code, kept.ptr, GUARD_CODE_CHARS);
    memcpy(g->secret, secret, sizeof(g->secret));
    g->shut_ms = STATUS_SHUT_MS;
    g->posts = GUARD_POSTS_BURST;
    g->shut_until = (struct mono){.ms = INT64_MIN};
    bytes_wipe(bare, sizeof(bare));
}

static void earn_posts(struct guard *g, struct mono now)
{
    int64_t earned = (now.ms - g->posts_since.ms) / GUARD_POST_MS;
    if (earned >= GUARD_POSTS_BURST - g->posts) {
        g->posts = GUARD_POSTS_BURST;
        g->posts_since = now;
        return;
    }
    g->posts += (unsigned)earned;
    g->posts_since = mono_after(g->posts_since, earned * GUARD_POST_MS);
}

RC guard_admit(struct guard *g, struct mono now, int64_t *wait_ms)
{
    *wait_ms = 0;
    earn_posts(g, now);
    if (!mono_due(g->shut_until, now)) {
        *wait_ms = g->shut_until.ms - now.ms;
        return RC_AGAIN;
    }
    if (g->posts == 0) {
        *wait_ms = g->posts_since.ms + GUARD_POST_MS - now.ms;
        return RC_AGAIN;
    }
    g->posts--;
    return RC_OK;
}

static void count_wrong(struct guard *g, struct mono now)
{
    g->wrong++;
    if (g->wrong < STATUS_TRIES) {
        return;
    }
    g->shut_until = mono_after(now, g->shut_ms);
    LOG_WARN(
        "ev=status_shut reason=setup_code tries=%u for_s=%d", g->wrong, (int)(g->shut_ms / 1000));
    g->wrong = 0;
    g->shut_ms = g->shut_ms < GUARD_SHUT_MS_MAX / 2 ? g->shut_ms * 2 : GUARD_SHUT_MS_MAX;
}

RC guard_code(struct guard *g, struct span text, struct mono now)
{
    char bare[GUARD_CODE_CHARS + 1u] = {0};
    struct span typed = bare_code(text, bare);
    bool right = span_equal_secret(typed, (struct span){.ptr = g->code, .len = GUARD_CODE_CHARS});
    size_t typed_bytes = typed.len;
    bytes_wipe(bare, sizeof(bare));
    if (right) {
        g->wrong = 0;
        g->shut_ms = STATUS_SHUT_MS;
        return RC_OK;
    }
    if (typed_bytes == 0) {
        return RC_NOTFOUND;
    }
    count_wrong(g, now);
    return RC_DENIED;
}

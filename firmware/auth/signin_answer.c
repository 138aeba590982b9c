// SPDX-License-Identifier: Apache-2.0
#include "signin_answer.h"

#include <string.h>

#include "auth_claims.h"

#define NAME_BYTES_MAX 1024u ///< of a name as it comes; Graph's limit is 256 characters

static bool is_visible(struct span s)
{
    bool good = s.len > 0;
    for (size_t i = 0; i < s.len; i++) {
        good = good && s.ptr[i] > ' ' && s.ptr[i] <= '~';
    }
    return good;
}

static RC take_text(const struct json *doc, struct span key, struct buf *out)
{
    size_t from = out->len;
    TRY(json_string(doc, json_get(doc, 0, key), out));
    return is_visible(span_sub(buf_span(out), from, out->len)) ? RC_OK : RC_PARSE;
}

static RC parse(struct span body, struct json_token *arena, struct json *doc)
{
    TRY(json_parse(doc, body, arena, AUTH_ANSWER_TOKENS_MAX));
    return json_is_object(doc, 0) ? RC_OK : RC_PARSE;
}

/// Tokens need no escapes in JSON; one that has some is not read.
static void take_tid(const struct json *doc, struct span key, char *tid)
{
    struct json_token scratch[AUTH_ANSWER_TOKENS_MAX];
    struct auth_claims claims;
    int node = json_get(doc, 0, key);
    if (tid[0] == '\0' && json_is_string(doc, node)) {
        auth_claims_read(json_raw(doc, node), scratch, &claims);
        memcpy(tid, claims.tid, CONFIG_GUID_BYTES);
    }
}

RC signin_read_grants(struct span body, struct json_token *arena, struct signin_grants *out)
{
    struct json doc;
    memset(out->tid, 0, sizeof(out->tid));
    TRY(parse(body, arena, &doc));
    take_tid(&doc, SPAN("id_token"), out->tid);
    take_tid(&doc, SPAN("access_token"), out->tid);
    return take_text(&doc, SPAN("refresh_token"), &out->refresh);
}

// ---- device code ------------------------------------------------------------

static int64_t seconds(const struct json *doc, struct span key, int64_t otherwise, int64_t max)
{
    int64_t v;
    if (json_i64(doc, json_get(doc, 0, key), &v) != RC_OK || v <= 0) {
        v = otherwise;
    }
    return v < max ? v : max;
}

static bool is_user_code(struct span s)
{
    bool good = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        good = good && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-');
    }
    return good;
}

RC signin_read_device(struct span body, struct json_token *arena, struct signin_device *out)
{
    struct json doc;
    struct buf user = buf_of(out->user_code, sizeof(out->user_code) - 1u);
    struct buf address = buf_of(out->verify_at, sizeof(out->verify_at) - 1u);
    memset(out->user_code, 0, sizeof(out->user_code));
    memset(out->verify_at, 0, sizeof(out->verify_at));
    TRY(parse(body, arena, &doc));
    bool good = take_text(&doc, SPAN("device_code"), &out->code) == RC_OK &&
                take_text(&doc, SPAN("user_code"), &user) == RC_OK &&
                take_text(&doc, SPAN("verification_uri"), &address) == RC_OK &&
                is_user_code(buf_span(&user)) && span_starts(buf_span(&address), SPAN("https://"));
    out->interval_ms = seconds(&doc, SPAN("interval"), 5, SIGNIN_INTERVAL_S_MAX) * 1000;
    out->expires_ms = seconds(&doc, SPAN("expires_in"), 900, SIGNIN_EXPIRES_S_MAX) * 1000;
    return good ? RC_OK : RC_PARSE;
}

// ---- /me --------------------------------------------------------------------

static bool is_control(unsigned char c)
{
    return c < ' ' || c == 0x7f;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0u) == 0x80u;
}

/// json_parse has seen to it that it is UTF-8.
static bool take_name(const struct json *doc, struct span key, char *who)
{
    char text[NAME_BYTES_MAX];
    struct buf name = BUF(text), out = buf_of(who, SIGNIN_WHO_BYTES - 1u);
    if (json_string(doc, json_get(doc, 0, key), &name) != RC_OK) {
        return false;
    }
    for (size_t i = 0; i < name.len && !out.overflow;) {
        size_t next = i + 1u;
        while (next < name.len && is_continuation(text[next])) {
            next++;
        }
        if (!is_control((unsigned char)text[i])) {
            buf_put(&out, (struct span){.ptr = text + i, .len = next - i});
        }
        i = next;
    }
    who[out.len] = '\0';
    return out.len > 0;
}

RC signin_read_me(struct span body, struct json_token *arena, char who[static SIGNIN_WHO_BYTES])
{
    struct json doc;
    TRY(parse(body, arena, &doc));
    bool good = take_name(&doc, SPAN("displayName"), who) ||
                take_name(&doc, SPAN("userPrincipalName"), who);
    return good ? RC_OK : RC_PARSE;
}

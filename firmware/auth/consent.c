// SPDX-License-Identifier: Apache-2.0
#include "auth/consent.h"

#include <limits.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

void consent_make_state(const uint8_t random[static CONSENT_RANDOM_BYTES],
                        char state[static CONSENT_STATE_BYTES])
{
    struct buf b = buf_of(state, CONSENT_STATE_BYTES);
    buf_put_base64url(&b, (struct span){.ptr = (const char *)random, .len = CONSENT_RANDOM_BYTES});
    ASSERT(buf_terminate(&b));
}

// ---- links ------------------------------------------------------------------

static void put_value(struct buf *out, const char *before, struct span value)
{
    buf_put_str(out, before);
    buf_put_urlencoded(out, value);
}

/// Authority, tenant, path and what both links have in common.
static void put_begin(struct buf *out, const struct config *c, const char *path, const char *state)
{
    buf_put_str(out, c->authority_url);
    buf_put_char(out, '/');
    buf_put_str(out, c->tenant_id);
    buf_put_str(out, path);
    put_value(out, "?client_id=", span_from_str(c->client_id));
    put_value(out, "&redirect_uri=", span_from_str(c->redirect_uri));
    put_value(out, "&state=", span_from_str(state));
}

static void end(struct buf *out)
{
    bool fits = buf_terminate(out);
    ASSERT(fits || !buf_ok(out));
}

void consent_link(const struct config *c, const char *state, struct buf *out)
{
    put_begin(out, c, "/v2.0/adminconsent", state);
    put_value(out, "&scope=", span_from_str(c->graph_url));
    buf_put_str(out, "%2F.default");
    end(out);
}

void consent_put_scope(const struct config *c, struct buf *out)
{
    put_value(out, "openid%20offline_access%20", span_from_str(c->graph_url));
    buf_put_str(out, "%2FUser.Read");
}

void consent_sign_in_link(const struct config *c,
                          const char *state,
                          struct span challenge,
                          struct buf *out)
{
    put_begin(out, c, "/oauth2/v2.0/authorize", state);
    buf_put_str(out, "&response_type=code&response_mode=query&prompt=select_account");
    buf_put_str(out, "&scope=");
    consent_put_scope(c, out);
    put_value(out, "&code_challenge=", challenge);
    buf_put_str(out, "&code_challenge_method=S256");
    end(out);
}

// ---- redirects --------------------------------------------------------------

enum member {
    MEMBER_ERROR = 0,
    MEMBER_DESCRIPTION,
    MEMBER_STATE,
    MEMBER_CODE,
    MEMBER_CONSENT,
    MEMBERS,
};

static const char *const member_names[MEMBERS] = {
    [MEMBER_ERROR] = "error",
    [MEMBER_DESCRIPTION] = "error_description",
    [MEMBER_STATE] = "state",
    [MEMBER_CODE] = "code",
    [MEMBER_CONSENT] = "admin_consent",
};

/// Encoded values, as they stand in the URL.
struct members {
    bool there[MEMBERS];
    struct span value[MEMBERS];
    bool twice; ///< RFC 6749 3.1: none may be there more than once
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trimmed(struct span s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = span_sub(s, 1, s.len);
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1u])) {
        s.len--;
    }
    return s;
}

static void take_member(struct members *m, struct span pair)
{
    size_t equals = span_index(pair, '=');
    struct span name = span_sub(pair, 0, equals);
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (span_equal(name, span_from_str(member_names[i]))) {
            m->twice = m->twice || m->there[i];
            m->there[i] = true;
            m->value[i] = span_sub(pair, equals + 1u, pair.len);
        }
    }
}

static void take_members(struct members *m, struct span list)
{
    while (list.len > 0) {
        size_t end_of_pair = span_index(list, '&');
        take_member(m, span_sub(list, 0, end_of_pair));
        list = span_sub(list, end_of_pair + 1u, list.len);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// False: not encoded as it must be, or longer than `out`.
static bool decode(struct span value, struct buf *out)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i] == '+' ? ' ' : value.ptr[i];
        if (c == '%') {
            struct span digits = span_sub(value, i + 1u, 2);
            int high = digits.len == 2 ? hex_digit(digits.ptr[0]) : -1;
            int low = digits.len == 2 ? hex_digit(digits.ptr[1]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        buf_put_char(out, c);
    }
    return buf_ok(out);
}

static bool is_state(const struct members *m, const char *given_out)
{
    char text[CONSENT_STATE_BYTES];
    struct buf state = BUF(text);
    return given_out[0] != '\0' && m->there[MEMBER_STATE] &&
           decode(m->value[MEMBER_STATE], &state) &&
           span_equal_secret(buf_span(&state), span_from_str(given_out));
}

static bool error_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// The name of the error if it is one; else "", which is an error all the same.
static void take_error(const struct members *m, struct consent_redirect *out)
{
    struct buf text = buf_of(out->error, sizeof(out->error) - 1u);
    bool good = decode(m->value[MEMBER_ERROR], &text);
    for (size_t i = 0; i < text.len; i++) {
        good = good && error_char(out->error[i]);
    }
    if (!good) {
        memset(out->error, 0, sizeof(out->error));
    }
}

/// "AADSTS" and a number: letters and digits stand in a URL as they are.
static int aadsts_of(struct span description)
{
    static const struct span mark = {.ptr = "AADSTS", .len = 6};
    for (size_t i = 0; i + mark.len < description.len; i++) {
        struct span rest = span_sub(description, i, description.len);
        if (!span_starts(rest, mark)) {
            continue;
        }
        struct span digits = span_sub(rest, mark.len, 10); // more are no number of Entra's
        size_t count = 0;
        uint64_t number;
        while (count < digits.len && digits.ptr[count] >= '0' && digits.ptr[count] <= '9') {
            count++;
        }
        return span_u64(span_sub(digits, 0, count), &number) && number <= INT_MAX ? (int)number : 0;
    }
    return 0;
}

static enum consent_kind take_code(const struct members *m, struct consent_redirect *out)
{
    struct buf code = buf_of(out->code, sizeof(out->code) - 1u);
    bool good = m->there[MEMBER_CODE] && decode(m->value[MEMBER_CODE], &code) && code.len > 0;
    for (size_t i = 0; i < code.len; i++) {
        good = good && out->code[i] > ' ' && out->code[i] <= '~';
    }
    if (!good) {
        bytes_wipe(out->code, sizeof(out->code));
    }
    return good ? CONSENT_CODE : CONSENT_NOTHING;
}

static enum consent_kind
judge(const struct members *m, bool consent, bool sign_in, struct consent_redirect *out)
{
    if (m->twice || (!consent && !sign_in)) {
        return CONSENT_NOTHING;
    }
    if (m->there[MEMBER_ERROR]) { // before anything that sounds like success
        take_error(m, out);
        out->aadsts = aadsts_of(m->value[MEMBER_DESCRIPTION]);
        out->sign_in = sign_in;
        return CONSENT_REFUSED;
    }
    if (sign_in) {
        return take_code(m, out);
    }
    char text[8];
    struct buf given = BUF(text);
    bool good = decode(m->value[MEMBER_CONSENT], &given);
    return good && span_equal_nocase(buf_span(&given), SPAN("True")) ? CONSENT_GIVEN
                                                                     : CONSENT_NOTHING;
}

/// A query alone has no scheme, no path and no '?'.
static struct span query_of(struct span before_fragment)
{
    size_t mark = span_index(before_fragment, '?');
    if (mark < before_fragment.len) {
        return span_sub(before_fragment, mark + 1u, before_fragment.len);
    }
    bool is_address = span_index(before_fragment, '/') <
                      span_index(before_fragment, '='); // http://localhost/ or /callback
    return is_address ? SPAN_NONE : before_fragment;
}

void consent_read_redirect(struct span url,
                           const char *consent_state,
                           const char *sign_in_state,
                           struct consent_redirect *out)
{
    struct members m;
    memset(&m, 0, sizeof(m));
    memset(out, 0, sizeof(*out));
    if (url.len > CONSENT_REDIRECT_BYTES_MAX) {
        return;
    }
    struct span text = trimmed(url);
    size_t hash = span_index(text, '#');
    take_members(&m, query_of(span_sub(text, 0, hash)));
    take_members(&m, span_sub(text, hash + 1u, text.len));
    out->kind = judge(&m, is_state(&m, consent_state), is_state(&m, sign_in_state), out);
}

// SPDX-License-Identifier: Apache-2.0
#include "auth_answer.h"

#include <limits.h>
#include <string.h>

/// Copies a text member if it is made of the given kind of characters only; otherwise leaves "".
static void
take_word(const struct json *doc, struct span key, bool (*good)(char), char *out, size_t out_bytes)
{
    struct buf text = buf_of(out, out_bytes - 1u);
    if (json_string(doc, json_get(doc, 0, key), &text) != RC_OK) {
        text.len = 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!good(out[i])) {
            text.len = 0;
        }
    }
    memset(out + text.len, 0, out_bytes - text.len);
}

static bool error_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static int first_code(const struct json *doc)
{
    int64_t code;
    int list = json_get(doc, 0, SPAN("error_codes"));
    int first = json_is_array(doc, list) ? json_first(doc, list) : JSON_NONE;
    if (first == JSON_NONE || json_i64(doc, first, &code) != RC_OK || code <= 0 || code > INT_MAX) {
        return 0;
    }
    return (int)code;
}

/// Whole seconds, as a number or as the text of one (both are seen).
static bool take_expiry(const struct json *doc, uint32_t *out)
{
    char digits[24];
    struct buf text = BUF(digits);
    int node = json_get(doc, 0, SPAN("expires_in"));
    uint64_t seconds = 0;
    int64_t number;
    if (json_is_string(doc, node)) {
        if (json_string(doc, node, &text) != RC_OK || !span_u64(buf_span(&text), &seconds)) {
            return false;
        }
    } else if (json_i64(doc, node, &number) == RC_OK && number > 0) {
        seconds = (uint64_t)number;
    }
    *out = (uint32_t)(seconds < AUTH_EXPIRES_S_MAX ? seconds : AUTH_EXPIRES_S_MAX);
    return seconds > 0;
}

static bool is_bearer(const struct json *doc)
{
    char word[16];
    struct buf text = BUF(word);
    int node = json_get(doc, 0, SPAN("token_type"));
    return json_string(doc, node, &text) == RC_OK &&
           span_equal_nocase(buf_span(&text), SPAN("Bearer"));
}

static bool take_token(const struct json *doc, struct buf *token)
{
    size_t from = token->len;
    if (json_string(doc, json_get(doc, 0, SPAN("access_token")), token) != RC_OK) {
        return false;
    }
    for (size_t i = from; i < token->len; i++) {
        // One that holds a blank or a line end would end the header line that it is put into.
        if (token->ptr[i] <= ' ' || token->ptr[i] > '~') {
            return false;
        }
    }
    return token->len > from;
}

RC auth_answer_read(struct span body,
                    struct json_token *arena,
                    struct buf *token,
                    struct auth_answer *out)
{
    struct json doc;
    memset(out, 0, sizeof(*out));
    if (json_parse(&doc, body, arena, AUTH_ANSWER_TOKENS_MAX) != RC_OK ||
        !json_is_object(&doc, 0)) {
        return RC_PARSE;
    }
    take_word(&doc, SPAN("trace_id"), id_char, out->trace_id, sizeof(out->trace_id));
    take_word(&doc, SPAN("error"), error_char, out->error, sizeof(out->error));
    out->aadsts = first_code(&doc);
    if (out->error[0] != '\0' || out->aadsts != 0) {
        return RC_DENIED;
    }
    if (!is_bearer(&doc) || !take_expiry(&doc, &out->expires_s) || !take_token(&doc, token)) {
        return RC_PARSE;
    }
    return RC_OK;
}

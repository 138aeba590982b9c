// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A look into the token, for diagnosis only: Microsoft calls it opaque, so nothing that cannot be
 * read says anything.
 */
#include "base/bytes.h"

#include "auth_state.h"

#define PAYLOAD_BYTES (AUTH_TOKEN_BYTES_MAX / 4u * 3u)

static bool names_role(const struct json *doc, struct span role)
{
    char text[128];
    int roles = json_get(doc, 0, SPAN("roles"));
    for (int node = json_is_array(doc, roles) ? json_first(doc, roles) : JSON_NONE;
         node != JSON_NONE;
         node = json_next(doc, node)) {
        struct buf one = BUF(text);
        if (json_string(doc, node, &one) == RC_OK && span_equal(buf_span(&one), role)) {
            return true;
        }
    }
    return false;
}

bool auth_has_role(const struct auth *a, struct span role)
{
    struct span line = {.ptr = a->bearer, .len = a->bearer_len};
    struct span rest = span_sub(line, span_index(line, '.') + 1u, line.len);
    struct span payload = span_sub(rest, 0, span_index(rest, '.'));
    char text[PAYLOAD_BYTES];
    struct buf claims = BUF(text);
    struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
    struct json doc;
    bool readable = payload.len > 0 && payload.len < rest.len &&
                    base64_decode(payload, &claims) == RC_OK &&
                    json_parse(&doc, buf_span(&claims), arena, AUTH_ANSWER_TOKENS_MAX) == RC_OK;
    bool has = !readable || names_role(&doc, role);
    buf_wipe(&claims);
    return has;
}

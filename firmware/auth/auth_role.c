// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A look into the token, once for each, for diagnosis only: Microsoft calls it opaque, so nothing
 * that cannot be read says anything.
 */
#include "base/bytes.h"

#include "auth/permission.h"
#include "auth_state.h"

#define PAYLOAD_BYTES (AUTH_TOKEN_BYTES_MAX / 4u * 3u)

static unsigned roles_of(const struct json *doc)
{
    char text[64]; // longer than any name that we know
    unsigned mask = 0;
    int roles = json_get(doc, 0, SPAN("roles"));

    for (int node = json_is_array(doc, roles) ? json_first(doc, roles) : JSON_NONE;
         node != JSON_NONE;
         node = json_next(doc, node)) {
        struct buf one = BUF(text);
        if (json_string(doc, node, &one) == RC_OK) {
            mask |= permission_of_role(buf_span(&one));
        }
    }
    return mask;
}

void auth_role_read(struct auth *a)
{
    struct span line = {.ptr = a->bearer, .len = a->bearer_len};
    struct span rest = span_sub(line, span_index(line, '.') + 1u, line.len);
    struct span payload = span_sub(rest, 0, span_index(rest, '.'));
    char text[PAYLOAD_BYTES];
    struct buf claims = BUF(text);
    struct json doc;

    // the arena is free: the answer that the token came in has been read
    a->roles_readable =
        payload.len > 0 && payload.len < rest.len && base64_decode(payload, &claims) == RC_OK &&
        json_parse(&doc, buf_span(&claims), a->arena, AUTH_ANSWER_TOKENS_MAX) == RC_OK &&
        json_is_object(&doc, 0);
    a->roles = a->roles_readable ? roles_of(&doc) : 0;
    buf_wipe(&claims);
}

unsigned auth_roles(const struct auth *a, bool *readable)
{
    *readable = a->roles_readable;
    return a->roles;
}

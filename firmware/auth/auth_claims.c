// SPDX-License-Identifier: Apache-2.0
#include "auth_claims.h"

#include <string.h>

#include "base/bytes.h"

#include "auth/auth.h"
#include "auth/auth_answer.h"
#include "auth/permission.h"

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
        mask |= json_string(doc, node, &one) == RC_OK ? permission_of_role(buf_span(&one)) : 0u;
    }
    return mask;
}

static void take_tenant(const struct json *doc, char *out)
{
    char text[GUID_TEXT_BYTES];
    uint8_t guid[GUID_BYTES];
    struct buf tid = BUF(text), canonical = buf_of(out, CONFIG_GUID_BYTES);
    if (json_string(doc, json_get(doc, 0, SPAN("tid")), &tid) != RC_OK ||
        guid_parse(buf_span(&tid), guid) != RC_OK) {
        return;
    }
    for (size_t i = 0; i < tid.len; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'F';
        buf_put_char(&canonical, (char)(upper ? text[i] | 0x20 : text[i]));
    }
}

void auth_claims_read(struct span token, struct json_token *arena, struct auth_claims *out)
{
    struct span rest = span_sub(token, span_index(token, '.') + 1u, token.len);
    struct span payload = span_sub(rest, 0, span_index(rest, '.'));
    char text[PAYLOAD_BYTES];
    struct buf claims = BUF(text);
    struct json doc;
    memset(out, 0, sizeof(*out));
    out->readable = payload.len > 0 && payload.len < rest.len &&
                    base64_decode(payload, &claims) == RC_OK &&
                    json_parse(&doc, buf_span(&claims), arena, AUTH_ANSWER_TOKENS_MAX) == RC_OK &&
                    json_is_object(&doc, 0);
    if (out->readable) {
        out->roles = roles_of(&doc);
        take_tenant(&doc, out->tid);
    }
    buf_wipe(&claims);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <string.h>

#include <arpa/inet.h>

/// What stands behind the address: nothing, or ":" and a port.
static RC read_port(struct span rest, uint16_t *port)
{
    uint64_t number = 0;
    if (rest.len == 0) {
        return RC_OK;
    }
    if (rest.ptr[0] != ':' || rest.len > 6 || !span_u64(span_sub(rest, 1, rest.len), &number) ||
        number == 0 || number > UINT16_MAX) {
        return RC_PARSE;
    }
    *port = (uint16_t)number;
    return RC_OK;
}

RC address_parse(struct span text, uint16_t port, struct address *out)
{
    char host[ADDRESS_TEXT_BYTES_MAX + 1u];
    struct address a = {.port = port};
    struct span address = text;
    struct span rest = SPAN_NONE;
    size_t colon = span_index(text, ':');

    if (text.len > ADDRESS_TEXT_BYTES_MAX || span_index(text, '\0') < text.len) {
        return RC_PARSE;
    }
    a.is_v6 = colon < text.len && span_index(text, '.') > colon;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t close = span_index(text, ']');
        if (close == text.len) {
            return RC_PARSE;
        }
        a.is_v6 = true;
        address = span_sub(text, 1, close - 1u);
        rest = span_sub(text, close + 1u, text.len);
    } else if (!a.is_v6) {
        address = span_sub(text, 0, colon);
        rest = span_sub(text, colon, text.len);
    }
    TRY(read_port(rest, &a.port));
    if (address.len == 0) {
        return RC_PARSE;
    }
    memcpy(host, address.ptr, address.len);
    host[address.len] = '\0';
    if (inet_pton(a.is_v6 ? AF_INET6 : AF_INET, host, a.bytes) != 1) {
        return RC_PARSE;
    }
    *out = a;
    return RC_OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <string.h>

#include <arpa/inet.h>

#include "base/assert.h"

#define IPV4_BYTES 4u
#define IPV6_BYTES 16u

/// What stands behind the address: nothing, or ":" and a port.
static RC read_port(struct span rest, uint16_t lowest, uint16_t *port)
{
    uint64_t number = 0;
    if (rest.len == 0) {
        return RC_OK;
    }
    if (rest.ptr[0] != ':' || rest.len > 6 || !span_u64(span_sub(rest, 1, rest.len), &number) ||
        number < lowest || number > UINT16_MAX) {
        return RC_PARSE;
    }
    *port = (uint16_t)number;
    return RC_OK;
}

static RC parse(struct span text, uint16_t port, uint16_t lowest, struct address *out)
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
    TRY(read_port(rest, lowest, &a.port));
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

RC address_parse(struct span text, uint16_t port, struct address *out)
{
    return parse(text, port, 1, out);
}

RC address_parse_listen(struct span text, uint16_t port, struct address *out)
{
    return parse(text, port, 0, out);
}

void address_put(struct buf *out, const struct address *a)
{
    char text[INET6_ADDRSTRLEN];
    const char *shown = inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof(text));
    ASSERT(shown != NULL); // the family is known and the text has room
    buf_put_str(out, a->is_v6 ? "[" : "");
    buf_put_str(out, shown);
    buf_put_str(out, a->is_v6 ? "]:" : ":");
    buf_put_u64(out, a->port);
}

struct address address_unmapped(const struct address *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    struct address out = *a;
    if (a->is_v6 && memcmp(a->bytes, prefix, sizeof(prefix)) == 0) {
        out = (struct address){.port = a->port};
        memcpy(out.bytes, a->bytes + sizeof(prefix), IPV4_BYTES);
    }
    return out;
}

bool address_same_host(const struct address *a, const struct address *b)
{
    struct address one = address_unmapped(a), other = address_unmapped(b);
    return one.is_v6 == other.is_v6 &&
           memcmp(one.bytes, other.bytes, one.is_v6 ? IPV6_BYTES : IPV4_BYTES) == 0;
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t v6[IPV6_BYTES] = {[IPV6_BYTES - 1u] = 1};
    struct address plain = address_unmapped(a);
    return plain.is_v6 ? memcmp(plain.bytes, v6, sizeof(v6)) == 0 : plain.bytes[0] == 127;
}

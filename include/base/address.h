// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Numeric network addresses with a port. Names are nobody's business here: nothing is looked up.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H
#include <stdint.h>

#include "base/rc.h"
#include "base/span.h"

#define ADDRESS_TEXT_BYTES_MAX 53u ///< "[" 45 characters "]:65535"

struct address {
    bool is_v6;
    uint8_t bytes[16]; ///< network order; IPv4: the first four
    uint16_t port;
};

/**
 * "192.0.2.1", "192.0.2.1:123", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:123".
 * @param port  if the text has none.
 * @retval RC_PARSE  anything else: names, zones, port 0. *out is then untouched.
 */
RC address_parse(struct span text, uint16_t port, struct address *out);
/// The same for an address to listen on: port 0 is one that the kernel chooses.
RC address_parse_listen(struct span text, uint16_t port, struct address *out);

/// "192.0.2.1:123", "[2001:db8::1]:123", appended.
void address_put(struct buf *out, const struct address *a);
/// The same machine as far as addresses tell: ports are not compared, and an IPv4 address mapped
/// into IPv6 is the IPv4 address.
bool address_same_host(const struct address *a, const struct address *b);
/// 127.0.0.0/8, ::1, and the former mapped into IPv6.
bool address_is_loopback(const struct address *a);
/// ::ffff:192.0.2.1 is 192.0.2.1; anything else is what it was.
struct address address_unmapped(const struct address *a);

#endif

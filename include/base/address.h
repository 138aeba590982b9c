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

#endif

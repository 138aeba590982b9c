// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the HTTP library leaves open in its TLS settings. Private to net/.
 */
#ifndef NET_TLS_H
#define NET_TLS_H
#include <stdint.h>

/// When all certificates of a chain are good together; of nothing yet: 0 and 0.
struct tls_validity {
    int64_t not_before_ms, not_after_ms;
};

/**
 * Tighten the settings of one connection before its handshake.
 * @param config  the TLS library's settings (struct mbedtls_ssl_config), borrowed for the call.
 */
void tls_harden(void *config);

/**
 * Pass over "not yet valid", and nothing else, in the certificates of the next handshake.
 * @param out  filled during the handshake; kept until then.
 */
void tls_defer_not_before(void *config, struct tls_validity *out);
/// a and b together; either may be of nothing.
struct tls_validity tls_validity_both(struct tls_validity a, struct tls_validity b);

#endif

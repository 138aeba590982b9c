// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the HTTP library leaves open in its TLS settings. Private to net/.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

/**
 * Tighten the settings of one connection before its handshake.
 * @param config  the TLS library's settings (struct mbedtls_ssl_config), borrowed for the call.
 */
void tls_harden(void *config);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A TLS client for the server of serve_world.h: the client's half of the same library.
 */
#ifndef SERVE_PEER_H
#define SERVE_PEER_H
#include <mbedtls/ssl.h>

#include "base/span.h"

struct peer {
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt trusted;
    int fd;
    size_t most; ///< bytes that it sends at once
};

extern struct peer peer;
extern struct buf peer_key, peer_cert; ///< the server's

int peer_make_identity(void **state); ///< cmocka group fixture
void peer_serve(void);                ///< opens the server with them on 127.0.0.1
void peer_open(mbedtls_ssl_protocol_version version);
void peer_close(void);
bool peer_waits(int code); ///< the library wants to be called again
/// Both shake hands. @return the client's verdict.
int peer_shakes(void);
void peer_says(struct span text);
/// Everything until the server says that no more comes. @return its last word.
int peer_hears(struct buf *to);

#endif

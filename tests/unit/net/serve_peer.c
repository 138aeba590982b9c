// SPDX-License-Identifier: Apache-2.0
#include "serve_peer.h"

#include <errno.h>

#include <sys/socket.h>

#include <mbedtls/psa_util.h>

#include "base/crypto.h"

#include "serve_world.h"

static char key_pem[CRYPTO_KEY_PEM_BYTES_MAX], cert_pem[CRYPTO_CERT_PEM_BYTES_MAX];
struct buf peer_key = {.ptr = key_pem, .cap = sizeof(key_pem)};
struct buf peer_cert = {.ptr = cert_pem, .cap = sizeof(cert_pem)};
struct peer peer;

int peer_make_identity(void **state)
{
    (void)state;
    const struct crypto_subject subject = {
        .common_name = SPAN("anteroom"), .from_ms = 1795392000000, .days = 365};
    return crypto_init() == RC_OK &&
                   crypto_make_tls_identity(&subject, &peer_key, &peer_cert) == RC_OK
               ? 0
               : -1;
}

void peer_serve(void)
{
    struct serve_options options = {.cert_pem = buf_span(&peer_cert),
                                    .key_pem = buf_span(&peer_key)};
    assert_int_equal(address_parse_listen(SPAN("127.0.0.1"), 0, &options.listen), RC_OK);
    assert_int_equal(serve_open(&server, &server_loop, &options), RC_OK);
}

// ---- the client -------------------------------------------------------------

static int on_send(void *context, const unsigned char *bytes, size_t len)
{
    struct peer *p = context;
    ssize_t sent = send(p->fd, bytes, len < p->most ? len : p->most, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent >= 0 ? (int)sent : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : -1;
}

static int on_receive(void *context, unsigned char *to, size_t room)
{
    ssize_t got = recv(((struct peer *)context)->fd, to, room, MSG_DONTWAIT);
    return got >= 0 ? (int)got : errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : -1;
}

void peer_open(mbedtls_ssl_protocol_version version)
{
    char pem[CRYPTO_CERT_PEM_BYTES_MAX + 1u] = {0};
    memcpy(pem, peer_cert.ptr, peer_cert.len);
    mbedtls_ssl_config_init(&peer.config);
    mbedtls_ssl_init(&peer.ssl);
    mbedtls_x509_crt_init(&peer.trusted);
    peer.fd = client();
    peer.most = SIZE_MAX;
    assert_int_equal(
        mbedtls_x509_crt_parse(&peer.trusted, (unsigned char *)pem, peer_cert.len + 1u), 0);
    assert_int_equal(mbedtls_ssl_config_defaults(&peer.config,
                                                 MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&peer.config, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_ca_chain(&peer.config, &peer.trusted, NULL);
    mbedtls_ssl_conf_min_tls_version(&peer.config, version);
    mbedtls_ssl_conf_max_tls_version(&peer.config, version);
    crypto_set_time(1795392000000 + 86400000);
    assert_int_equal(mbedtls_ssl_setup(&peer.ssl, &peer.config), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&peer.ssl, "anteroom"), 0);
    mbedtls_ssl_set_bio(&peer.ssl, &peer, on_send, on_receive, NULL);
}

void peer_close(void)
{
    mbedtls_ssl_free(&peer.ssl);
    mbedtls_x509_crt_free(&peer.trusted);
    mbedtls_ssl_config_free(&peer.config);
    client_leaves(peer.fd);
}

bool peer_waits(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

int peer_shakes(void)
{
    int code = mbedtls_ssl_handshake(&peer.ssl);
    for (unsigned i = 0; i < TURNS_MAX && peer_waits(code); i++) {
        (void)serve_turn();
        code = mbedtls_ssl_handshake(&peer.ssl);
    }
    return code;
}

void peer_says(struct span text)
{
    for (unsigned i = 0; i < TURNS_MAX && text.len > 0; i++) {
        int code = mbedtls_ssl_write(&peer.ssl, (const unsigned char *)text.ptr, text.len);
        assert_true(code > 0 || peer_waits(code));
        text = span_sub(text, code > 0 ? (size_t)code : 0, text.len);
        (void)serve_turn();
    }
    assert_int_equal(text.len, 0);
}

int peer_hears(struct buf *to)
{
    int code = MBEDTLS_ERR_SSL_WANT_READ;
    for (unsigned i = 0; i < TURNS_MAX && (peer_waits(code) || code > 0); i++) {
        code = mbedtls_ssl_read(&peer.ssl, (unsigned char *)to->ptr + to->len, to->cap - to->len);
        to->len += code > 0 ? (size_t)code : 0;
        if (peer_waits(code)) {
            (void)serve_turn();
        }
    }
    return code;
}

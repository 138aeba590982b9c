// SPDX-License-Identifier: Apache-2.0
/*
 * The library reads and writes through two callbacks on the descriptor; it keeps a pointer to the
 * session, which must not move in memory.
 */
#include "net/tls_server.h"

#include <errno.h>
#include <string.h>

#include <sys/socket.h>

#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>

#include "base/assert.h"
#include "base/crypto.h"

#include "sys/heap.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

// What one call may take from the socket. The library passes over some records without a word
// (change_cipher_spec in TLS 1.3, warnings) and asks for the next; our patch of it ends that after
// 128 in a row. This bounds the call, and with it the turn of the loop, whatever else comes, and
// however it is cut. Honest flights have ten pieces.
#define RECEIVES_MAX 256u

struct library_server {
    mbedtls_ssl_config config;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
};

struct library_session {
    mbedtls_ssl_context ssl;
    int fd;
    unsigned receives; ///< in this call
};

_Static_assert(sizeof(struct library_server) <= sizeof(struct tls_server), "TLS_SERVER_WORDS");
_Static_assert(sizeof(struct library_session) <= sizeof(struct tls_session), "TLS_SESSION_WORDS");
_Static_assert(_Alignof(struct library_server) <= _Alignof(struct tls_server), "alignment");
_Static_assert(_Alignof(struct library_session) <= _Alignof(struct tls_session), "alignment");

// In this order where the processor has instructions for AES. Without, its tables would take a
// time that depends on the key, and longer: ChaCha20 goes first.
#define AES                                                                                        \
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384,                          \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,                                           \
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
#define CHACHA                                                                                     \
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
static const int aes_first[] = {AES, CHACHA, 0};
static const int chacha_first[] = {CHACHA, AES, 0};

static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static bool has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned a = 0, b = 0, c = 0, d = 0;

    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_AES) != 0 && (c & bit_PCLMUL) != 0;
#else
    return false; // the library uses no other processor's instructions as we build it
#endif
}

static struct library_server *server_of(struct tls_server *t)
{
    return (struct library_server *)(void *)t->words;
}

static mbedtls_ssl_context *ssl_of(struct tls_session *s)
{
    return &((struct library_session *)(void *)s->words)->ssl;
}

/// For a call that reads.
static mbedtls_ssl_context *reading_ssl_of(struct tls_session *s)
{
    ((struct library_session *)(void *)s->words)->receives = 0;
    return ssl_of(s);
}

// ---- the box's side ---------------------------------------------------------

/// PEM as the library takes it: with a NUL that is counted.
static RC with_nul(struct span pem, char *copy, size_t room)
{
    if (pem.len == 0 || pem.len >= room) {
        return RC_CORRUPT;
    }
    memcpy(copy, pem.ptr, pem.len);
    copy[pem.len] = '\0';
    return RC_OK;
}

static RC read_identity(struct library_server *l, struct span cert_pem, struct span key_pem)
{
    char copy[CRYPTO_CERT_PEM_BYTES_MAX + 1u];
    TRY(with_nul(cert_pem, copy, sizeof(copy)));
    int failed =
        mbedtls_x509_crt_parse(&l->certificate, (const unsigned char *)copy, cert_pem.len + 1u);
    if (failed == 0) {
        TRY(with_nul(key_pem, copy, sizeof(copy)));
        failed = mbedtls_pk_parse_key(&l->key,
                                      (const unsigned char *)copy,
                                      key_pem.len + 1u,
                                      NULL,
                                      0,
                                      mbedtls_psa_get_random,
                                      MBEDTLS_PSA_RANDOM_STATE);
        bytes_wipe(copy, sizeof(copy));
    }
    if (failed == 0) {
        failed = mbedtls_pk_check_pair(
            &l->certificate.pk, &l->key, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    }
    return failed == 0 ? RC_OK : RC_CORRUPT;
}

static RC configure(struct library_server *l)
{
    mbedtls_ssl_config *c = &l->config;
    int failed = mbedtls_ssl_config_defaults(
        c, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (failed != 0) {
        return RC_RETRY; // memory is all that it can lack
    }
    mbedtls_ssl_conf_rng(c, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_ciphersuites(c, has_aes() ? aes_first : chacha_first);
    mbedtls_ssl_conf_groups(c, groups);
    mbedtls_ssl_conf_authmode(c, MBEDTLS_SSL_VERIFY_NONE); // of clients, who have none
    return mbedtls_ssl_conf_own_cert(c, &l->certificate, &l->key) == 0 ? RC_OK : RC_RETRY;
}

RC tls_server_open(struct tls_server *t, struct span cert_pem, struct span key_pem)
{
    struct library_server *l = server_of(t);
    // The library has many words for it, some of them "wrong key".
    const uint64_t failures = heap_stats().failures;
    mbedtls_ssl_config_init(&l->config);
    mbedtls_x509_crt_init(&l->certificate);
    mbedtls_pk_init(&l->key);
    enum rc rc = read_identity(l, cert_pem, key_pem);
    if (rc == RC_OK) {
        rc = configure(l);
    } else if (heap_stats().failures != failures) {
        rc = RC_RETRY;
    }
    if (rc != RC_OK) {
        tls_server_close(t);
    }
    return rc;
}

void tls_server_close(struct tls_server *t)
{
    struct library_server *l = server_of(t);
    mbedtls_ssl_config_free(&l->config);
    mbedtls_x509_crt_free(&l->certificate);
    mbedtls_pk_free(&l->key);
}

// ---- a peer's side ----------------------------------------------------------

static int on_send(void *context, const unsigned char *bytes, size_t len)
{
    const struct library_session *l = context;
    ssize_t sent = send(l->fd, bytes, len, MSG_NOSIGNAL);
    if (sent >= 0) {
        return (int)sent;
    }
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int on_receive(void *context, unsigned char *to, size_t room)
{
    struct library_session *l = context;
    if (l->receives++ == RECEIVES_MAX) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    ssize_t got = recv(l->fd, to, room, 0);
    if (got >= 0) {
        return (int)got;
    }
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
                                             : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

RC tls_begin(struct tls_session *s, const struct tls_server *t, int fd)
{
    struct library_session *l = (struct library_session *)(void *)s->words;
    const struct library_server *server = (const struct library_server *)(const void *)t->words;
    l->fd = fd;
    l->receives = 0;
    mbedtls_ssl_init(&l->ssl);
    if (mbedtls_ssl_setup(&l->ssl, &server->config) != 0) {
        mbedtls_ssl_free(&l->ssl);
        return RC_RETRY;
    }
    mbedtls_ssl_set_bio(&l->ssl, l, on_send, on_receive, NULL);
    return RC_OK;
}

static enum tls_io verdict(int code)
{
    switch (code) {
    case MBEDTLS_ERR_SSL_WANT_READ:
        return TLS_WANTS_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TLS_WANTS_WRITE;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return TLS_ENDED;
    default:
        // An end of the stream without that word may have been anybody's.
        return code >= 0 ? TLS_DONE : TLS_BROKEN;
    }
}

enum tls_io tls_handshake(struct tls_session *s)
{
    return verdict(mbedtls_ssl_handshake(reading_ssl_of(s)));
}

enum tls_io tls_read(struct tls_session *s, struct buf to, size_t *got)
{
    ASSERT(to.len < to.cap);
    int code =
        mbedtls_ssl_read(reading_ssl_of(s), (unsigned char *)to.ptr + to.len, to.cap - to.len);
    *got = code > 0 ? (size_t)code : 0;
    return code == 0 ? TLS_BROKEN : verdict(code);
}

enum tls_io tls_write(struct tls_session *s, struct span bytes, size_t *sent)
{
    ASSERT(bytes.len > 0);
    int code = mbedtls_ssl_write(ssl_of(s), (const unsigned char *)bytes.ptr, bytes.len);
    *sent = code > 0 ? (size_t)code : 0;
    return verdict(code);
}

enum tls_io tls_say_end(struct tls_session *s)
{
    return verdict(mbedtls_ssl_close_notify(ssl_of(s)));
}

void tls_end(struct tls_session *s)
{
    mbedtls_ssl_free(ssl_of(s));
}

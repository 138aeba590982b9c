// SPDX-License-Identifier: Apache-2.0
/*
 * How many records in a row the library passes over before it gives up, in both of its ends: our
 * patch (tools/deps/patches/mbedtls/useless-records.patch). Two ends, two pipes, no socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>

#include "base/crypto.h"

#define USELESS_MAX  128u // of the patch
#define FLOOD        1000u
#define PIECES       100u // of a message
#define PIPE_BYTES   131072u
#define HANDSHAKE    22
#define FROM_MS      INT64_C(1795392000000)
#define TURNS_MAX    100u
#define V12          MBEDTLS_SSL_VERSION_TLS1_2
#define V13          MBEDTLS_SSL_VERSION_TLS1_3
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// Of the library, for itself: sends ssl->out_msg, whatever it says.
int mbedtls_ssl_write_record(mbedtls_ssl_context *ssl, int force_flush);

struct pipe {
    size_t at, len;
    unsigned char bytes[PIPE_BYTES];
};

struct end {
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    struct pipe in;
    struct end *other;
};

enum {
    CLIENT,
    SERVER
};
static struct end ends[2];
static mbedtls_x509_crt certificate;
static mbedtls_pk_context key;

static int on_send(void *context, const unsigned char *bytes, size_t len)
{
    struct pipe *to = &((struct end *)context)->other->in;
    assert_true(len <= sizeof(to->bytes) - to->len);
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    return (int)len;
}

static int on_receive(void *context, unsigned char *to, size_t room)
{
    struct pipe *from = &((struct end *)context)->in;
    size_t len = from->len - from->at < room ? from->len - from->at : room;
    if (len == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    memcpy(to, from->bytes + from->at, len);
    from->at += len;
    return (int)len;
}

static size_t waiting(const struct end *e)
{
    return e->in.len - e->in.at;
}

// ---- two ends ---------------------------------------------------------------

static int make_identity(void **state)
{
    static char key_pem[CRYPTO_KEY_PEM_BYTES_MAX], cert_pem[CRYPTO_CERT_PEM_BYTES_MAX];
    const struct crypto_subject subject = {
        .common_name = SPAN("anteroom"), .from_ms = FROM_MS, .days = 365};
    struct buf k = BUF(key_pem), c = BUF(cert_pem);
    (void)state;
    if (crypto_init() != RC_OK || crypto_make_tls_identity(&subject, &k, &c) != RC_OK) {
        return -1;
    }
    crypto_set_time(FROM_MS + 1);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    buf_put(&k, SPAN("\0"));
    buf_put(&c, SPAN("\0"));
    bool ok = !k.overflow && !c.overflow;
    ok = ok && mbedtls_x509_crt_parse(&certificate, (unsigned char *)c.ptr, c.len) == 0;
    return ok && mbedtls_pk_parse_key(&key,
                                      (unsigned char *)k.ptr,
                                      k.len,
                                      NULL,
                                      0,
                                      mbedtls_psa_get_random,
                                      MBEDTLS_PSA_RANDOM_STATE) == 0
               ? 0
               : -1;
}

static int free_identity(void **state)
{
    (void)state;
    mbedtls_x509_crt_free(&certificate);
    mbedtls_pk_free(&key);
    return 0;
}

static void open_ends(mbedtls_ssl_protocol_version version)
{
    static const int roles[2] = {MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_IS_SERVER};
    for (unsigned i = 0; i < 2; i++) {
        struct end *e = &ends[i];
        e->other = &ends[1 - i];
        e->in.at = e->in.len = 0;
        mbedtls_ssl_config *c = &e->config;
        mbedtls_ssl_config_init(c);
        mbedtls_ssl_init(&e->ssl);
        assert_int_equal(mbedtls_ssl_config_defaults(
                             c, roles[i], MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
                         0);
        mbedtls_ssl_conf_rng(c, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
        mbedtls_ssl_conf_min_tls_version(c, version);
        mbedtls_ssl_conf_max_tls_version(c, version);
        if (i == SERVER) {
            assert_int_equal(mbedtls_ssl_conf_own_cert(c, &certificate, &key), 0);
        } else {
            mbedtls_ssl_conf_ca_chain(c, &certificate, NULL);
        }
        assert_int_equal(mbedtls_ssl_setup(&e->ssl, c), 0);
        mbedtls_ssl_set_bio(&e->ssl, e, on_send, on_receive, NULL);
    }
    assert_int_equal(mbedtls_ssl_set_hostname(&ends[CLIENT].ssl, "anteroom"), 0);
}

static void close_ends(void)
{
    for (unsigned i = 0; i < 2; i++) {
        mbedtls_ssl_free(&ends[i].ssl);
        mbedtls_ssl_config_free(&ends[i].config);
    }
}

static void shake(void)
{
    int codes[2] = {MBEDTLS_ERR_SSL_WANT_READ, MBEDTLS_ERR_SSL_WANT_READ};
    for (unsigned i = 0; i < TURNS_MAX && (codes[0] != 0 || codes[1] != 0); i++) {
        codes[i % 2] = mbedtls_ssl_handshake(&ends[i % 2].ssl);
        assert_true(codes[i % 2] == 0 || codes[i % 2] == MBEDTLS_ERR_SSL_WANT_READ);
    }
    assert_int_equal(codes[0] + codes[1], 0);
}

// ---- records that say nothing -----------------------------------------------

/// Before the keys: as anybody can send them.
struct plain {
    mbedtls_ssl_protocol_version version;
    unsigned victim;
    struct span record;
};

static const struct plain plains[] = {
    {V13, CLIENT, SPAN("\x14\x03\x03\x00\x01\x01")},
    {V13, CLIENT, SPAN("\x15\x03\x03\x00\x02\x01\x70")},
    {V12, CLIENT, SPAN("\x15\x03\x03\x00\x02\x01\x70")},
    {V12, CLIENT, SPAN("\x15\x03\x03\x00\x02\x07\x00")}, // of no level that there is
    {V13, SERVER, SPAN("\x14\x03\x03\x00\x01\x01")},
    {V12, SERVER, SPAN("\x15\x03\x03\x00\x02\x01\x5a")},
};

/// Behind the handshake: the other end says them, under its keys.
struct sealed {
    mbedtls_ssl_protocol_version version;
    unsigned victim;
    int type;
    struct span message;
    unsigned pieces; ///< of one byte each, that follow the message; 0: it is whole
};

static const struct sealed sealeds[] = {
    {V13, CLIENT, 20, SPAN("\x01"), 0},     // change_cipher_spec
    {V13, SERVER, 20, SPAN("\x01"), 0},     // the same
    {V13, CLIENT, 21, SPAN("\x01\x5a"), 0}, // an alert: user_canceled
    {V13, SERVER, 21, SPAN("\x01\x5a"), 0}, //
    {V12, CLIENT, 21, SPAN("\x01\x5a"), 0}, //
    {V12, SERVER, 21, SPAN("\x01\x5a"), 0}, //
    {V13,
     CLIENT,
     HANDSHAKE,
     SPAN("\x04\x00\x00\x01"
          "a"),
     0},                                                   // a ticket
    {V12, CLIENT, HANDSHAKE, SPAN("\x00\x00\x00\x00"), 0}, // asks for a new handshake
    {V12, SERVER, HANDSHAKE, SPAN("\x01\x00\x00\x00"), 0}, // begins one
    {V13, CLIENT, HANDSHAKE, SPAN("\x04\x00\x00\x64"), PIECES},
};

static void put_plain(const struct plain *p, unsigned records)
{
    for (unsigned i = 0; i < records; i++) {
        const struct span r = p->record;
        (void)on_send(&ends[1 - p->victim], (const unsigned char *)r.ptr, r.len);
    }
}

static void put_sealed(const struct sealed *s, unsigned records)
{
    mbedtls_ssl_context *ssl = &ends[1 - s->victim].ssl;
    for (unsigned i = 0; i < records; i++) {
        struct span m = i % (s->pieces + 1u) == 0 ? s->message : SPAN("p");
        ssl->MBEDTLS_PRIVATE(out_msgtype) = s->type;
        ssl->MBEDTLS_PRIVATE(out_msglen) = m.len;
        memcpy(ssl->MBEDTLS_PRIVATE(out_msg), m.ptr, m.len);
        assert_int_equal(mbedtls_ssl_write_record(ssl, 1), 0);
    }
}

/// As far as the victim waits for the other end's next word of the handshake.
static struct end *shake_half(const struct plain *p)
{
    struct end *victim = &ends[p->victim];
    open_ends(p->version);
    assert_int_equal(mbedtls_ssl_handshake(&ends[CLIENT].ssl), MBEDTLS_ERR_SSL_WANT_READ);
    if (p->victim == SERVER) {
        assert_int_equal(mbedtls_ssl_handshake(&ends[SERVER].ssl), MBEDTLS_ERR_SSL_WANT_READ);
    }
    assert_int_equal(waiting(victim), 0);
    return victim;
}

// ---- tests ------------------------------------------------------------------

static void before_the_keys_one_too_many_ends_the_handshake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plains); i++) {
        struct end *victim = shake_half(&plains[i]);
        put_plain(&plains[i], FLOOD);
        assert_int_equal(mbedtls_ssl_handshake(&victim->ssl), MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE);
        assert_int_equal(waiting(victim), plains[i].record.len * (FLOOD - USELESS_MAX - 1u));
        close_ends();
    }
}

static void before_the_keys_calls_do_not_begin_the_count_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plains); i++) {
        struct end *victim = shake_half(&plains[i]);
        for (unsigned n = 0; n < USELESS_MAX; n++) {
            put_plain(&plains[i], 1);
            assert_int_equal(mbedtls_ssl_handshake(&victim->ssl), MBEDTLS_ERR_SSL_WANT_READ);
        }
        put_plain(&plains[i], 1);
        assert_int_equal(mbedtls_ssl_handshake(&victim->ssl), MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE);
        close_ends();
    }
}

static void before_the_keys_as_many_as_allowed_are_borne(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plains); i++) {
        struct end *victim = shake_half(&plains[i]);
        put_plain(&plains[i], USELESS_MAX - 1u); // in TLS 1.3 the other end says one itself
        assert_int_equal(mbedtls_ssl_handshake(&victim->ssl), MBEDTLS_ERR_SSL_WANT_READ);
        shake();
        close_ends();
    }
}

static void behind_the_handshake_one_too_many_ends_the_connection(void **state)
{
    (void)state;
    unsigned char byte = 0;
    for (size_t i = 0; i < COUNT(sealeds); i++) {
        open_ends(sealeds[i].version);
        shake();
        struct end *victim = &ends[sealeds[i].victim];
        put_sealed(&sealeds[i], USELESS_MAX + 1u);
        size_t flood = waiting(victim);
        put_sealed(&sealeds[i], FLOOD);
        flood = waiting(victim) - flood;
        assert_int_equal(mbedtls_ssl_read(&victim->ssl, &byte, 1),
                         MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE);
        assert_int_equal(waiting(victim), flood);
        close_ends();
    }
}

static void data_begins_the_count_anew(void **state)
{
    (void)state;
    unsigned char byte = 0;
    for (size_t i = 0; i < COUNT(sealeds); i++) {
        open_ends(sealeds[i].version);
        shake();
        struct end *victim = &ends[sealeds[i].victim];
        for (unsigned round = 0; round < 3; round++) {
            put_sealed(&sealeds[i], PIECES + 1u);
            assert_int_equal(mbedtls_ssl_write(&victim->other->ssl, (const unsigned char *)"x", 1),
                             1);
            assert_int_equal(mbedtls_ssl_read(&victim->ssl, &byte, 1), 1);
            assert_int_equal(byte, 'x');
        }
        close_ends();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_keys_one_too_many_ends_the_handshake),
        cmocka_unit_test(before_the_keys_calls_do_not_begin_the_count_anew),
        cmocka_unit_test(before_the_keys_as_many_as_allowed_are_borne),
        cmocka_unit_test(behind_the_handshake_one_too_many_ends_the_connection),
        cmocka_unit_test(data_begins_the_count_anew),
    };
    return cmocka_run_group_tests(tests, make_identity, free_identity);
}

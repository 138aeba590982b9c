// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The box's own certificates: self-signed, because whoever looks at them compares them with what
 * was uploaded and asks no authority. One is for the key that signs in, which the token store keeps
 * to itself and which only signs digests; one is for TLS.
 */
#include <string.h>

#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/crypto.h"

#include "crypto_lib.h"

#define SERIAL_BYTES    16u
#define NAME_BYTES_MAX  64u
#define DAY_MS          86400000
#define X509_TIME_BYTES 15u ///< YYYYMMDDhhmmss and NUL

static bool name_ok(struct span name)
{
    if (name.len == 0 || name.len > NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != ' ' && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

static void put_x509_time(char out[static X509_TIME_BYTES], int64_t wall_ms)
{
    char text[CLOCK_TEXT_BYTES];
    struct buf iso = BUF(text);
    time_put_iso_s(&iso, wall_ms);
    ASSERT(buf_ok(&iso));
    size_t len = 0;
    for (size_t i = 0; i < iso.len && len < X509_TIME_BYTES - 1u; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            out[len++] = text[i];
        }
    }
    out[len] = '\0';
    ASSERT(len == X509_TIME_BYTES - 1u);
}

static const struct span client_auth = {.ptr = MBEDTLS_OID_CLIENT_AUTH,
                                        .len = MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)};
static const struct span server_auth = {.ptr = MBEDTLS_OID_SERVER_AUTH,
                                        .len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)};

static void set_purpose(mbedtls_asn1_sequence *purpose, struct span oid)
{
    purpose->buf.tag = MBEDTLS_ASN1_OID;
    purpose->buf.p = (unsigned char *)(uintptr_t)oid.ptr; // read only, in spite of its type
    purpose->buf.len = oid.len;
}

static int set_usage(mbedtls_x509write_cert *crt, bool server)
{
    mbedtls_asn1_sequence as_server = {0}, as_client = {0};
    set_purpose(&as_server, server_auth);
    set_purpose(&as_client, client_auth);
    as_client.next = server ? &as_server : NULL;
    int failed = mbedtls_x509write_crt_set_basic_constraints(crt, 0, -1);
    failed |= mbedtls_x509write_crt_set_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    return failed | mbedtls_x509write_crt_set_ext_key_usage(crt, &as_client);
}

static int describe(mbedtls_x509write_cert *crt, const struct crypto_subject *s)
{
    char subject[NAME_BYTES_MAX + 4u];
    struct buf text = BUF(subject);
    buf_put_str(&text, "CN=");
    buf_put(&text, s->common_name);
    bool fits = buf_terminate(&text);
    ASSERT(fits);

    unsigned char serial[SERIAL_BYTES];
    int failed = crypto_random(NULL, serial, sizeof(serial));
    serial[0] =
        (unsigned char)((serial[0] & 0x7fu) | 0x40u); // positive, and always SERIAL_BYTES long

    char from[X509_TIME_BYTES], to[X509_TIME_BYTES];
    put_x509_time(from, s->from_ms);
    put_x509_time(to, s->from_ms + (int64_t)s->days * DAY_MS);

    mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
    failed |= mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof(serial));
    failed |= mbedtls_x509write_crt_set_validity(crt, from, to);
    failed |= mbedtls_x509write_crt_set_subject_name(crt, subject);
    failed |= mbedtls_x509write_crt_set_issuer_name(crt, subject);
    return failed;
}

/// The library writes behind what is in b, with its NUL, which is not counted.
static RC count_text(struct buf *b, int failed)
{
    if (failed != 0) {
        return RC_TOOBIG; // nothing but room can be missing here
    }
    b->len += strlen(b->ptr + b->len);
    return RC_OK;
}

/// @param own  the key that it is for; signer: the same key, where the private one is elsewhere.
static RC write_certificate(mbedtls_pk_context *own,
                            mbedtls_pk_context *signer,
                            const struct crypto_subject *subject,
                            struct buf *cert_pem)
{
    mbedtls_x509write_cert crt;
    mbedtls_x509write_crt_init(&crt);
    mbedtls_x509write_crt_set_subject_key(&crt, own);
    mbedtls_x509write_crt_set_issuer_key(&crt, signer);
    enum rc rc = RC_RETRY;
    if (describe(&crt, subject) == 0 && set_usage(&crt, own == signer) == 0) {
        unsigned char *at = (unsigned char *)cert_pem->ptr + cert_pem->len;
        size_t room = cert_pem->cap - cert_pem->len;
        rc = count_text(cert_pem, mbedtls_x509write_crt_pem(&crt, at, room, crypto_random, NULL));
    }
    mbedtls_x509write_crt_free(&crt);
    return rc;
}

// ---- for the key of the token store -----------------------------------------

/// What the library hands to its callbacks, and what came of it.
struct remote {
    const struct crypto_signer *signer;
    size_t signature_bytes;
    enum rc rc;
};

static size_t remote_bytes(void *context)
{
    return ((struct remote *)context)->signature_bytes;
}

// mbedtls_pk_rsa_alt_sign_func, whose shape is the library's.
#define RSA_ALT_SIGN_PARAMETERS                                                                    \
    void *context, int (*random)(void *, unsigned char *, size_t), void *random_context,           \
        mbedtls_md_type_t md, unsigned int digest_bytes, const unsigned char *digest,              \
        unsigned char *signature

static int remote_sign(RSA_ALT_SIGN_PARAMETERS)
{
    struct remote *r = context;
    (void)random;
    (void)random_context;
    ASSERT(md == MBEDTLS_MD_SHA256 && (digest_bytes == SHA256_BYTES || digest_bytes == 0));
    struct buf out = buf_of((char *)signature, r->signature_bytes);
    r->rc = r->signer->sign_rs256(r->signer->context, digest, &out);
    if (r->rc == RC_OK && out.len != r->signature_bytes) {
        r->rc = RC_CORRUPT;
    }
    return r->rc == RC_OK ? 0 : MBEDTLS_ERR_RSA_PRIVATE_FAILED;
}

static RC certify(mbedtls_pk_context *own,
                  const struct crypto_subject *subject,
                  const struct crypto_signer *signer,
                  struct buf *cert_pem)
{
    struct remote remote = {
        .signer = signer, .signature_bytes = mbedtls_pk_get_len(own), .rc = RC_OK};
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_RETRY;
    if (mbedtls_pk_setup_rsa_alt(&pk, &remote, NULL, remote_sign, remote_bytes) == 0) {
        rc = write_certificate(own, &pk, subject, cert_pem);
    }
    mbedtls_pk_free(&pk);
    return remote.rc != RC_OK ? remote.rc : rc;
}

static bool subject_ok(const struct crypto_subject *s)
{
    return name_ok(s->common_name) && s->days > 0;
}

RC crypto_make_certificate(const struct crypto_subject *subject,
                           const struct crypto_signer *signer,
                           struct buf *cert_pem)
{
    mbedtls_pk_context own;
    mbedtls_pk_init(&own);
    enum rc rc = RC_PARSE;
    if (subject_ok(subject) &&
        mbedtls_pk_parse_public_key(
            &own, (const unsigned char *)signer->public_der.ptr, signer->public_der.len) == 0 &&
        mbedtls_pk_get_type(&own) == MBEDTLS_PK_RSA) {
        rc = certify(&own, subject, signer, cert_pem);
    }
    mbedtls_pk_free(&own);
    return rc;
}

// ---- for TLS ----------------------------------------------------------------

RC crypto_make_tls_identity(const struct crypto_subject *subject,
                            struct buf *key_pem,
                            struct buf *cert_pem)
{
    if (!subject_ok(subject)) {
        return RC_PARSE;
    }
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_RETRY; // making fails only for want of memory
    if (mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), crypto_random, NULL) ==
            0) {
        unsigned char *at = (unsigned char *)key_pem->ptr + key_pem->len;
        rc = count_text(key_pem, mbedtls_pk_write_key_pem(&pk, at, key_pem->cap - key_pem->len));
    }
    if (rc == RC_OK) {
        rc = write_certificate(&pk, &pk, subject, cert_pem);
    }
    mbedtls_pk_free(&pk);
    return rc;
}

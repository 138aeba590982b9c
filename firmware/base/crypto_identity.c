// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The box's own key and certificate: RSA, because that is all that Entra describes for assertions;
 * self-signed, because Entra compares it with what was uploaded and asks no authority.
 */
#include <string.h>

#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/crypto.h"

#include "crypto_lib.h"

#define RSA_EXPONENT    65537
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

static int describe(mbedtls_x509write_cert *crt, struct span name, int64_t from_ms, uint32_t days)
{
    char subject[NAME_BYTES_MAX + 4u];
    struct buf text = BUF(subject);
    buf_put_str(&text, "CN=");
    buf_put(&text, name);
    bool fits = buf_terminate(&text);
    ASSERT(fits);

    unsigned char serial[SERIAL_BYTES];
    int failed = crypto_random(NULL, serial, sizeof(serial));
    serial[0] =
        (unsigned char)((serial[0] & 0x7fu) | 0x40u); // positive, and always SERIAL_BYTES long

    char from[X509_TIME_BYTES], to[X509_TIME_BYTES];
    put_x509_time(from, from_ms);
    put_x509_time(to, from_ms + (int64_t)days * DAY_MS);

    mbedtls_asn1_sequence client_auth = {0};
    client_auth.buf.tag = MBEDTLS_ASN1_OID;
    client_auth.buf.p =
        (unsigned char *)(uintptr_t)MBEDTLS_OID_CLIENT_AUTH; // read only, in spite of its type
    client_auth.buf.len = MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH);

    mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
    failed |= mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof(serial));
    failed |= mbedtls_x509write_crt_set_validity(crt, from, to);
    failed |= mbedtls_x509write_crt_set_subject_name(crt, subject);
    failed |= mbedtls_x509write_crt_set_issuer_name(crt, subject);
    failed |= mbedtls_x509write_crt_set_basic_constraints(crt, 0, -1);
    failed |= mbedtls_x509write_crt_set_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    failed |= mbedtls_x509write_crt_set_ext_key_usage(crt, &client_auth);
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

static RC write_certificate(
    mbedtls_pk_context *pk, struct span name, int64_t from_ms, uint32_t days, struct buf *cert_pem)
{
    mbedtls_x509write_cert crt;
    mbedtls_x509write_crt_init(&crt);
    mbedtls_x509write_crt_set_subject_key(&crt, pk);
    mbedtls_x509write_crt_set_issuer_key(&crt, pk);
    enum rc rc = describe(&crt, name, from_ms, days) == 0 ? RC_OK : RC_RETRY;
    if (rc == RC_OK) {
        unsigned char *at = (unsigned char *)cert_pem->ptr + cert_pem->len;
        size_t room = cert_pem->cap - cert_pem->len;
        rc = count_text(cert_pem, mbedtls_x509write_crt_pem(&crt, at, room, crypto_random, NULL));
    }
    mbedtls_x509write_crt_free(&crt);
    return rc;
}

static RC write_key(mbedtls_pk_context *pk, struct buf *key_pem)
{
    unsigned char *at = (unsigned char *)key_pem->ptr + key_pem->len;
    return count_text(key_pem, mbedtls_pk_write_key_pem(pk, at, key_pem->cap - key_pem->len));
}

RC crypto_make_identity(struct span common_name,
                        int64_t from_ms,
                        uint32_t days,
                        struct buf *key_pem,
                        struct buf *cert_pem)
{
    if (!name_ok(common_name) || days == 0) {
        return RC_PARSE;
    }
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    enum rc rc = RC_RETRY; // making fails only for want of memory
    if (mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)) == 0 &&
        mbedtls_rsa_gen_key(
            mbedtls_pk_rsa(pk), crypto_random, NULL, CRYPTO_RSA_BITS, RSA_EXPONENT) == 0) {
        rc = write_key(&pk, key_pem);
    }
    if (rc == RC_OK) {
        rc = write_certificate(&pk, common_name, from_ms, days, cert_pem);
    }
    mbedtls_pk_free(&pk);
    return rc;
}

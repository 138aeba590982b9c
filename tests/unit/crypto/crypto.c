// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Signatures and certificates are checked with the library itself, apart from the code under test.
 */
#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mbedtls/platform_time.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>

#include "base/clock.h"
#include "hal/entropy.h"

#define MADE_AT_MS 1795392000000 // 2026-11-23T00:00:00Z
#define DAYS       30u
#define DAY_MS     86400000

static char key_bytes[CRYPTO_KEY_PEM_BYTES_MAX], cert_bytes[CRYPTO_CERT_PEM_BYTES_MAX];
static char other_key_bytes[CRYPTO_KEY_PEM_BYTES_MAX], other_cert_bytes[CRYPTO_CERT_PEM_BYTES_MAX];
static struct buf key, cert, other_key, other_cert;

static int make_identities(void **unused)
{
    (void)unused;
    key = BUF(key_bytes);
    cert = BUF(cert_bytes);
    other_key = BUF(other_key_bytes);
    other_cert = BUF(other_cert_bytes);
    return crypto_init() == RC_OK && crypto_init() == RC_OK &&
                   crypto_make_identity(SPAN("Head office-1"), MADE_AT_MS, DAYS, &key, &cert) ==
                       RC_OK &&
                   crypto_make_identity(SPAN("x"), MADE_AT_MS, 1, &other_key, &other_cert) == RC_OK
               ? 0
               : -1;
}

static void read_with_library(struct span pem, mbedtls_x509_crt *crt)
{
    char text[CRYPTO_CERT_PEM_BYTES_MAX + 1u];
    snprintf(text, sizeof(text), "%" PRISPAN, SPANARG(pem));
    mbedtls_x509_crt_init(crt);
    assert_int_equal(mbedtls_x509_crt_parse(crt, (unsigned char *)text, strlen(text) + 1u), 0);
}

static void sha256_gives_the_published_digests(void **unused)
{
    (void)unused;
    static const uint8_t of_nothing[4] = {0xe3, 0xb0, 0xc4, 0x42};
    static const uint8_t of_abc[4] = {0xba, 0x78, 0x16, 0xbf};
    uint8_t digest[SHA256_BYTES];
    sha256(SPAN_NONE, digest);
    assert_memory_equal(digest, of_nothing, sizeof(of_nothing));
    sha256(SPAN("abc"), digest);
    assert_memory_equal(digest, of_abc, sizeof(of_abc));
}

static void the_made_certificate_is_self_signed_rsa_3072_for_clients(void **unused)
{
    (void)unused;
    mbedtls_x509_crt crt;
    char name[128];
    uint32_t flags = 0;
    read_with_library(buf_span(&cert), &crt);
    assert_int_equal(mbedtls_pk_get_bitlen(&crt.pk), CRYPTO_RSA_BITS);
    assert_int_equal(crt.version, 3);
    assert_true(mbedtls_x509_dn_gets(name, sizeof(name), &crt.subject) > 0);
    assert_string_equal(name, "CN=Head office-1");
    assert_int_equal(mbedtls_x509_crt_check_key_usage(&crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE), 0);
    crypto_set_time(MADE_AT_MS + DAY_MS);
    assert_int_equal(mbedtls_x509_crt_verify(&crt, &crt, NULL, NULL, &flags, NULL, NULL), 0);
    mbedtls_x509_crt_free(&crt);
}

static uint32_t verify_flags(int64_t wall_ms)
{
    mbedtls_x509_crt crt;
    uint32_t flags = 0;
    read_with_library(buf_span(&cert), &crt);
    crypto_set_time(wall_ms);
    int rc = mbedtls_x509_crt_verify(&crt, &crt, NULL, NULL, &flags, NULL, NULL);
    assert_true((rc == 0) == (flags == 0));
    mbedtls_x509_crt_free(&crt);
    return flags;
}

static void certificate_dates_are_judged_by_the_time_that_was_set(void **unused)
{
    (void)unused;
    assert_int_equal(verify_flags(MADE_AT_MS + 1000), 0);
    assert_int_equal(verify_flags(MADE_AT_MS - 1000), MBEDTLS_X509_BADCERT_FUTURE);
    assert_int_equal(verify_flags(MADE_AT_MS + DAYS * DAY_MS + 1000), MBEDTLS_X509_BADCERT_EXPIRED);
    assert_int_equal(mbedtls_time(NULL), (MADE_AT_MS + DAYS * DAY_MS + 1000) / 1000);
}

static void a_certificate_is_read_with_its_digest_and_dates(void **unused)
{
    (void)unused;
    struct crypto_certificate got;
    mbedtls_x509_crt crt;
    uint8_t digest[SHA256_BYTES];
    assert_int_equal(crypto_read_certificate(buf_span(&cert), &got), RC_OK);
    read_with_library(buf_span(&cert), &crt);
    sha256((struct span){.ptr = (const char *)crt.raw.p, .len = crt.raw.len}, digest);
    mbedtls_x509_crt_free(&crt);
    assert_memory_equal(got.sha256, digest, sizeof(digest));
    assert_int_equal(got.not_before_ms, MADE_AT_MS);
    assert_int_equal(got.not_after_ms, MADE_AT_MS + DAYS * DAY_MS);
}

static void a_signature_is_ps256_with_a_salt_of_32(void **unused)
{
    (void)unused;
    char bytes[CRYPTO_SIGNATURE_BYTES_MAX];
    struct buf signature = BUF(bytes);
    uint8_t hash[SHA256_BYTES];
    mbedtls_x509_crt crt;
    assert_int_equal(crypto_sign_ps256(buf_span(&key), SPAN("header.claims"), &signature), RC_OK);
    assert_int_equal(signature.len, CRYPTO_RSA_BITS / 8);
    sha256(SPAN("header.claims"), hash);
    read_with_library(buf_span(&cert), &crt);
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(crt.pk);
    assert_int_equal(mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256), 0);
    assert_int_equal(mbedtls_rsa_rsassa_pss_verify_ext(rsa,
                                                       MBEDTLS_MD_SHA256,
                                                       SHA256_BYTES,
                                                       hash,
                                                       MBEDTLS_MD_SHA256,
                                                       32,
                                                       (const unsigned char *)signature.ptr),
                     0);
    mbedtls_x509_crt_free(&crt);
}

static void signatures_of_the_same_bytes_differ(void **unused)
{
    (void)unused;
    char a[CRYPTO_SIGNATURE_BYTES_MAX], b[CRYPTO_SIGNATURE_BYTES_MAX];
    struct buf first = BUF(a), second = BUF(b);
    assert_int_equal(crypto_sign_ps256(buf_span(&key), SPAN("x"), &first), RC_OK);
    assert_int_equal(crypto_sign_ps256(buf_span(&key), SPAN("x"), &second), RC_OK);
    assert_false(span_equal(buf_span(&first), buf_span(&second)));
}

static void a_key_that_is_none_is_corrupt(void **unused)
{
    (void)unused;
    char bytes[CRYPTO_SIGNATURE_BYTES_MAX];
    struct buf signature = BUF(bytes);
    assert_int_equal(crypto_sign_ps256(SPAN_NONE, SPAN("x"), &signature), RC_CORRUPT);
    assert_int_equal(crypto_sign_ps256(buf_span(&cert), SPAN("x"), &signature), RC_CORRUPT);
    assert_int_equal(crypto_sign_ps256(span_sub(buf_span(&key), 0, 700), SPAN("x"), &signature),
                     RC_CORRUPT);
    assert_int_equal(signature.len, 0);
}

static void a_signature_without_room_is_too_big(void **unused)
{
    (void)unused;
    char bytes[16];
    struct buf signature = BUF(bytes);
    assert_int_equal(crypto_sign_ps256(buf_span(&key), SPAN("x"), &signature), RC_TOOBIG);
}

static void a_key_matches_its_own_certificate_only(void **unused)
{
    (void)unused;
    assert_int_equal(crypto_key_matches(buf_span(&key), buf_span(&cert)), RC_OK);
    assert_int_equal(crypto_key_matches(buf_span(&other_key), buf_span(&other_cert)), RC_OK);
    assert_int_equal(crypto_key_matches(buf_span(&key), buf_span(&other_cert)), RC_DENIED);
    assert_int_equal(crypto_key_matches(buf_span(&cert), buf_span(&cert)), RC_PARSE);
    assert_int_equal(crypto_key_matches(buf_span(&key), buf_span(&key)), RC_PARSE);
}

static void certificates_of_a_text_are_counted(void **unused)
{
    (void)unused;
    char text[3 * CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf pem = BUF(text);
    unsigned count = 9;
    assert_int_equal(crypto_count_certificates(SPAN_NONE, &count), RC_PARSE);
    assert_int_equal(count, 0);
    buf_put_str(&pem, "# roots\n");
    buf_put(&pem, buf_span(&cert));
    buf_put_str(&pem, "\n# another\n");
    buf_put(&pem, buf_span(&other_cert));
    assert_int_equal(crypto_count_certificates(buf_span(&pem), &count), RC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(crypto_count_certificates(span_sub(buf_span(&pem), 0, pem.len - 40u), &count),
                     RC_PARSE);
    struct buf with_key = BUF(text);
    buf_put(&with_key, buf_span(&cert));
    buf_put(&with_key, buf_span(&key));
    assert_int_equal(crypto_count_certificates(buf_span(&with_key), &count), RC_PARSE);
}

static void every_spoiled_certificate_is_refused_or_read(void **unused)
{
    (void)unused;
    char text[CRYPTO_CERT_PEM_BYTES_MAX];
    struct crypto_certificate got;
    for (size_t cut = 0; cut < cert.len - 30u; cut += 7) {
        assert_int_equal(crypto_read_certificate(span_sub(buf_span(&cert), 0, cut), &got),
                         RC_PARSE);
    }
    for (size_t at = 30; at + 30u < cert.len;
         at += 13) { // a flipped letter may still be a certificate: no crash is asked
        memcpy(text, cert.ptr, cert.len);
        text[at] = text[at] == 'A' ? 'B' : 'A';
        enum rc rc = crypto_read_certificate((struct span){.ptr = text, .len = cert.len}, &got);
        assert_true(rc == RC_OK || rc == RC_PARSE);
    }
}

static void common_names_out_of_the_rule_are_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",
        "a,b",
        "a=b",
        "a\n",
        "\xc3\xbc",
        "a+b",
        "a/b",
        "0123456789012345678901234567890123456789012345678901234567890123x"};
    char k[CRYPTO_KEY_PEM_BYTES_MAX], c[CRYPTO_CERT_PEM_BYTES_MAX];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buf kb = BUF(k), cb = BUF(c);
        assert_int_equal(crypto_make_identity(span_from_str(bad[i]), MADE_AT_MS, DAYS, &kb, &cb),
                         RC_PARSE);
    }
}

static void random_bytes_fill_all_of_any_length(void **unused)
{
    (void)unused;
    uint8_t bytes[1000] = {0};
    unsigned zeros = 0;
    hal_entropy_fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        zeros += bytes[i] == 0;
    }
    assert_true(zeros < 40);
    assert_true(hal_entropy_u64() != hal_entropy_u64());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(the_made_certificate_is_self_signed_rsa_3072_for_clients),
        cmocka_unit_test(certificate_dates_are_judged_by_the_time_that_was_set),
        cmocka_unit_test(a_certificate_is_read_with_its_digest_and_dates),
        cmocka_unit_test(a_signature_is_ps256_with_a_salt_of_32),
        cmocka_unit_test(signatures_of_the_same_bytes_differ),
        cmocka_unit_test(a_key_that_is_none_is_corrupt),
        cmocka_unit_test(a_signature_without_room_is_too_big),
        cmocka_unit_test(a_key_matches_its_own_certificate_only),
        cmocka_unit_test(certificates_of_a_text_are_counted),
        cmocka_unit_test(every_spoiled_certificate_is_refused_or_read),
        cmocka_unit_test(common_names_out_of_the_rule_are_refused),
        cmocka_unit_test(random_bytes_fill_all_of_any_length),
    };
    return cmocka_run_group_tests(tests, make_identities, NULL);
}

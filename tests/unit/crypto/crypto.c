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

#include <mbedtls/oid.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>

#include "base/clock.h"
#include "hal/entropy.h"

#define MADE_AT_MS 1795392000000 // 2026-11-23T00:00:00Z
#define DAYS       30u
#define DAY_MS     86400000

static char rsa_bytes[CRYPTO_KEY_DER_BYTES_MAX], public_bytes[CRYPTO_KEY_DER_BYTES_MAX];
static char cert_bytes[CRYPTO_CERT_PEM_BYTES_MAX];
static char key_bytes[CRYPTO_KEY_PEM_BYTES_MAX], tls_bytes[CRYPTO_CERT_PEM_BYTES_MAX];
static struct buf rsa, public, cert; // of the key that signs digests
static struct buf key, tls;          // of TLS
static enum rc sign_rc;

static const struct crypto_subject subject = {
    .common_name = SPAN("Head office-1"), .from_ms = MADE_AT_MS, .days = DAYS};

static RC sign(void *context, const uint8_t digest[static SHA256_BYTES], struct buf *out)
{
    assert_ptr_equal(context, &rsa);
    TRY(sign_rc);
    return crypto_sign_rsa(buf_span(&rsa), CRYPTO_RS256, digest, out);
}

static enum rc make_certificate(const struct crypto_subject *s, struct span der, struct buf *out)
{
    const struct crypto_signer signer = {.public_der = der, .sign_rs256 = sign, .context = &rsa};
    return crypto_make_certificate(s, &signer, out);
}

static unsigned told; // while the key was made

static void tell(void *context)
{
    (*(unsigned *)context)++;
}

static int make_identities(void **unused)
{
    (void)unused;
    rsa = BUF(rsa_bytes);
    public = BUF(public_bytes);
    cert = BUF(cert_bytes);
    key = BUF(key_bytes);
    tls = BUF(tls_bytes);
    bool made = crypto_init() == RC_OK && crypto_init() == RC_OK &&
                crypto_make_rsa(tell, &told, &rsa) == RC_OK &&
                crypto_public(buf_span(&rsa), &public) == RC_OK &&
                make_certificate(&subject, buf_span(&public), &cert) == RC_OK &&
                crypto_make_tls_identity(&subject, &key, &tls) == RC_OK;
    return made ? 0 : -1;
}

static void making_a_key_tells_that_it_goes_on(void **unused)
{
    (void)unused;
    assert_true(told > 2); // with each candidate: two primes are searched for
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

static void the_certificate_of_tls_is_self_signed_ecdsa_for_both_ends(void **unused)
{
    (void)unused;
    static const char *const purposes[] = {MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SERVER_AUTH};
    mbedtls_x509_crt crt;
    uint32_t flags = 0;
    read_with_library(buf_span(&tls), &crt);
    assert_int_equal(mbedtls_pk_get_type(&crt.pk), MBEDTLS_PK_ECKEY);
    assert_int_equal(mbedtls_pk_get_bitlen(&crt.pk), 256);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            mbedtls_x509_crt_check_extended_key_usage(&crt, purposes[i], strlen(purposes[i])), 0);
    }
    crypto_set_time(MADE_AT_MS + DAY_MS);
    assert_int_equal(mbedtls_x509_crt_verify(&crt, &crt, NULL, NULL, &flags, NULL, NULL), 0);
    mbedtls_x509_crt_free(&crt);
}

static void a_signer_that_cannot_is_told_with_its_own_word(void **unused)
{
    (void)unused;
    char bytes[CRYPTO_CERT_PEM_BYTES_MAX], small[64];
    struct buf out = BUF(bytes), no_room = BUF(small);
    sign_rc = RC_RETRY;
    assert_int_equal(make_certificate(&subject, buf_span(&public), &out), RC_RETRY);
    sign_rc = RC_OK;
    assert_int_equal(out.len, 0);
    assert_int_equal(make_certificate(&subject, SPAN("no key"), &out), RC_PARSE);
    assert_int_equal(make_certificate(&subject, buf_span(&public), &no_room), RC_TOOBIG);
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

static enum rc sign_text(struct span key_der, enum crypto_padding padding, struct buf *out)
{
    uint8_t hash[SHA256_BYTES];
    sha256(SPAN("header.claims"), hash);
    return crypto_sign_rsa(key_der, padding, hash, out);
}

static void check_signature(const char *signature, bool pss)
{
    uint8_t hash[SHA256_BYTES];
    const unsigned char *bytes = (const unsigned char *)signature;
    mbedtls_x509_crt crt;
    sha256(SPAN("header.claims"), hash);
    read_with_library(buf_span(&cert), &crt);
    mbedtls_rsa_context *r = mbedtls_pk_rsa(crt.pk);
    if (pss) {
        assert_int_equal(mbedtls_rsa_set_padding(r, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256), 0);
        assert_int_equal(
            mbedtls_rsa_rsassa_pss_verify_ext(
                r, MBEDTLS_MD_SHA256, SHA256_BYTES, hash, MBEDTLS_MD_SHA256, 32, bytes),
            0);
    } else {
        assert_int_equal(mbedtls_rsa_set_padding(r, MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_SHA256), 0);
        assert_int_equal(mbedtls_rsa_pkcs1_verify(r, MBEDTLS_MD_SHA256, SHA256_BYTES, hash, bytes),
                         0);
    }
    mbedtls_x509_crt_free(&crt);
}

static void a_signature_is_ps256_with_a_salt_of_32_or_rs256(void **unused)
{
    (void)unused;
    char bytes[CRYPTO_SIGNATURE_BYTES_MAX];
    struct buf signature = BUF(bytes);
    assert_int_equal(sign_text(buf_span(&rsa), CRYPTO_PS256, &signature), RC_OK);
    assert_int_equal(signature.len, CRYPTO_RSA_BITS / 8);
    check_signature(bytes, true);
    buf_reset(&signature);
    assert_int_equal(sign_text(buf_span(&rsa), CRYPTO_RS256, &signature), RC_OK);
    check_signature(bytes, false);
}

static void pss_signatures_of_the_same_bytes_differ(void **unused)
{
    (void)unused;
    char a[CRYPTO_SIGNATURE_BYTES_MAX], b[CRYPTO_SIGNATURE_BYTES_MAX];
    struct buf first = BUF(a), second = BUF(b);
    assert_int_equal(sign_text(buf_span(&rsa), CRYPTO_PS256, &first), RC_OK);
    assert_int_equal(sign_text(buf_span(&rsa), CRYPTO_PS256, &second), RC_OK);
    assert_false(span_equal(buf_span(&first), buf_span(&second)));
}

static void a_key_that_is_none_is_corrupt(void **unused)
{
    (void)unused;
    char bytes[CRYPTO_SIGNATURE_BYTES_MAX];
    struct buf out = BUF(bytes);
    assert_int_equal(sign_text(SPAN_NONE, CRYPTO_PS256, &out), RC_CORRUPT);
    assert_int_equal(sign_text(buf_span(&public), CRYPTO_PS256, &out), RC_CORRUPT);
    assert_int_equal(sign_text(buf_span(&key), CRYPTO_PS256, &out), RC_CORRUPT); // an ECDSA key
    assert_int_equal(sign_text(span_sub(buf_span(&rsa), 0, 700), CRYPTO_RS256, &out), RC_CORRUPT);
    assert_int_equal(crypto_public(span_sub(buf_span(&rsa), 0, 700), &out), RC_CORRUPT);
    assert_int_equal(out.len, 0);
}

static void a_signature_or_public_key_without_room_is_too_big(void **unused)
{
    (void)unused;
    char bytes[16];
    struct buf out = BUF(bytes);
    assert_int_equal(sign_text(buf_span(&rsa), CRYPTO_PS256, &out), RC_TOOBIG);
    struct buf again = BUF(bytes);
    assert_int_equal(crypto_public(buf_span(&rsa), &again), RC_TOOBIG);
}

static void a_key_matches_its_own_certificate_only(void **unused)
{
    (void)unused;
    assert_int_equal(crypto_key_matches(buf_span(&key), buf_span(&tls)), RC_OK);
    assert_int_equal(crypto_key_matches(buf_span(&key), buf_span(&cert)), RC_DENIED);
    assert_int_equal(crypto_key_matches(buf_span(&tls), buf_span(&tls)), RC_PARSE);
    assert_int_equal(crypto_key_matches(buf_span(&key), buf_span(&key)), RC_PARSE);
    assert_int_equal(crypto_public_matches(buf_span(&public), buf_span(&cert)), RC_OK);
    assert_int_equal(crypto_public_matches(buf_span(&public), buf_span(&tls)), RC_DENIED);
    assert_int_equal(crypto_public_matches(SPAN("x"), buf_span(&cert)), RC_DENIED);
    assert_int_equal(crypto_public_matches(buf_span(&public), SPAN("x")), RC_PARSE);
}

// ---- sealing ----------------------------------------------------------------

static struct span unhex(const char *hex, char *out)
{
    size_t len = strlen(hex) / 2u;
    for (size_t i = 0; i < len; i++) {
        unsigned v = 0;
        assert_int_equal(sscanf(hex + 2u * i, "%2x", &v), 1);
        out[i] = (char)v;
    }
    return (struct span){.ptr = out, .len = len};
}

static void keys_are_derived_as_rfc_5869_says(void **unused)
{
    (void)unused; // its test case 3
    char secret[22], okm[32];
    uint8_t out[CRYPTO_KEY_BYTES];
    memset(secret, 0x0b, sizeof(secret));
    unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d", okm);
    crypto_derive((struct span){.ptr = secret, .len = sizeof(secret)}, SPAN_NONE, out);
    assert_memory_equal(out, okm, sizeof(okm));
}

/// RFC 8439 2.8.2.
static void published_box(struct crypto_box *box, char aad[static 12])
{
    for (unsigned i = 0; i < CRYPTO_KEY_BYTES; i++) {
        box->key[i] = (uint8_t)(0x80u + i);
    }
    unhex("070000004041424344454647", (char *)box->nonce);
    box->aad = unhex("50515253c0c1c2c3c4c5c6c7", aad);
}

static const char sunscreen[] =
    "Ladies and Gentlemen of the class of '99: If I could offer you only "
    "one tip for the future, sunscreen would be it.";

static void sealing_is_that_of_rfc_8439(void **unused)
{
    (void)unused;
    char aad[12], bytes[256], expected[16];
    struct buf out = BUF(bytes);
    struct crypto_box box;
    published_box(&box, aad);
    assert_int_equal(crypto_seal(&box, span_from_str(sunscreen), &out), RC_OK);
    assert_int_equal(out.len, sizeof(sunscreen) - 1u + CRYPTO_TAG_BYTES);
    unhex("d31a8d34648e60db7b86afbc53ef7ec2", expected);
    assert_memory_equal(bytes, expected, sizeof(expected));
    unhex("1ae10b594f09e26a7e902ecbd0600691", expected);
    assert_memory_equal(bytes + sizeof(sunscreen) - 1u, expected, sizeof(expected));
}

static void what_was_changed_does_not_open_and_gives_nothing(void **unused)
{
    (void)unused;
    char aad[12], bytes[256], plain[256];
    struct buf sealed = BUF(bytes), out = BUF(plain);
    struct crypto_box box;
    published_box(&box, aad);
    assert_int_equal(crypto_seal(&box, span_from_str(sunscreen), &sealed), RC_OK);
    assert_int_equal(crypto_unseal(&box, buf_span(&sealed), &out), RC_OK);
    assert_true(span_equal(buf_span(&out), span_from_str(sunscreen)));
    buf_wipe(&out);
    for (size_t bit = 0; bit < sealed.len * 8u; bit += 3) {
        bytes[bit / 8u] ^= (char)(1u << bit % 8u);
        assert_int_equal(crypto_unseal(&box, buf_span(&sealed), &out), RC_CORRUPT);
        bytes[bit / 8u] ^= (char)(1u << bit % 8u);
    }
    for (size_t len = 0; len < sealed.len; len++) {
        assert_int_equal(crypto_unseal(&box, span_sub(buf_span(&sealed), 0, len), &out),
                         RC_CORRUPT);
    }
    aad[3] ^= 1;
    assert_int_equal(crypto_unseal(&box, buf_span(&sealed), &out), RC_CORRUPT);
    aad[3] ^= 1;
    box.nonce[0] ^= 1;
    assert_int_equal(crypto_unseal(&box, buf_span(&sealed), &out), RC_CORRUPT);
    assert_int_equal(out.len, 0);
    for (size_t i = 0; i < sizeof(plain); i++) {
        assert_int_equal(plain[i], 0); // no plaintext stays behind
    }
}

static void without_room_nothing_is_sealed_or_opened(void **unused)
{
    (void)unused;
    char aad[12], bytes[64], plain[3];
    struct crypto_box box;
    published_box(&box, aad);
    struct buf out = buf_of(bytes, 4u + CRYPTO_TAG_BYTES - 1u), small = BUF(plain);
    assert_int_equal(crypto_seal(&box, SPAN("four"), &out), RC_TOOBIG);
    out.cap++;
    assert_int_equal(crypto_seal(&box, SPAN("four"), &out), RC_OK);
    assert_int_equal(crypto_unseal(&box, buf_span(&out), &small), RC_TOOBIG);
    assert_int_equal(small.len, 0);
}

// ---- certificates -----------------------------------------------------------

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
    buf_put(&pem, buf_span(&tls));
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
    struct buf kb = BUF(k), cb = BUF(c);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct crypto_subject s = {span_from_str(bad[i]), MADE_AT_MS, DAYS};
        assert_int_equal(crypto_make_tls_identity(&s, &kb, &cb), RC_PARSE);
        assert_int_equal(make_certificate(&s, buf_span(&public), &cb), RC_PARSE);
    }
    struct crypto_subject no_day = {SPAN("x"), MADE_AT_MS, 0};
    assert_int_equal(crypto_make_tls_identity(&no_day, &kb, &cb), RC_PARSE);
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
        cmocka_unit_test(making_a_key_tells_that_it_goes_on),
        cmocka_unit_test(the_made_certificate_is_self_signed_rsa_3072_for_clients),
        cmocka_unit_test(certificate_dates_are_judged_by_the_time_that_was_set),
        cmocka_unit_test(a_certificate_is_read_with_its_digest_and_dates),
        cmocka_unit_test(the_certificate_of_tls_is_self_signed_ecdsa_for_both_ends),
        cmocka_unit_test(a_signer_that_cannot_is_told_with_its_own_word),
        cmocka_unit_test(a_signature_is_ps256_with_a_salt_of_32_or_rs256),
        cmocka_unit_test(pss_signatures_of_the_same_bytes_differ),
        cmocka_unit_test(a_key_that_is_none_is_corrupt),
        cmocka_unit_test(a_signature_or_public_key_without_room_is_too_big),
        cmocka_unit_test(keys_are_derived_as_rfc_5869_says),
        cmocka_unit_test(sealing_is_that_of_rfc_8439),
        cmocka_unit_test(what_was_changed_does_not_open_and_gives_nothing),
        cmocka_unit_test(without_room_nothing_is_sealed_or_opened),
        cmocka_unit_test(a_key_matches_its_own_certificate_only),
        cmocka_unit_test(certificates_of_a_text_are_counted),
        cmocka_unit_test(every_spoiled_certificate_is_refused_or_read),
        cmocka_unit_test(common_names_out_of_the_rule_are_refused),
        cmocka_unit_test(random_bytes_fill_all_of_any_length),
    };
    return cmocka_run_group_tests(tests, make_identities, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Signing in by certificate: what stands in the assertion, whether its signature holds, and what a
 * wrong clock does. The signature is checked with the library, apart from the code that makes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>

#include "base/bytes.h"
#include "base/crypto.h"

#include "person.h"

static char cert_bytes[CRYPTO_CERT_PEM_BYTES_MAX];
static struct buf cert;

static RC sign(void *context, const uint8_t digest[static SHA256_BYTES], struct buf *out)
{
    return hal_tokenstore_sign(context, TOKENSTORE_RS256, digest, out);
}

static int make_identity(void **unused)
{
    const struct crypto_subject subject = {
        .common_name = SPAN("box"), .from_ms = WALL_MS - 86400000, .days = 90};
    char der[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf public = BUF(der);
    world_init(unused);
    world.has_key = true;
    cert = BUF(cert_bytes);
    if (crypto_init() != RC_OK || hal_tokenstore_public(&world.store, &public) != RC_OK) {
        return -1;
    }
    struct crypto_signer signer = {
        .public_der = buf_span(&public), .sign_rs256 = sign, .context = &world.store};
    return crypto_make_certificate(&subject, &signer, &cert) == RC_OK ? 0 : -1;
}

static int init(void **unused)
{
    world_init(unused);
    world.config.credential = CREDENTIAL_CERTIFICATE;
    world.has_key = true;
    world_put(AUTH_CERT_NAME, buf_span(&cert), RC_OK);
    return 0;
}

struct assertion {
    struct span signed_part, signature;
    char header[512], claims[1024];
    struct json_token arena[64];
    struct json doc; ///< of the claims
};

static void decode(struct span text, char *out, size_t out_bytes)
{
    struct buf b = buf_of(out, out_bytes);
    assert_int_equal(base64_decode(text, &b), RC_OK);
    assert_true(buf_terminate(&b));
}

static void take_assertion_of(struct assertion *a, unsigned slot)
{
    static const char key_of[] = "&client_assertion=";
    const struct http_fake_request *r = http_fake_request(&world.http, slot);
    const char *at = strstr(r->body, key_of);
    assert_non_null(at);
    struct span jwt = {.ptr = at + sizeof(key_of) - 1u};
    jwt.len = (size_t)(r->body + r->body_bytes - jwt.ptr);
    assert_int_equal(span_index(jwt, '%'), jwt.len); // base64url needs no encoding
    size_t first = span_index(jwt, '.');
    struct span rest = span_sub(jwt, first + 1u, jwt.len);
    size_t second = span_index(rest, '.');
    a->signed_part = span_sub(jwt, 0, first + 1u + second);
    a->signature = span_sub(rest, second + 1u, rest.len);
    decode(span_sub(jwt, 0, first), a->header, sizeof(a->header));
    decode(span_sub(rest, 0, second), a->claims, sizeof(a->claims));
    assert_int_equal(json_parse(&a->doc, span_from_str(a->claims), a->arena, 64), RC_OK);
}

static void take_assertion(struct assertion *a)
{
    take_assertion_of(a, SLOT);
}

static int64_t number_of(const struct assertion *a, const char *name)
{
    int64_t v = 0;
    assert_int_equal(json_i64(&a->doc, json_get(&a->doc, 0, span_from_str(name)), &v), RC_OK);
    return v;
}

static void check_text(const struct assertion *a, const char *name, const char *expected)
{
    assert_true(span_equal(json_raw(&a->doc, json_get(&a->doc, 0, span_from_str(name))),
                           span_from_str(expected)));
}

static void the_claims_are_those_of_rfc_7523(void **unused)
{
    (void)unused;
    struct assertion a;
    uint8_t guid[GUID_BYTES];
    world_turn();
    assert_true(http_fake_body_has(&world.http,
                                   SLOT,
                                   "client_id=" CLIENT
                                   "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
    assert_true(http_fake_body_has(
        &world.http,
        SLOT,
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"));
    take_assertion(&a);
    check_text(&a, "aud", "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0/token");
    check_text(&a, "iss", CLIENT);
    check_text(&a, "sub", CLIENT);
    assert_int_equal(guid_parse(json_raw(&a.doc, json_get(&a.doc, 0, SPAN("jti"))), guid), RC_OK);
    assert_int_equal(number_of(&a, "iat"), WALL_MS / 1000);
    assert_int_equal(number_of(&a, "nbf"), WALL_MS / 1000 - 60);
    assert_int_equal(number_of(&a, "exp") - number_of(&a, "nbf"), 600);
}

static void check_header(const struct assertion *a, const char *algorithm)
{
    struct crypto_certificate c;
    char expected[256];
    struct buf b = BUF(expected);
    assert_int_equal(crypto_read_certificate(buf_span(&cert), &c), RC_OK);
    buf_put_str(&b, "{\"alg\":\"");
    buf_put_str(&b, algorithm);
    buf_put_str(&b, "\",\"typ\":\"JWT\",\"x5t#S256\":\"");
    buf_put_base64url(&b, (struct span){(const char *)c.sha256, SHA256_BYTES});
    buf_put_str(&b, "\"}");
    assert_true(buf_terminate(&b));
    assert_string_equal(a->header, expected);
}

static void check_signature(const struct assertion *a, bool pss)
{
    char bytes[TOKENSTORE_SIGNATURE_BYTES_MAX], pem[CRYPTO_CERT_PEM_BYTES_MAX + 1u];
    struct buf signature = BUF(bytes);
    uint8_t hash[SHA256_BYTES];
    mbedtls_x509_crt crt;
    assert_int_equal(base64_decode(a->signature, &signature), RC_OK);
    sha256(a->signed_part, hash);
    snprintf(pem, sizeof(pem), "%" PRISPAN, SPANARG(buf_span(&cert)));
    mbedtls_x509_crt_init(&crt);
    assert_int_equal(mbedtls_x509_crt_parse(&crt, (unsigned char *)pem, strlen(pem) + 1u), 0);
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(crt.pk);
    assert_int_equal(mbedtls_rsa_set_padding(
                         rsa, pss ? MBEDTLS_RSA_PKCS_V21 : MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_SHA256),
                     0);
    assert_int_equal(mbedtls_rsa_pkcs1_verify(
                         rsa, MBEDTLS_MD_SHA256, SHA256_BYTES, hash, (unsigned char *)bytes),
                     0);
    mbedtls_x509_crt_free(&crt);
}

static void the_header_names_the_signature_and_the_certificate_and_it_holds(void **unused)
{
    (void)unused;
    struct assertion a;
    world_turn();
    take_assertion(&a);
    check_header(&a, "PS256");
    check_signature(&a, true);
    init(NULL);
    world.signs = TOKENSTORE_RS256; // a TPM that salts PSS otherwise
    world_turn();
    take_assertion(&a);
    check_header(&a, "RS256");
    check_signature(&a, false);
}

static void each_assertion_is_used_once(void **unused)
{
    (void)unused;
    struct assertion a;
    char first[64];
    world_turn();
    take_assertion(&a);
    struct span jti = json_raw(&a.doc, json_get(&a.doc, 0, SPAN("jti")));
    snprintf(first, sizeof(first), "%" PRISPAN, SPANARG(jti));
    world_answer_error(503, "temporarily_unavailable", 90033);
    world_sleep_until_next();
    world_turn();
    take_assertion(&a);
    assert_false(
        span_equal(json_raw(&a.doc, json_get(&a.doc, 0, SPAN("jti"))), span_from_str(first)));
}

static void check_nobody_was_asked(void)
{
    world_turn();
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_NO_CREDENTIAL);
    assert_int_equal(world_requests(), 0);
}

static void a_missing_or_broken_key_or_certificate_asks_nobody(void **unused)
{
    (void)unused;

    static const enum rc rows[] = {RC_NOTFOUND, RC_CORRUPT, RC_IO, RC_STALE};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        init(NULL);
        world_put(AUTH_CERT_NAME, SPAN("x"), rows[i]);
        check_nobody_was_asked();
        init(NULL);
        world.key_rc = rows[i];
        check_nobody_was_asked();
    }
    init(NULL);
    world_put(AUTH_CERT_NAME, SPAN("no certificate"), RC_OK);
    check_nobody_was_asked();
}

static void a_store_that_is_busy_is_tried_again(void **unused)
{
    (void)unused;
    world.key_rc = RC_RETRY;
    world_turn();
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_STORE_BUSY);
    assert_int_equal(world_requests(), 0);
    world.key_rc = RC_OK;
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_true(world_has_token());
}

// ---- the clock --------------------------------------------------------------

static void answer_at(int aadsts, int64_t peer_wall_ms)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"error\":\"invalid_client\",\"error_codes\":[%d]}", aadsts);
    struct http_fake_answer answer = {
        .status = 401, .body = span_from_str(body), .date_ms = peer_wall_ms};
    world_answer_full(&answer);
}

static void
an_assertion_outside_its_time_is_made_again_at_once_by_the_clock_of_the_peer(void **unused)
{
    (void)unused;
    static const int numbers[] = {500133, 700024, 700027, 50012, 50013};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct assertion a;
        init(NULL);
        answer_at(numbers[i], WALL_MS + 7200000);
        // The turn that took the answer asked again already, or is about to.
        assert_int_equal(auth_status(&world.auth)->clock_offset_ms, 7200000);
        assert_int_equal(world_sleep_until_next(), 0);
        world_turn();
        assert_int_equal(world_requests(), 2);
        take_assertion(&a);
        assert_int_equal(number_of(&a, "iat"), (WALL_MS + 7200000) / 1000);
        world_answer_token("t", 3600);
        assert_true(world_has_token());
    }
}

static void a_time_that_stays_wrong_is_retried_once_and_then_backed_off(void **unused)
{
    (void)unused;
    answer_at(500133, WALL_MS + 7200000);
    assert_int_equal(world_sleep_until_next(), 0);
    answer_at(500133, WALL_MS + 7200000);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_CLOCK);
    assert_true(world_sleep_until_next() >= 500);
    assert_int_equal(world_requests(), 2);
}

static void without_a_date_there_is_nothing_to_correct(void **unused)
{
    (void)unused;
    answer_at(500133, 0);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_CLOCK);
    assert_true(world_sleep_until_next() >= 500);
    assert_int_equal(world.auth.offset_ms, 0);
}

static void a_refused_certificate_is_no_clock_fault_while_the_clocks_agree(void **unused)
{
    (void)unused;
    static const int64_t agree[] = {0, -54000, 534000, 3000};
    for (size_t i = 0; i < sizeof(agree) / sizeof(agree[0]); i++) {
        init(NULL);
        answer_at(700027, WALL_MS + agree[i]);
        assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_CERT_REJECTED);
        assert_int_equal(world.auth.offset_ms, 0);
    }
    static const int64_t differ[] = {-56000, 536000};
    for (size_t i = 0; i < sizeof(differ) / sizeof(differ[0]); i++) {
        init(NULL);
        answer_at(700027, WALL_MS + differ[i]);
        assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_CLOCK);
    }
}

static void a_date_alone_moves_no_clock(void **unused)
{
    (void)unused;
    struct assertion a;
    answer_at(90033, WALL_MS + 7200000); // invalid_client with a passing number: not about time
    world_sleep_until_next();
    world_turn();
    take_assertion(&a);
    assert_int_equal(number_of(&a, "iat"), world.now.wall.ms / 1000);
}

static void a_persons_sign_in_goes_by_the_same_clock(void **unused)
{
    (void)unused;
    struct assertion a;
    person_init(NULL);
    init(NULL);
    person_restart();
    answer_at(500133, WALL_MS + 7200000);
    signin_set_offset(&person, auth_offset_ms(&world.auth));
    person_brings_code();
    person_turn();
    take_assertion_of(&a, SIGNIN_SLOT);
    assert_int_equal(number_of(&a, "iat"), (WALL_MS + 7200000) / 1000);
    assert_int_equal(number_of(&a, "nbf"), (WALL_MS + 7200000) / 1000 - 60);
    signin_set_offset(&person, 0);
    person_brings_code();
    person_turns();
    take_assertion_of(&a, SIGNIN_SLOT);
    assert_int_equal(number_of(&a, "iat"), WALL_MS / 1000);
}

static void a_wrong_secret_number_for_a_certificate_means_the_certificate(void **unused)
{
    (void)unused;
    answer_at(70002, WALL_MS);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_CERT_REJECTED);
}

static void an_expired_certificate_is_told_and_tried_all_the_same(void **unused)
{
    (void)unused;
    world_sleep(100ll * 86400000);
    answer_at(700027, world.now.wall.ms); // to the one that the box made to follow it
    answer_at(700027, world.now.wall.ms);
    assert_int_equal(world_requests(), 2);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_CERT_EXPIRED);
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_true(world_has_token());
}

#define TEST(f) cmocka_unit_test_setup(f, init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_claims_are_those_of_rfc_7523),
        TEST(the_header_names_the_signature_and_the_certificate_and_it_holds),
        TEST(each_assertion_is_used_once),
        TEST(a_missing_or_broken_key_or_certificate_asks_nobody),
        TEST(a_store_that_is_busy_is_tried_again),
        TEST(an_assertion_outside_its_time_is_made_again_at_once_by_the_clock_of_the_peer),
        TEST(a_time_that_stays_wrong_is_retried_once_and_then_backed_off),
        TEST(without_a_date_there_is_nothing_to_correct),
        TEST(a_refused_certificate_is_no_clock_fault_while_the_clocks_agree),
        TEST(a_date_alone_moves_no_clock),
        TEST(a_persons_sign_in_goes_by_the_same_clock),
        TEST(a_wrong_secret_number_for_a_certificate_means_the_certificate),
        TEST(an_expired_certificate_is_told_and_tried_all_the_same),
    };
    return cmocka_run_group_tests(tests, make_identity, NULL);
}

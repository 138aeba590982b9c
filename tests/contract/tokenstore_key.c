// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/tokenstore.h promises of the signing key, for every backend. Signatures are checked with
 * the library, apart from the code that makes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>

#include "base/crypto.h"
#include "hal/tokenstore.h"

#include "contract/tokenstore_hardware.h"
#include "state_dir.h"

static struct state_dir state;
static struct tokenstore store;
static struct tokenstore_findings found;
static const uint8_t digest[TOKENSTORE_DIGEST_BYTES] = {1, 2, 3, 4};

static enum rc open_store(void)
{
    enum rc rc = hal_tokenstore_attach(&store, &found);
    return rc == RC_OK ? hal_tokenstore_open(&store, state.fd, &found) : rc;
}

static int begin(void **unused)
{
    (void)unused;
    return state_dir_make(&state) && open_store() == RC_OK ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
    return 0;
}

static void make_key(bool expected)
{
    bool made = !expected;
    assert_int_equal(hal_tokenstore_make_key(&store, &made), RC_OK);
    assert_int_equal(made, expected);
}

static void read_public(struct buf *der, mbedtls_pk_context *pk)
{
    assert_int_equal(hal_tokenstore_public(&store, der), RC_OK);
    mbedtls_pk_init(pk);
    assert_int_equal(mbedtls_pk_parse_public_key(pk, (unsigned char *)der->ptr, der->len), 0);
    assert_int_equal(mbedtls_pk_get_type(pk), MBEDTLS_PK_RSA);
    assert_true(mbedtls_pk_get_bitlen(pk) >= 2048);
}

static void check_signature(enum tokenstore_signature kind)
{
    char der[TOKENSTORE_PUBLIC_BYTES_MAX], bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
    struct buf public = BUF(der), signature = BUF(bytes);
    mbedtls_pk_context pk;
    read_public(&public, &pk);
    assert_int_equal(hal_tokenstore_sign(&store, kind, digest, &signature), RC_OK);
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(pk);
    const unsigned char *at = (const unsigned char *)bytes;
    assert_int_equal(signature.len, mbedtls_rsa_get_len(rsa));
    if (kind == TOKENSTORE_PS256) {
        assert_int_equal(mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256), 0);
        assert_int_equal(
            mbedtls_rsa_rsassa_pss_verify_ext(
                rsa, MBEDTLS_MD_SHA256, sizeof(digest), digest, MBEDTLS_MD_SHA256, 32, at),
            0);
    } else {
        assert_int_equal(mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V15, MBEDTLS_MD_NONE), 0);
        assert_int_equal(
            mbedtls_rsa_pkcs1_verify(rsa, MBEDTLS_MD_SHA256, sizeof(digest), digest, at), 0);
    }
    mbedtls_pk_free(&pk);
}

static void the_key_is_made_once_and_signs_what_it_says_and_rs256(void **unused)
{
    (void)unused;
    enum tokenstore_signature best = TOKENSTORE_SIGNATURE_ILLEGAL;
    make_key(true);
    make_key(false);
    assert_int_equal(hal_tokenstore_signs(&store, &best), RC_OK);
    assert_true(best == TOKENSTORE_PS256 || best == TOKENSTORE_RS256);
    check_signature(best);
    check_signature(TOKENSTORE_RS256);
    if (best != TOKENSTORE_PS256) {
        char bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
        struct buf signature = BUF(bytes);
        assert_int_equal(hal_tokenstore_sign(&store, TOKENSTORE_PS256, digest, &signature),
                         RC_UNSUPPORTED);
    }
}

static void without_a_key_there_is_nothing_to_sign_with(void **unused)
{
    (void)unused;
    char bytes[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf out = BUF(bytes);
    enum tokenstore_signature best;
    assert_int_equal(hal_tokenstore_public(&store, &out), RC_NOTFOUND);
    assert_int_equal(hal_tokenstore_signs(&store, &best), RC_NOTFOUND);
    assert_int_equal(hal_tokenstore_sign(&store, TOKENSTORE_RS256, digest, &out), RC_NOTFOUND);
    assert_int_equal(hal_tokenstore_drop_key(&store), RC_NOTFOUND);
    assert_int_equal(out.len, 0);
}

static void a_dropped_key_is_gone_and_another_one_is_made(void **unused)
{
    (void)unused;
    char a[TOKENSTORE_PUBLIC_BYTES_MAX], b[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf first = BUF(a), second = BUF(b);
    make_key(true);
    assert_int_equal(hal_tokenstore_public(&store, &first), RC_OK);
    assert_int_equal(hal_tokenstore_drop_key(&store), RC_OK);
    assert_int_equal(hal_tokenstore_public(&store, &second), RC_NOTFOUND);
    make_key(true);
    assert_int_equal(hal_tokenstore_public(&store, &second), RC_OK);
    assert_false(span_equal(buf_span(&first), buf_span(&second)));
}

static void the_key_outlives_the_handle_where_the_backend_says_so(void **unused)
{
    (void)unused;
    char a[TOKENSTORE_PUBLIC_BYTES_MAX], b[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf first = BUF(a), second = BUF(b);
    make_key(true);
    assert_int_equal(hal_tokenstore_public(&store, &first), RC_OK);
    hal_tokenstore_close(&store);
    assert_int_equal(open_store(), RC_OK);
    if (!hardware_keeps) {
        assert_int_equal(hal_tokenstore_public(&store, &second), RC_NOTFOUND);
        return;
    }
    assert_int_equal(hal_tokenstore_public(&store, &second), RC_OK);
    assert_true(span_equal(buf_span(&first), buf_span(&second)));
    check_signature(TOKENSTORE_RS256);
}

static void a_buffer_without_room_is_too_small_for_key_or_signature(void **unused)
{
    (void)unused;
    char bytes[64];
    struct buf out = BUF(bytes), signature = BUF(bytes);
    make_key(true);
    assert_int_equal(hal_tokenstore_public(&store, &out), RC_TOOBIG);
    assert_int_equal(hal_tokenstore_sign(&store, TOKENSTORE_RS256, digest, &signature), RC_TOOBIG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_key_is_made_once_and_signs_what_it_says_and_rs256),
        TEST(without_a_key_there_is_nothing_to_sign_with),
        TEST(a_dropped_key_is_gone_and_another_one_is_made),
        TEST(the_key_outlives_the_handle_where_the_backend_says_so),
        TEST(a_buffer_without_room_is_too_small_for_key_or_signature),
    };
    if (crypto_init() != RC_OK || !hardware_start()) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hardware_stop();
    return failed;
}

// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"

#include "world.h"

static int start(void **unused)
{
    (void)unused;
    return crypto_init() == RC_OK ? 0 : -1;
}

static enum rc ensure(const char *name, bool *made)
{
    return auth_ensure_identity(&world.store, span_from_str(name), WALL_MS, made);
}

static struct span stored(const char *name)
{
    for (unsigned i = 0; i < VALUES_MAX; i++) {
        if (strcmp(world.values[i].name, name) == 0) {
            return (struct span){.ptr = world.values[i].bytes, .len = world.values[i].len};
        }
    }
    return SPAN_NONE;
}

static enum rc ensure_tls(bool *made)
{
    return auth_ensure_tls_identity(&world.store, SPAN("x"), WALL_MS, made);
}

static void check_key_of_certificate(void)
{
    char der[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf public = BUF(der);
    assert_int_equal(hal_tokenstore_public(&world.store, &public), RC_OK);
    assert_int_equal(crypto_public_matches(buf_span(&public), stored(AUTH_CERT_NAME)), RC_OK);
}

static void the_first_time_makes_key_and_certificate_and_the_second_nothing(void **unused)
{
    (void)unused;
    bool made = false;
    struct crypto_certificate c;
    assert_int_equal(ensure("B\xc3\xbcro 1, Head/office", &made), RC_OK);
    assert_true(made);
    assert_true(world.has_key);
    assert_int_equal(world.puts, 1);
    check_key_of_certificate();
    assert_int_equal(crypto_read_certificate(stored(AUTH_CERT_NAME), &c), RC_OK);
    assert_int_equal(c.not_before_ms, WALL_MS - 86400000);
    assert_true(c.not_after_ms > WALL_MS + 4ll * 365 * 86400000);
    assert_int_equal(ensure("other", &made), RC_OK);
    assert_false(made);
    assert_int_equal(world.puts, 1);

    // A key alone is what a power cut leaves: certified anew. A certificate alone may be
    // registered: never replaced.
    world_put(AUTH_CERT_NAME, stored(AUTH_CERT_NAME), RC_NOTFOUND);
    assert_int_equal(ensure("", &made), RC_OK);
    assert_true(made);
    world.has_key = false;
    assert_int_equal(ensure("x", &made), RC_CORRUPT);
    assert_false(made);
}

static void a_broken_pair_is_never_replaced_in_silence(void **unused)
{
    (void)unused;
    bool made = true;
    world.has_key = true;
    world_put(AUTH_CERT_NAME, SPAN("no certificate"), RC_OK);
    assert_int_equal(ensure("x", &made), RC_CORRUPT);
    world.key_rc = RC_CORRUPT;
    assert_int_equal(ensure("x", &made), RC_CORRUPT);
    world.key_rc = RC_RETRY;
    assert_int_equal(ensure("x", &made), RC_RETRY);
    world.key_rc = RC_OK;
    world_put(AUTH_CERT_NAME, SPAN("x"), RC_DENIED);
    assert_int_equal(ensure("x", &made), RC_DENIED);
    assert_false(made);
    assert_int_equal(world.puts, 0);
}

static void a_store_that_cannot_write_is_told(void **unused)
{
    (void)unused;
    bool made = true;
    world.put_rc = RC_IO;
    assert_int_equal(ensure("x", &made), RC_IO);
    assert_false(made);
    assert_int_equal(ensure_tls(&made), RC_IO);
    assert_false(made);
}

static void tls_has_a_key_and_certificate_of_its_own(void **unused)
{
    (void)unused;
    bool made = false;
    assert_int_equal(ensure_tls(&made), RC_OK);
    assert_true(made);
    assert_int_equal(crypto_key_matches(stored(AUTH_TLS_KEY_NAME), stored(AUTH_TLS_CERT_NAME)),
                     RC_OK);
    assert_int_equal(world.puts, 2);
    assert_int_equal(ensure_tls(&made), RC_OK);
    assert_false(made);
    assert_int_equal(world.puts, 2);
    world_put(AUTH_TLS_KEY_NAME, SPAN("no key"), RC_OK);
    assert_int_equal(ensure_tls(&made), RC_CORRUPT);
    world_put(AUTH_TLS_KEY_NAME, SPAN("x"), RC_NOTFOUND);
    assert_int_equal(ensure_tls(&made), RC_CORRUPT);
    world_put(AUTH_TLS_CERT_NAME, SPAN("x"), RC_NOTFOUND);
    assert_int_equal(ensure_tls(&made), RC_OK);
    assert_true(made);
}

#define TEST(f) cmocka_unit_test_setup(f, world_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_time_makes_key_and_certificate_and_the_second_nothing),
        TEST(a_broken_pair_is_never_replaced_in_silence),
        TEST(a_store_that_cannot_write_is_told),
        TEST(tls_has_a_key_and_certificate_of_its_own),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The server without memory: at whichever request the pool says no, this one connection fails and
 * nothing else does.
 */
#include <stdlib.h>

#include "base/crypto.h"

#include "serve_peer.h"
#include "serve_world.h"
#include "sys/heap.h"

#define REQUEST "GET / HTTP/1.1\r\n\r\n"

static struct {
    bool armed, failed;
    unsigned requests, fail_at;
} pool;

void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
struct heap_stats __wrap_heap_stats(void);
struct mono __real_serve_step(struct serve *s, struct now now);
struct mono __wrap_serve_step(struct serve *s, struct now now);

void *__wrap_calloc(size_t count, size_t bytes)
{
    if (pool.armed && ++pool.requests == pool.fail_at) {
        pool.failed = true;
        return NULL;
    }
    return __real_calloc(count, bytes);
}

struct heap_stats __wrap_heap_stats(void)
{
    return (struct heap_stats){.failures = pool.failed};
}

/// The client has all the memory that it wants.
struct mono __wrap_serve_step(struct serve *s, struct now now)
{
    pool.armed = true;
    struct mono next = __real_serve_step(s, now);
    pool.armed = false;
    return next;
}

static bool has_ended_or_has_request(unsigned c)
{
    return is_free(c) || span_equal(serve_input(&server, c), SPAN(REQUEST));
}

/// @return whether the client got its answer.
static bool served(mbedtls_ssl_protocol_version version)
{
    char heard[16];
    struct buf to = BUF(heard);
    const struct span answer = SPAN("well");
    bool good = false;
    peer_open(version);
    if (peer_shakes() == 0) {
        // The server may be gone already: then the client learns it when it reads.
        (void)mbedtls_ssl_write(&peer.ssl, (const unsigned char *)REQUEST, strlen(REQUEST));
        serve_until(has_ended_or_has_request, 0);
        if (!is_free(0)) {
            serve_answer(&server, 0, &answer, 1);
        }
        (void)peer_hears(&to);
        good = span_equal(buf_span(&to), answer);
    }
    peer_close();
    return good;
}

/// False once everything ran through without meeting its failure.
static bool failing_at(unsigned n, mbedtls_ssl_protocol_version version)
{
    pool.requests = 0;
    pool.fail_at = n;
    pool.failed = false;
    peer_serve();
    bool good = served(version);
    bool failed = pool.failed;
    pool.fail_at = 0;
    assert_true(good || failed);
    serve_drop(&server, 0);
    assert_true(served(version)); // the next one has it again
    serve_close(&server);
    return failed;
}

/// All of the first requests, then ever fewer of the thousands that the arithmetic makes.
static void sweep(mbedtls_ssl_protocol_version version)
{
    unsigned n = 1;
    while (failing_at(n, version)) {
        n += 1u + n / 4u;
        assert_true(n < 1000000u);
    }
    assert_true(n > 16u);
}

static void a_connection_without_memory_fails_alone_with_1_2(void **unused)
{
    (void)unused;
    sweep(MBEDTLS_SSL_VERSION_TLS1_2);
}

static void a_connection_without_memory_fails_alone_with_1_3(void **unused)
{
    (void)unused;
    sweep(MBEDTLS_SSL_VERSION_TLS1_3);
}

static void a_server_without_memory_says_so_and_is_not_open(void **unused)
{
    (void)unused;
    struct serve_options options = {.cert_pem = buf_span(&peer_cert),
                                    .key_pem = buf_span(&peer_key)};
    enum rc rc = RC_RETRY;
    unsigned n = 0;
    assert_int_equal(address_parse_listen(SPAN("127.0.0.1"), 0, &options.listen), RC_OK);
    for (n = 1; n < 10000u && rc != RC_OK; n++) {
        pool.requests = 0;
        pool.fail_at = n;
        pool.failed = false;
        pool.armed = true;
        rc = serve_open(&server, &server_loop, &options);
        pool.armed = false;
        assert_true(rc == RC_OK || rc == RC_RETRY);
        assert_int_equal(serve_is_open(&server), rc == RC_OK);
    }
    pool.fail_at = 0;
    assert_int_equal(rc, RC_OK);
    assert_true(n > 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, serve_setup, serve_teardown)
    const struct CMUnitTest tests[] = {
        T(a_connection_without_memory_fails_alone_with_1_2),
        T(a_connection_without_memory_fails_alone_with_1_3),
        T(a_server_without_memory_says_so_and_is_not_open),
    };
    return cmocka_run_group_tests(tests, peer_make_identity, NULL);
}

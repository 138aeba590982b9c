// SPDX-License-Identifier: Apache-2.0
// The C library's allocator in the firmware build: it is ours, bounded, and large tables cost
// nothing until they are used.
#include "sys/heap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

void *volatile kept; // keeps the compiler from leaving the calls out

static size_t resident_kib(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    size_t kib = 0;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        (void)sscanf(line, "Anonymous: %zu", &kib);
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kib;
}

static void malloc_is_the_pool(void **state)
{
    (void)state;
    struct heap_stats before = heap_stats();
    kept = malloc(1000);
    struct heap_stats after = heap_stats();
    assert_int_equal(after.pool_bytes, CONFIG_HEAP_KIB * 1024u);
    assert_int_equal(after.used_bytes, before.used_bytes + 1024u);
    free(kept);
    assert_int_equal(heap_stats().used_bytes, before.used_bytes);
}

static void exhaustion_is_enomem_and_counted(void **state)
{
    (void)state;
    uint64_t failures = heap_stats().failures;
    errno = 0;
    kept = malloc(CONFIG_HEAP_KIB * 1024u);
    assert_null(kept);
    assert_int_equal(errno, ENOMEM);
    volatile size_t half = SIZE_MAX / 2u;
    kept = calloc(half, 3);
    assert_null(kept);
    assert_int_equal(heap_stats().failures, failures + 2u);
}

static void calloc_is_zero_after_use(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 1024u * 1024u; bytes = bytes * 3u + 5u) {
        unsigned char *p = malloc(bytes);
        memset(p, 0xa5, bytes);
        kept = p;
        free(p);
        p = calloc(1, bytes);
        kept = p;
        for (size_t i = 0; i < bytes; i++) {
            assert_int_equal(p[i], 0);
        }
        free(p);
    }
}

static void large_tables_are_not_resident(void **state)
{
    (void)state;
    size_t before = resident_kib();
    void *a = malloc(1024u * 1024u);
    kept = calloc(131072, 16);
    assert_non_null(kept);
    assert_true(resident_kib() < before + 64u);
    free(kept);
    free(a);
}

static void trim_gives_pages_back(void **state)
{
    (void)state;
    unsigned char *p = malloc(1024u * 1024u);
    memset(p, 1, 1024u * 1024u);
    kept = p;
    size_t before = resident_kib();
    free(p);
    heap_trim();
    assert_true(resident_kib() + 900u < before);
}

static void aligned_requests_are_aligned(void **state)
{
    (void)state;
    void *p = NULL;
    assert_int_equal(posix_memalign(&p, 4096, 10000), 0);
    assert_int_equal((uintptr_t)p % 4096, 0);
    free(p);
    assert_int_equal(posix_memalign(&p, 24, 100), EINVAL);
    p = aligned_alloc(64, 128);
    assert_int_equal((uintptr_t)p % 64, 0);
    free(p);
}

static void *churn(void *seed)
{
    uint64_t rng = (uintptr_t)seed;
    void *blocks[32] = {NULL};
    for (unsigned i = 0; i < 20000; i++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        void **b = &blocks[rng >> 59];
        free(*b);
        *b = malloc((size_t)(rng >> 33) % 2000u);
    }
    for (unsigned i = 0; i < 32; i++) {
        free(blocks[i]);
    }
    return NULL;
}

static void two_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, churn, (void *)(uintptr_t)1), 0);
    churn((void *)(uintptr_t)2);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malloc_is_the_pool),
        cmocka_unit_test(exhaustion_is_enomem_and_counted),
        cmocka_unit_test(calloc_is_zero_after_use),
        cmocka_unit_test(large_tables_are_not_resident),
        cmocka_unit_test(trim_gives_pages_back),
        cmocka_unit_test(aligned_requests_are_aligned),
        cmocka_unit_test(two_threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

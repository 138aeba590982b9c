// SPDX-License-Identifier: Apache-2.0
// The allocator against a model: random work on a small pool, each block filled with a pattern of
// its own.
#include "sys/heap_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL_BYTES  (96u * 1024u)
#define BLOCKS_MAX  200u
#define STEPS_COUNT 60000u

static _Alignas(4096) unsigned char memory[POOL_BYTES];
static struct heap_pool pool;

struct model {
    unsigned char *at;
    size_t bytes;
    unsigned char pattern;
};

static uint64_t rng;

static uint32_t pick(uint32_t below)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng >> 33) % below;
}

static int setup(void **state)
{
    (void)state;
    memset(memory, 0xee, sizeof(memory));
    heap_pool_init(&pool, memory, sizeof(memory));
    rng = 7;
    return 0;
}

static void check_block(const struct model *m)
{
    for (size_t i = 0; i < m->bytes; i++) {
        assert_int_equal(m->at[i], m->pattern);
    }
}

static void check_apart(const struct model *blocks, const struct model *m)
{
    assert_true(m->at >= memory && m->at + m->bytes <= memory + sizeof(memory));
    assert_int_equal((uintptr_t)m->at % HEAP_POOL_GRANULE_BYTES, 0);
    assert_true(heap_pool_usable(&pool, m->at) >= m->bytes);
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        const struct model *o = &blocks[i];
        assert_true(o == m || o->at == NULL || o->at + o->bytes <= m->at ||
                    m->at + m->bytes <= o->at);
    }
}

static void set_block(struct model *blocks, struct model *m, void *at, size_t bytes)
{
    m->at = at;
    m->bytes = bytes;
    m->pattern = (unsigned char)pick(256);
    check_apart(blocks, m);
    memset(m->at, m->pattern, bytes);
}

static size_t some_size(void)
{
    return pick(20) == 0 ? pick(9000) : pick(300);
}

static void take_some(struct model *blocks, struct model *m)
{
    size_t bytes = some_size();
    size_t alignment = (size_t)16u << pick(9);
    bool aligned = pick(8) == 0;
    void *at =
        aligned ? heap_pool_alloc_aligned(&pool, alignment, bytes) : heap_pool_alloc(&pool, bytes);
    if (at != NULL) {
        assert_true(!aligned || (uintptr_t)at % alignment == 0);
        set_block(blocks, m, at, bytes);
    }
}

static void resize_some(struct model *blocks, struct model *m)
{
    size_t bytes = some_size();
    unsigned char *at = heap_pool_resize(&pool, m->at, bytes);
    if (at == NULL) {
        check_block(m); // the old block stands
        return;
    }
    size_t kept = bytes < m->bytes ? bytes : m->bytes;
    for (size_t i = 0; i < kept; i++) {
        assert_int_equal(at[i], m->pattern);
    }
    set_block(blocks, m, at, bytes);
}

static void random_work_never_mixes_blocks_up(void **state)
{
    (void)state;
    struct model blocks[BLOCKS_MAX] = {0};
    for (unsigned step = 0; step < STEPS_COUNT; step++) {
        struct model *m = &blocks[pick(BLOCKS_MAX)];
        if (m->at == NULL) {
            take_some(blocks, m);
        } else if (pick(3) == 0) {
            check_block(m);
            resize_some(blocks, m);
        } else {
            check_block(m);
            heap_pool_free(&pool, m->at);
            m->at = NULL;
        }
        if (step % 64 == 0) {
            heap_pool_verify(&pool);
        }
    }
    assert_true(pool.failures > 0); // the pool was small enough to be exhausted now and then
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        heap_pool_free(&pool, blocks[i].at);
    }
    heap_pool_verify(&pool);
    assert_int_equal(pool.used_bytes, 0);
}

static void all_given_back_is_one_block_again(void **state)
{
    (void)state;
    void *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = heap_pool_alloc(&pool, 100 + i * 8);
        assert_non_null(blocks[i]);
    }
    for (size_t i = 0; i < 64; i += 2) {
        heap_pool_free(&pool, blocks[i]);
    }
    for (size_t i = 1; i < 64; i += 2) {
        heap_pool_free(&pool, blocks[i]);
    }
    assert_non_null(heap_pool_alloc(&pool, POOL_BYTES - 48));
}

static void exhaustion_is_null_and_counted(void **state)
{
    (void)state;
    assert_null(heap_pool_alloc(&pool, POOL_BYTES));
    assert_null(heap_pool_alloc(&pool, SIZE_MAX));
    assert_null(heap_pool_alloc_aligned(&pool, 64, SIZE_MAX - 8));
    void *all = heap_pool_alloc(&pool, POOL_BYTES - 48);
    assert_non_null(all);
    assert_null(heap_pool_alloc(&pool, 1));
    assert_null(heap_pool_resize(&pool, all, SIZE_MAX));
    assert_int_equal(pool.failures, 5);
    assert_int_equal(pool.used_bytes, pool.peak_bytes);
    heap_pool_free(&pool, all);
    assert_int_equal(pool.used_bytes, 0);
    assert_true(pool.peak_bytes >= POOL_BYTES - 48);
}

static void a_large_table_given_back_is_found_again(void **state)
{
    (void)state;
    void *front = heap_pool_alloc(&pool, 1000);
    void *table = heap_pool_alloc(&pool, 60000);
    void *behind = heap_pool_alloc(&pool, 100);
    heap_pool_free(&pool, table);
    assert_ptr_equal(heap_pool_alloc(&pool, 60000), table);
    heap_pool_free(&pool, front);
    heap_pool_free(&pool, behind);
    heap_pool_verify(&pool);
}

static void zero_bytes_are_a_block_of_its_own(void **state)
{
    (void)state;
    void *a = heap_pool_alloc(&pool, 0);
    void *b = heap_pool_alloc(&pool, 0);
    assert_non_null(a);
    assert_ptr_not_equal(a, b);
    heap_pool_free(&pool, NULL);
}

static void growing_uses_the_free_neighbour(void **state)
{
    (void)state;
    unsigned char *a = heap_pool_alloc(&pool, 100);
    void *b = heap_pool_alloc(&pool, 4000);
    void *c = heap_pool_alloc(&pool, 100);
    heap_pool_free(&pool, b);
    assert_ptr_equal(heap_pool_resize(&pool, a, 3000), a);
    assert_ptr_equal(heap_pool_resize(&pool, a, 50), a);
    heap_pool_verify(&pool);
    heap_pool_free(&pool, c);
    heap_pool_verify(&pool);
}

static void what_is_given_back_is_overwritten(void **state)
{
    (void)state;
    char *secret = heap_pool_alloc(&pool, 64);
    memcpy(secret, "Authorization: Bearer abcdef", 28);
    heap_pool_free(&pool, secret);
    for (size_t i = 0; i + 6 <= sizeof(memory); i++) {
        assert_int_not_equal(memcmp(memory + i, "Bearer", 6), 0);
    }
}

static unsigned char *unused_from;
static size_t unused_bytes;

static void note_unused(unsigned char *from, size_t bytes)
{
    unused_from = from;
    unused_bytes = bytes;
    memset(from, 0x55, bytes); // nobody may miss it
}

static void unused_bytes_can_be_lost(void **state)
{
    (void)state;
    void *a = heap_pool_alloc(&pool, 5000);
    heap_pool_each_unused(&pool, note_unused);
    assert_true(unused_from > (unsigned char *)a + 5000);
    assert_true(unused_bytes > POOL_BYTES - 5000 - 128);
    heap_pool_verify(&pool);
    assert_non_null(heap_pool_alloc(&pool, 60000));
    heap_pool_verify(&pool);
}

// The misuse must end the process, so it happens in a child.
static int dies(void (*misuse)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        FILE *quiet = freopen("/dev/null", "w", stderr);
        (void)quiet;
        misuse();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
}

static void free_twice(void)
{
    void *a = heap_pool_alloc(&pool, 40);
    void *b = heap_pool_alloc(&pool, 40);
    heap_pool_free(&pool, a);
    heap_pool_free(&pool, a);
    heap_pool_free(&pool, b);
}

static void free_inside(void)
{
    unsigned char *a = heap_pool_alloc(&pool, 400);
    heap_pool_free(&pool, a + 64);
}

static void write_behind(void)
{
    char *a = heap_pool_alloc(&pool, 40);
    char *b = heap_pool_alloc(&pool, 40);
    memset(a, 'x', 56);
    heap_pool_free(&pool, b);
}

static void write_behind_then_free(void)
{
    char *a = heap_pool_alloc(&pool, 40);
    char *b = heap_pool_alloc(&pool, 40);
    memset(a, 'x', 56);
    heap_pool_free(&pool, a);
    heap_pool_free(&pool, b);
}

static void misuse_is_an_assertion(void **state)
{
    (void)state;
    assert_true(dies(free_twice));
    assert_true(dies(free_inside));
    assert_true(dies(write_behind));
    assert_true(dies(write_behind_then_free));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(random_work_never_mixes_blocks_up, setup),
        cmocka_unit_test_setup(all_given_back_is_one_block_again, setup),
        cmocka_unit_test_setup(exhaustion_is_null_and_counted, setup),
        cmocka_unit_test_setup(a_large_table_given_back_is_found_again, setup),
        cmocka_unit_test_setup(zero_bytes_are_a_block_of_its_own, setup),
        cmocka_unit_test_setup(growing_uses_the_free_neighbour, setup),
        cmocka_unit_test_setup(what_is_given_back_is_overwritten, setup),
        cmocka_unit_test_setup(unused_bytes_can_be_lost, setup),
        cmocka_unit_test_setup(misuse_is_an_assertion, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

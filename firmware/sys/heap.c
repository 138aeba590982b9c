// SPDX-License-Identifier: Apache-2.0
/*
 * The C library's allocator, over one static array. Firmware build only, compiled without the
 * compiler's knowledge of malloc: it would make our calloc of a malloc and a memset, and calls to
 * itself of that. The pool is the module's own memory, an exception to "no mutable globals" that
 * the C library's interface dictates.
 */
#include "sys/heap.h"

#include <errno.h>
#include <string.h>

#include <pthread.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/secret.h"

#include "sys/heap_pool.h"
#include "sys/pages.h"

#define PAGE_BYTES 4096u
// From here on fresh zero pages are cheaper than writing zeros, and LMDB's tables of 1 and 2 MiB
// stay out of memory until they are used.
#define ZERO_BY_KERNEL_BYTES (64u * 1024u)

// Starts and ends on a page: dropping one of its pages can never drop a neighbour's data.
static _Alignas(PAGE_BYTES) unsigned char memory[CONFIG_HEAP_KIB * 1024u];
static struct heap_pool pool;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The C library calls these; its headers declare them, except for this one on some systems.
void *memalign(size_t alignment, size_t bytes);
size_t malloc_usable_size(void *block);
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void free(void *block);
void *aligned_alloc(size_t alignment, size_t bytes);
int posix_memalign(void **out, size_t alignment, size_t bytes);

static struct heap_pool *enter(void)
{
    int rc = pthread_mutex_lock(&lock);
    ASSERT(rc == 0);
    if (pool.base == NULL) {
        heap_pool_init(&pool, memory, sizeof(memory));
    }
    return &pool;
}

static void leave(void)
{
    int rc = pthread_mutex_unlock(&lock);
    ASSERT(rc == 0);
}

static void *or_enomem(void *block)
{
    if (block == NULL) {
        errno = ENOMEM;
    }
    return block;
}

static void zero(unsigned char *block, size_t bytes)
{
    if (bytes < ZERO_BY_KERNEL_BYTES || !pages_drop(block, bytes)) {
        memset(block, 0, bytes);
        return;
    }
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t head = (page - (uintptr_t)block % page) % page;
    size_t tail = ((uintptr_t)block + bytes) % page;
    memset(block, 0, head);
    memset(block + bytes - tail, 0, tail);
}

void *malloc(size_t bytes)
{
    void *block = heap_pool_alloc(enter(), bytes);
    leave();
    return or_enomem(block);
}

void free(void *block)
{
    heap_pool_free(enter(), block);
    leave();
}

void *calloc(size_t count, size_t bytes)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, bytes, &total)) {
        total = SIZE_MAX; // fails, and is counted
    }
    void *block = malloc(total);
    if (block != NULL) {
        zero(block, total);
    }
    return block;
}

void *realloc(void *block, size_t bytes)
{
    if (block == NULL) {
        return malloc(bytes);
    }
    void *moved = heap_pool_resize(enter(), block, bytes);
    leave();
    return or_enomem(moved);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (alignment == 0 || (alignment & (alignment - 1u)) != 0 || alignment > (1u << 20)) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= HEAP_POOL_GRANULE_BYTES) {
        return malloc(bytes);
    }
    void *block = heap_pool_alloc_aligned(enter(), alignment, bytes);
    leave();
    return or_enomem(block);
}

void *memalign(size_t alignment, size_t bytes)
{
    return aligned_alloc(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    int saved = errno;
    void *block = aligned_alloc(alignment, bytes);
    int rc = block != NULL ? 0 : errno;
    errno = saved;
    if (block != NULL) {
        *out = block;
    }
    return rc;
}

size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    size_t bytes = heap_pool_usable(enter(), block);
    leave();
    return bytes;
}

struct heap_stats heap_stats(void)
{
    const struct heap_pool *p = enter();
    struct heap_stats stats = {.pool_bytes = p->bytes,
                               .used_bytes = p->used_bytes,
                               .peak_bytes = p->peak_bytes,
                               .failures = p->failures,
                               .requests = p->requests};
    leave();
    return stats;
}

static void trim(unsigned char *from, size_t bytes)
{
    (void)pages_drop(from, bytes); // memory that is kept does no harm
}

void heap_trim(void)
{
    heap_pool_each_unused(enter(), trim);
    leave();
}

RC heap_hide(void)
{
    return secret_hide(memory, sizeof(memory));
}

RC heap_guard(void)
{
    return secret_guard(memory, sizeof(memory));
}

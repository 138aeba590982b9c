// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * An allocator over one piece of memory that the caller gives. Private to sys/ and its tests;
 * sys/heap.c makes the C library's malloc family of it.
 * Model:    blocks lie side by side, each behind a header of 16 bytes that knows its own size and
 *           its predecessor's; the first and the last are fences. Free blocks hang in lists by size
 *           class, two bitmaps find the next class that is not empty: taking and giving back cost
 *           the same few instructions however many blocks there are. Free neighbours are joined at
 *           once.
 * Fit:      a fitting block among the first few of the request's own class, else any of the next
 *           class that has one. A request can fail only if no free block is an eighth larger.
 * Checks:   each header carries a check word over its place and content. A write past the end of a
 *           block, a second free or a pointer that was never given out is an assertion, when the
 *           block or a neighbour is next touched.
 * Secrets:  what a block held is overwritten when it is given back, up to
 *           HEAP_POOL_WIPE_BYTES_MAX: larger blocks are tables, and wiping makes pages resident.
 * Threads:  none; the caller locks.
 */
#ifndef SYS_HEAP_POOL_H
#define SYS_HEAP_POOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_POOL_GRANULE_BYTES  16u ///< alignment and multiple of every block
#define HEAP_POOL_BYTES_MAX      (1u << 28)
#define HEAP_POOL_WIPE_BYTES_MAX (64u * 1024u)

#define HEAP_POOL_ROWS    25u ///< powers of two, from one granule
#define HEAP_POOL_COLUMNS 8u  ///< steps within a power of two

struct heap_pool_block; ///< header of a block; heap_pool.c

struct heap_pool {
    unsigned char *base;
    uint32_t bytes;
    uint32_t used_bytes; ///< headers included
    uint32_t peak_bytes;
    uint64_t failures, requests;
    uint32_t row_map;
    uint8_t column_map[HEAP_POOL_ROWS];
    struct heap_pool_block *free_lists[HEAP_POOL_ROWS][HEAP_POOL_COLUMNS];
};

/// memory: aligned to a granule, 1 KiB .. HEAP_POOL_BYTES_MAX, kept until the pool is forgotten.
void heap_pool_init(struct heap_pool *p, void *memory, size_t bytes);
/// NULL if there is no room (counted). 0 bytes are taken as 1.
void *heap_pool_alloc(struct heap_pool *p, size_t bytes);
/// As above, aligned to a power of two from HEAP_POOL_GRANULE_BYTES to 1 MiB.
void *heap_pool_alloc_aligned(struct heap_pool *p, size_t alignment, size_t bytes);
/// The block with its content, grown or shrunk, perhaps elsewhere. NULL: no room, the old block
/// stands.
void *heap_pool_resize(struct heap_pool *p, void *block, size_t bytes);
void heap_pool_free(struct heap_pool *p, void *block); ///< block: from this pool, or NULL
size_t heap_pool_usable(const struct heap_pool *p, const void *block);

/// Hand the inside of every free block to `visit`: bytes that nobody, not even the pool, needs.
typedef void heap_pool_visit(unsigned char *from, size_t bytes);
void heap_pool_each_unused(struct heap_pool *p, heap_pool_visit *visit);

/// Walk everything and assert what must hold. For tests.
void heap_pool_verify(const struct heap_pool *p);

#endif

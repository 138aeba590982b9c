// SPDX-License-Identifier: Apache-2.0
/*
 * Two-level segregated fit. A TLS handshake makes about seven thousand requests while some two
 * hundred blocks live; first fit by address would walk a good part of those for each of them.
 */
#include "sys/heap_pool.h"

#include <string.h>

#include "base/assert.h"

#define IN_USE    1u
#define CHECK_KEY 0x5ca1ab1eu
#define FIT_TRIES 8u // blocks looked at in the request's own list

// Links are valid while the block is free; they lie where the user's bytes are otherwise.
struct heap_pool_block {
    uint32_t size;          // header included; the lowest bit is IN_USE
    uint32_t previous_size; // of the block before, without its flag; 0 for the first fence
    uint32_t check;
    uint32_t padding;
    struct heap_pool_block *next, *previous;
};

#define HEADER_BYTES    offsetof(struct heap_pool_block, next)
#define BLOCK_BYTES_MIN ((uint32_t)sizeof(struct heap_pool_block))

_Static_assert(HEADER_BYTES == HEAP_POOL_GRANULE_BYTES, "user bytes start on a granule");
_Static_assert(sizeof(struct heap_pool_block) <= 2u * HEAP_POOL_GRANULE_BYTES,
               "links fit a granule");

static uint32_t size_of(const struct heap_pool_block *b)
{
    return b->size & ~IN_USE;
}

static bool is_used(const struct heap_pool_block *b)
{
    return (b->size & IN_USE) != 0;
}

// The address makes the word different in each run (the program is position independent), so it
// cannot be sent in.
static uint32_t check_of(const struct heap_pool_block *b)
{
    uint64_t place = (uint64_t)(uintptr_t)b * 0x9e3779b97f4a7c15u;
    return (uint32_t)(place >> 32) ^ b->size ^ (b->previous_size << 7 | b->previous_size >> 25) ^
           CHECK_KEY;
}

static void seal(struct heap_pool_block *b)
{
    b->check = check_of(b);
}

static void require_intact(const struct heap_pool_block *b)
{
    ASSERT(b->check == check_of(b));
}

static struct heap_pool_block *after(const struct heap_pool_block *b)
{
    return (struct heap_pool_block *)((uintptr_t)b + size_of(b));
}

static struct heap_pool_block *before(const struct heap_pool_block *b)
{
    return (struct heap_pool_block *)((uintptr_t)b - b->previous_size);
}

static void *user_of(struct heap_pool_block *b)
{
    return (unsigned char *)b + HEADER_BYTES;
}

static struct heap_pool_block *block_of(const struct heap_pool *p, const void *user)
{
    uintptr_t at = (uintptr_t)user;
    ASSERT(at % HEAP_POOL_GRANULE_BYTES == 0);
    ASSERT(at > (uintptr_t)p->base && at < (uintptr_t)p->base + p->bytes);
    struct heap_pool_block *b = (struct heap_pool_block *)(at - HEADER_BYTES);
    require_intact(b);
    ASSERT(is_used(b)); // freed twice, or never given out
    return b;
}

struct list {
    unsigned row, column;
};

// The list that a free block of this size hangs in: every block of a list is at least as large as
// its lower bound.
static struct list list_of(uint32_t size)
{
    uint32_t granules = size / HEAP_POOL_GRANULE_BYTES;
    unsigned log = 31u - (unsigned)__builtin_clz(granules);
    if (log < 3) {
        return (struct list){.row = 0, .column = granules};
    }
    return (struct list){.row = log - 2u,
                         .column = (granules >> (log - 3u)) & (HEAP_POOL_COLUMNS - 1u)};
}

// The first list of which every block has at least this size.
static struct list list_from(uint32_t size)
{
    uint32_t granules = size / HEAP_POOL_GRANULE_BYTES;
    unsigned log = 31u - (unsigned)__builtin_clz(granules);
    uint32_t step = log < 3 ? 1u : 1u << (log - 3u);
    return list_of((granules + step - 1u) * HEAP_POOL_GRANULE_BYTES);
}

static void hang(struct heap_pool *p, struct heap_pool_block *b)
{
    struct list l = list_of(size_of(b));
    struct heap_pool_block *head = p->free_lists[l.row][l.column];
    b->previous = NULL;
    b->next = head;
    if (head != NULL) {
        head->previous = b;
    }
    p->free_lists[l.row][l.column] = b;
    p->row_map |= 1u << l.row;
    p->column_map[l.row] = (uint8_t)(p->column_map[l.row] | 1u << l.column);
}

static void unhang(struct heap_pool *p, struct heap_pool_block *b)
{
    struct list l = list_of(size_of(b));
    if (b->next != NULL) {
        ASSERT(b->next->previous == b);
        b->next->previous = b->previous;
    }
    if (b->previous != NULL) {
        ASSERT(b->previous->next == b);
        b->previous->next = b->next;
        return;
    }
    ASSERT(p->free_lists[l.row][l.column] == b);
    p->free_lists[l.row][l.column] = b->next;
    if (b->next == NULL) {
        p->column_map[l.row] = (uint8_t)(p->column_map[l.row] & ~(1u << l.column));
        if (p->column_map[l.row] == 0) {
            p->row_map &= ~(1u << l.row);
        }
    }
}

// Some blocks of the list that the request itself would hang in are large enough. Without this look
// a table that was given back would not be found again by a request for the same table.
static struct heap_pool_block *find_alike(const struct heap_pool *p, uint32_t size)
{
    struct list l = list_of(size);
    struct heap_pool_block *b = p->free_lists[l.row][l.column];
    for (unsigned i = 0; i < FIT_TRIES && b != NULL; i++, b = b->next) {
        if (size_of(b) >= size) {
            return b;
        }
    }
    return NULL;
}

static struct heap_pool_block *find_free(const struct heap_pool *p, uint32_t size)
{
    struct heap_pool_block *alike = find_alike(p, size);
    if (alike != NULL) {
        return alike;
    }
    struct list l = list_from(size);
    if (l.row >= HEAP_POOL_ROWS) {
        return NULL;
    }
    uint32_t columns = p->column_map[l.row] & (0xffu << l.column);
    if (columns == 0) {
        uint32_t rows = p->row_map & ~((2u << l.row) - 1u);
        if (rows == 0) {
            return NULL;
        }
        l.row = (unsigned)__builtin_ctz(rows);
        columns = p->column_map[l.row];
    }
    ASSERT(columns != 0);
    return p->free_lists[l.row][__builtin_ctz(columns)];
}

static void set_size(struct heap_pool_block *b, uint32_t size, uint32_t flag)
{
    b->size = size | flag;
    seal(b);
    struct heap_pool_block *n = after(b);
    n->previous_size = size;
    seal(n);
}

// Make `b` free, joined with free neighbours.
static void release(struct heap_pool *p, struct heap_pool_block *b)
{
    uint32_t size = size_of(b);
    struct heap_pool_block *n = after(b);
    struct heap_pool_block *v = before(b);
    require_intact(n);
    require_intact(v);
    ASSERT(n->previous_size == size);
    if (!is_used(n)) {
        unhang(p, n);
        size += size_of(n);
    }
    if (!is_used(v)) {
        unhang(p, v);
        b->check = 0; // a stale header must not pass for a block
        b = v;
        size += size_of(v);
    }
    set_size(b, size, 0);
    hang(p, b);
}

// `b` is used and keeps `size` bytes; the rest becomes free if it is large enough to be a block.
static void give_back_tail(struct heap_pool *p, struct heap_pool_block *b, uint32_t size)
{
    uint32_t rest = size_of(b) - size;
    if (rest < BLOCK_BYTES_MIN) {
        return;
    }
    set_size(b, size, IN_USE);
    struct heap_pool_block *tail = after(b);
    tail->previous_size = size;
    set_size(tail, rest, IN_USE);
    p->used_bytes -= rest;
    release(p, tail);
}

static void count_used(struct heap_pool *p, uint32_t size)
{
    p->used_bytes += size;
    if (p->used_bytes > p->peak_bytes) {
        p->peak_bytes = p->used_bytes;
    }
}

// 0 if no pool can hold that much.
static uint32_t block_bytes(const struct heap_pool *p, size_t bytes)
{
    if (bytes >= p->bytes) {
        return 0;
    }
    size_t size = (bytes + HEADER_BYTES + HEAP_POOL_GRANULE_BYTES - 1u) &
                  ~(size_t)(HEAP_POOL_GRANULE_BYTES - 1u);
    return size < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : (uint32_t)size;
}

static struct heap_pool_block *take(struct heap_pool *p, uint32_t size)
{
    struct heap_pool_block *b = size != 0 ? find_free(p, size) : NULL;
    if (b == NULL) {
        return NULL;
    }
    require_intact(b);
    ASSERT(!is_used(b) && size_of(b) >= size);
    unhang(p, b);
    // The tail is cut off before the bytes are counted, so that the peak is what was asked for.
    uint32_t rest = size_of(b) - size;
    if (rest >= BLOCK_BYTES_MIN) {
        set_size(b, size, IN_USE);
        struct heap_pool_block *tail = after(b);
        tail->previous_size = size;
        set_size(tail, rest, 0);
        hang(p, tail);
    } else {
        set_size(b, size_of(b), IN_USE);
    }
    count_used(p, size_of(b));
    return b;
}

void heap_pool_init(struct heap_pool *p, void *memory, size_t bytes)
{
    ASSERT(p != NULL && memory != NULL);
    ASSERT((uintptr_t)memory % HEAP_POOL_GRANULE_BYTES == 0);
    ASSERT(bytes >= 1024u && bytes <= HEAP_POOL_BYTES_MAX);
    memset(p, 0, sizeof(*p));
    p->base = memory;
    p->bytes = (uint32_t)(bytes & ~(size_t)(HEAP_POOL_GRANULE_BYTES - 1u));

    struct heap_pool_block *first = memory;
    first->previous_size = 0;
    first->size = HEADER_BYTES | IN_USE;
    seal(first);
    struct heap_pool_block *all = after(first);
    all->previous_size = HEADER_BYTES;
    all->size = p->bytes - 2u * (uint32_t)HEADER_BYTES;
    struct heap_pool_block *last = after(all);
    last->size = HEADER_BYTES | IN_USE;
    set_size(all, all->size, 0);
    hang(p, all);
}

void *heap_pool_alloc(struct heap_pool *p, size_t bytes)
{
    p->requests++;
    struct heap_pool_block *b = take(p, block_bytes(p, bytes));
    if (b == NULL) {
        p->failures++;
        return NULL;
    }
    return user_of(b);
}

void *heap_pool_alloc_aligned(struct heap_pool *p, size_t alignment, size_t bytes)
{
    ASSERT(alignment >= HEAP_POOL_GRANULE_BYTES && alignment <= (1u << 20));
    ASSERT((alignment & (alignment - 1u)) == 0);
    if (bytes >= p->bytes) {
        p->requests++;
        p->failures++;
        return NULL;
    }
    // Room for the alignment and for the gap in front to be a block of its own.
    unsigned char *user = heap_pool_alloc(p, bytes + alignment + BLOCK_BYTES_MIN);
    if (user == NULL) {
        return NULL;
    }
    struct heap_pool_block *b = block_of(p, user);
    uintptr_t aligned = ((uintptr_t)user + alignment - 1u) & ~(alignment - 1u);
    if (aligned != (uintptr_t)user && aligned - (uintptr_t)user < BLOCK_BYTES_MIN) {
        aligned += (BLOCK_BYTES_MIN + alignment - 1u) & ~(alignment - 1u);
    }
    uint32_t gap = (uint32_t)(aligned - (uintptr_t)user);
    if (gap != 0) {
        uint32_t size = size_of(b);
        set_size(b, gap, IN_USE);
        struct heap_pool_block *kept = after(b);
        kept->previous_size = gap;
        set_size(kept, size - gap, IN_USE);
        p->used_bytes -= gap;
        release(p, b);
        b = kept;
    }
    give_back_tail(p, b, block_bytes(p, bytes));
    return user_of(b);
}

static bool grow_in_place(struct heap_pool *p, struct heap_pool_block *b, uint32_t size)
{
    struct heap_pool_block *n = after(b);
    require_intact(n);
    if (is_used(n) || size_of(b) + size_of(n) < size) {
        return false;
    }
    uint32_t gained = size_of(n);
    unhang(p, n);
    n->check = 0;
    set_size(b, size_of(b) + gained, IN_USE);
    p->used_bytes += gained;
    give_back_tail(p, b, size);
    count_used(p, 0);
    return true;
}

void *heap_pool_resize(struct heap_pool *p, void *block, size_t bytes)
{
    struct heap_pool_block *b = block_of(p, block);
    uint32_t size = block_bytes(p, bytes);
    p->requests++;
    if (size != 0 && size <= size_of(b)) {
        give_back_tail(p, b, size);
        return block;
    }
    if (size != 0 && grow_in_place(p, b, size)) {
        return block;
    }
    struct heap_pool_block *moved = take(p, size);
    if (moved == NULL) {
        p->failures++;
        return NULL;
    }
    memcpy(user_of(moved), block, size_of(b) - HEADER_BYTES);
    heap_pool_free(p, block);
    return user_of(moved);
}

void heap_pool_free(struct heap_pool *p, void *block)
{
    if (block == NULL) {
        return;
    }
    struct heap_pool_block *b = block_of(p, block);
    uint32_t size = size_of(b);
    if (size <= HEAP_POOL_WIPE_BYTES_MAX) {
        memset(block, 0, size - HEADER_BYTES);
    }
    p->used_bytes -= size;
    release(p, b);
}

size_t heap_pool_usable(const struct heap_pool *p, const void *block)
{
    return size_of(block_of(p, block)) - HEADER_BYTES;
}

void heap_pool_each_unused(struct heap_pool *p, heap_pool_visit *visit)
{
    for (unsigned row = 0; row < HEAP_POOL_ROWS; row++) {
        for (unsigned column = 0; column < HEAP_POOL_COLUMNS; column++) {
            for (struct heap_pool_block *b = p->free_lists[row][column]; b != NULL; b = b->next) {
                visit((unsigned char *)b + sizeof(*b), size_of(b) - sizeof(*b));
            }
        }
    }
}

void heap_pool_verify(const struct heap_pool *p)
{
    uint32_t used = 0;
    uint32_t at = 0;
    bool previous_free = false;
    while (at < p->bytes) {
        const struct heap_pool_block *b = (const struct heap_pool_block *)(p->base + at);
        require_intact(b);
        ASSERT(size_of(b) >= HEADER_BYTES && size_of(b) <= p->bytes - at);
        ASSERT(is_used(b) || !previous_free);
        bool fence = at == 0 || at + size_of(b) == p->bytes;
        used += is_used(b) && !fence ? size_of(b) : 0u;
        previous_free = !is_used(b);
        at += size_of(b);
    }
    ASSERT(at == p->bytes);
    ASSERT(used == p->used_bytes && used <= p->peak_bytes);
}

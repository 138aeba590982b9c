// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/seeded.h"

#define NODES_MAX   4096u
#define ENTRIES_MAX 256u
#define PENDING_MAX 65536u
#define GRAIN_BYTES 8u // of a torn sector
#define ROOM_BYTES  65536u
#define NODE_NONE   UINT32_MAX

struct file {
    uint8_t *bytes;          // flushed contents, up to the end of what was ever written
    size_t bytes_room, used; // both whole sectors
    uint64_t size;
    uint16_t mode;
    bool is_dir;
};

struct entry {
    uint32_t dir, node;
    char name[TRACE_NAME_BYTES];
};

struct tree {
    struct entry entries[ENTRIES_MAX];
    uint32_t count;
};

struct sector {
    uint32_t node, number;
    const uint8_t *bytes;
};

struct size {
    uint32_t node;
    uint64_t bytes;
};

struct disk {
    struct file files[NODES_MAX];
    struct tree tree; // flushed
    struct sector sectors[PENDING_MAX];
    struct size sizes[PENDING_MAX];
    const struct trace_op *names[PENDING_MAX];
    uint32_t sectors_count, sizes_count, names_count;
    bool torn;
};

static struct disk the_disk;

struct disk *disk_begin(void)
{
    return &the_disk; // all zero: a process has one
}

void disk_torn(struct disk *d, bool torn)
{
    d->torn = torn;
}

uint32_t disk_pending(const struct disk *d)
{
    return d->sectors_count + d->sizes_count + d->names_count;
}

static void must(bool true_, const char *what)
{
    if (!true_) {
        (void)fprintf(stderr, "disk: %s\n", what);
        abort();
    }
}

// ---- names ------------------------------------------------------------------

static struct entry *find(struct tree *t, uint32_t dir, const char *name)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->entries[i].dir == dir && strcmp(t->entries[i].name, name) == 0) {
            return &t->entries[i];
        }
    }
    return NULL;
}

static void put(struct tree *t, uint32_t dir, const char *name, uint32_t node)
{
    struct entry *e = find(t, dir, name);
    if (e == NULL) {
        must(t->count < ENTRIES_MAX, "too many names");
        e = &t->entries[t->count++];
        e->dir = dir;
        memcpy(e->name, name, TRACE_NAME_BYTES);
    }
    e->node = node;
}

static void drop(struct tree *t, uint32_t dir, const char *name)
{
    struct entry *e = find(t, dir, name);
    if (e != NULL) {
        *e = t->entries[--t->count];
    }
}

static void apply_name(struct tree *t, const struct trace_op *op)
{
    if (op->kind == TRACE_CREATE) {
        put(t, op->node, op->name, op->made);
    } else if (op->kind == TRACE_REMOVE) {
        drop(t, op->node, op->name);
    } else {
        const struct entry *e = find(t, op->node, op->name);
        uint32_t node = e == NULL ? NODE_NONE : e->node;
        drop(t, op->node, op->name);
        if (node != NODE_NONE) {
            put(t, op->made, op->to_name, node);
        }
    }
}

static bool names_dir(const struct trace_op *op, uint32_t dir)
{
    return op->node == dir || (op->kind == TRACE_RENAME && op->made == dir);
}

static void add_name(struct disk *d, const struct trace_op *op)
{
    must(d->names_count < PENDING_MAX, "too many names");
    d->names[d->names_count++] = op;
}

// Only the names in that directory are safe: a file system without a journal owes no more.
static void flush_names(struct disk *d, uint32_t dir)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->names_count; i++) {
        if (names_dir(d->names[i], dir)) {
            apply_name(&d->tree, d->names[i]);
        } else {
            d->names[kept++] = d->names[i];
        }
    }
    d->names_count = kept;
}

static bool same_place(uint32_t dir, const char *name, uint32_t other, const char *other_name)
{
    return dir == other && strcmp(name, other_name) == 0;
}

static bool share_a_name(const struct trace_op *a, const struct trace_op *b)
{
    bool to = b->kind == TRACE_RENAME;
    if (same_place(a->node, a->name, b->node, b->name) ||
        (to && same_place(a->node, a->name, b->made, b->to_name))) {
        return true;
    }
    return a->kind == TRACE_RENAME &&
           (same_place(a->made, a->to_name, b->node, b->name) ||
            (to && same_place(a->made, a->to_name, b->made, b->to_name)));
}

// A name never skips a step: what follows on something that did not happen did not happen either.
static bool follows_a_gap(const struct disk *d, const bool *happened, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++) {
        if (!happened[k] && share_a_name(d->names[k], d->names[i])) {
            return true;
        }
    }
    return false;
}

static void choose_names(const struct disk *d, struct disk_choice choice, struct tree *t)
{
    static bool happened[PENDING_MAX];
    uint64_t seed = choice.seed;
    bool journal = seeded_below(&seed, 2) == 0;
    uint32_t first = seeded_below(&seed, d->names_count + 1u);
    for (uint32_t i = 0; i < d->names_count; i++) {
        bool by_chance = journal ? i < first : seeded_below(&seed, 2) == 0;
        happened[i] = (choice.number == 1u || (choice.number > 1u && by_chance)) &&
                      !follows_a_gap(d, happened, i);
        if (happened[i]) {
            apply_name(t, d->names[i]);
        }
    }
}

// ---- contents ---------------------------------------------------------------

// Pages of its own: the allocator may be the one of what is tested, which has few.
static void make_room(struct file *f, size_t bytes)
{
    size_t room = (bytes + bytes / 2u) / ROOM_BYTES * ROOM_BYTES + ROOM_BYTES;
    void *p = f->bytes == NULL
                  ? mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                  : mremap(f->bytes, f->bytes_room, room, MREMAP_MAYMOVE);
    must(p != MAP_FAILED, "no memory");
    f->bytes = p;
    f->bytes_room = room;
}

static void put_sector(struct file *f, uint32_t number, const uint8_t *bytes)
{
    size_t end = ((size_t)number + 1u) * TRACE_SECTOR_BYTES;
    if (end > f->bytes_room) {
        make_room(f, end);
    }
    f->used = end > f->used ? end : f->used;
    memcpy(f->bytes + end - TRACE_SECTOR_BYTES, bytes, TRACE_SECTOR_BYTES);
}

static void add_sector(struct disk *d, uint32_t node, uint32_t number, const uint8_t *bytes)
{
    must(d->sectors_count < PENDING_MAX, "too many sectors");
    d->sectors[d->sectors_count++] =
        (struct sector){.node = node, .number = number, .bytes = bytes};
}

static uint64_t newest_size(const struct disk *d, uint32_t node)
{
    uint64_t size = d->files[node].size;
    for (uint32_t i = 0; i < d->sizes_count; i++) {
        size = d->sizes[i].node == node ? d->sizes[i].bytes : size;
    }
    return size;
}

static void resize(struct disk *d, uint32_t node, uint64_t bytes)
{
    static const uint8_t zeros[TRACE_SECTOR_BYTES];
    uint64_t before = newest_size(d, node);
    if (bytes == before) {
        return;
    }
    must(d->sizes_count < PENDING_MAX, "too many sizes");
    d->sizes[d->sizes_count++] = (struct size){.node = node, .bytes = bytes};
    // What was cut off reads as zeros if the file grows again.
    for (uint64_t at = (bytes + TRACE_SECTOR_BYTES - 1u) / TRACE_SECTOR_BYTES;
         at * TRACE_SECTOR_BYTES < before;
         at++) {
        add_sector(d, node, (uint32_t)at, zeros);
    }
}

static void flush_sectors(struct disk *d, uint32_t node, uint32_t from, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->sectors_count; i++) {
        const struct sector *s = &d->sectors[i];
        if (s->node == node && s->number >= from && s->number - from < count) {
            put_sector(&d->files[node], s->number, s->bytes);
        } else {
            d->sectors[kept++] = *s;
        }
    }
    d->sectors_count = kept;
}

static void flush_size(struct disk *d, uint32_t node)
{
    uint32_t kept = 0;
    d->files[node].size = newest_size(d, node);
    for (uint32_t i = 0; i < d->sizes_count; i++) {
        if (d->sizes[i].node != node) {
            d->sizes[kept++] = d->sizes[i];
        }
    }
    d->sizes_count = kept;
}

void disk_start(struct disk *d, const struct trace_op *op)
{
    switch (op->kind) {
    case TRACE_WRITE:
        for (uint32_t i = 0; i < op->sectors; i++) {
            add_sector(d, op->node, op->sector + i, op->bytes + (size_t)i * TRACE_SECTOR_BYTES);
        }
        resize(d, op->node, op->file_bytes);
        return;
    case TRACE_SIZE:
        resize(d, op->node, op->file_bytes);
        return;
    case TRACE_CREATE:
        d->files[op->made].is_dir = op->is_dir;
        d->files[op->made].mode = op->mode;
        add_name(d, op);
        return;
    case TRACE_REMOVE:
    case TRACE_RENAME:
        add_name(d, op);
        return;
    default:
        return;
    }
}

void disk_finish(struct disk *d, const struct trace_op *op)
{
    if (op->kind == TRACE_WRITE && op->at_once) {
        flush_sectors(d, op->node, op->sector, op->sectors);
        flush_size(d, op->node);
    } else if (op->kind == TRACE_SYNC) {
        flush_sectors(d, op->node, 0, UINT32_MAX);
        flush_size(d, op->node);
    } else if (op->kind == TRACE_SYNC_DIR) {
        flush_names(d, op->node);
    }
}

// ---- one state --------------------------------------------------------------

struct dice {
    uint32_t number, pattern, count, the_one;
    uint64_t seed;
};

static struct dice dice_for(const struct disk *d, struct disk_choice choice)
{
    struct dice dice = {.number = choice.number, .seed = choice.seed ^ 0x5ec7035u};
    dice.pattern = seeded_below(&dice.seed, 5);
    dice.the_one = d->sectors_count == 0 ? 0 : seeded_below(&dice.seed, d->sectors_count);
    return dice;
}

// Is the next pending sector on the device?
static bool falls(struct dice *dice)
{
    uint32_t eighths = seeded_below(&dice->seed, 8);
    bool is_the_one = dice->count++ == dice->the_one;
    if (dice->number < 2u) {
        return dice->number == 1u;
    }
    switch (dice->pattern) {
    case 0:
        return is_the_one;
    case 1:
        return !is_the_one;
    case 2:
        return eighths == 0;
    case 3:
        return eighths != 0;
    default:
        return eighths < 4u;
    }
}

// Any size that the file had since its last flush.
static uint64_t choose_size(const struct disk *d, uint32_t node, struct disk_choice choice)
{
    uint64_t seed = choice.seed + node;
    uint64_t size = d->files[node].size;
    uint32_t sizes = 0;
    for (uint32_t i = 0; i < d->sizes_count; i++) {
        sizes += d->sizes[i].node == node;
    }
    uint32_t chosen = choice.number == 0   ? 0
                      : choice.number == 1 ? sizes
                                           : seeded_below(&seed, sizes + 1u);
    for (uint32_t i = 0; i < d->sizes_count && chosen > 0; i++) {
        if (d->sizes[i].node == node) {
            size = d->sizes[i].bytes;
            chosen--;
        }
    }
    return size;
}

static bool write_sector(int fd, const struct sector *s, bool torn, struct dice *dice)
{
    uint8_t mixed[TRACE_SECTOR_BYTES];
    off_t at = (off_t)s->number * TRACE_SECTOR_BYTES;
    memcpy(mixed, s->bytes, sizeof(mixed));
    if (torn && dice->number > 1u) {
        uint8_t before[TRACE_SECTOR_BYTES] = {0};
        ssize_t got = pread(fd, before, sizeof(before), at);
        for (size_t i = 0; got >= 0 && i < sizeof(mixed); i += GRAIN_BYTES) {
            if (seeded_below(&dice->seed, 2) == 0) {
                memcpy(mixed + i, before + i, GRAIN_BYTES);
            }
        }
    }
    return pwrite(fd, mixed, sizeof(mixed), at) == (ssize_t)sizeof(mixed);
}

static bool write_file(const struct disk *d, uint32_t node, struct disk_choice choice, int fd)
{
    const struct file *f = &d->files[node];
    struct dice dice = dice_for(d, choice);
    bool good = f->used == 0 || pwrite(fd, f->bytes, f->used, 0) == (ssize_t)f->used;
    for (uint32_t i = 0; i < d->sectors_count && good; i++) {
        bool there = falls(&dice);
        if (there && d->sectors[i].node == node) {
            good = write_sector(fd, &d->sectors[i], d->torn, &dice);
        }
    }
    return good && ftruncate(fd, (off_t)choose_size(d, node, choice)) == 0;
}

static bool write_dir(
    const struct disk *d, struct disk_choice choice, const struct tree *t, uint32_t dir, int dir_fd)
{
    bool good = dir_fd >= 0;
    for (uint32_t i = 0; i < t->count && good; i++) {
        const struct entry *e = &t->entries[i];
        const struct file *f = &d->files[e->node];
        if (e->dir != dir) {
            continue;
        }
        int fd = -1;
        if (f->is_dir) {
            good = mkdirat(dir_fd, e->name, f->mode) == 0;
            fd = openat(dir_fd, e->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            good = good && write_dir(d, choice, t, e->node, fd);
        } else {
            fd = openat(dir_fd, e->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, f->mode);
            good = fd >= 0 && write_file(d, e->node, choice, fd);
        }
        (void)close(fd);
    }
    return good;
}

bool disk_write(const struct disk *d, struct disk_choice choice, const char *dir)
{
    static struct tree chosen;
    chosen = d->tree;
    choose_names(d, choice, &chosen);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = write_dir(d, choice, &chosen, TRACE_ROOT, fd);
    (void)close(fd);
    return good;
}

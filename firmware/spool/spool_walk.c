// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The walk over a whole store, in the child process of spool_check.c: what is damaged can crash it.
 * Checked: the trees can be walked, keys ascend, every value has its format and checksum, events
 * have no gaps, positions and the next sequence number fit to them, page numbers and counts are
 * right wherever LMDB frees pages by them, free pages are inside the file, none is also used.
 */
#include <errno.h>
#include <string.h>

#include <sys/stat.h>

#include "base/assert.h"

#include "spool/spool_db.h"

#define FREE_PAGES_DBI  0u
#define FIRST_DATA_PAGE 2u
// Pages that are neither used nor free are lost, which is no danger: up to one in so many is let
// pass.
#define LOST_SHARE 16u
// Of LMDB's page header (data version 1): number, 4 bytes of flags, count of pages of a large
// value.
#define PAGE_COUNT_AT     (sizeof(size_t) + 4u)
#define PAGE_HEADER_BYTES (sizeof(size_t) + 8u)

const char walk_no_memory[] = "memory";

struct walk {
    MDB_txn *txn;
    unsigned dbi[SPOOL_TABLES];
    unsigned table;
    uint64_t next_seq; // by the meta row
    uint64_t last_page;
    uint64_t pages;       // used and free ones
    uint64_t large_pages; // of the values of this tree that have pages of their own
    size_t page_bytes;
    uintptr_t map;     // where the file is mapped; 0: not known yet
    uint64_t expected; // sequence number of the next block; 0: not known yet
};

typedef const char *(*check_pair)(struct walk *w, MDB_val key, MDB_val value);

static const char *check_event(struct walk *w, MDB_val key, MDB_val value)
{
    struct event_block block;
    if (event_read(key, value, &block) != RC_OK) {
        return "event checksum";
    }
    if (w->expected != 0 && block.first_seq != w->expected) {
        return "event gap";
    }
    w->expected = block.first_seq + block.count;
    return NULL;
}

static const char *check_row(struct walk *w, MDB_val key, MDB_val value)
{
    struct span payload;
    if (key.mv_size == 0 || key.mv_size > SPOOL_KEY_BYTES_MAX) {
        return "row key";
    }
    if (row_read(w->table, db_span(key), value, &payload) != RC_OK) {
        return "row checksum";
    }
    if (w->table == SPOOL_SINK) {
        struct reader r = {.left = payload, .short_ = false};
        if (reader_be64(&r) >= w->next_seq || !reader_ok(&r)) {
            return "sink position";
        }
    }
    return NULL;
}

// A row of the free list: a count and so many page numbers, descending, in the machine's own byte
// order.
static const char *check_free(struct walk *w, MDB_val key, MDB_val value)
{
    size_t count;
    size_t page;
    uint64_t before = UINT64_MAX;
    if (key.mv_size != sizeof(size_t) || value.mv_size < sizeof(size_t)) {
        return "free list";
    }
    memcpy(&count, value.mv_data, sizeof(count));
    if (count > value.mv_size / sizeof(size_t) - 1u) {
        return "free list";
    }
    for (size_t i = 1; i <= count; i++) {
        memcpy(&page, (const char *)value.mv_data + i * sizeof(page), sizeof(page));
        if (page >= before || page < FIRST_DATA_PAGE || page > w->last_page) {
            return "free list";
        }
        before = page;
    }
    w->pages += count;
    return NULL;
}

// Number of the page that a pointer into the map points into must be where the page is: LMDB frees
// pages by that number.
static bool page_is_in_place(struct walk *w, const void *in_page)
{
    size_t number;
    uintptr_t page = (uintptr_t)in_page / w->page_bytes * w->page_bytes;
    memcpy(&number, (const void *)page, sizeof(number));
    if (number > w->last_page) {
        return false;
    }
    uintptr_t map = page - (uintptr_t)number * w->page_bytes;
    w->map = w->map == 0 ? map : w->map;
    return map == w->map;
}

// A large value has pages of its own, whose header says how many: so many are freed with it.
static bool pages_are_right(struct walk *w, MDB_val key, MDB_val value)
{
    uint32_t pages;
    uintptr_t page = (uintptr_t)value.mv_data - PAGE_HEADER_BYTES;
    if (!page_is_in_place(w, key.mv_data)) {
        return false;
    }
    if (page % w->page_bytes != 0) {
        return true; // stands in the leaf, beside its key
    }
    memcpy(&pages, (const char *)page + PAGE_COUNT_AT, sizeof(pages));
    w->large_pages += pages;
    return page_is_in_place(w, value.mv_data) &&
           pages == (PAGE_HEADER_BYTES + value.mv_size + w->page_bytes - 1u) / w->page_bytes;
}

static const char *walk_tree(struct walk *w, unsigned dbi, check_pair check)
{
    MDB_stat st;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    struct span last = SPAN_NONE;
    const char *wrong = NULL;
    int opened = mdb_stat(w->txn, dbi, &st);
    opened = opened != 0 ? opened : mdb_cursor_open(w->txn, dbi, &cursor);
    if (opened != 0) {
        return opened == ENOMEM ? walk_no_memory : "table";
    }
    w->pages += st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
    w->page_bytes = st.ms_psize;
    w->large_pages = 0;
    size_t visited = 0;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0 && wrong == NULL && visited <= st.ms_entries; visited++) {
        // The free list's keys are integers in the machine's byte order, which do not ascend as
        // bytes.
        bool ascends =
            dbi == FREE_PAGES_DBI || last.ptr == NULL || key_compare(last, db_span(key)) < 0;
        wrong = !ascends                          ? "key order"
                : !pages_are_right(w, key, value) ? "page"
                                                  : check(w, key, value);
        last = db_span(key);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (wrong == NULL && (code != MDB_NOTFOUND || visited != st.ms_entries)) {
        wrong = "tree";
    }
    if (wrong == NULL && w->large_pages != st.ms_overflow_pages) {
        wrong = "page count";
    }
    return wrong;
}

// What the file says of its own size: it is never shorter than its last page, and no page is both
// used and free.
static const char *check_size(const struct walk *w, MDB_env *env)
{
    int fd;
    struct stat st;
    MDB_stat names;
    MDB_dbi dbi;
    if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &st) != 0 ||
        mdb_dbi_open(w->txn, NULL, 0, &dbi) != 0 || mdb_stat(w->txn, dbi, &names) != 0) {
        return "header";
    }
    if ((uint64_t)st.st_size / names.ms_psize <= w->last_page) {
        return "file size";
    }
    uint64_t pages = w->pages + names.ms_branch_pages + names.ms_leaf_pages;
    uint64_t all = w->last_page + 1u;
    pages += FIRST_DATA_PAGE;
    return pages > all || pages < all - all / LOST_SHARE ? "page count" : NULL;
}

static const char *walk_tables(struct walk *w)
{
    const char *wrong = walk_tree(w, FREE_PAGES_DBI, check_free);
    w->table = SPOOL_EVENTS;
    wrong = wrong != NULL ? wrong : walk_tree(w, w->dbi[SPOOL_EVENTS], check_event);
    if (wrong == NULL && w->expected != 0 && w->expected != w->next_seq) {
        wrong = "next sequence number";
    }
    for (w->table = SPOOL_EVENTS + 1u; w->table < SPOOL_TABLES && wrong == NULL; w->table++) {
        wrong = walk_tree(w, w->dbi[w->table], check_row);
    }
    return wrong;
}

const char *walk_store(MDB_env *env)
{
    MDB_envinfo info;
    struct meta meta;
    struct walk w = {.expected = 0};
    int code = mdb_env_info(env, &info);
    code = code != 0 ? code : mdb_txn_begin(env, NULL, MDB_RDONLY, &w.txn);
    if (code != 0) {
        return code == ENOMEM ? walk_no_memory : "header";
    }
    w.last_page = info.me_last_pgno;
    enum rc rc = meta_get(w.txn, &meta);
    const char *wrong = NULL;
    if (rc != RC_OK) {
        wrong = rc == RC_UNSUPPORTED ? "format" : rc == RC_RETRY ? walk_no_memory : "meta";
    } else if ((code = db_open_tables(w.txn, 0, w.dbi)) != 0) {
        wrong = code == ENOMEM ? walk_no_memory : "tables";
    } else {
        w.next_seq = meta.next_seq;
        wrong = walk_tables(&w);
        wrong = wrong != NULL ? wrong : check_size(&w, env);
    }
    mdb_txn_abort(w.txn);
    return wrong;
}

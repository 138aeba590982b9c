// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The check of a whole store before it is trusted. LMDB believes what its file says: a damaged
 * one can make it read outside the map or go in circles. That happens in a child process, which
 * may crash or be stopped without harm.
 * Checked: the trees can be walked, keys ascend, every value has its format and checksum, events
 * have no gaps, positions and the next sequence number fit to them, free pages are inside the
 * file and not listed twice in one row.
 */
#include <errno.h>
#include <string.h>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

#include "spool/spool_db.h"

#define CHECK_MS_MAX      60000
#define REASON_BYTES_MAX  48u
#define INTERRUPTIONS_MAX 16
#define FREE_PAGES_DBI    0u
#define FIRST_DATA_PAGE   2u

struct walk {
    MDB_txn *txn;
    unsigned dbi[SPOOL_TABLES];
    unsigned table;
    uint64_t next_seq; // by the meta row
    uint64_t last_page;
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
    return NULL;
}

static const char *walk_tree(struct walk *w, unsigned dbi, check_pair check)
{
    MDB_stat st;
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    struct span last = SPAN_NONE;
    const char *wrong = NULL;
    if (mdb_stat(w->txn, dbi, &st) != 0 || mdb_cursor_open(w->txn, dbi, &cursor) != 0) {
        return "table";
    }
    size_t visited = 0;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0 && wrong == NULL && visited <= st.ms_entries; visited++) {
        // The free list's keys are integers in the machine's byte order, which do not ascend as
        // bytes.
        bool ascends =
            dbi == FREE_PAGES_DBI || last.ptr == NULL || key_compare(last, db_span(key)) < 0;
        wrong = ascends ? check(w, key, value) : "key order";
        last = db_span(key);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (wrong == NULL && (code != MDB_NOTFOUND || visited != st.ms_entries)) {
        wrong = "tree";
    }
    return wrong;
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

static const char *walk_store(MDB_env *env)
{
    MDB_envinfo info;
    struct meta meta;
    struct walk w = {.expected = 0};
    if (mdb_env_info(env, &info) != 0 || mdb_txn_begin(env, NULL, MDB_RDONLY, &w.txn) != 0) {
        return "header";
    }
    w.last_page = info.me_last_pgno;
    enum rc rc = meta_get(w.txn, &meta);
    const char *wrong = NULL;
    if (rc != RC_OK) {
        wrong = rc == RC_UNSUPPORTED ? "format" : "meta";
    } else if (db_open_tables(w.txn, 0, w.dbi) != 0) {
        wrong = "tables";
    } else {
        w.next_seq = meta.next_seq;
        wrong = walk_tables(&w);
    }
    mdb_txn_abort(w.txn);
    return wrong;
}

// What says nothing about the store: no memory, no rights, no descriptors.
static bool is_system_failure(int code)
{
    return code == ENOMEM || code == EACCES || code == EPERM || code == EMFILE || code == ENFILE ||
           code == EROFS;
}

_Noreturn static void child(const char *path, uint64_t map_bytes, int fd)
{
    MDB_env *env;
    char verdict = CHECK_GOOD;
    const char *wrong = NULL;
    // A crash is an answer here, not an accident to be reported.
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    (void)signal(SIGABRT, SIG_DFL);
    int code = db_open_env(path, map_bytes, MDB_RDONLY, &env);
    if (code != 0) {
        verdict = is_system_failure(code) ? CHECK_FAILED : CHECK_BROKEN;
        wrong = code == MDB_VERSION_MISMATCH ? "format" : "header";
    } else {
        wrong = walk_store(env);
        verdict = wrong == NULL ? CHECK_GOOD : CHECK_BROKEN;
    }
    char message_bytes[1u + REASON_BYTES_MAX];
    struct buf message = BUF(message_bytes);
    buf_put_char(&message, verdict);
    buf_put_str(&message, wrong == NULL ? "" : wrong);
    ssize_t written = write(fd, message.ptr, message.len);
    _exit(written == (ssize_t)message.len ? 0 : 1);
}

// The child says everything in one write, or dies and closes the pipe by that.
static size_t wait_for_answer(int fd, char *answer, size_t cap)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = -1;
    for (int i = 0; i < INTERRUPTIONS_MAX && ready < 0; i++) {
        ready = poll(&p, 1, CHECK_MS_MAX);
    }
    ssize_t got = ready > 0 ? read(fd, answer, cap) : 0;
    return got > 0 ? (size_t)got : 0;
}

static void reap(pid_t pid)
{
    int status;
    (void)kill(pid, SIGKILL); // has answered, has died, or has taken too long
    for (int i = 0; i < INTERRUPTIONS_MAX && waitpid(pid, &status, 0) < 0 && errno == EINTR; i++) {
    }
}

enum check_verdict check_store(const char *path, uint64_t map_bytes, struct buf *reason)
{
    int ends[2];
    char answer[1u + REASON_BYTES_MAX];
    if (pipe(ends) != 0) {
        return CHECK_FAILED;
    }
    pid_t pid = fork();
    if (pid < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return CHECK_FAILED;
    }
    if (pid == 0) {
        (void)close(ends[0]);
        child(path, map_bytes, ends[1]);
    }
    (void)close(ends[1]);
    size_t got = wait_for_answer(ends[0], answer, sizeof(answer));
    (void)close(ends[0]);
    reap(pid);
    if (got == 0) {
        buf_put_str(reason, "crash");
        return CHECK_BROKEN;
    }
    if (answer[0] == CHECK_BROKEN) {
        buf_put(reason, (struct span){.ptr = answer + 1, .len = got - 1u});
    }
    return (enum check_verdict)answer[0];
}

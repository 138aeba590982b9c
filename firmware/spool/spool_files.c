// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The store's directory: made under another name and renamed when it is whole, set aside when it
 * is broken.
 *   spool.lock        held while a process has the store open
 *   spool/data.mdb    the store
 *   spool.new/        one in the making; what a crash left of it is removed
 *   spool.broken-<n>  the newest broken one, for someone to look at
 */
#include <errno.h>
#include <stdio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "hal/entropy.h"

#include "spool/spool_db.h"

#define NEW_SUFFIX      ".new"
#define NEW_NAME        SPOOL_DIR NEW_SUFFIX
#define DIR_MODE        0700
#define FILE_MODE       0600
#define BROKEN_MAX      99u
#define NAME_BYTES_MAX  32u
#define FIRST_MAP_BYTES (1024u * 1024u) // of the empty store, until it is opened

static enum rc probe(int dir_fd, const char *name)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return RC_OK;
    }
    return errno == ENOENT ? RC_NOTFOUND : RC_IO;
}

RC files_probe(int dir_fd)
{
    return probe(dir_fd, SPOOL_DIR);
}

// A store, or a file where a store should be. What else may lie in the directory is not ours to
// delete: then it stays.
static void remove_store(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        (void)unlinkat(dir_fd, name, 0);
        return;
    }
    (void)unlinkat(fd, "data.mdb", 0);
    (void)unlinkat(fd, "lock.mdb", 0);
    (void)close(fd);
    (void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static void broken_name(unsigned n, char name[static NAME_BYTES_MAX])
{
    struct buf b = buf_of(name, NAME_BYTES_MAX);
    buf_put_str(&b, SPOOL_DIR ".broken-");
    buf_put_u64(&b, n);
    bool fits = buf_terminate(&b);
    ASSERT(fits);
}

RC files_set_aside(int dir_fd)
{
    char name[NAME_BYTES_MAX];
    unsigned newest = 0;
    for (unsigned n = 1; n <= BROKEN_MAX; n++) {
        broken_name(n, name);
        newest = probe(dir_fd, name) == RC_OK ? n : newest;
    }
    if (newest == BROKEN_MAX) {
        remove_store(dir_fd, name);
        newest = 0;
    }
    broken_name(newest + 1u, name);
    if (renameat(dir_fd, SPOOL_DIR, dir_fd, name) != 0 || fsync(dir_fd) != 0) {
        return RC_IO;
    }
    for (unsigned n = 1; n <= BROKEN_MAX; n++) {
        if (n != newest + 1u) {
            broken_name(n, name);
            remove_store(dir_fd, name);
        }
    }
    return RC_OK;
}

static int fill(MDB_txn *txn)
{
    uint8_t random[GUID_BYTES];
    unsigned dbi[SPOOL_TABLES];
    struct meta meta = {.next_seq = 1};
    struct buf guid = BUF(meta.guid);
    hal_entropy_fill(random, sizeof(random));
    buf_put_guid(&guid, random);
    ASSERT(buf_ok(&guid));
    int code = db_open_tables(txn, MDB_CREATE, dbi);
    return code != 0 ? code : meta_put(txn, &meta);
}

static enum rc make_empty(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    int code = db_open_env(path, FIRST_MAP_BYTES, 0, &env);
    if (code != 0) {
        return db_rc(code);
    }
    code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code == 0) {
        code = fill(txn);
        if (code == 0) {
            code = mdb_txn_commit(txn);
        } else {
            mdb_txn_abort(txn);
        }
    }
    mdb_env_close(env);
    return db_rc(code);
}

static enum rc sync_directory(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return RC_IO;
    }
    int code = fsync(fd);
    (void)close(fd);
    return code == 0 ? RC_OK : RC_IO;
}

RC files_create(struct spool *s, int dir_fd)
{
    char path[SPOOL_PATH_BYTES_MAX + 8u];
    struct buf b = BUF(path);
    buf_put_str(&b, s->path); // ends with the store's name
    buf_put_str(&b, NEW_SUFFIX);
    bool fits = buf_terminate(&b);
    ASSERT(fits);
    remove_store(dir_fd, NEW_NAME);
    if (mkdirat(dir_fd, NEW_NAME, DIR_MODE) != 0) {
        return RC_IO;
    }
    enum rc rc = make_empty(path);
    rc = rc != RC_OK ? rc : sync_directory(dir_fd, NEW_NAME);
    if (rc == RC_OK && (renameat(dir_fd, NEW_NAME, dir_fd, SPOOL_DIR) != 0 || fsync(dir_fd) != 0)) {
        rc = RC_IO;
    }
    if (rc != RC_OK) {
        remove_store(dir_fd, NEW_NAME);
        return RC_IO;
    }
    return RC_OK;
}

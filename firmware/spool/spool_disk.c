// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Disk space is taken before it is needed: on a full disk a commit is refused before it begins, and
 * what is left lets the sinks acknowledge and so make room. A file that has its length already also
 * spares the flushes the update of its size.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "spool/spool_db.h"

#define DISK_AHEAD_BYTES (1024u * 1024u) // more than a commit and an ack can add

// Make the file so long, by taking disk space that is not written yet.
static enum rc extend(struct spool *s, uint64_t wanted)
{
    struct stat st;
    int fd;
    if (mdb_env_get_fd(s->env, &fd) != 0 || fstat(fd, &st) != 0) {
        return RC_IO;
    }
    s->file_bytes = (uint64_t)st.st_size;
    if (wanted <= s->file_bytes) {
        return RC_OK;
    }
    int code = posix_fallocate(fd, st.st_size, (off_t)(wanted - s->file_bytes));
    if (code == 0) {
        s->file_bytes = wanted;
        return RC_OK;
    }
    // Where it is not offered, the write itself tells that the disk is full.
    return db_rc(code) == RC_FULL ? RC_FULL : RC_OK;
}

static uint64_t bytes_with_reserve(const struct spool *s, uint64_t pages, uint64_t map_bytes)
{
    uint64_t bytes = pages * s->page_bytes + DISK_AHEAD_BYTES;
    return bytes < map_bytes ? bytes : map_bytes;
}

RC db_reserve_disk(struct spool *s)
{
    MDB_envinfo info;
    if (s->env == NULL) {
        return RC_OK; // the commit opens it; the one after reserves
    }
    if (mdb_env_info(s->env, &info) != 0) {
        return RC_IO;
    }
    uint64_t wanted = bytes_with_reserve(s, info.me_last_pgno + 1u, info.me_mapsize);
    if (wanted <= s->file_bytes) {
        return RC_OK;
    }
    uint64_t twice = wanted + DISK_AHEAD_BYTES; // not again with the next commit
    enum rc rc = extend(s, twice < info.me_mapsize ? twice : info.me_mapsize);
    if (rc == RC_FULL &&
        bytes_with_reserve(s, s->counts.used_pages, info.me_mapsize) <= s->file_bytes) {
        return RC_OK; // the file cannot grow, but has as much free inside
    }
    return rc;
}

// SPDX-License-Identifier: Apache-2.0
// Apart from the rest: who only wants to know whether the store is in use links no database.
#include "spool/spool_claim.h"

#include <errno.h>
#include <stdbool.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME  "spool.lock"
#define STORE_NAME "spool/data.mdb"
#define FILE_MODE  0600

// A lock of the process, not of the open file: flock's would live on in the child that checks the
// store, and a start right after a kill would find it taken.
RC spool_claim(int dir_fd, int *lock_fd)
{
    const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return RC_IO;
    }
    if (fcntl(fd, F_SETLK, &whole) != 0) {
        enum rc rc = errno == EAGAIN || errno == EACCES ? RC_AGAIN : RC_IO;
        (void)close(fd);
        return rc;
    }
    *lock_fd = fd;
    return RC_OK;
}

uint64_t spool_file_bytes(int dir_fd)
{
    struct stat st;
    bool there = fstatat(dir_fd, STORE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;

    return there && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

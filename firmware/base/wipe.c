// SPDX-License-Identifier: Apache-2.0
#include "base/wipe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX   8u
#define STEPS_MAX   65536u
#define BLOCK_BYTES 16384u
#define DIR_FLAGS   (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct entry {
    char name[WIPE_NAME_BYTES];
    bool is_dir;
};

static RC failed(struct wipe *w, const char *name)
{
    int error = errno;
    (void)snprintf(w->at, sizeof(w->at), "%s", name);
    return error == EACCES || error == EPERM ? RC_DENIED : RC_IO;
}

static void wait_a_little(const struct wipe *w)
{
    if (w->while_waiting != NULL) {
        w->while_waiting(w->context);
    }
}

static bool is_like(const char *name, const char *pattern)
{
    size_t len = strlen(pattern);
    bool begins = len > 0 && pattern[len - 1u] == '*';
    return begins ? strncmp(name, pattern, len - 1u) == 0 : strcmp(name, pattern) == 0;
}

static bool is_meant(const struct wipe *w, const char *name)
{
    for (size_t i = 0; w->names[i] != NULL; i++) {
        if (is_like(name, w->names[i])) {
            return !w->others;
        }
    }
    return w->others;
}

/// The first entry that is to go. @param top  only what is meant. @retval RC_NOTFOUND none
static RC first_entry(const struct wipe *w, int dir_fd, bool top, struct entry *out)
{
    int fd = openat(dir_fd, ".", DIR_FLAGS);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct stat st;
    enum rc rc = RC_NOTFOUND;
    if (dir == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return RC_IO;
    }
    errno = 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        bool self = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (!self && (!top || is_meant(w, e->d_name))) {
            (void)snprintf(out->name, sizeof(out->name), "%s", e->d_name);
            out->is_dir =
                fstatat(dir_fd, out->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
            rc = RC_OK;
            break;
        }
    }
    rc = rc == RC_NOTFOUND && errno != 0 ? RC_IO : rc;
    closedir(dir);
    return rc;
}

/// Where the file has holes there is nothing to overwrite, and no room may be left to try.
static RC overwrite_range(const struct wipe *w, int fd, off_t from, off_t to)
{
    char zeros[BLOCK_BYTES];
    memset(zeros, 0, sizeof(zeros));
    while (from < to) { // each turn writes something
        size_t len = to - from < (off_t)BLOCK_BYTES ? (size_t)(to - from) : BLOCK_BYTES;
        ssize_t written = pwrite(fd, zeros, len, from);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return RC_IO;
        }
        from += written;
        wait_a_little(w);
    }
    return RC_OK;
}

static RC overwrite(const struct wipe *w, int fd, off_t size)
{
    for (off_t at = 0; at < size;) { // each turn goes on by a hole and what follows it
        off_t from = lseek(fd, at, SEEK_DATA);
        if (from < 0 && errno == ENXIO) {
            break; // only a hole is left
        }
        off_t to = from < 0 ? size : lseek(fd, from, SEEK_HOLE);
        from = from < 0 ? at : from; // a file system that knows of no holes
        to = to < 0 ? size : to;
        TRY(overwrite_range(w, fd, from, to));
        at = to;
    }
    return fsync(fd) == 0 ? RC_OK : RC_IO;
}

/// A file that cannot be opened for writing, or is none, is removed all the same.
static RC wipe_file(struct wipe *w, int dir_fd, const char *name)
{
    struct stat st;
    int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
        enum rc rc = regular ? overwrite(w, fd, st.st_size) : RC_OK;
        rc = rc == RC_OK ? RC_OK : failed(w, name);
        close(fd);
        TRY(rc);
    }
    wait_a_little(w);
    return unlinkat(dir_fd, name, 0) == 0 ? RC_OK : failed(w, name);
}

/// Goes down to the first file, or to a directory that has become empty, and takes that away.
/// @retval RC_NOTFOUND  nothing is left.
static RC step(struct wipe *w)
{
    int parent = -1, dir = openat(w->dir_fd, ".", DIR_FLAGS);
    char name[WIPE_NAME_BYTES] = ".";
    enum rc rc = dir < 0 ? failed(w, ".") : RC_AGAIN;
    for (unsigned depth = 0; rc == RC_AGAIN; depth++) {
        struct entry e;
        rc = first_entry(w, dir, depth == 0, &e);
        if (rc == RC_NOTFOUND && depth > 0) {
            rc = unlinkat(parent, name, AT_REMOVEDIR) == 0 ? RC_OK : failed(w, name);
        } else if (rc == RC_IO) {
            rc = failed(w, name);
        } else if (rc == RC_OK && !e.is_dir) {
            rc = wipe_file(w, dir, e.name);
        } else if (rc == RC_OK) {
            if (parent >= 0) {
                close(parent);
            }
            parent = dir;
            memcpy(name, e.name, sizeof(name));
            dir = openat(parent, name, DIR_FLAGS);
            rc = dir < 0 ? failed(w, name) : depth + 1u < DEPTH_MAX ? RC_AGAIN : RC_TOOBIG;
        }
    }
    if (parent >= 0) {
        close(parent);
    }
    if (dir >= 0) {
        close(dir);
    }
    return rc;
}

RC wipe_all(struct wipe *w)
{
    enum rc rc = RC_OK;
    for (unsigned i = 0; rc == RC_OK && i < STEPS_MAX; i++) {
        rc = step(w);
    }
    if (rc != RC_NOTFOUND) {
        return rc == RC_OK ? RC_TOOBIG : rc;
    }
    return fsync(w->dir_fd) == 0 ? RC_OK : failed(w, ".");
}

RC wipe_check(struct wipe *w)
{
    struct entry e;
    enum rc rc = first_entry(w, w->dir_fd, true, &e);
    if (rc == RC_OK) {
        (void)snprintf(w->at, sizeof(w->at), "%s", e.name);
        return RC_FULL;
    }
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

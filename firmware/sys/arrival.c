// SPDX-License-Identifier: Apache-2.0
#include "sys/arrival.h"

#include <string.h>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/span.h"

#define MADE      (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO)
#define GONE      (IN_DELETE_SELF | IN_MOVE_SELF)
#define LOST      (GONE | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)
#define SECOND_NS INT64_C(1000000000)

void arrival_none(struct arrival *a)
{
    memset(a, 0, sizeof(*a));
    a->fd = -1;
    a->from_fd = -1;
}

void arrival_close(struct arrival *a)
{
    if (a->fd >= 0) {
        close(a->fd);
    }
    if (a->from_fd >= 0) {
        close(a->from_fd);
    }
    arrival_none(a);
}

// ---- the watch ----

/// Splits the last name off: "/etc/x/y" to "/etc/x" and "y", "y" to "." and "y".
/// @retval RC_NOTFOUND nothing is left to split. @retval RC_TOOBIG a name too long for any file.
static RC split(char *path, char name[static 256])
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    if (start == end || (end == 1 && path[0] == '.')) {
        return RC_NOTFOUND;
    }
    if (end - start > 255) {
        return RC_TOOBIG;
    }
    memcpy(name, path + start, end - start);
    name[end - start] = '\0';
    if (start == 0) {
        path[start++] = '.';
    }
    path[start] = '\0';
    return RC_OK;
}

/// Up the path until a directory is there.
static RC watch_deepest(struct arrival *a)
{
    char path[ARRIVAL_PATH_BYTES_MAX];
    struct buf copy = BUF(path);

    buf_put_str(&copy, a->path);
    if (!buf_terminate(&copy)) {
        return RC_TOOBIG;
    }
    a->last = true;
    for (;;) { // each turn makes the path shorter
        TRY(split(path, a->next));
        if (inotify_add_watch(a->fd, path, MADE | GONE | IN_ONLYDIR) >= 0) {
            return RC_OK;
        }
        if (access(path, F_OK) == 0) {
            return RC_DENIED; // it is there, and shut
        }
        a->last = false;
    }
}

/// By the handle, for absolute paths too: musl takes another system call for those, which the
/// filter does not let through.
static bool see(const struct arrival *a, struct stat *is)
{
    const char *path = a->path + strspn(a->path, "/");

    return fstatat(a->from_fd, path, is, 0) == 0;
}

static struct arrival_seen see_state(const struct arrival *a)
{
    struct stat is;

    if (!see(a, &is) || is.st_size == 0) {
        return (struct arrival_seen){0};
    }
    return (struct arrival_seen){.ino = (int64_t)is.st_ino,
                                 .bytes = (int64_t)is.st_size,
                                 .mtime_ns =
                                     (int64_t)is.st_mtim.tv_sec * SECOND_NS + is.st_mtim.tv_nsec};
}

static bool is_same(const struct arrival_seen *a, const struct arrival_seen *b)
{
    return a->ino == b->ino && a->bytes == b->bytes && a->mtime_ns == b->mtime_ns;
}

RC arrival_watch(struct arrival *a, const char *path)
{
    arrival_none(a);
    a->path = path;
    a->from_fd = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (a->from_fd < 0) {
        return RC_IO;
    }
    a->first = see_state(a);
    a->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (a->fd >= 0 && watch_deepest(a) == RC_OK) {
        return RC_OK;
    }
    if (a->fd >= 0) {
        close(a->fd);
        a->fd = -1;
    }
    return RC_UNSUPPORTED;
}

// ---- what came ----

/// A file is there when it is closed, a directory when it is made.
static bool is_it(const struct arrival *a, const struct inotify_event *e)
{
    if ((e->mask & LOST) != 0) {
        return true; // what is watched is not what it was: to be found out anew
    }
    if (e->len == 0 || strcmp(e->name, a->next) != 0) {
        return false;
    }
    return !a->last || (e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0;
}

/// Somebody made it in order to write it later.
static bool is_empty(const struct arrival *a)
{
    struct stat is;

    return see(a, &is) && is.st_size == 0;
}

bool arrival_take(struct arrival *a)
{
    _Alignas(struct inotify_event) char bytes[4096];
    ssize_t got = 0;
    bool came = false;

    ASSERT(a->fd >= 0);
    while ((got = read(a->fd, bytes, sizeof(bytes))) > 0) { // the kernel's queue has an end
        for (size_t at = 0; at < (size_t)got;) {
            const struct inotify_event *e = (const void *)(bytes + at);
            came = is_it(a, e) || came;
            at += sizeof(*e) + e->len;
        }
    }
    return came && !is_empty(a);
}

bool arrival_look(struct arrival *a, struct mono now)
{
    if (a->from_fd < 0 || !mono_due(a->look_at, now)) {
        return false;
    }
    a->look_at = mono_after(now, ARRIVAL_LOOK_MS);
    const struct arrival_seen seen = see_state(a);
    bool same = is_same(&seen, &a->seen);
    a->since = same ? a->since : now;
    a->seen = seen;
    return same && seen.bytes > 0 && !is_same(&seen, &a->first) &&
           now.ms - a->since.ms >= ARRIVAL_SETTLED_MS;
}

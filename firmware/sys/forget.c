// SPDX-License-Identifier: Apache-2.0
#include "sys/forget.h"

#include <errno.h>
#include <stddef.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_FLAGS (O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC)
#define OURS                                                                                       \
    "tokens", "device.key", "device.key.new", "spool", "spool.new", "spool.broken-*", "ladder",    \
        "reset"
#define STAYS "clock-floor", "spool.lock", "sandbox"

RC forget_ask(int state_fd)
{
    int fd = openat(state_fd, FORGET_MARK, MARK_FLAGS, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return errno == ENOSPC || errno == EDQUOT ? RC_FULL : RC_IO;
    }
    bool durable = fsync(fd) == 0 && fsync(state_fd) == 0;
    close(fd);
    if (!durable && unlinkat(state_fd, FORGET_MARK, 0) != 0) {
        return RC_IO; // it may be there or not, like the disk
    }
    return durable ? RC_OK : RC_IO;
}

RC forget_asked(int state_fd)
{
    struct stat st;
    if (fstatat(state_fd, FORGET_MARK, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return RC_OK;
    }
    bool denied = errno == EACCES || errno == EPERM;
    return errno == ENOENT ? RC_NOTFOUND : denied ? RC_DENIED : RC_IO;
}

RC forget_all(struct wipe *w, int state_fd)
{
    static const char *const ours[] = {OURS, NULL};
    static const char *const mark[] = {FORGET_MARK, NULL};
    w->dir_fd = state_fd;
    w->names = ours;
    w->others = false;
    TRY(wipe_all(w));
    TRY(wipe_check(w));
    w->names = mark;
    return wipe_all(w);
}

bool forget_finds_foreign(struct wipe *w, int state_fd)
{
    static const char *const known[] = {OURS, STAYS, FORGET_MARK, NULL};
    w->dir_fd = state_fd;
    w->names = known;
    w->others = true;
    return wipe_check(w) == RC_FULL;
}

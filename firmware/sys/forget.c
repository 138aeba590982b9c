// SPDX-License-Identifier: Apache-2.0
#include "sys/forget.h"

#include <errno.h>
#include <stddef.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_FLAGS (O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC)
#define STAYS      "clock-floor", "spool.lock", "sandbox"

RC forget_ask(int state_fd)
{
    int fd = openat(state_fd, FORGET_MARK, MARK_FLAGS, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return errno == ENOSPC || errno == EDQUOT ? RC_FULL : RC_IO;
    }
    bool durable = fsync(fd) == 0 && fsync(state_fd) == 0;
    close(fd);
    return durable ? RC_OK : RC_IO;
}

bool forget_asked(int state_fd)
{
    struct stat st;
    return fstatat(state_fd, FORGET_MARK, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

RC forget_all(struct wipe *w, int state_fd)
{
    static const char *const and_mark[] = {STAYS, FORGET_MARK, NULL};
    static const char *const stays[] = {STAYS, NULL};
    w->dir_fd = state_fd;
    w->keep = and_mark;
    TRY(wipe_all(w));
    TRY(wipe_check(w));
    w->keep = stays;
    return wipe_all(w);
}

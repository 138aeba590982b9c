// SPDX-License-Identifier: Apache-2.0
#include "faulty.h"

#include <errno.h>
#include <stdbool.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t __real_pwrite(int fd, const void *from, size_t bytes, off_t at);
ssize_t __wrap_pwrite(int fd, const void *from, size_t bytes, off_t at);
ssize_t __real_writev(int fd, const struct iovec *v, int count);
ssize_t __wrap_writev(int fd, const struct iovec *v, int count);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_posix_fallocate(int fd, off_t from, off_t bytes);
int __wrap_posix_fallocate(int fd, off_t from, off_t bytes);

static enum fault_mode armed;
static unsigned first, last, calls;

void faulty_arm(enum fault_mode mode, unsigned nth, unsigned count)
{
    armed = mode;
    first = nth;
    last = nth + count - 1u;
    calls = 0;
}

unsigned faulty_calls(void)
{
    return calls;
}

static enum fault_mode next(void)
{
    calls++;
    enum fault_mode mode = calls >= first && calls <= last ? armed : FAULT_NONE;
    if (mode == FAULT_KILL) {
        (void)raise(SIGKILL);
    }
    if (mode == FAULT_EIO || mode == FAULT_ENOSPC) {
        errno = mode == FAULT_EIO ? EIO : ENOSPC;
    }
    return mode;
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t bytes, off_t at)
{
    enum fault_mode mode = next();
    if (mode == FAULT_EIO || mode == FAULT_ENOSPC) {
        return -1;
    }
    if (mode == FAULT_NONE) {
        return __real_pwrite(fd, from, bytes, at);
    }
    ssize_t written = __real_pwrite(fd, from, bytes / 2u, at);
    if (mode == FAULT_KILL_HALF) {
        (void)raise(SIGKILL);
    }
    return written;
}

ssize_t __wrap_writev(int fd, const struct iovec *v, int count)
{
    enum fault_mode mode = next();
    if (mode == FAULT_EIO || mode == FAULT_ENOSPC) {
        return -1;
    }
    if (mode == FAULT_NONE) {
        return __real_writev(fd, v, count);
    }
    ssize_t written = __real_writev(fd, v, (count + 1) / 2);
    if (mode == FAULT_KILL_HALF) {
        (void)raise(SIGKILL);
    }
    return written;
}

// A call without bytes: there is no half of it.
static bool fails(void)
{
    enum fault_mode mode = next();
    if (mode == FAULT_KILL_HALF) {
        (void)raise(SIGKILL);
    }
    return mode == FAULT_EIO || mode == FAULT_ENOSPC;
}

int __wrap_fdatasync(int fd)
{
    return fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_posix_fallocate(int fd, off_t from, off_t bytes)
{
    return fails() ? errno : __real_posix_fallocate(fd, from, bytes);
}

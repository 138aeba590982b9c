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
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_posix_fallocate(int fd, off_t from, off_t bytes);
int __wrap_posix_fallocate(int fd, off_t from, off_t bytes);

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

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
    if (armed == FAULT_MEMORY) {
        return FAULT_NONE;
    }
    calls++;
    enum fault_mode mode = calls >= first && calls <= last ? armed : FAULT_NONE;
    if (mode == FAULT_LATE && calls > first) {
        mode = FAULT_EIO;
    }
    if (mode == FAULT_KILL) {
        (void)raise(SIGKILL);
    }
    if (mode != FAULT_NONE) {
        errno = mode == FAULT_ENOSPC ? ENOSPC : EIO;
    }
    return mode;
}

static bool has_memory(void)
{
    if (armed != FAULT_MEMORY) {
        return true;
    }
    calls++;
    if (calls >= first && calls <= last) {
        errno = ENOMEM;
        return false;
    }
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return has_memory() ? __real_malloc(bytes) : NULL;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return has_memory() ? __real_calloc(count, bytes) : NULL;
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
    if (mode == FAULT_LATE) {
        (void)__real_pwrite(fd, from, bytes, at);
        errno = EIO;
        return -1;
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
    if (mode == FAULT_LATE) {
        (void)__real_writev(fd, v, count);
        errno = EIO;
        return -1;
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
    return mode == FAULT_EIO || mode == FAULT_ENOSPC || mode == FAULT_LATE;
}

// Nothing here cuts the power, and what is written outlives a process: a flush would only take
// time.
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return fails() ? -1 : 0;
}

int __wrap_fsync(int fd)
{
    (void)fd;
    return fails() ? -1 : 0;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fails() ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_posix_fallocate(int fd, off_t from, off_t bytes)
{
    return fails() ? errno : __real_posix_fallocate(fd, from, bytes);
}

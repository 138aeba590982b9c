// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The maker for both backends of the identity: a file, below STATE/sandbox or in the place of
 * CONFIG_IDENTITY_SERIAL_FILE.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "identity_hardware.h"
#include "state_dir.h"

static struct state_dir state;
static enum identity_fault now;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (strcmp(path, CONFIG_IDENTITY_SERIAL_FILE) != 0) {
        return __real_open(path, flags, mode);
    }
    return __wrap_openat(state.fd, "sandbox/serial", flags, 0);
}

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    if (now == IDENTITY_FORBIDDEN && strstr(path, "serial") != NULL) {
        errno = EACCES;
        return -1;
    }
    return __real_openat(fd, path, flags, mode);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    errno = EIO;
    return now == IDENTITY_FAILS ? -1 : __real_read(fd, data, len);
}

int hardware_make(void **unused)
{
    (void)unused;
    now = IDENTITY_WELL;
    return state_dir_make(&state) ? 0 : -1;
}

int hardware_remove(void **unused)
{
    (void)unused;
    now = IDENTITY_WELL;
    state_dir_remove(&state);
    return 0;
}

int hardware_state_fd(void)
{
    return state.fd;
}

void hardware_fault(enum identity_fault fault)
{
    if (fault == IDENTITY_ABSENT && !state_dir_write(&state, "sandbox/absent", "identity\n")) {
        perror("sandbox/absent");
    }
    now = fault;
}

void hardware_serial(const char *bytes, size_t len)
{
    // its directory first
    int fd = state_dir_write(&state, "sandbox/serial", "")
                 ? __real_openat(state.fd, "sandbox/serial", O_WRONLY | O_CLOEXEC, 0)
                 : -1;
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len) {
        perror("sandbox/serial");
    }
    close(fd);
}

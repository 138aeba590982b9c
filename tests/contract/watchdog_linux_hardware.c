// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watchdog_kernel.h"

struct watchdog_kernel watchdog_kernel;

#define k watchdog_kernel

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_close(int fd);
int __wrap_close(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_device_ioctl(int fd, unsigned long request, void *argument);

static int open_error(void)
{
    switch (k.fault) {
    case WATCHDOG_ABSENT:
        return ENOENT;
    case WATCHDOG_FORBIDDEN:
        return EACCES;
    case WATCHDOG_TAKEN:
        return EBUSY;
    case WATCHDOG_OPEN_FAILS:
        return EIO;
    default:
        return k.open ? EBUSY : 0;
    }
}

static int open_attribute(void)
{
    int fd = memfd_create("nowayout", MFD_CLOEXEC);
    if (fd >= 0 &&
        (__real_write(fd, k.nowayout ? "1\n" : "0\n", 2) != 2 || lseek(fd, 0, SEEK_SET))) {
        __real_close(fd);
        return -1;
    }
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (strncmp(path, "/sys/dev/char/", 14) == 0 && strstr(path, "/nowayout") != NULL) {
        errno = ENOENT;
        return k.attribute ? open_attribute() : -1;
    }
    if (strcmp(path, CONFIG_WATCHDOG_DEVICE) != 0) {
        return __real_open(path, flags, mode);
    }
    errno = open_error();
    if (errno != 0) {
        return -1;
    }
    k.fd = __real_open("/dev/null", O_WRONLY | O_CLOEXEC);
    k.open = k.armed = true;
    k.release = false;
    return k.fd;
}

int __wrap_close(int fd)
{
    if (fd == k.fd) {
        bool magic = (k.options & WDIOF_MAGICCLOSE) != 0;
        k.armed = k.nowayout || (magic && !k.release);
        k.open = false;
        k.fd = -1;
    }
    return __real_close(fd);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fd != k.fd) {
        return __real_write(fd, data, len);
    }
    if (k.fault == WATCHDOG_WRITES_FAIL) {
        errno = EIO;
        return -1;
    }
    k.release = memchr(data, 'V', len) != NULL;
    k.writes++;
    return (ssize_t)len;
}

int __wrap_stat(const char *path, struct stat *st)
{
    if (strcmp(path, CONFIG_WATCHDOG_DEVICE) != 0) {
        return __real_stat(path, st);
    }
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFCHR | S_IRUSR | S_IWUSR;
    errno = ENOENT;
    return k.fault == WATCHDOG_ABSENT ? -1 : 0;
}

int __wrap_access(const char *path, int mode)
{
    if (strcmp(path, CONFIG_WATCHDOG_DEVICE) != 0) {
        return __real_access(path, mode);
    }
    errno = EACCES;
    return k.fault == WATCHDOG_FORBIDDEN ? -1 : 0;
}

static int set_timeout(int *s)
{
    if (k.no_settimeout) {
        return EOPNOTSUPP;
    }
    if (*s < k.min_s || *s > k.max_s) {
        return EINVAL;
    }
    k.timeout_s = k.rounds_s > 0 ? (*s + k.rounds_s - 1) / k.rounds_s * k.rounds_s : *s;
    *s = k.timeout_s;
    return 0;
}

static int set_pretimeout(int *s)
{
    if ((k.options & WDIOF_PRETIMEOUT) == 0) {
        return EOPNOTSUPP;
    }
    if (*s >= k.timeout_s) {
        return EINVAL;
    }
    k.pretimeout_s = *s;
    return 0;
}

static int answer(unsigned long request, void *argument)
{
    if (k.other_device) {
        return ENOTTY;
    }
    switch (request) {
    case WDIOC_GETSUPPORT:
        *(struct watchdog_info *)argument = (struct watchdog_info){.options = k.options};
        return k.support_fails ? EIO : 0;
    case WDIOC_GETBOOTSTATUS:
        *(int *)argument = k.boot_status;
        return 0;
    case WDIOC_SETTIMEOUT:
        return set_timeout(argument);
    case WDIOC_GETTIMEOUT:
        *(int *)argument = k.mute ? 0 : k.timeout_s;
        return k.mute ? EOPNOTSUPP : 0;
    case WDIOC_SETPRETIMEOUT:
        return set_pretimeout(argument);
    default:
        return ENOTTY;
    }
}

int __wrap_device_ioctl(int fd, unsigned long request, void *argument)
{
    if (fd != k.fd) {
        errno = EBADF;
        return -1;
    }
    errno = answer(request, argument);
    return errno == 0 ? 0 : -1;
}

// ---- what the contract's test asks for --------------------------------------

int hardware_make(void **unused)
{
    (void)unused;
    k = (struct watchdog_kernel){
        .options = WDIOF_SETTIMEOUT | WDIOF_KEEPALIVEPING | WDIOF_MAGICCLOSE,
        .min_s = 1,
        .max_s = 2046,
        .timeout_s = 30,
        .attribute = true,
        .fd = -1,
    };
    return 0;
}

int hardware_remove(void **unused)
{
    (void)unused;
    return 0;
}

int hardware_state_fd(void)
{
    return -1; // not its business
}

void hardware_limits(uint32_t min_ms, uint32_t max_ms)
{
    k.min_s = (int)(min_ms / 1000u);
    k.max_s = (int)(max_ms / 1000u);
    k.timeout_s = k.max_s;
}

void hardware_nowayout(void)
{
    k.nowayout = true;
}

void hardware_bite(void)
{
    k.boot_status = WDIOF_CARDRESET;
}

void hardware_fault(enum watchdog_fault fault)
{
    k.fault = fault;
}

struct watchdog_seen hardware_look(void)
{
    return (struct watchdog_seen){
        .armed = k.armed,
        .timeout_ms = (uint32_t)k.timeout_s * 1000u,
        .open = k.open,
        .fed = k.writes,
    };
}

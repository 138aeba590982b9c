// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console_terminal.h"

static struct {
    int far_fd;     ///< where a person reads
    int near_fd;    ///< keeps it alive between two openings
    char path[128]; ///< what the console's name stands for
    enum console_fault fault;
    bool refuses_settings;
    size_t room;
    char seen[8192];
} terminal;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __real_tcsetattr(int fd, int when, const struct termios *t);
int __wrap_tcsetattr(int fd, int when, const struct termios *t);

static bool is_ours(const char *path)
{
    return strcmp(path, CONFIG_CONSOLE_DEVICE) == 0;
}

static int open_error(void)
{
    static const int errors[] = {
        [CONSOLE_ABSENT] = ENOENT,
        [CONSOLE_FORBIDDEN] = EACCES,
        [CONSOLE_OPEN_FAILS] = EIO,
        [CONSOLE_GONE] = ENODEV,
    };
    return terminal.fault == CONSOLE_WELL ? 0 : errors[terminal.fault];
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (!is_ours(path)) {
        return __real_open(path, flags, mode);
    }
    errno = open_error();
    return errno == 0 ? __real_open(terminal.path, flags) : -1;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (terminal.fault == CONSOLE_GONE) {
        errno = EIO;
        return -1;
    }
    size_t taken = len < terminal.room ? len : terminal.room;
    if (taken == 0) {
        errno = EAGAIN;
        return -1;
    }
    terminal.room -= taken;
    return __real_write(fd, data, taken);
}

int __wrap_stat(const char *path, struct stat *st)
{
    errno = is_ours(path) ? open_error() : 0;
    return errno == 0 ? __real_stat(is_ours(path) ? terminal.path : path, st) : -1;
}

int __wrap_access(const char *path, int mode)
{
    return __real_access(is_ours(path) ? terminal.path : path, mode);
}

int __wrap_tcsetattr(int fd, int when, const struct termios *t)
{
    errno = EIO;
    return terminal.refuses_settings ? -1 : __real_tcsetattr(fd, when, t);
}

int hardware_make(void **unused)
{
    (void)unused;
    memset(&terminal, 0, sizeof(terminal));
    terminal.near_fd = -1;
    terminal.room = SIZE_MAX;
    terminal.far_fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal.far_fd < 0 || grantpt(terminal.far_fd) != 0 || unlockpt(terminal.far_fd) != 0 ||
        ptsname_r(terminal.far_fd, terminal.path, sizeof(terminal.path)) != 0) {
        return -1;
    }
    terminal.near_fd = __real_open(terminal.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return terminal.near_fd >= 0 ? 0 : -1;
}

int hardware_remove(void **unused)
{
    (void)unused;
    close(terminal.far_fd);
    close(terminal.near_fd);
    return 0;
}

int hardware_state_fd(void)
{
    return -1; // not its business
}

void hardware_fault(enum console_fault fault)
{
    terminal.fault = fault;
}

size_t terminal_read(char *text, size_t bytes)
{
    ssize_t got = read(terminal.far_fd, text, bytes);
    return got > 0 ? (size_t)got : 0;
}

/// A terminal goes on in the next line; what came before has scrolled away.
void hardware_look(char *line, size_t bytes)
{
    char text[4096];
    size_t len = strlen(terminal.seen);
    for (size_t got = terminal_read(text, sizeof(text)); got > 0;
         got = terminal_read(text, sizeof(text))) {
        got = got < sizeof(terminal.seen) - 1 - len ? got : sizeof(terminal.seen) - 1 - len;
        memcpy(terminal.seen + len, text, got);
        len += got;
    }
    terminal.seen[len] = '\0';
    char *end = strrchr(terminal.seen, '\r');
    char *begin = terminal.seen;
    for (char *at = terminal.seen; end != NULL && at < end; at++) {
        begin = *at == '\n' ? at + 1 : begin;
    }
    snprintf(line, bytes, "%.*s", end == NULL ? 0 : (int)(end - begin), begin);
}

void terminal_is(const char *path)
{
    snprintf(terminal.path, sizeof(terminal.path), "%s", path);
}

void terminal_settings(struct termios *t)
{
    if (tcgetattr(terminal.near_fd, t) != 0) {
        perror("tcgetattr");
    }
}

void terminal_set(const struct termios *t)
{
    if (__real_tcsetattr(terminal.near_fd, TCSANOW, t) != 0) {
        perror("tcsetattr");
    }
}

void terminal_refuses_settings(void)
{
    terminal.refuses_settings = true;
}

void terminal_takes(size_t bytes)
{
    terminal.room = bytes;
}

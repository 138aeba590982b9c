// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "hal/console.h"

#include "console_hardware.h"
#include "state_dir.h"

static struct state_dir state;
static enum console_fault now;

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    if (now == CONSOLE_FORBIDDEN || now == CONSOLE_OPEN_FAILS) {
        errno = now == CONSOLE_FORBIDDEN ? EACCES : EIO;
        return -1;
    }
    return __real_openat(fd, path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    errno = EIO;
    return now == CONSOLE_GONE ? -1 : __real_pwrite(fd, data, len, at);
}

int hardware_make(void **unused)
{
    (void)unused;
    now = CONSOLE_WELL;
    return state_dir_make(&state) ? 0 : -1;
}

int hardware_remove(void **unused)
{
    (void)unused;
    now = CONSOLE_WELL;
    state_dir_remove(&state);
    return 0;
}

int hardware_state_fd(void)
{
    return state.fd;
}

void hardware_fault(enum console_fault fault)
{
    now = CONSOLE_WELL; // for our own calls
    if (!state_dir_write(&state, "sandbox/absent", fault == CONSOLE_ABSENT ? "console" : "led")) {
        perror("sandbox/absent");
    }
    now = fault;
}

void hardware_look(char *line, size_t bytes)
{
    char text[CONSOLE_LINE_BYTES_MAX + 1] = "";
    if (!state_dir_read(&state, "sandbox/console", text, sizeof(text))) {
        text[0] = '\0';
    }
    snprintf(line, bytes, "%.*s", (int)strcspn(text, "\n"), text);
}

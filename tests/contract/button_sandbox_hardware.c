// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "button_hardware.h"
#include "state_dir.h"

static struct state_dir state;
static enum button_fault now;

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    if (now == BUTTON_FORBIDDEN || now == BUTTON_OPEN_FAILS) {
        errno = now == BUTTON_FORBIDDEN ? EACCES : EIO;
        return -1;
    }
    return __real_openat(fd, path, flags, mode);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    errno = EIO;
    return now == BUTTON_GONE ? -1 : __real_read(fd, data, len);
}

int hardware_make(void **unused)
{
    (void)unused;
    now = BUTTON_WELL;
    return state_dir_make(&state) ? 0 : -1;
}

int hardware_remove(void **unused)
{
    (void)unused;
    now = BUTTON_WELL;
    state_dir_remove(&state);
    return 0;
}

int hardware_state_fd(void)
{
    return state.fd;
}

void hardware_fault(enum button_fault fault)
{
    now = BUTTON_WELL; // for our own calls
    if (!state_dir_write(&state, "sandbox/absent", fault == BUTTON_ABSENT ? "button" : "led")) {
        perror("sandbox/absent");
    }
    now = fault;
}

/// As a shell would: open, write, close.
static void put(const char *text, size_t len)
{
    int fd = __real_openat(state.fd, "sandbox/button", O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len) {
        perror("sandbox/button");
    }
    close(fd);
}

void hardware_press(bool down)
{
    put(down ? "1" : "0", 1);
}

void hardware_noise(void)
{
    put("x\n2\0", 4);
}

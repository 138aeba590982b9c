// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <linux/input.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "button_events.h"

static struct {
    int read_fd, write_fd;
    enum button_fault fault;
    bool without_key, other;
} device;

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_device_ioctl(int fd, unsigned long request, void *argument);

static int open_error(void)
{
    static const int errors[] = {
        [BUTTON_ABSENT] = ENOENT,
        [BUTTON_FORBIDDEN] = EACCES,
        [BUTTON_OPEN_FAILS] = EIO,
        [BUTTON_GONE] = ENODEV,
    };
    return device.fault == BUTTON_WELL ? 0 : errors[device.fault];
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (strcmp(path, CONFIG_BUTTON_DEVICE) != 0) {
        return __real_open(path, flags, mode);
    }
    errno = open_error();
    return errno == 0 ? dup(device.read_fd) : -1;
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    errno = ENODEV;
    return device.fault == BUTTON_GONE ? -1 : __real_read(fd, data, len);
}

int __wrap_stat(const char *path, struct stat *st)
{
    if (strcmp(path, CONFIG_BUTTON_DEVICE) != 0) {
        return __real_stat(path, st);
    }
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFCHR;
    errno = open_error();
    return errno == 0 ? 0 : -1;
}

int __wrap_access(const char *path, int mode)
{
    return strcmp(path, CONFIG_BUTTON_DEVICE) == 0 ? 0 : __real_access(path, mode);
}

int __wrap_device_ioctl(int fd, unsigned long request, void *argument)
{
    uint8_t *keys = argument;
    (void)fd;
    errno = device.other ? ENOTTY : EINVAL;
    if (device.other || (request & 0xffffu) != (EVIOCGBIT(EV_KEY, 0) & 0xffffu)) {
        return -1;
    }
    int key = device.without_key ? CONFIG_BUTTON_KEY - 1 : CONFIG_BUTTON_KEY;
    keys[key / 8] = (uint8_t)(1u << (key % 8));
    return key / 8 + 1; // bytes
}

int hardware_make(void **unused)
{
    (void)unused;
    int ends[2];
    memset(&device, 0, sizeof(device));
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
        return -1;
    }
    device.read_fd = ends[0];
    device.write_fd = ends[1];
    return 0;
}

int hardware_remove(void **unused)
{
    (void)unused;
    close(device.read_fd);
    close(device.write_fd);
    return 0;
}

int hardware_state_fd(void)
{
    return -1; // not its business
}

void hardware_fault(enum button_fault fault)
{
    device.fault = fault;
}

void button_event_put(int type, int code, int value)
{
    const struct input_event e = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
    if (write(device.write_fd, &e, sizeof(e)) != (ssize_t)sizeof(e)) {
        perror("event");
    }
}

void button_without_key(void)
{
    device.without_key = true;
}

void button_other_device(void)
{
    device.other = true;
}

void hardware_press(bool down)
{
    button_event_put(EV_KEY, CONFIG_BUTTON_KEY, down ? 1 : 0);
    button_event_put(EV_SYN, SYN_REPORT, 0);
}

void hardware_noise(void)
{
    button_event_put(EV_KEY, CONFIG_BUTTON_KEY - 1, 1);
    button_event_put(EV_REL, CONFIG_BUTTON_KEY, 1);
    button_event_put(EV_SYN, SYN_REPORT, 0);
}

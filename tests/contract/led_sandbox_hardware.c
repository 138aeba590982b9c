// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "led_hardware.h"
#include "state_dir.h"

static struct state_dir state;
static enum led_fault now;

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    if (now == LED_FORBIDDEN || now == LED_OPEN_FAILS) {
        errno = now == LED_FORBIDDEN ? EACCES : EIO;
        return -1;
    }
    return __real_openat(fd, path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    errno = EIO;
    return now == LED_WRITES_FAIL ? -1 : __real_pwrite(fd, data, len, at);
}

int hardware_make(void **unused)
{
    (void)unused;
    now = LED_WELL;
    return state_dir_make(&state) && state_dir_write(&state, "sandbox/led", "on=1 colour=amber\n")
               ? 0
               : -1;
}

int hardware_remove(void **unused)
{
    (void)unused;
    now = LED_WELL;
    state_dir_remove(&state);
    return 0;
}

int hardware_state_fd(void)
{
    return state.fd;
}

void hardware_fault(enum led_fault fault)
{
    now = LED_WELL; // for our own calls
    if (!state_dir_write(&state, "sandbox/absent", fault == LED_ABSENT ? "led" : "")) {
        perror("sandbox/absent");
    }
    now = fault;
}

/// "off" if it is dark; the first line counts, and is whole.
static void look(char colour[static 16])
{
    char line[128] = "", want[64];
    int on = -1;
    state_dir_read(&state, "sandbox/led", line, sizeof(line));
    if (sscanf(line, "on=%d colour=%15[a-z]\n", &on, colour) != 2) {
        snprintf(colour, 16, "?");
    }
    snprintf(want, sizeof(want), "on=%d colour=%s\n", on, colour);
    if (strncmp(line, want, strlen(want)) != 0 || (on == 0) != (strcmp(colour, "off") == 0)) {
        snprintf(colour, 16, "?");
    }
}

bool hardware_lit(void)
{
    char colour[16];
    look(colour);
    return strcmp(colour, "off") != 0;
}

bool hardware_taken_over(void)
{
    return true; // nobody else drives it
}

bool hardware_is_rgb(void)
{
    return true;
}

enum led_colour hardware_colour(void)
{
    char colour[16];
    look(colour);
    enum led_colour c = LED_OFF;
    while (c < LED_COLOURS && strcmp(hal_led_colour_name(c), colour) != 0) {
        c++;
    }
    return c;
}

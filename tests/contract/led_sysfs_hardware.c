// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A directory that looks like /sys/class/leds, with one LED of one colour (LED_MONO=1) or three of
 * an RGB one, and led_names() that points to it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "led_hardware.h"
#include "led_sysfs/names.h"
#include "state_dir.h"

#define LEDS (LED_MONO ? 1u : LED_CHANNELS)

static struct state_dir state;
static struct led_names names;
static enum led_fault now;
static const char *const folders[LED_CHANNELS] = {
    "box:red:status", "box:green:status", "box:blue:status"};
static const int brightest[LED_CHANNELS] = {255, 127, 1};

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
const struct led_names *__wrap_led_names(void);

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (now == LED_FORBIDDEN || now == LED_OPEN_FAILS) {
        errno = now == LED_FORBIDDEN ? EACCES : EIO;
        return -1;
    }
    return __real_open(path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    errno = EIO;
    return now == LED_WRITES_FAIL ? -1 : __real_pwrite(fd, data, len, at);
}

const struct led_names *__wrap_led_names(void)
{
    return &names;
}

static bool put(unsigned led, const char *attribute, const char *text)
{
    char name[96];
    snprintf(name, sizeof(name), "%s/%s", folders[led], attribute);
    return state_dir_write(&state, name, text);
}

int hardware_make(void **unused)
{
    (void)unused;
    char text[16];
    now = LED_WELL;
    if (!state_dir_make(&state)) {
        return -1;
    }
    names = (struct led_names){.folder = state.path, .mono = "", .channel = {"", "", ""}};
    if (LED_MONO) {
        names.mono = folders[0];
    } else {
        memcpy(names.channel, folders, sizeof(folders));
    }
    for (unsigned i = 0; i < LEDS; i++) {
        snprintf(text, sizeof(text), "%d\n", brightest[i]);
        if (!put(i, "max_brightness", text) || !put(i, "brightness", "1\n") ||
            !put(i, "trigger", "heartbeat")) {
            return -1;
        }
    }
    return 0;
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
    return -1; // not its business
}

void hardware_fault(enum led_fault fault)
{
    if (fault == LED_ABSENT) {
        names.folder = "/nonexistent/leds";
    }
    now = fault;
}

/// The first line counts, as one write counts in sysfs.
static int brightness(unsigned led)
{
    char name[96], text[32] = "";
    snprintf(name, sizeof(name), "%s/brightness", folders[led]);
    state_dir_read(&state, name, text, sizeof(text));
    return (int)strtol(text, NULL, 10);
}

static bool is_ours(unsigned led)
{
    char name[96], text[32] = "";
    snprintf(name, sizeof(name), "%s/trigger", folders[led]);
    state_dir_read(&state, name, text, sizeof(text));
    return strncmp(text, "none", 4) == 0;
}

bool hardware_lit(void)
{
    for (unsigned i = 0; i < LEDS; i++) {
        if (brightness(i) > 0) {
            return true;
        }
    }
    return false;
}

bool hardware_taken_over(void)
{
    for (unsigned i = 0; i < LEDS; i++) {
        if (!is_ours(i)) {
            return false;
        }
    }
    return true;
}

bool hardware_is_rgb(void)
{
    return !LED_MONO;
}

enum led_colour hardware_colour(void)
{
    int red = brightness(0), green = brightness(1), blue = brightness(2);
    bool full_red = red == brightest[0], full_green = green == brightest[1];
    if (blue != 0) {
        return blue == brightest[2] && red == 0 && green == 0 ? LED_BLUE : LED_COLOURS;
    }
    if (red != 0 && green != 0) {
        return full_red && green < brightest[1] ? LED_AMBER : LED_COLOURS;
    }
    if (red != 0) {
        return full_red ? LED_RED : LED_COLOURS;
    }
    return full_green ? LED_GREEN : LED_OFF;
}

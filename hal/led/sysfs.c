// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * LED class devices of the kernel. The trigger is set to "none", which also takes the LED over from
 * whatever the kernel did with it; then a brightness is one write to a descriptor that stays open,
 * because nothing can be opened later.
 */
#include <errno.h>
#include <stdio.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/device.h"
#include "base/span.h"

#include "backend.h"
#include "names.h"

#define PATH_BYTES_MAX  160u
#define VALUE_BYTES_MAX 24u

static const char *const options[LED_CHANNELS] = {
    "CONFIG_LED_RED", "CONFIG_LED_GREEN", "CONFIG_LED_BLUE"};

/// Parts of full brightness, in percent: amber is a red with some green in it.
static const uint8_t mixed[LED_COLOURS][LED_CHANNELS] = {
    [LED_OFF] = {0, 0, 0},
    [LED_GREEN] = {0, 100, 0},
    [LED_AMBER] = {100, 40, 0},
    [LED_RED] = {100, 0, 0},
    [LED_BLUE] = {0, 0, 100},
};

static int open_attribute(const char *led, const char *attribute, int flags)
{
    char path[PATH_BYTES_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s/%s", led_names()->folder, led, attribute);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENOENT;
        return -1;
    }
    return open(path, flags | O_CLOEXEC);
}

static RC read_brightest(const char *led, uint32_t *brightest)
{
    char text[VALUE_BYTES_MAX];
    uint64_t value = 0;
    int fd = open_attribute(led, "max_brightness", O_RDONLY);
    if (fd < 0) {
        return device_rc(errno);
    }
    ssize_t got = read(fd, text, sizeof(text));
    close(fd);
    if (got <= 0) {
        return RC_IO;
    }
    struct span digits = {.ptr = text, .len = (size_t)got};
    digits.len = span_index(digits, '\n');
    if (!span_u64(digits, &value) || value == 0 || value > UINT32_MAX) {
        return RC_IO;
    }
    *brightest = (uint32_t)value;
    return RC_OK;
}

static RC take_over(const char *led)
{
    int fd = open_attribute(led, "trigger", O_WRONLY);
    if (fd < 0) {
        return errno == ENOENT ? RC_OK : device_rc(errno); // a kernel without triggers
    }
    ssize_t written = pwrite(fd, "none", 4, 0);
    close(fd);
    return written == 4 ? RC_OK : RC_IO;
}

static RC open_channel(struct led *l, unsigned channel, const char *led)
{
    TRY(read_brightest(led, &l->brightest[channel]));
    TRY(take_over(led));
    l->fds[channel] = open_attribute(led, "brightness", O_WRONLY);
    return l->fds[channel] >= 0 ? RC_OK : device_rc(errno);
}

static RC probe_channel(const char *led)
{
    int fd = open_attribute(led, "brightness", O_WRONLY);
    if (fd < 0) {
        return device_rc(errno);
    }
    close(fd);
    return RC_OK;
}

/// Each LED that the board names, once. @param l  NULL: only look whether it is there.
static RC each_channel(struct led *l, char missing[static DEVICE_TEXT_BYTES])
{
    const struct led_names *names = led_names();
    bool mono = names->mono[0] != '\0';
    bool any = false;
    for (unsigned i = 0; i < (mono ? 1u : LED_CHANNELS); i++) {
        const char *name = mono ? names->mono : names->channel[i];
        if (name[0] == '\0') {
            continue;
        }
        enum rc rc = l != NULL ? open_channel(l, i, name) : probe_channel(name);
        if (rc != RC_OK) {
            device_say(missing, name, mono ? "CONFIG_LED_NAME" : options[i], device_why(rc));
            return rc;
        }
        any = true;
    }
    if (!any) {
        device_say(missing, "LED", "CONFIG_LED_NAME", "the board names none");
    }
    return any ? RC_OK : RC_UNSUPPORTED;
}

RC led_backend_probe(struct led *l, int state_fd)
{
    (void)state_fd;
    return each_channel(NULL, l->missing);
}

RC led_backend_open(struct led *l, int state_fd)
{
    (void)state_fd;
    l->rgb = led_names()->mono[0] == '\0';
    return each_channel(l, l->missing);
}

static RC set_brightness(int fd, uint64_t value)
{
    char text[VALUE_BYTES_MAX];
    struct buf b = BUF(text);
    buf_put_u64(&b, value);
    buf_put_char(&b, '\n');
    ASSERT(buf_ok(&b));
    return pwrite(fd, b.ptr, b.len, 0) == (ssize_t)b.len ? RC_OK : RC_IO;
}

RC led_backend_set(struct led *l, enum led_colour colour)
{
    enum rc rc = RC_OK;
    for (unsigned i = 0; i < LED_CHANNELS; i++) {
        if (l->fds[i] < 0) {
            continue;
        }
        unsigned percent = l->rgb ? mixed[colour][i] : (colour == LED_OFF ? 0u : 100u);
        uint64_t value = (uint64_t)l->brightest[i] * percent / 100u;
        value = value == 0 && percent > 0 ? 1u : value; // one step is all that a GPIO has
        if (set_brightness(l->fds[i], value) != RC_OK) {
            rc = RC_IO; // the other colours are set all the same
        }
    }
    return rc;
}

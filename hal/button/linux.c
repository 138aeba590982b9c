// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A key of an input device. Values are 1 pressed, 0 released, 2 autorepeat. When the kernel's queue
 * ran over it says SYN_DROPPED: what comes up to the next SYN_REPORT is incomplete, so the press
 * that was being measured is given up; a person who still holds the button presses it again.
 * (Asking for the key's state instead would need an ioctl in a process that may have none.)
 */
#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <linux/input.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/device.h"

#include "backend.h"

#define DEVICE     CONFIG_BUTTON_DEVICE
#define OPTION     "CONFIG_BUTTON_DEVICE"
#define KEY        CONFIG_BUTTON_KEY
#define EVENTS_MAX 16u

static RC failed(struct button *b, enum rc rc)
{
    device_say(b->missing, DEVICE, OPTION, device_why(rc));
    return rc;
}

RC button_backend_probe(struct button *b, int state_fd)
{
    struct stat st;
    (void)state_fd;
    if (stat(DEVICE, &st) != 0) {
        return failed(b, device_rc(errno));
    }
    if (!S_ISCHR(st.st_mode)) {
        return failed(b, RC_UNSUPPORTED);
    }
    return access(DEVICE, R_OK) == 0 ? RC_OK : failed(b, device_rc(errno));
}

RC button_backend_open(struct button *b, int state_fd)
{
    uint8_t keys[KEY_MAX / 8 + 1];
    (void)state_fd;
    b->fd = open(DEVICE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (b->fd < 0) {
        return failed(b, device_rc(errno));
    }
    memset(keys, 0, sizeof(keys));
    if (device_ioctl(b->fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0) {
        return failed(b, errno == ENOTTY ? RC_UNSUPPORTED : RC_IO);
    }
    if ((keys[KEY / 8] & (1u << (KEY % 8))) == 0) {
        device_say(b->missing, DEVICE, "CONFIG_BUTTON_KEY", "it has no such key");
        return RC_UNSUPPORTED;
    }
    return RC_OK;
}

static void take(struct button *b, const struct input_event *event, struct mono now)
{
    if (event->type == EV_SYN && event->code == SYN_DROPPED) {
        b->dropped = true;
        button_moved(b, false, now);
    } else if (event->type == EV_SYN && event->code == SYN_REPORT) {
        b->dropped = false;
    } else if (!b->dropped && event->type == EV_KEY && event->code == KEY && event->value < 2) {
        button_moved(b, event->value == 1, now);
    }
}

RC button_backend_read(struct button *b, struct mono now)
{
    struct input_event events[EVENTS_MAX];
    ssize_t got = read(b->fd, events, sizeof(events));
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? RC_OK : RC_IO;
    }
    if (got == 0) {
        return RC_IO;
    }
    for (size_t i = 0; i < (size_t)got / sizeof(events[0]); i++) {
        take(b, &events[i], now);
    }
    return RC_OK;
}

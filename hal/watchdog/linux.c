// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The kernel's watchdog API: opening arms, any write feeds, a 'V' just before the close disarms
 * (magic close) unless the kernel was told "nowayout".
 * - Feeding is a write, not an ioctl: drivers need not know the ioctl, and the process may do with
 *   fewer system calls later.
 * - What SETTIMEOUT took is asked for again: drivers round, and some keep what they had.
 * - Whether there is a way out is read from sysfs when it is opened, since nothing can be asked
 *   after a close. A kernel without that attribute is taken to have one.
 * Source: kernel, Documentation/watchdog/watchdog-api.rst, Documentation/ABI/testing/sysfs-class-
 *         watchdog.
 */
#include <errno.h>
#include <stdio.h>

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/device.h"

#include "backend.h"

#define DEVICE         CONFIG_WATCHDOG_DEVICE
#define OPTION         "CONFIG_WATCHDOG_DEVICE"
#define PRETIMEOUT_S   10 ///< time for the kernel to say what it was doing
#define TIMEOUT_S_MAX  (INT32_C(24) * 3600)
#define PATH_BYTES_MAX 64u

/// Tried in this order when the device refuses what is wanted: it has a maximum below that.
static const int shorter_s[] = {45, 30, 20};

static RC failed(struct watchdog *w, enum rc rc)
{
    device_say(w->missing, DEVICE, OPTION, device_why(rc));
    return rc;
}

RC watchdog_backend_probe(struct watchdog *w, int state_fd)
{
    struct stat st;
    (void)state_fd;
    if (stat(DEVICE, &st) != 0) {
        return failed(w, device_rc(errno));
    }
    if (!S_ISCHR(st.st_mode)) {
        return failed(w, RC_UNSUPPORTED);
    }
    return access(DEVICE, W_OK) == 0 ? RC_OK : failed(w, device_rc(errno));
}

static bool has_way_out(int fd)
{
    char path[PATH_BYTES_MAX], value = '0';
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return true;
    }
    snprintf(
        path, sizeof(path), "/sys/dev/char/%u:%u/nowayout", major(st.st_rdev), minor(st.st_rdev));
    int attribute = open(path, O_RDONLY | O_CLOEXEC);
    if (attribute < 0) {
        return true;
    }
    ssize_t got = read(attribute, &value, 1);
    close(attribute);
    return got != 1 || value == '0';
}

/// What the device is set to now; 0: it does not say.
static int timeout_s(int fd)
{
    int s = 0;
    if (device_ioctl(fd, WDIOC_GETTIMEOUT, &s) != 0 || s < 0) {
        return 0;
    }
    return s < TIMEOUT_S_MAX ? s : TIMEOUT_S_MAX;
}

static bool takes(int fd, int wanted_s, int *taken_s)
{
    int s = wanted_s;
    if (device_ioctl(fd, WDIOC_SETTIMEOUT, &s) != 0) {
        return false;
    }
    int told = timeout_s(fd);
    *taken_s = told > 0 ? told : s;
    return true;
}

/// The nearest to what is wanted that the device takes; else what it has.
static int settle(int fd, int wanted_s)
{
    int taken_s = 0;
    if (takes(fd, wanted_s, &taken_s)) {
        return taken_s;
    }
    int own_s = timeout_s(fd); // stays if it is fixed, or if a minimum is above what is wanted
    for (size_t i = 0; i < sizeof(shorter_s) / sizeof(shorter_s[0]); i++) {
        if (shorter_s[i] < wanted_s && shorter_s[i] > own_s && takes(fd, shorter_s[i], &taken_s)) {
            return taken_s;
        }
    }
    return timeout_s(fd);
}

static uint32_t settle_pretimeout(int fd, int whole_s)
{
    int s = PRETIMEOUT_S;
    if (whole_s < 2 * PRETIMEOUT_S || device_ioctl(fd, WDIOC_SETPRETIMEOUT, &s) != 0) {
        return 0; // an extra: without it the box is reset just the same
    }
    return s > 0 && s < whole_s ? (uint32_t)s * 1000u : 0;
}

static void arm(struct watchdog *w, uint32_t options, uint32_t wanted_ms)
{
    int status = 0;
    w->can_stop = has_way_out(w->fd);
    w->stays_armed = !w->can_stop || (options & WDIOF_MAGICCLOSE) != 0;
    w->bitten =
        device_ioctl(w->fd, WDIOC_GETBOOTSTATUS, &status) == 0 && (status & WDIOF_CARDRESET) != 0;
    int taken_s = settle(w->fd, (int)((wanted_ms + 999u) / 1000u));
    w->timeout_ms = (uint32_t)taken_s * 1000u;
    if ((options & WDIOF_PRETIMEOUT) != 0) {
        w->pretimeout_ms = settle_pretimeout(w->fd, taken_s);
    }
}

RC watchdog_backend_open(struct watchdog *w, int state_fd, uint32_t wanted_ms)
{
    (void)state_fd;
    w->fd = open(DEVICE, O_WRONLY | O_CLOEXEC);
    if (w->fd < 0) {
        return failed(w, device_rc(errno));
    }
    struct watchdog_info info = {.options = 0};
    if (device_ioctl(w->fd, WDIOC_GETSUPPORT, &info) != 0) {
        enum rc rc = errno == ENOTTY ? RC_UNSUPPORTED : RC_IO; // some other kind of device
        watchdog_backend_hand_over(w);
        return failed(w, rc);
    }
    arm(w, info.options, wanted_ms);
    enum rc rc = watchdog_backend_feed(w, (struct mono){.ms = 0}); // the whole timeout, from now
    if (rc != RC_OK) {
        rc_ignore(watchdog_backend_stop(w), "it fails already; it is closed anyway");
        watchdog_backend_hand_over(w);
        return failed(w, rc);
    }
    return RC_OK;
}

RC watchdog_backend_feed(struct watchdog *w, struct mono now)
{
    (void)now; // the hardware counts by itself
    return write(w->fd, "", 1) == 1 ? RC_OK : RC_IO;
}

void watchdog_backend_hand_over(struct watchdog *w)
{
    if (w->fd >= 0) {
        close(w->fd);
    }
    w->fd = -1;
}

RC watchdog_backend_stop(struct watchdog *w)
{
    if (write(w->fd, "V", 1) != 1) {
        return RC_IO;
    }
    watchdog_backend_hand_over(w);
    return RC_OK;
}

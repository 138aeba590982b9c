// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A terminal, CONFIG_CONSOLE_DEVICE. Speed, format and flow control are set, and line ends on the
 * way out; the way in stays as it is, for a login may share the line. Opened without waiting for a
 * modem's carrier, and never as the terminal that controls us.
 */
#include <errno.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/device.h"

#include "backend.h"

#define DEVICE CONFIG_CONSOLE_DEVICE
#define OPTION "CONFIG_CONSOLE_DEVICE"

static RC failed(struct console *c, enum rc rc)
{
    device_say(c->missing, DEVICE, OPTION, device_why(rc));
    return rc;
}

RC console_backend_probe(struct console *c, int state_fd)
{
    struct stat st;
    (void)state_fd;
    if (stat(DEVICE, &st) != 0) {
        return failed(c, device_rc(errno));
    }
    if (!S_ISCHR(st.st_mode)) {
        return failed(c, RC_UNSUPPORTED);
    }
    return access(DEVICE, R_OK | W_OK) == 0 ? RC_OK : failed(c, device_rc(errno));
}

static RC set_line(struct console *c)
{
    struct termios t;
    if (tcgetattr(c->fd, &t) != 0) {
        return errno == ENOTTY ? RC_UNSUPPORTED : RC_IO;
    }
    t.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
    t.c_oflag |= OPOST | ONLCR;
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | CSTOPB | CRTSCTS | HUPCL);
    t.c_cflag |= CS8 | CREAD | CLOCAL;
    if (cfsetispeed(&t, B115200) != 0 || cfsetospeed(&t, B115200) != 0) {
        return RC_IO;
    }
    return tcsetattr(c->fd, TCSANOW, &t) == 0 ? RC_OK : RC_IO;
}

RC console_backend_open(struct console *c, int state_fd)
{
    (void)state_fd;
    c->fd = open(DEVICE, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (c->fd < 0) {
        return failed(c, device_rc(errno));
    }
    enum rc rc = set_line(c);
    if (rc == RC_UNSUPPORTED) {
        device_say(c->missing, DEVICE, OPTION, "no terminal");
        return rc;
    }
    return rc == RC_OK ? RC_OK : failed(c, rc);
}

/// What is left of a line that was cut ends before the next one begins.
static RC end_cut_line(struct console *c)
{
    if (!c->cut) {
        return RC_OK;
    }
    ssize_t written = write(c->fd, "\n", 1);
    c->cut = written != 1;
    if (written < 0 && errno != EAGAIN && errno != EINTR) {
        return RC_IO;
    }
    return c->cut ? RC_AGAIN : RC_OK;
}

RC console_backend_write(struct console *c, struct span line)
{
    TRY(end_cut_line(c));
    ssize_t written = write(c->fd, line.ptr, line.len);
    if (written < 0) {
        return errno == EAGAIN || errno == EINTR ? RC_AGAIN : RC_IO;
    }
    c->cut = (size_t)written < line.len;
    return written == 0 ? RC_AGAIN : RC_OK;
}

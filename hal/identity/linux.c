// SPDX-License-Identifier: Apache-2.0
// The firmware's word, as the kernel shows it: DMI on a PC, the device tree elsewhere.
#include <errno.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/device.h"

#include "backend.h"

const char *identity_backend_place(void)
{
    return CONFIG_IDENTITY_SERIAL_FILE;
}

const char *identity_backend_option(void)
{
    return "CONFIG_IDENTITY_SERIAL_FILE";
}

static RC read_file(int fd, struct buf *out)
{
    for (;;) { // ends: out is full, or the file is at its end
        char more;
        bool full = out->len == out->cap;
        ssize_t got =
            full ? read(fd, &more, 1) : read(fd, out->ptr + out->len, out->cap - out->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? RC_OK : device_rc(errno);
        }
        if (full) {
            return RC_TOOBIG;
        }
        out->len += (size_t)got;
    }
}

RC identity_backend_serial(struct identity *i, int state_fd, struct buf *serial)
{
    (void)state_fd;
    int fd = open(identity_backend_place(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum rc rc = fd >= 0 ? read_file(fd, serial) : device_rc(errno);
    if (fd >= 0) {
        close(fd);
    }
    if (rc != RC_OK) {
        const char *why = rc == RC_TOOBIG ? "too long" : device_why(rc);
        device_say(i->missing, identity_backend_place(), identity_backend_option(), why);
    }
    return rc == RC_TOOBIG ? RC_UNSUPPORTED : rc;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A button that is a FIFO, STATE/sandbox/button: '1' pressed, '0' released. It is held open for
 * writing as well, so that a writer who leaves is not its end.
 */
#include <errno.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/device.h"

#include "backend.h"
#include "sandbox/place.h"

#define READ_BYTES 64u

RC button_backend_probe(struct button *b, int state_fd)
{
    if (sandbox_absent(state_fd, "button")) {
        device_say(b->missing, "button", "STATE/sandbox/absent", "not there");
        return RC_UNSUPPORTED;
    }
    return RC_OK;
}

RC button_backend_open(struct button *b, int state_fd)
{
    TRY(button_backend_probe(b, state_fd));
    enum rc rc = sandbox_fifo(state_fd, "button", &b->fd);
    if (rc != RC_OK) {
        device_say(b->missing, "STATE/sandbox/button", "button_sandbox", device_why(rc));
    }
    return rc;
}

RC button_backend_read(struct button *b, struct mono now)
{
    char bytes[READ_BYTES];
    ssize_t got = read(b->fd, bytes, sizeof(bytes));
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? RC_OK : RC_IO;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] == '0' || bytes[i] == '1') {
            button_moved(b, bytes[i] == '1', now);
        }
    }
    return RC_OK;
}

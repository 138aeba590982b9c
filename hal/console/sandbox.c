// SPDX-License-Identifier: Apache-2.0
// A console that shows its last line: STATE/sandbox/console.
#include <fcntl.h>

#include "base/device.h"

#include "backend.h"
#include "sandbox/place.h"

RC console_backend_probe(struct console *c, int state_fd)
{
    if (sandbox_absent(state_fd, "console")) {
        device_say(c->missing, "console", "STATE/sandbox/absent", "not there");
        return RC_UNSUPPORTED;
    }
    return RC_OK;
}

RC console_backend_open(struct console *c, int state_fd)
{
    TRY(console_backend_probe(c, state_fd));
    enum rc rc = sandbox_open(state_fd, "console", O_RDWR | O_CREAT, &c->fd);
    if (rc != RC_OK) {
        device_say(c->missing, "STATE/sandbox/console", "console_sandbox", device_why(rc));
    }
    return rc;
}

RC console_backend_write(struct console *c, struct span line)
{
    enum rc rc = sandbox_rewrite_all(c->fd, line, CONSOLE_LINE_BYTES_MAX);
    return rc == RC_OK ? RC_OK : RC_IO;
}

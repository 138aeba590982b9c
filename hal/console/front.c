// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <unistd.h>

#include "hal/console.h"

#include "backend.h"

static void begin(struct console *c)
{
    memset(c, 0, sizeof(*c));
    c->fd = -1;
}

RC hal_console_probe(struct console *c, int state_fd)
{
    begin(c);
    return console_backend_probe(c, state_fd);
}

RC hal_console_open(struct console *c, int state_fd)
{
    begin(c);
    enum rc rc = console_backend_open(c, state_fd);
    if (rc != RC_OK) {
        hal_console_close(c);
    }
    return rc;
}

RC hal_console_write(struct console *c, struct span line)
{
    if (line.len == 0 || line.len > CONSOLE_LINE_BYTES_MAX) {
        return RC_TOOBIG;
    }
    return c->fd < 0 ? RC_OK : console_backend_write(c, line); // none, or closed: nobody reads it
}

void hal_console_close(struct console *c)
{
    if (c->fd >= 0) {
        close(c->fd);
    }
    c->fd = -1;
}

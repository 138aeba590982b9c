// SPDX-License-Identifier: Apache-2.0
// A serial number that is a text in STATE/sandbox/serial; "sandbox" without it.
#include "base/device.h"

#include "backend.h"
#include "sandbox/place.h"

const char *identity_backend_place(void)
{
    return "STATE/sandbox/serial";
}

const char *identity_backend_option(void)
{
    return "identity_sandbox";
}

RC identity_backend_serial(struct identity *i, int state_fd, struct buf *serial)
{
    enum rc rc = RC_UNSUPPORTED;
    if (sandbox_absent(state_fd, "identity")) {
        device_say(i->missing, "serial number", "STATE/sandbox/absent", "not there");
        return rc;
    }
    if (!sandbox_has(state_fd, "serial")) {
        buf_put_str(serial, "sandbox");
        return RC_OK;
    }
    rc = sandbox_read(state_fd, "serial", serial);
    if (rc == RC_TOOBIG) {
        rc = RC_UNSUPPORTED;
        device_say(i->missing, identity_backend_place(), identity_backend_option(), "too long");
    } else if (rc != RC_OK) {
        device_say(i->missing, identity_backend_place(), identity_backend_option(), device_why(rc));
    }
    return rc;
}

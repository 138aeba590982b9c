// SPDX-License-Identifier: Apache-2.0
// A board without button: its defconfig says so (CONFIG_BUTTON_NONE).
#include "backend.h"

RC button_backend_probe(struct button *b, int state_fd)
{
    (void)b;
    (void)state_fd;
    return RC_NOTFOUND;
}

RC button_backend_open(struct button *b, int state_fd)
{
    (void)b;
    (void)state_fd;
    return RC_OK;
}

RC button_backend_read(struct button *b, struct mono now)
{
    (void)b;
    (void)now;
    return RC_OK;
}

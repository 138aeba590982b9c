// SPDX-License-Identifier: Apache-2.0
#include "base/device.h"

#include <errno.h>
#include <stdio.h>

#include <sys/syscall.h>
#include <unistd.h>

RC device_rc(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
        return RC_UNSUPPORTED;
    case EACCES:
    case EPERM:
        return RC_DENIED;
    case EBUSY:
    case EWOULDBLOCK:
        return RC_AGAIN;
    case ENOSPC:
    case EDQUOT:
        return RC_FULL;
    default:
        return RC_IO;
    }
}

const char *device_why(enum rc rc)
{
    switch (rc) {
    case RC_UNSUPPORTED:
        return "not there";
    case RC_DENIED:
        return "no permission";
    case RC_AGAIN:
        return "in use by another process";
    default:
        return "it fails";
    }
}

void device_say(char text[static DEVICE_TEXT_BYTES],
                const char *what,
                const char *option,
                const char *why)
{
    int len = snprintf(text, DEVICE_TEXT_BYTES, "%s (%s): %s", what, option, why);
    if (len < 0) {
        text[0] = '\0';
    }
}

int device_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

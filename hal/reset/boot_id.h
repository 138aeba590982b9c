// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The kernel's boot id, which every backend knows.
 */
#ifndef RESET_BOOT_ID_H
#define RESET_BOOT_ID_H
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hal/reset.h"

static inline RC reset_kernel_boot_id(uint8_t id[static RESET_BOOT_ID_BYTES])
{
    char text[GUID_TEXT_BYTES + 1u];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return RC_IO;
    }
    ssize_t got = read(fd, text, sizeof(text));
    close(fd);
    if (got < (ssize_t)GUID_TEXT_BYTES) {
        return RC_IO;
    }
    struct span guid = {.ptr = text, .len = GUID_TEXT_BYTES};
    return guid_parse(guid, id) == RC_OK ? RC_OK : RC_IO;
}

#endif

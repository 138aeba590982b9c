// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * STATE/sandbox/freeze, mapped: whoever writes a byte into it freezes a machine, without a system
 * call of ours. What is frozen stays so over a restart, until it is written back.
 */
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "hal/stall.h"

#include "sandbox/place.h"

RC hal_stall_open(struct stall *s, int state_fd)
{
    int fd = -1;
    s->bytes = NULL;
    if (sandbox_open(state_fd, "freeze", O_RDWR | O_CREAT, &fd) != RC_OK) {
        return RC_IO;
    }
    void *at = MAP_FAILED;
    if (ftruncate(fd, STALL_BYTES) == 0) { // made just now, or of that size already
        at = mmap(NULL, STALL_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (at == MAP_FAILED) {
        return RC_IO;
    }
    s->bytes = at;
    return RC_OK;
}

bool hal_stalled(const struct stall *s, unsigned machine)
{
    ASSERT(machine < STALL_BYTES);
    return s->bytes != NULL && s->bytes[machine] != 0;
}

void hal_stall_close(struct stall *s)
{
    if (s->bytes != NULL) {
        munmap((void *)(uintptr_t)s->bytes, STALL_BYTES);
    }
    s->bytes = NULL;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A kernel whose wall clock is wrong by as much as a test or a person writes into
 * STATE/sandbox/clock, also while the program runs: the file is mapped when it is there at start.
 */
#include <stddef.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

#define OFFSET_BYTES 8u

static const volatile uint8_t *offset; // NULL: nothing is added

int64_t clock_source_wall_ms(void)
{
    uint64_t add = 0;
    for (unsigned i = 0; offset != NULL && i < OFFSET_BYTES; i++) {
        add = add << 8 | offset[i];
    }
    return (int64_t)((uint64_t)clock_kernel_ms(CLOCK_REALTIME) + add);
}

void clock_source_open(int state_fd)
{
    if (offset != NULL) {
        (void)munmap((void *)(uintptr_t)offset, OFFSET_BYTES);
        offset = NULL;
    }
    struct stat st;
    int fd = openat(state_fd, "sandbox/clock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)OFFSET_BYTES) {
        void *p = mmap(NULL, OFFSET_BYTES, PROT_READ, MAP_SHARED, fd, 0);
        offset = p == MAP_FAILED ? NULL : p;
    }
    close(fd);
}

// SPDX-License-Identifier: Apache-2.0
#include "sys/pages.h"

#include <stdint.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MADV_DONTNEED_LOCKED_NUMBER 24 ///< since Linux 5.18
#define MLOCK_ONFAULT_FLAG          1  ///< of <linux/mman.h>

bool pages_drop(void *from, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)from + page - 1u) / page * page;
    const uintptr_t end = ((uintptr_t)from + bytes) / page * page;
    void *at = (void *)first;
    if (first >= end) {
        return true;
    }
    const size_t len = end - first;
    if (madvise(at, len, MADV_DONTNEED_LOCKED_NUMBER) == 0 ||
        madvise(at, len, MADV_DONTNEED) == 0) {
        return true;
    }
    // An older kernel does not drop what is locked. The pages hold nothing in between.
    if (munlock(at, len) != 0 || madvise(at, len, MADV_DONTNEED) != 0) {
        return false;
    }
    (void)syscall(SYS_mlock2, at, len, MLOCK_ONFAULT_FLAG); // it was possible before
    return true;
}

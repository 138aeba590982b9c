// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The one pool that every library allocates from (curl, Mbed TLS, zlib, LMDB, musl itself): in the
 * firmware the C library's malloc family is defined here over a static array. Our own code calls
 * none of it.
 * Model:   segregated fit with immediate joining (heap_pool.h), constant time, guarded by a lock
 *          (name lookup runs in a thread). A corrupted header or a double free is an assertion.
 *          What was freed is overwritten.
 * Bound:   CONFIG_HEAP_KIB; exhaustion returns NULL and is counted, so that no layer takes it for
 *          something else.
 */
#ifndef SYS_HEAP_H
#define SYS_HEAP_H
#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"

struct heap_stats {
    size_t pool_bytes;
    size_t used_bytes; ///< now, block headers included
    size_t peak_bytes; ///< high-water mark since start
    uint64_t failures; ///< requests that found no room
    uint64_t requests;
};

/// All zero where the C library's own allocator is in use (host tests).
struct heap_stats heap_stats(void);
/// Give the pages of free blocks back to the kernel; they read as zero when used again.
void heap_trim(void);
/// Keep the pool out of core dumps. @retval RC_IO @covtest
RC heap_hide(void);
/// Keep the pool out of core dumps and, as it is used, out of swap: keys and tokens pass through
/// it. @retval RC_IO the kernel locks no more memory. @covtest
RC heap_guard(void);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * getrandom(2), which both backends draw on.
 */
#ifndef ENTROPY_KERNEL_H
#define ENTROPY_KERNEL_H
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/random.h>

#include "base/assert.h"

// getrandom() gives at most this much at once without being interruptible by a signal.
#define ENTROPY_PIECE_BYTES 256u

static inline void entropy_from_kernel(uint8_t *out, size_t len)
{
    while (len > 0) {
        size_t want = len < ENTROPY_PIECE_BYTES ? len : ENTROPY_PIECE_BYTES;
        ssize_t got = getrandom(out, want, 0);
        if (got < 0 && errno == EINTR) {
            continue; // only while the kernel's pool is not initialised yet
        }
        ASSERT(got > 0);
        out += got;
        len -= (size_t)got;
    }
}

static inline bool entropy_kernel_ready(void)
{
    uint8_t byte;
    return getrandom(&byte, sizeof(byte), GRND_NONBLOCK) == (ssize_t)sizeof(byte);
}

#endif

// SPDX-License-Identifier: Apache-2.0
#include "base/entropy.h"

#include <errno.h>

#include <sys/random.h>

#include "base/assert.h"

// getrandom() gives at most this much at once without being interruptible by a signal.
#define ENTROPY_PIECE_BYTES 256u

void entropy_fill(void *out, size_t len)
{
    ASSERT(out != NULL || len == 0);
    uint8_t *at = out;
    while (len > 0) {
        size_t want = len < ENTROPY_PIECE_BYTES ? len : ENTROPY_PIECE_BYTES;
        ssize_t got = getrandom(at, want, 0);
        if (got < 0 && errno == EINTR) {
            continue; // only while the kernel's pool is not initialised yet
        }
        ASSERT(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

uint64_t entropy_u64(void)
{
    uint64_t v;
    entropy_fill(&v, sizeof(v));
    return v;
}

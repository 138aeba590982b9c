// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "hal/entropy.h"

#include "backend.h"

void hal_entropy_fill(void *out, size_t len)
{
    ASSERT(out != NULL || len == 0);
    if (len > 0) {
        entropy_backend_fill(out, len);
    }
}

uint64_t hal_entropy_u64(void)
{
    uint64_t v;
    entropy_backend_fill((uint8_t *)&v, sizeof(v));
    return v;
}

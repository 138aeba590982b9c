// SPDX-License-Identifier: Apache-2.0
#include "backend.h"
#include "kernel.h"

void entropy_backend_fill(uint8_t *out, size_t len)
{
    entropy_from_kernel(out, len);
}

bool hal_entropy_ready(void)
{
    return entropy_kernel_ready();
}

// SPDX-License-Identifier: Apache-2.0
#include "source.h"

int64_t clock_source_wall_ms(void)
{
    return clock_kernel_ms(CLOCK_REALTIME);
}

void clock_source_open(int state_fd)
{
    (void)state_fd;
}

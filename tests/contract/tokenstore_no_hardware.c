// SPDX-License-Identifier: Apache-2.0
// Backends that need no hardware: KEEPS and COUNTS come from CMakeLists.txt.
#include "tokenstore_hardware.h"

const bool hardware_keeps = KEEPS;
const bool hardware_counts = COUNTS;

bool hardware_start(void)
{
    return true;
}

void hardware_stop(void)
{
}

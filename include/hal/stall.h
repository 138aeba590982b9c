// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The test hook of the sandbox board: a machine can be frozen from outside, to see that the
 * watchdog is then not fed. On every other board the answer is a constant.
 * Backends: none, sandbox (STATE/sandbox/freeze, STALL_BYTES bytes mapped shared: byte n not 0
 *           freezes machine n). All pass tests/contract/stall.c.
 */
#ifndef HAL_STALL_H
#define HAL_STALL_H
#include <stdbool.h>

#include "base/rc.h"

#define STALL_BYTES 64u

struct stall {
    const volatile unsigned char *bytes; ///< NULL: nothing can be frozen
};

RC hal_stall_open(struct stall *s, int state_fd); ///< @retval RC_IO @covtest
bool hal_stalled(const struct stall *s, unsigned machine);
void hal_stall_close(struct stall *s);

#endif

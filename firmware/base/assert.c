// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *condition, const char *file, int line)
{
    // stderr is unbuffered and allocates nothing; no struct buf here, its own assertions lead back
    // to this function.
    fprintf(stderr, "ev=assert_failed at=%s:%d condition=\"%s\"\n", file, line, condition);
    abort();
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Backend ram, for tests: the KEK is random and dies with the handle, so opening begins with
 * nothing. It has a counter, which tests read and set at t->device.
 */
#include <unistd.h>

#include "hal/entropy.h"

#include "record.h"

enum tokenstore_class backend_class(void)
{
    return TOKENSTORE_CLASS_RAM;
}

RC backend_attach(struct tokenstore *t, struct buf *missing)
{
    (void)missing;
    t->device = 0;
    return RC_OK;
}

static RC remove_file(int dir_fd, const char *name)
{
    return unlinkat(dir_fd, name, 0) == 0 ? RC_OK : RC_IO;
}

RC backend_open(struct tokenstore *t, int state_fd, bool begun, struct buf *missing)
{
    (void)state_fd;
    (void)begun;
    (void)missing;
    hal_entropy_fill(t->kek.ptr, TOKENSTORE_KEK_BYTES);
    return tokenstore_each_file(t->dir_fd, remove_file);
}

void backend_close(struct tokenstore *t)
{
    t->device = 0;
}

RC backend_counter(struct tokenstore *t, uint64_t *value)
{
    *value = t->device;
    return RC_OK;
}

RC backend_raise(struct tokenstore *t, uint64_t to)
{
    if (t->device < to) {
        t->device = to;
    }
    return RC_OK;
}

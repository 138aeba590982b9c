// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * How a test looks at a store anew after it changed the files: a backend that keeps nothing is
 * checked with the handle that it has.
 */
#ifndef CONTRACT_TOKENSTORE_RECORD_H
#define CONTRACT_TOKENSTORE_RECORD_H
#include "hal/tokenstore.h"

#include "contract/tokenstore_hardware.h"
#if KEEPS
#include "tokenstore_file/record.h"
#else
#include "tokenstore_ram/record.h"
#endif

static inline enum rc
tokenstore_look_again(struct tokenstore *t, int state_fd, struct tokenstore_findings *found)
{
    *found = (struct tokenstore_findings){0};
    if (!hardware_keeps) {
        return record_open(t, true, found);
    }
    hal_tokenstore_close(t);
    enum rc rc = hal_tokenstore_attach(t, found);
    return rc == RC_OK ? hal_tokenstore_open(t, state_fd, found) : rc;
}

#endif

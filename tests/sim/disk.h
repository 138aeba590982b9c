// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a record (trace.h) may have left on the device when the power fails.
 * Model:  of the sectors (512 bytes) of a file that were written since its last flush any subset
 *         may be there, each whole; one that was written twice may hold either. Its size is one of
 *         those that it had since. Flushed sectors are there. What happened to names since their
 *         directory was last flushed: the first so many of it (a file system with a journal), or
 *         any subset in which no name skips a step (one without).
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

struct disk;

/// The device before anything of the record; one a process.
struct disk *disk_begin(void);
void disk_torn(struct disk *d, bool torn); ///< sectors are not atomic: cut at 8 bytes (a control)
/// The operation is under way: all of it may have happened, none of it has to.
void disk_start(struct disk *d, const struct trace_op *op);
/// ... and it has returned: flushes are done.
void disk_finish(struct disk *d, const struct trace_op *op);
/// What may or may not have happened: sectors, sizes, names.
uint32_t disk_pending(const struct disk *d);

/// Which of the possible states: 0 none of what is pending, 1 all of it, more: by chance.
struct disk_choice {
    uint32_t number;
    uint64_t seed;
};

/// Write one state into an empty directory. @retval false: it cannot be written.
bool disk_write(const struct disk *d, struct disk_choice choice, const char *dir);

#endif

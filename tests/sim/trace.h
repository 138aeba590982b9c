// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Records every call that changes something below one directory, while it is really carried out.
 * Linked with SIM_WRAPS (CMakeLists.txt); what is outside of the directory passes through.
 * Objects are known by device and inode number, so that paths and descriptors do not matter.
 */
#ifndef TESTS_SIM_TRACE_H
#define TESTS_SIM_TRACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_SECTOR_BYTES 512u
#define TRACE_NAME_BYTES   48u
#define TRACE_ROOT         0u

enum trace_kind {
    TRACE_WRITE = 1, ///< whole sectors of a file, as they are after the write
    TRACE_SIZE,      ///< of a file
    TRACE_SYNC,      ///< of a file
    TRACE_CREATE,    ///< a file or directory `made` under a name in directory `node`
    TRACE_REMOVE,    ///< a name in directory `node`
    TRACE_RENAME,    ///< from a name in directory `node` to one in directory `made`
    TRACE_SYNC_DIR,
    TRACE_DONE, ///< trace_done
};

struct trace_op {
    enum trace_kind kind;
    uint32_t node;
    uint32_t made;
    bool is_dir;   ///< TRACE_CREATE
    bool at_once;  ///< TRACE_WRITE: through a descriptor with O_DSYNC
    uint16_t mode; ///< TRACE_CREATE
    uint32_t sector, sectors;
    const uint8_t *bytes; ///< TRACE_WRITE
    uint64_t file_bytes;  ///< size of the file after it
    uint32_t old, new;    ///< versions that are allowed while this happens
    char name[TRACE_NAME_BYTES], to_name[TRACE_NAME_BYTES];
};

/// Begin a record of what happens below `dir`. Forgets the one before. What is there already is
/// recorded first, as made and flushed.
void trace_begin(const char *dir);
void trace_end(void);
/// How many flushes the device forgets: every one (negative controls).
void trace_forget_flushes(bool forget);
/// The state on the disk may be any of both: a cut left it.
void trace_may_be(uint32_t old, uint32_t new);
/// From here on the state on the disk may be `version` as well as what it was.
void trace_changes_to(uint32_t version);
/// ... and from here on it must be.
void trace_done(void);

size_t trace_count(void);
const struct trace_op *trace_at(size_t i);

#endif

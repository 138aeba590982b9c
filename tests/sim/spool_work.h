// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The work on a spool that power cuts interrupt, and what must be in it after each step.
 */
#ifndef TESTS_SIM_SPOOL_WORK_H
#define TESTS_SIM_SPOOL_WORK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim.h"
#include "spool/spool_state.h"

#define SINKS        2u
#define TABLES       3u
#define KEYS         16u
#define DEAD_MAX     24u
#define VERSIONS_MAX 1024u
#define NOISE_BYTES  (60u * 1024u)

struct dead {
    uint64_t seq;
    uint32_t sink;
};

/// What must stand in the store. Rows hold a number; 0: there is none.
struct version {
    bool exists;
    char guid[GUID_TEXT_BYTES];
    uint64_t next_seq;
    uint64_t acked[SINKS];
    uint32_t rows[TABLES][KEYS];
    struct dead dead[DEAD_MAX];
    uint32_t dead_count;
};

extern struct spool store;
extern struct version versions[VERSIONS_MAX];
extern unsigned weaker; ///< flags for LMDB: less than what the spool asks for
extern const enum spool_table tables[TABLES];
extern char scratch_array[SPOOL_BLOCK_RAW_BYTES_MAX];

size_t record_small(const char *dir, uint64_t from_seed, const struct sim_cut *before);
/// The map is filled to the mark and past it; then the sinks make room and it is filled again.
size_t record_full(const char *dir, uint64_t from_seed, const struct sim_cut *before);
bool work_is_large(void); ///< record_full's

/// What is different between the open store and a version; NULL: nothing. In spool.c.
/// @param thoroughly  every event of a full map, too
const char *differs(const struct version *v, bool thoroughly);

enum rc open_store(const char *dir, enum spool_found *found, struct buf *reason);

/// What follows from a sequence number, a key's number, a row's content, a refused event.
struct span line_of(uint64_t seq);
struct span key_of(uint32_t n, char array[static 8]);
struct span value_of(uint32_t n, struct buf *b);
struct span dead_key(struct dead d, struct buf *b);

#endif

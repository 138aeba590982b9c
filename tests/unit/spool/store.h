// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the tests of the spool share: a store in a directory of its own, events that can be told
 * from their sequence number, rows that can be told from their key, and a reader that checks all of
 * it.
 */
#ifndef UNIT_SPOOL_STORE_H
#define UNIT_SPOOL_STORE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spool/spool_state.h"

#define STORE_MAP_MIB 16u

extern struct spool store;    ///< the one under test
extern char store_dir[256];   ///< its state directory
extern struct buf store_body; ///< 512 KiB
extern struct buf store_scratch;

int store_setup(void **state);    ///< an empty directory, nothing open
int store_teardown(void **state); ///< closed, directory removed

/// Opens with a map of `map_mib` and a mark of 80 %; the result of spool_open.
enum rc store_try_open(uint32_t map_mib, enum spool_found *found);
/// Opens, which must succeed, and must find what is expected.
void store_open(enum spool_found expected);
void store_reopen(void);        ///< closes without a commit, opens a good one
const char *store_reason(void); ///< of the last open

/// The event of a sequence number: 40 bytes to some KB, as `entropy` says it is compressible or
/// not.
struct span store_line(uint64_t seq);
/// Same, of a fixed size, incompressible: fills a store quickly.
struct span store_noise_line(uint64_t seq, size_t bytes);

void store_append(unsigned count); ///< so many events, must succeed
void store_commit(void);           ///< must succeed

struct span store_key(char *array, unsigned n); ///< 8 bytes, in the order of n
void store_put(enum spool_table table, unsigned n, const char *value);
void store_delete(enum spool_table table, unsigned n);
/// The row's value must be as said; NULL: there must be none.
void store_expect(enum spool_table table, unsigned n, const char *value);

void store_sink(const char *name); ///< one sink of that name
/// spool_read with the scratch memory that is here.
enum rc store_read(uint64_t after,
                   uint32_t events_max,
                   uint64_t raw_max,
                   struct buf *body,
                   struct spool_batch *batch);
/// Unpacks a batch and compares each line; `noise_bytes` 0: store_line, else store_noise_line.
void store_check_batch(const struct spool_batch *batch, size_t noise_bytes);
/// Reads all events after `after` in batches and checks them; the last sequence number.
uint64_t store_check_events(uint64_t after, size_t noise_bytes);

/// Path of a file of the store's directory; valid until the next call.
const char *store_file(const char *name);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct spool, for the one who owns its memory (struct app, tests). Its members are the spool's
 * own business. All zero is a valid value before spool_open. About 540 KiB, of which only what is
 * in use is ever touched.
 */
#ifndef SPOOL_SPOOL_STATE_H
#define SPOOL_SPOOL_STATE_H
#include "base/deflate.h"

#include "spool/spool.h"

#define SPOOL_PATH_BYTES_MAX      512u
#define SPOOL_STAGED_BYTES        (96u * 1024u) ///< staged rows, keys included
#define SPOOL_RELEASE_BLOCKS_MAX  256u          ///< released by one ack
#define SPOOL_SINK_NAME_BYTES_MAX 32u
#define SPOOL_EVENT_HEADER_BYTES  17u   ///< format, CRC32C, count, raw bytes, raw CRC-32
#define SPOOL_OPS_MAX             2048u ///< staged rows
#define SPOOL_OP_SLOTS            4096u ///< power of two, at least twice SPOOL_OPS_MAX

/// One staged row or removal; its key and then its value stand in struct spool_stage.bytes from
/// `at`.
struct spool_op {
    uint32_t at;
    uint16_t value_bytes;
    uint16_t value_room; ///< bytes there are for the value
    uint8_t key_bytes;
    uint8_t table;
    bool removes;
};

/// Rows that are not committed yet: at most one op for a key, the last one said.
struct spool_stage {
    struct spool_op ops[SPOOL_OPS_MAX];
    uint16_t slots[SPOOL_OP_SLOTS]; ///< hash of table and key -> index in ops + 1; 0: free
    uint16_t order[SPOOL_OPS_MAX];  ///< scratch of a commit: ops in key order
    uint32_t ops_count, bytes_used;
    char bytes[SPOOL_STAGED_BYTES];
};

/// The open block: room for its header, then what the compressor has let go of.
struct spool_block {
    struct deflate deflate;
    uint32_t count; ///< events in it
    uint32_t bytes; ///< compressed so far, without the header
    bool sealed;    ///< ended, its header written: only a commit is possible
    char value[SPOOL_EVENT_HEADER_BYTES + SPOOL_BLOCK_BYTES_MAX];
};

/// What a committed transaction left behind.
struct spool_counts {
    uint64_t first_held; ///< sequence number of the oldest event held; durable_seq + 1: none
    uint64_t event_bytes;
    uint32_t used_pages, dead_rows;
};

struct spool_sink {
    char name[SPOOL_SINK_NAME_BYTES_MAX];
    uint8_t name_bytes;
    uint64_t acked;
};

struct spool {
    void *env; ///< the library's environment; NULL: closed (after a failure it is opened again)
    unsigned dbi[SPOOL_TABLES]; ///< by enum spool_table; 0: events
    int lock_fd;                ///< keeps other processes out; valid if is_open
    bool is_open;
    char path[SPOOL_PATH_BYTES_MAX];
    char guid[GUID_TEXT_BYTES];
    uint64_t map_bytes;  ///< the quota
    uint64_t file_bytes; ///< the file is at least this long: so much of the disk is ours
    uint32_t page_bytes; ///< of the library, as large as the system's
    uint32_t high_percent;
    uint64_t durable_seq;
    uint64_t commits, commit_failures;
    struct spool_counts counts;
    struct spool_sink sinks[CONFIG_SINKS_MAX];
    unsigned sinks_count;
    struct spool_block block;
    struct spool_stage stage;
};

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The collector's rows in the spool: keys and values, encoded field by field (big endian), each
 * with a format byte. Keys are time-ordered, because random keys in a B+tree cost up to eighty
 * times the disk writes.
 */
#ifndef GRAPH_ROWS_H
#define GRAPH_ROWS_H
#include "base/bytes.h"
#include "base/rc.h"
#include "base/span.h"

#include "spool/spool.h"

#define RECORD_ID_BYTES_MAX 128u ///< Graph promises no length; longer ids are quarantined
#define SEEN_KEY_BYTES      24u  ///< start (8), id as 16 bytes
#define WORK_KEY_BYTES      33u  ///< class (1), order (8), seen key (24)
#define WINDOW_KEY_BYTES    12u  ///< start second (8), width in hours (4)

/// A call record as the rows know it.
struct record_id {
    char text[RECORD_ID_BYTES_MAX];
    uint8_t len;
};

struct span record_id_span(const struct record_id *id);
/// @retval RC_TOOBIG
/// @retval RC_PARSE empty, a path's dots, or characters a URL path cannot carry
RC record_id_set(struct record_id *id, struct span text);

enum seen_state {
    SEEN_ILLEGAL = 0,
    SEEN_PENDING,
    SEEN_DONE,
    SEEN_QUARANTINED,
    SEEN_STATES
};

enum work_class {
    WORK_ILLEGAL = 0,
    WORK_READY,   ///< order: newest start first
    WORK_WAITING, ///< order: wall time when it is due
};

struct seen_row {
    enum seen_state state;
    uint64_t version_done;   ///< highest version delivered to the spool, 0: none
    uint64_t version_wanted; ///< highest version listed
    int64_t end_ms;          ///< endDateTime, for the wait on 404
    enum work_class work_class;
    uint64_t work_order; ///< with the class: the work row's key, while PENDING
    struct record_id id;
};

struct work_row {
    uint32_t attempts; ///< failures in a row, whoever's fault
    uint32_t strikes;  ///< of them, answers that this record alone is to blame for
};

struct window_row {
    int64_t listed_ms; ///< wall time at which the last complete listing began; 0: never
    uint32_t records;  ///< in that listing
    uint32_t pending;  ///< records of this window whose details are wanted
};

struct rows_key {
    char bytes[SPOOL_KEY_BYTES_MAX];
    size_t len;
};

struct span rows_key_span(const struct rows_key *k);
struct rows_key seen_key(int64_t start_ms, struct span id);
struct rows_key work_key(enum work_class c, uint64_t order, struct span seen_key);
/// The part of a work key that names the record's SEEN row.
RC work_key_read(struct span key, enum work_class *c, uint64_t *order, struct rows_key *seen);
int64_t seen_key_start_ms(struct span key);
uint64_t work_order_ready(int64_t start_ms);
struct rows_key window_key(int64_t start_s, uint32_t width_hours);
RC window_key_read(struct span key, int64_t *start_s, uint32_t *width_hours);

/// Read through the spool. @retval RC_NOTFOUND @retval RC_CORRUPT @retval RC_IO
RC seen_get(struct spool *s, struct span key, struct seen_row *row);
/// @retval RC_FULL staging
RC seen_put(struct spool *s, struct span key, const struct seen_row *row);
RC work_get(struct spool *s, struct span key, struct work_row *row);
RC work_put(struct spool *s, struct span key, const struct work_row *row);
RC window_decode(struct span value, struct window_row *row);
RC window_put(struct spool *s, struct span key, const struct window_row *row);

#endif

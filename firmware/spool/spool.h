// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The spool: events and everything that is known about the collecting, in one LMDB environment.
 * The fence around LMDB.
 * Caveats: a commit costs a flush to the device; deleting needs free pages too, so 10 % of the
 *          map is kept for it (5 % against commits, the rest by the high-water mark).
 * Model:   events are lines with a sequence number; they are deflated into blocks as they are
 *          appended. Rows are small values in named tables. Both are staged in RAM and become
 *          durable together in spool_commit(): one LMDB transaction with the events AND the rows
 *          that say how far collecting got. Nothing staged survives a crash, nothing committed
 *          is lost by one. Reads of rows see what is staged, readers of events what is committed.
 * Order:   sequence numbers start at 1 and have no gaps. A sink's position is the last sequence
 *          number that it acknowledged.
 * Memory:  struct spool (staging) and LMDB's own from the process pool. No transaction is alive
 *          across a return to the caller.
 * Time:    commit, ack and bury block for a flush; the others for reads of the file at most.
 * Failure: any call that touches the store may return RC_IO (the device), RC_RETRY (the pool has
 *          no room now) and RC_CORRUPT (the file does not hang together); the store is as before.
 * Format:  see spool_rows.c. Files are specific to word size and byte order.
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H
#include "base/bytes.h"
#include "base/deflate.h"
#include "base/rc.h"
#include "base/span.h"

#define SPOOL_EVENT_BYTES_MAX  (CONFIG_JSON_ELEMENT_KIB * 1024u + 4096u) ///< one event line
#define SPOOL_BLOCK_SEAL_BYTES (92u * 1024u) ///< a block is full when it has grown past this
#define SPOOL_BLOCK_BYTES_MAX                                                                      \
    (SPOOL_BLOCK_SEAL_BYTES + DEFLATE_HELD_BYTES + DEFLATE_BOUND(SPOOL_EVENT_BYTES_MAX) + 64u)
#define SPOOL_BLOCK_RAW_BYTES_MAX (764u * 1024u + SPOOL_EVENT_BYTES_MAX) ///< a block uncompressed
#define SPOOL_KEY_BYTES_MAX       64u
#define SPOOL_ROW_BYTES_MAX       1024u ///< a row's value; in SPOOL_DEAD: SPOOL_BLOCK_BYTES_MAX
#define SPOOL_DEAD_ROWS_MAX       1000u

enum spool_table {
    SPOOL_SEEN = 1, ///< start time + id -> what we have of the record
    SPOOL_WORK,     ///< due order -> record whose details are wanted
    SPOOL_WINDOW,   ///< window start -> listing state
    SPOOL_CURSOR,   ///< source -> small facts (one row per source)
    SPOOL_SINK,     ///< sink name -> position (written by spool_ack only)
    SPOOL_LEDGER,   ///< hour -> counts
    SPOOL_DEAD, ///< sink + sequence -> event a sink refused for good (written by spool_bury only)
    SPOOL_TABLES,
};

enum spool_found {
    SPOOL_FOUND_GOOD = 1,
    SPOOL_FOUND_NONE,
    SPOOL_FOUND_BROKEN
};

struct spool_options {
    const char *state_dir; ///< NUL-terminated; the store is <state_dir>/spool/
    uint32_t map_mib;      ///< quota; 8..2048
    uint32_t high_percent; ///< appends are refused above this share of the map; 50..90
    void (*while_waiting)(void *context); ///< every second of the check; may be NULL
    void *context;
};

struct spool_stats {
    uint64_t next_seq;     ///< of the next append
    uint64_t durable_seq;  ///< last committed
    uint64_t events_held;  ///< committed and not yet released by every sink
    uint64_t bytes_held;   ///< the bytes of the map that they take
    uint32_t used_percent; ///< of the map
    uint64_t commits, commit_failures;
    uint32_t dead_rows;
};

struct spool; ///< defined in spool_state.h for struct app and tests only

/**
 * Open, checking everything first in a child process that may crash on a broken file.
 * Call before crypto_init, with no other thread. Takes as long as reading it, 5 minutes at most.
 * Broken: set aside as spool.broken-<n> (the newest is kept), begun anew. A low quota keeps data.
 * @param reason  SPOOL_FOUND_BROKEN: short printable cause, appended ("format": a newer version's).
 * @retval RC_AGAIN another process has it open. Nothing was changed: @retval RC_RETRY that time was
 * too short. @retval RC_IO device fails.
 */
RC spool_open(struct spool *s,
              const struct spool_options *options,
              enum spool_found *found,
              struct buf *reason);
void spool_reopen(struct spool *s); ///< the file; what is staged stays staged
void spool_close(struct spool *s);  ///< what is staged is not committed
/// GUID text of this store (36 characters): with a sequence number it names an event for ever.
struct span spool_id(const struct spool *s);
struct spool_stats spool_stats(const struct spool *s);

// ---- writing: staged until spool_commit

uint64_t spool_next_seq(const struct spool *s); ///< that the next spool_append will have
/**
 * Stage one event.
 * @param line  one JSON object without its newline, carrying spool_next_seq(), not empty; copied.
 * @retval RC_FULL    the staged block is full: commit; or the store is above its high-water mark
 *                    (spool_has_room tells): wait for the sinks.
 * @retval RC_TOOBIG  line is longer than SPOOL_EVENT_BYTES_MAX.
 */
RC spool_append(struct spool *s, struct span line);
bool spool_has_room(const struct spool *s); ///< below the high-water mark, with what is staged
/// Stage a row (replacing one of the same key). Not of SPOOL_SINK or SPOOL_DEAD.
/// @param key 1..SPOOL_KEY_BYTES_MAX bytes  @param value 0..SPOOL_ROW_BYTES_MAX bytes
/// @retval RC_FULL  staging is full: commit first.
RC spool_put(struct spool *s, enum spool_table table, struct span key, struct span value);
/// Stage the removal of a row, if it exists. @retval RC_FULL as above.
RC spool_delete(struct spool *s, enum spool_table table, struct span key);
bool spool_staging_has(const struct spool *s, unsigned rows); ///< more, of the largest size
/// The staged block or rows are past the point where a commit is worth its price.
bool spool_wants_commit(const struct spool *s);
bool spool_has_staged(const struct spool *s);
/// Make everything staged durable, in one transaction. On any failure it stays staged: call again
/// later; no event can be appended until then. @retval RC_FULL map or disk: sinks must make room.
RC spool_commit(struct spool *s);
/// Nothing will be appended for a while: compressor and staging give memory back if they can.
void spool_idle(struct spool *s);

// ---- reading rows
/// Value of a row, appended to out, staged state included.
/// @retval RC_NOTFOUND none  @retval RC_CORRUPT its checksum  @retval RC_TOOBIG no room in out
RC spool_get(struct spool *s, enum spool_table table, struct span key, struct buf *out);

/// Where a walk over rows goes on. All zero: at the first row.
struct spool_from {
    struct span key;
    bool after; ///< behind that key; else at it, if it is there
};

/**
 * First row at or behind `from`, staged state included; key and value are appended.
 * @retval RC_NOTFOUND  none.   @retval RC_TOOBIG  key or value has no room for it.
 * @retval RC_CORRUPT   its checksum; the key is appended all the same, so that it can be deleted.
 */
RC spool_seek(struct spool *s,
              enum spool_table table,
              struct spool_from from,
              struct buf *key,
              struct buf *value);

// ---- sinks

/**
 * Tell which sinks there are (after open, and when the configuration changes): an event is released
 * when every one of them has it; with none nothing is. Positions of names that are not listed are
 * forgotten at the next ack. A new name starts at the oldest event held.
 * @param names  up to CONFIG_SINKS_MAX, 1..32 characters each.
 */
RC spool_set_sinks(struct spool *s, const struct span *names, unsigned count);
uint64_t spool_acked(const struct spool *s, unsigned index); ///< last one it has; 0: none
/**
 * Durable at once, in a transaction of its own. Releases what every sink has, oldest first, a
 * bounded number of blocks a call. Works when the map is full.
 * @param seq  >= the present position, <= durable_seq.
 * @retval RC_FULL  the disk is full and holds no page that could be used again; try again later.
 */
RC spool_ack(struct spool *s, unsigned index, uint64_t seq);

struct spool_want {
    uint64_t after_seq;  ///< the last one it has
    uint32_t events_max; ///< 1 or more
    uint64_t raw_max;    ///< uncompressed bytes; one event may be more
};

/// A batch of committed events as one gzip member of NDJSON.
struct spool_batch {
    uint64_t first_seq, last_seq;
    uint32_t count;
    uint64_t raw_bytes;
    struct span body; ///< in the caller's buffer
};

/**
 * As many whole blocks as are wanted and fit in `body`; at least one event. A part of a block is
 * compressed again, and is a batch by itself.
 * @param scratch  for a part of a block: SPOOL_BLOCK_RAW_BYTES_MAX bytes. May be untouched memory.
 * @param body     the member is appended; untouched on failure.
 * @retval RC_NOTFOUND  nothing committed after it.   @retval RC_TOOBIG  no room for even one event.
 * @retval RC_CORRUPT   the block is damaged; batch says which events were in it, to be
 * acknowledged.
 */
RC spool_read(struct spool *s,
              const struct spool_want *want,
              struct buf scratch,
              struct buf *body,
              struct spool_batch *batch);
/// One committed event, in scratch. @retval RC_NOTFOUND it is not held.
RC spool_line(struct spool *s, uint64_t seq, struct buf scratch, struct span *line);
/**
 * Put one committed event aside for a sink, durably, and acknowledge nothing. Again: the same row.
 * @param reason  printable, its first 128 characters are kept.   @param scratch  as in spool_read.
 * @retval RC_FULL  the quarantine has SPOOL_DEAD_ROWS_MAX rows, or the map is full: hold the sink.
 * @retval RC_NOTFOUND  the event is not held.   @retval RC_CORRUPT  its block is damaged.
 */
RC spool_bury(
    struct spool *s, unsigned index, uint64_t seq, struct span reason, struct buf scratch);

#endif

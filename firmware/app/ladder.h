// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * How far the box goes to help itself, and when it leaves off: levels 0 to 6, each with a budget
 * that survives restarts. Pure: time, the past and facts are passed in; whoever owns it stores the
 * record when `changed` says so.
 * Model:   whoever finds something wrong asks ladder_climb what may be done about it. The answer is
 *          the lowest level that has not been tried in vain: the same cause again means one level
 *          higher. A box that has tried everything holds still: it never restarts for ever.
 * Budgets: 3 restarts of a module in 10 min; 5 of the process in 1 h; 3 of the box in 24 h, at
 *          least 5, 15, 60 min after the one before. What was used counts until its time is over
 *          and a healthy period has been seen since.
 * Time:    within one boot by CLOCK_BOOTTIME. Across boots by what is certain: at least the time
 *          since this boot, and the difference of the wall clock where both ends were trusted.
 *          Nothing expires by an untrusted clock.
 * Format:  see ladder.c; version 1; big endian.
 */
#ifndef APP_LADDER_H
#define APP_LADDER_H
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"
#include "hal/reset.h"

#define LADDER_MODULES_MAX   3u
#define LADDER_PROCESSES_MAX 5u
#define LADDER_REBOOTS_MAX   3u
#define LADDER_LIVES_KEPT    8u
#define LADDER_LOOP_BOOTS    3u       ///< in a row, each shorter than LADDER_LOOP_MS
#define LADDER_LOOP_MS       300000   ///< a boot that lived so long is none of a loop
#define LADDER_HEALTHY_MS    1800000  ///< all well for so long: a new beginning
#define LADDER_PROBE_MS      21600000 ///< a box that holds still looks again
#define LADDER_STORE_MS      60000    ///< a record that cannot be stored is tried again
#define LADDER_RECORD_BYTES  256u

enum ladder_level {
    LADDER_RETRY = 0, ///< machines retry by themselves: nothing to be done
    LADDER_MODULE,    ///< tear one module down and build it again
    LADDER_PROCESS,   ///< end, and be started again
    LADDER_REBOOT,    ///< feed the watchdog no longer
    LADDER_REVERT,    ///< undo the change that is on probation
    LADDER_FACTORY,   ///< factory configuration
    LADDER_HOLD,      ///< stand still, fed, visible; look again every LADDER_PROBE_MS
    LADDER_LEVELS,
};

/// Causes are the numbers of machines (app/health.h), and these.
enum ladder_cause {
    LADDER_CAUSE_NONE = 100,
    LADDER_CAUSE_CRASH,     ///< the process died without a word, or by an assertion
    LADDER_CAUSE_BOOT_LOOP, ///< boots that live for moments
    LADDER_CAUSE_ENDED,     ///< the process ended itself, not by the ladder's word
};

/// Something that was used up.
struct ladder_stamp {
    uint32_t boot;   ///< number of the boot
    int64_t boot_ms; ///< CLOCK_BOOTTIME
    int64_t wall_ms; ///< 0: the clock was not trusted
    uint8_t cause;
    bool healed; ///< a healthy period was seen since
};

struct ladder_life {
    uint8_t reset;     ///< enum reset_cause: how it ended
    bool same_boot;    ///< the machine went on
    uint32_t uptime_s; ///< as last noted; 0: died before it was noted
};

struct ladder {
    // the record
    uint32_t boots, lives; ///< numbers of this boot and this process
    enum ladder_level level;
    uint8_t cause; ///< of the level
    struct ladder_stamp processes[LADDER_PROCESSES_MAX];
    struct ladder_stamp reboots[LADDER_REBOOTS_MAX];
    unsigned processes_count, reboots_count;    ///< oldest first
    struct ladder_life past[LADDER_LIVES_KEPT]; ///< newest first
    unsigned past_count;
    uint64_t reverted; ///< change that was undone; 0: none
    bool factory;      ///< the factory configuration was tried
    bool counted;      ///< the end that comes is the ladder's word: it is counted already
    uint8_t untold;    ///< enum reset_cause that nobody upstream was told of; 0: none

    // this process
    struct ladder_stamp modules[LADDER_MODULES_MAX];
    unsigned modules_count;
    bool changed;         ///< the record differs from what is stored
    struct mono store_at; ///< then: not before; it could not be stored
};

/// What the ladder does not know by itself.
struct ladder_facts {
    uint64_t probation; ///< names the change that is on probation; 0: none is
};

/// A box without a past.
void ladder_init(struct ladder *l);
void ladder_encode(const struct ladder *l, struct buf *out); ///< LADDER_RECORD_BYTES suffice
/// @retval RC_CORRUPT nothing of it is used: as after ladder_init.
RC ladder_decode(struct ladder *l, struct span record);

/**
 * A process begins. Counts it, and looks for loops.
 * @param reset  how the life before ended.
 * @return RETRY (go on), or REBOOT, REVERT, FACTORY, HOLD. PROCESS and MODULE are never returned.
 */
enum ladder_level ladder_start(struct ladder *l,
                               const struct reset *reset,
                               const struct ladder_facts *facts,
                               struct now now);
/**
 * Something is wrong: what may be done about it? The answer is counted as done, but for one: a
 * REBOOT whose time has not come.
 * @param not_before  REBOOT: when it may be; `now` or earlier: at once.
 * @return MODULE or higher.
 */
enum ladder_level ladder_climb(struct ladder *l,
                               uint8_t cause,
                               const struct ladder_facts *facts,
                               struct now now,
                               struct mono *not_before);
/// All was well for LADDER_HEALTHY_MS.
void ladder_healthy(struct ladder *l);
/// No reset came of a REBOOT: it is over without one.
void ladder_unbitten(struct ladder *l);
/// The record is to be stored now.
bool ladder_to_store(const struct ladder *l, struct mono now);
void ladder_stored(struct ladder *l, enum rc rc, struct mono now);
/// What is to be told upstream of a start: its cause, or a worse one that was not told yet.
enum reset_cause ladder_to_tell(const struct ladder *l, enum reset_cause cause);
/// @param cause  RESET_ILLEGAL: everything was told.
void ladder_untold(struct ladder *l, enum reset_cause cause);
const char *ladder_level_name(enum ladder_level level); ///< "retry", "module", ...

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Health: does every machine move, or wait for a good reason? The one place that feeds the hardware
 * watchdog, and the one that decides what is done about a machine that stands still.
 * Model:   after each turn of the loop every machine is looked at (health_see). A machine is late
 *          when a wake-up that it promised itself passes unserved for grace_ms, or when it is busy
 *          and nothing of it moves for busy_ms. The watchdog is fed only while none is late.
 * Time:    lateness counts turns of the loop that had a chance to run: a machine that slept, a
 *          laptop that was suspended, a stepped clock make nobody late. Pure: `now` is passed in.
 * Ladder:  what is done about a late machine is app/ladder.h's word. While its next step has to
 * wait (the spacing of reboots), and while the box holds still, the watchdog is fed all the same: a
 * reset would not be better then.
 */
#ifndef APP_HEALTH_H
#define APP_HEALTH_H
#include "base/activity.h"
#include "base/clock.h"
#include "base/rc.h"
#include "hal/watchdog.h"

#include "app/ladder.h"

#define HEALTH_FEED_MS_MAX  10000
#define HEALTH_GRACE_MS_MAX 15000
#define HEALTH_TURN_MS_MIN  10000 ///< a flush of a slow disk: a watchdog must leave room for it
#define HEALTH_MARGIN_MS    5000
/// The largest store is checked (at 30 MB/s: 70 s) and keys are made (120 s) in less.
#define HEALTH_START_MS_MAX 300000
#define HEALTH_BUSY_MORE_MS 30000 ///< on top of what a transfer may take without moving

/// In the order in which they are stepped. Their numbers are also those of hal/stall.h.
enum machine {
    MACHINE_TIME = 0,
    MACHINE_AUTH,
    MACHINE_GRAPH,
    MACHINE_STORE,
    MACHINE_HTTP,
    MACHINE_SHIP, ///< the first sink; the others follow
    MACHINE_VALIDATE = MACHINE_SHIP + CONFIG_SINKS_MAX,
    MACHINE_SIGNIN,
    MACHINES,
    MACHINE_NONE = MACHINES,
};

struct health_limits {
    int64_t feed_ms;  ///< from one feeding to the next
    int64_t grace_ms; ///< after a promised wake-up
    int64_t busy_ms;  ///< without progress
};

/**
 * Limits that fit the timeout which the watchdog really took.
 * @param transfer_ms  the longest time that a transfer may take without moving.
 * @retval RC_UNSUPPORTED  the timeout is too short for any disk: feeding, one flush and a margin do
 *                         not fit into it.
 */
RC health_limits_for(uint32_t timeout_ms, int64_t transfer_ms, struct health_limits *limits);

struct health_machine {
    bool seen;
    struct activity last;
    int64_t late_ms; ///< for so long nothing moved although something should
};

struct health {
    struct health_limits limits;
    struct health_machine machines[MACHINES];
    struct ladder ladder;
    struct mono turned;        ///< last turn
    int64_t turn_ms;           ///< length of this turn, as far as it counts
    int64_t well_ms;           ///< nobody was late for so long
    struct mono fed;           ///< and it was taken
    struct mono tried;         ///< fed, or refused
    struct mono excused_until; ///< a late machine's next step has to wait until then
    bool starving;             ///< level 3: never fed again
    bool holding;              ///< level 6
    struct mono probe;         ///< then: when to look again
};

/// While the box starts no machine can be asked yet: fed if it is time, but only for
/// HEALTH_START_MS_MAX since health_init, and not while it starves.
void health_feed_start(struct health *h, struct watchdog *w, struct mono now);
/// The ladder is kept as it is. Fed is now: the watchdog was just opened.
void health_init(struct health *h, const struct health_limits *limits, struct mono now);
/// A turn was made. Once, before the machines are looked at.
void health_turn(struct health *h, struct mono now);
void health_see(struct health *h, unsigned machine, const struct activity *a, struct mono now);
/// The machine was built anew: it has its whole time again.
void health_rebuilt(struct health *h, unsigned machine);
/// The machine that is late, or MACHINE_NONE.
unsigned health_late(const struct health *h);

/// What is to be done, and about whom.
struct health_verdict {
    enum ladder_level level; ///< RETRY: nothing
    unsigned machine;        ///< or MACHINE_NONE
};

/// Once a turn, behind health_see. What it says is counted as done.
struct health_verdict
health_judge(struct health *h, const struct ladder_facts *facts, struct now now);
/// Begin with the level that the start asks for.
void health_begin(struct health *h, enum ladder_level level, struct mono now);
/// A box that holds still: is it time to look again? Then its machines are to be built anew, and
/// from now on they are judged again.
bool health_probe(struct health *h, struct mono now);
/// Level 3 and no reset came of it although the time for it is long over: the watchdog does not
/// bite. Then it is fed again: a box without a reset is better off working.
bool health_unbitten(struct health *h, const struct watchdog *w, struct mono now);
/// Feed if it is time and all is well. @return when to call again. @param failed set by a turn that
/// tried: the device refused.
struct mono health_feed(struct health *h, struct watchdog *w, struct mono now, bool *failed);
const char *health_machine_name(unsigned machine); ///< "time", "auth", ..., "ship"; of causes too

#endif

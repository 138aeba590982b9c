// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The record, in order: version, level, cause, flags (8 bit each: 1 factory, 2 counted, the upper
 * half is the untold cause) | boots, lives (32) | reverted
 * (64) | counts of processes, reboots, past (8 each) | the stamps: boot (32), boot_ms, wall_ms
 * (64), cause, healed (8) | the past: reset, same_boot (8), uptime_s (32).
 */
#include "app/ladder.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#define VERSION    1u
#define MINUTE_MS  INT64_C(60000)
#define MODULE_MS  (10 * MINUTE_MS)
#define PROCESS_MS (60 * MINUTE_MS)
#define REBOOT_MS  (24 * 60 * MINUTE_MS)

#define FLAG_FACTORY 1u
#define FLAG_COUNTED 2u
#define UNTOLD_SHIFT 4u

_Static_assert(RESET_CAUSES <= 1u << UNTOLD_SHIFT, "a cause is half a byte");

static const int64_t spacing_ms[LADDER_REBOOTS_MAX] = {
    5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS};

// ---- stamps ----

/// How long ago at least. What happened in an earlier boot is older than this boot.
static int64_t age_ms(const struct ladder *l, const struct ladder_stamp *s, struct now now)
{
    if (s->boot == l->boots) {
        return now.mono.ms - s->boot_ms;
    }
    int64_t age = now.mono.ms;
    if (s->wall_ms > 0 && now.wall.quality == CLOCK_TRUSTED && now.wall.ms - s->wall_ms > age) {
        age = now.wall.ms - s->wall_ms;
    }
    return age;
}

static struct ladder_stamp stamp(const struct ladder *l, uint8_t cause, struct now now)
{
    return (struct ladder_stamp){
        .boot = l->boots,
        .boot_ms = now.mono.ms,
        .wall_ms = now.wall.quality == CLOCK_TRUSTED ? now.wall.ms : 0,
        .cause = cause,
    };
}

/// Forget what no longer counts. @return how many are left.
static unsigned
expire(struct ladder *l, struct ladder_stamp *stamps, unsigned *count, int64_t ms, struct now now)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < *count; i++) {
        if (!stamps[i].healed || age_ms(l, &stamps[i], now) < ms) {
            stamps[kept++] = stamps[i];
        }
    }
    *count = kept;
    return kept;
}

static bool recently(const struct ladder *l,
                     const struct ladder_stamp *stamps,
                     unsigned count,
                     uint8_t cause,
                     struct now now)
{
    for (unsigned i = 0; i < count; i++) {
        if (stamps[i].cause == cause &&
            (!stamps[i].healed || age_ms(l, &stamps[i], now) < MODULE_MS)) {
            return true;
        }
    }
    return false;
}

static void heal(struct ladder *l, struct ladder_stamp *stamps, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        l->changed = l->changed || !stamps[i].healed;
        stamps[i].healed = true;
    }
}

// ---- climbing ----

static enum ladder_level reached(struct ladder *l, enum ladder_level level, uint8_t cause)
{
    l->changed = l->changed || l->level != level || l->cause != cause;
    l->level = level;
    l->cause = cause;
    l->counted = level == LADDER_PROCESS || level == LADDER_REBOOT;
    l->store_at = (struct mono){.ms = 0}; // what was decided is stored at once, if it can be
    return level;
}

/// Restarting did not help: undo what was changed last, or leave off.
static enum ladder_level give_up(struct ladder *l, uint8_t cause, const struct ladder_facts *facts)
{
    if (facts->probation != 0 && facts->probation != l->reverted) {
        l->reverted = facts->probation;
        l->changed = true;
        return reached(l, LADDER_REVERT, cause);
    }
    if (l->reverted != 0 && !l->factory) {
        l->factory = true;
        l->changed = true;
        return reached(l, LADDER_FACTORY, cause);
    }
    return reached(l, LADDER_HOLD, cause);
}

static enum ladder_level reboot(struct ladder *l,
                                uint8_t cause,
                                const struct ladder_facts *facts,
                                struct now now,
                                struct mono *not_before)
{
    unsigned used = expire(l, l->reboots, &l->reboots_count, REBOOT_MS, now);

    if (used == LADDER_REBOOTS_MAX) {
        return give_up(l, cause, facts);
    }
    int64_t since_ms = now.mono.ms; // this boot
    if (used > 0 && age_ms(l, &l->reboots[used - 1u], now) < since_ms) {
        since_ms = age_ms(l, &l->reboots[used - 1u], now);
    }
    *not_before = mono_after(now.mono, spacing_ms[used] - since_ms);
    if (mono_due(*not_before, now.mono)) {
        l->reboots[l->reboots_count++] = stamp(l, cause, now);
        l->changed = true;
        return reached(l, LADDER_REBOOT, cause);
    }
    return LADDER_REBOOT;
}

static enum ladder_level process(struct ladder *l,
                                 uint8_t cause,
                                 const struct ladder_facts *facts,
                                 struct now now,
                                 struct mono *not_before)
{
    if (expire(l, l->processes, &l->processes_count, PROCESS_MS, now) == LADDER_PROCESSES_MAX) {
        return reboot(l, cause, facts, now, not_before);
    }
    l->processes[l->processes_count++] = stamp(l, cause, now);
    l->changed = true;
    return reached(l, LADDER_PROCESS, cause);
}

enum ladder_level ladder_climb(struct ladder *l,
                               uint8_t cause,
                               const struct ladder_facts *facts,
                               struct now now,
                               struct mono *not_before)
{
    *not_before = now.mono;
    if (l->level == LADDER_HOLD) { // it was only looking whether things had mended
        return LADDER_HOLD;
    }
    unsigned used = expire(l, l->modules, &l->modules_count, MODULE_MS, now);
    if (used == LADDER_MODULES_MAX || recently(l, l->modules, used, cause, now) ||
        recently(l, l->processes, l->processes_count, cause, now)) {
        return process(l, cause, facts, now, not_before);
    }
    l->modules[l->modules_count] = stamp(l, cause, now);
    l->modules[l->modules_count++].healed = true; // of these, time alone counts
    return LADDER_MODULE;
}

void ladder_healthy(struct ladder *l)
{
    heal(l, l->processes, l->processes_count);
    heal(l, l->reboots, l->reboots_count);
    l->changed = l->changed || l->past_count > 0;
    l->past_count = 0;
    (void)reached(l, LADDER_RETRY, LADDER_CAUSE_NONE);
}

void ladder_unbitten(struct ladder *l)
{
    (void)reached(l, LADDER_RETRY, l->cause);
}

// ---- a life begins ----

static void remember(struct ladder *l, const struct reset *reset)
{
    memmove(&l->past[1], &l->past[0], (LADDER_LIVES_KEPT - 1u) * sizeof(l->past[0]));
    l->past[0] = (struct ladder_life){
        .reset = (uint8_t)reset->cause,
        .same_boot = reset->same_boot,
        .uptime_s = (uint32_t)(reset->uptime_ms / 1000u),
    };
    l->past_count += l->past_count < LADDER_LIVES_KEPT;
    l->lives++;
    l->boots += !reset->same_boot || l->boots == 0;
    l->changed = true;
}

/// Mains that come and go are nobody's fault, unless something was changed just before.
static bool bad_end(const struct ladder_life *life, const struct ladder_facts *facts)
{
    return life->reset == RESET_WATCHDOG || life->reset == RESET_PANIC ||
           (life->reset == RESET_POWER && facts->probation != 0);
}

/// A person who plugs it in again, or starts it again, wants it to try.
static bool by_hand(uint8_t cause)
{
    return cause == RESET_POWER || cause == RESET_CLEAN || cause == RESET_FIRST;
}

/// A boot is as long as all its processes. Somebody who lent a hand breaks the row.
static bool boot_loop(const struct ladder *l, const struct ladder_facts *facts)
{
    unsigned boots = 0;
    uint64_t uptime_s = 0;

    for (unsigned i = 0; i < l->past_count; i++) {
        const struct ladder_life *life = &l->past[i];
        bool bad = bad_end(life, facts);
        if (!life->same_boot && boots == LADDER_LOOP_BOOTS) {
            break;
        }
        if ((by_hand(life->reset) && !bad) || (!life->same_boot && !bad)) {
            return false;
        }
        boots += !life->same_boot;
        uptime_s = (life->same_boot ? uptime_s : 0) + life->uptime_s;
        if (boots > 0 && uptime_s >= LADDER_LOOP_MS / 1000) {
            return false;
        }
    }
    return boots == LADDER_LOOP_BOOTS;
}

/// The watchdog is not fed any more, but the process died before it bit.
static bool reset_is_due(const struct ladder *l, const struct reset *reset)
{
    return l->level == LADDER_REBOOT && reset->same_boot && !by_hand((uint8_t)reset->cause) &&
           l->reboots_count > 0 && l->reboots[l->reboots_count - 1u].boot == l->boots;
}

/// How the life before ended is one more restart of the process. LADDER_CAUSE_NONE: it is none.
static uint8_t cause_to_count(enum reset_cause cause, bool counted)
{
    switch (cause) {
    case RESET_KILLED:
    case RESET_ASSERT:
        return LADDER_CAUSE_CRASH;
    case RESET_ASKED:
        return counted ? LADDER_CAUSE_NONE : LADDER_CAUSE_ENDED;
    default:
        return LADDER_CAUSE_NONE;
    }
}

enum ladder_level ladder_start(struct ladder *l,
                               const struct reset *reset,
                               const struct ladder_facts *facts,
                               struct now now)
{
    struct mono not_before = now.mono;
    uint8_t cause = cause_to_count(reset->cause, l->counted);

    remember(l, reset);
    if (l->level == LADDER_HOLD) {
        return by_hand((uint8_t)reset->cause) ? LADDER_RETRY : LADDER_HOLD;
    }
    if (reset_is_due(l, reset)) {
        return reached(l, LADDER_REBOOT, l->cause);
    }
    l->counted = false;
    if (boot_loop(l, facts)) {
        return give_up(l, LADDER_CAUSE_BOOT_LOOP, facts);
    }
    if (cause == LADDER_CAUSE_NONE) {
        return LADDER_RETRY;
    }
    enum ladder_level level = process(l, cause, facts, now, &not_before);
    if (level == LADDER_PROCESS || !mono_due(not_before, now.mono)) {
        l->counted = false;
        return LADDER_RETRY; // that restart is this one; or the time has not come
    }
    return level;
}

// ---- what is still to be told ----

/// Mains that come and go say less than anything that went wrong.
static unsigned weight(enum reset_cause cause)
{
    return cause == RESET_POWER ? RESET_ASKED : cause;
}

enum reset_cause ladder_to_tell(const struct ladder *l, enum reset_cause cause)
{
    enum reset_cause before = (enum reset_cause)l->untold;

    return weight(before) >= weight(cause) ? before : cause;
}

void ladder_untold(struct ladder *l, enum reset_cause cause)
{
    uint8_t untold = cause == RESET_ILLEGAL ? 0 : (uint8_t)ladder_to_tell(l, cause);

    l->changed = l->changed || l->untold != untold;
    l->untold = untold;
}

// ---- the record ----

void ladder_init(struct ladder *l)
{
    memset(l, 0, sizeof(*l));
    l->cause = LADDER_CAUSE_NONE;
}

static void put_stamps(struct buf *out, const struct ladder_stamp *stamps, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        buf_put_be32(out, stamps[i].boot);
        buf_put_be64(out, (uint64_t)stamps[i].boot_ms);
        buf_put_be64(out, (uint64_t)stamps[i].wall_ms);
        buf_put_u8(out, stamps[i].cause);
        buf_put_u8(out, stamps[i].healed);
    }
}

void ladder_encode(const struct ladder *l, struct buf *out)
{
    buf_put_u8(out, VERSION);
    buf_put_u8(out, (uint8_t)l->level);
    buf_put_u8(out, l->cause);
    buf_put_u8(out,
               (uint8_t)((l->factory ? FLAG_FACTORY : 0u) | (l->counted ? FLAG_COUNTED : 0u) |
                         (unsigned)l->untold << UNTOLD_SHIFT));
    buf_put_be32(out, l->boots);
    buf_put_be32(out, l->lives);
    buf_put_be64(out, l->reverted);
    buf_put_u8(out, (uint8_t)l->processes_count);
    buf_put_u8(out, (uint8_t)l->reboots_count);
    buf_put_u8(out, (uint8_t)l->past_count);
    put_stamps(out, l->processes, l->processes_count);
    put_stamps(out, l->reboots, l->reboots_count);
    for (unsigned i = 0; i < l->past_count; i++) {
        buf_put_u8(out, l->past[i].reset);
        buf_put_u8(out, l->past[i].same_boot);
        buf_put_be32(out, l->past[i].uptime_s);
    }
}

static void read_stamps(struct reader *r, struct ladder_stamp *stamps, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        stamps[i].boot = reader_be32(r);
        stamps[i].boot_ms = (int64_t)reader_be64(r);
        stamps[i].wall_ms = (int64_t)reader_be64(r);
        stamps[i].cause = reader_u8(r);
        stamps[i].healed = reader_u8(r) != 0;
    }
}

static bool read_record(struct ladder *l, struct reader *r)
{
    bool known = reader_u8(r) == VERSION;

    l->level = (enum ladder_level)reader_u8(r);
    l->cause = reader_u8(r);
    uint8_t flags = reader_u8(r);
    l->factory = (flags & FLAG_FACTORY) != 0;
    l->counted = (flags & FLAG_COUNTED) != 0;
    l->untold = flags >> UNTOLD_SHIFT;
    l->boots = reader_be32(r);
    l->lives = reader_be32(r);
    l->reverted = reader_be64(r);
    l->processes_count = reader_u8(r);
    l->reboots_count = reader_u8(r);
    l->past_count = reader_u8(r);
    if (!known || l->level >= LADDER_LEVELS || l->untold >= RESET_CAUSES ||
        l->processes_count > LADDER_PROCESSES_MAX || l->reboots_count > LADDER_REBOOTS_MAX ||
        l->past_count > LADDER_LIVES_KEPT) {
        return false;
    }
    read_stamps(r, l->processes, l->processes_count);
    read_stamps(r, l->reboots, l->reboots_count);
    for (unsigned i = 0; i < l->past_count; i++) {
        l->past[i].reset = reader_u8(r);
        l->past[i].same_boot = reader_u8(r) != 0;
        l->past[i].uptime_s = reader_be32(r);
    }
    return reader_ok(r);
}

bool ladder_to_store(const struct ladder *l, struct mono now)
{
    return l->changed && mono_due(l->store_at, now);
}

void ladder_stored(struct ladder *l, enum rc rc, struct mono now)
{
    l->changed = rc != RC_OK;
    l->store_at = rc == RC_OK ? now : mono_after(now, LADDER_STORE_MS);
}

RC ladder_decode(struct ladder *l, struct span record)
{
    struct reader r = {.left = record};

    ladder_init(l);
    if (!read_record(l, &r)) {
        ladder_init(l);
        return RC_CORRUPT;
    }
    return RC_OK;
}

const char *ladder_level_name(enum ladder_level level)
{
    static const char *const names[LADDER_LEVELS] = {
        "retry", "module", "process", "reboot", "revert", "factory", "hold"};

    ASSERT(level < LADDER_LEVELS);
    return names[level];
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Power cuts of what the box remembers of itself: the floor of its clock, which never goes back,
 * and the last words of the life before. Each is the old or the new; until the first write has
 * returned there may be none, or one that does not check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hal/clock.h"
#include "hal/reset.h"

#include "sim.h"
#include "trace.h"

#define LIVES      8u
#define STEPS      3u // of a life: it begins, a floor is stored, it ends with words
#define FLOOR_STEP 61000
#define BUILD_MS   ((int64_t)CONFIG_BUILD_EPOCH * 1000)

static int64_t floor_of(uint32_t version)
{
    return BUILD_MS + (int64_t)((version + 1u) / STEPS) * FLOOR_STEP;
}

static struct span words_of(uint32_t version, struct buf *b)
{
    buf_put_str(b, "the end of life ");
    buf_put_u64(b, version / STEPS);
    for (uint32_t i = 0; i < version; i++) {
        buf_put_char(b, '.');
    }
    return buf_span(b);
}

static void step(int fd, struct reset *r, uint32_t version)
{
    char array[RESET_WORDS_BYTES_MAX];
    struct buf words = BUF(array);
    enum rc rc = RC_OK;
    trace_changes_to(version);
    if (version % STEPS == 1u) {
        memset(r, 0, sizeof(*r));
        rc = hal_reset_open(r, fd, false);
    } else if (version % STEPS == 2u) {
        hal_clock_raise_floor(floor_of(version));
        rc = hal_clock_store_floor(fd);
    } else {
        rc = hal_reset_words(r, RESET_ASSERT, words_of(version, &words));
    }
    assert_int_equal(rc, RC_OK);
    trace_done();
}

static size_t record(const char *dir, uint64_t seed, const struct sim_cut *before)
{
    struct reset reset;
    (void)seed;
    (void)before;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(hal_clock_open(fd), RC_OK);
    for (uint32_t version = 1; version <= LIVES * STEPS; version++) {
        step(fd, &reset, version);
    }
    (void)close(fd);
    return 0;
}

static bool shows(const struct reset *r, uint32_t version)
{
    char array[RESET_WORDS_BYTES_MAX];
    struct buf words = BUF(array);
    if (hal_clock_floor() != floor_of(version)) {
        return false;
    }
    if (version == 0 || version % STEPS != 0) {
        return r->cause == (version == 0 ? RESET_FIRST : RESET_KILLED);
    }
    return r->cause == RESET_ASSERT &&
           span_equal(span_from_str(r->words), words_of(version, &words));
}

static enum sim_verdict judge(const struct sim_cut *cut, char why[static SIM_WHY_BYTES])
{
    struct reset reset = {0};
    int fd = open(cut->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc clock = hal_clock_open(fd);
    enum rc words = hal_reset_open(&reset, fd, false);
    bool opens = (clock == RC_OK || (clock == RC_CORRUPT && floor_of(cut->old) == BUILD_MS)) &&
                 (words == RC_OK || (words == RC_CORRUPT && cut->old == 0));
    enum sim_verdict verdict = shows(&reset, cut->new)   ? SIM_NEW
                               : shows(&reset, cut->old) ? SIM_OLD
                                                         : SIM_LOST;
    int64_t later_ms = hal_clock_floor() + 1;
    hal_clock_raise_floor(later_ms);
    opens = opens && hal_clock_store_floor(fd) == RC_OK && hal_clock_open(fd) == RC_OK &&
            hal_clock_floor() == later_ms;
    (void)close(fd);
    (void)snprintf(why,
                   SIM_WHY_BYTES,
                   "versions %u..%u, clock %s, words %s, cause %s",
                   cut->old,
                   cut->new,
                   rc_name(clock),
                   rc_name(words),
                   hal_reset_cause_name(reset.cause));
    return opens ? verdict : SIM_UNOPENABLE;
}

static void floor_and_last_words_are_old_or_new(void **state)
{
    (void)state;
    struct sim_scenario s = {.name = "clock floor, last words",
                             .record = record,
                             .judge = judge,
                             .states = sim_states(1000),
                             .states_a_point = 16};
    struct sim_counts c = sim_run(&s);
    assert_int_equal(sim_bad(&c), 0);
    assert_true(c.by[SIM_OLD] > 0 && c.by[SIM_NEW] > 0 && c.by[SIM_SETTLED] > 0);
}

static void a_device_that_forgets_flushes_is_found_out(void **state)
{
    (void)state;
    struct sim_scenario s = {.name = "control: forgets flushes",
                             .record = record,
                             .judge = judge,
                             .states = 300,
                             .states_a_point = 8,
                             .control = true};
    trace_forget_flushes(true);
    struct sim_counts c = sim_run(&s);
    trace_forget_flushes(false);
    assert_true(c.by[SIM_LOST] + c.by[SIM_UNOPENABLE] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floor_and_last_words_are_old_or_new),
        cmocka_unit_test(a_device_that_forgets_flushes_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

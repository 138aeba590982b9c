// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Power cuts of a record of two slots: it holds the old or the new payload, and takes the next one.
 * Until the first write has returned there may be none, or one that does not check.
 */
#include "base/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"

#include "sim.h"
#include "support/seeded.h"
#include "trace.h"

#define WRITES    24u
#define MAGIC     0x53494d31u
#define SMALL_MAX 100u  // a slot of one sector
#define LARGE_MAX 4000u // of eight

static struct slots slots = {.name = "record", .magic = MAGIC};
static char payload_array[LARGE_MAX];
static uint64_t workload_seed;

static struct span payload_of(uint32_t version)
{
    uint64_t seed = workload_seed ^ version;
    struct buf b = BUF(payload_array);
    size_t bytes = 1u + seeded_below(&seed, slots.payload_max);
    while (b.len < bytes) {
        buf_put_u8(&b, (uint8_t)seeded_next(&seed));
    }
    return buf_span(&b);
}

static int open_dir(const char *dir)
{
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool holds(uint32_t version)
{
    char got_array[LARGE_MAX];
    struct buf got = BUF(got_array);
    enum rc rc = slots_read(&slots, &got, NULL);
    if (version == 0) {
        return rc == RC_NOTFOUND || rc == RC_CORRUPT;
    }
    return rc == RC_OK && span_equal(buf_span(&got), payload_of(version));
}

// Versions go on counting where the cut was: the payload says which one is there.
static size_t record(const char *dir, uint64_t seed, const struct sim_cut *before)
{
    workload_seed = before == NULL ? seed : workload_seed;
    slots.dir_fd = open_dir(dir);
    uint32_t from = before == NULL ? 0 : holds(before->new) ? before->new : before->old;
    assert_true(holds(from));
    trace_changes_to(from);
    trace_done();
    for (uint32_t version = from + 1u; version <= from + WRITES; version++) {
        trace_changes_to(version);
        assert_int_equal(slots_write(&slots, payload_of(version)), RC_OK);
        trace_done();
    }
    (void)close(slots.dir_fd);
    return 0;
}

static enum sim_verdict judge(const struct sim_cut *cut, char why[static SIM_WHY_BYTES])
{
    slots.dir_fd = open_dir(cut->dir);
    enum sim_verdict verdict = holds(cut->new) ? SIM_NEW : holds(cut->old) ? SIM_OLD : SIM_LOST;
    bool goes_on = slots_write(&slots, payload_of(cut->new + 1u)) == RC_OK && holds(cut->new + 1u);
    (void)close(slots.dir_fd);
    (void)snprintf(why,
                   SIM_WHY_BYTES,
                   "versions %u..%u%s",
                   cut->old,
                   cut->new,
                   goes_on ? "" : ", does not go on");
    return goes_on ? verdict : SIM_UNOPENABLE;
}

static struct sim_counts run(struct sim_scenario s, uint32_t payload_max)
{
    s.record = record;
    s.judge = judge;
    s.states_a_point = 16;
    s.chained = !s.control;
    slots.payload_max = payload_max;
    return sim_run(&s);
}

static void a_record_of_one_sector_is_old_or_new(void **state)
{
    (void)state;
    struct sim_counts c = run(
        (struct sim_scenario){.name = "slots, one sector", .states = sim_states(500)}, SMALL_MAX);
    assert_int_equal(sim_bad(&c), 0);
    assert_true(c.by[SIM_OLD] > 0 && c.by[SIM_NEW] > 0 && c.by[SIM_SETTLED] > 0);
}

static void a_record_of_many_sectors_is_old_or_new(void **state)
{
    (void)state;
    struct sim_counts c =
        run((struct sim_scenario){.name = "slots, eight sectors", .states = sim_states(500)},
            LARGE_MAX);
    assert_int_equal(sim_bad(&c), 0);
    assert_true(c.by[SIM_OLD] > 0 && c.by[SIM_NEW] > 0 && c.by[SIM_SETTLED] > 0);
}

static void even_torn_sectors_leave_the_old_or_the_new(void **state)
{
    (void)state;
    struct sim_counts c = run((struct sim_scenario){.name = "slots, torn sectors",
                                                    .states = sim_states(200),
                                                    .torn = true},
                              LARGE_MAX);
    assert_int_equal(sim_bad(&c), 0);
}

static void a_device_that_forgets_flushes_is_found_out(void **state)
{
    (void)state;
    trace_forget_flushes(true);
    struct sim_counts c = run(
        (struct sim_scenario){.name = "control: forgets flushes", .states = 300, .control = true},
        LARGE_MAX);
    trace_forget_flushes(false);
    assert_true(c.by[SIM_LOST] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_one_sector_is_old_or_new),
        cmocka_unit_test(a_record_of_many_sectors_is_old_or_new),
        cmocka_unit_test(even_torn_sectors_leave_the_old_or_the_new),
        cmocka_unit_test(a_device_that_forgets_flushes_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

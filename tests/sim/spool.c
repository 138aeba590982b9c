// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Power cuts of the spool. After each of them it opens, as the store that it was; no event that
 * was committed and that not every sink has is missing; rows, positions and quarantine are those
 * of the last transaction that was acknowledged, or all those of the one under way; and work goes
 * on. The negative controls weaken the flushes: there the simulator must find what it looks for.
 */
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include <lmdb.h>

#include "sim.h"
#include "spool_work.h"
#include "trace.h"

#define RAW_BYTES  (12u * 1024u * 1024u)
#define BODY_BYTES (8u * 1024u * 1024u)
#define EVENTS_MAX 100000u // of one batch
#define ENDS       3u

static char body_array[BODY_BYTES];
static char raw_array[RAW_BYTES];

// ---- the judge --------------------------------------------------------------

static size_t gunzip(struct span member)
{
    z_stream z;
    memset(&z, 0, sizeof(z));
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return 0;
    }
    z.next_in = (z_const Bytef *)member.ptr;
    z.avail_in = (uInt)member.len;
    z.next_out = (Bytef *)raw_array;
    z.avail_out = sizeof(raw_array);
    int code = inflate(&z, Z_FINISH);
    size_t bytes = code == Z_STREAM_END && z.avail_in == 0 ? z.total_out : 0;
    (void)inflateEnd(&z);
    return bytes;
}

static bool batch_is_right(const struct spool_batch *batch)
{
    size_t bytes = gunzip(batch->body);
    size_t from = 0;
    for (uint64_t seq = batch->first_seq; seq <= batch->last_seq; seq++) {
        struct span line = line_of(seq);
        if (bytes - from <= line.len || memcmp(raw_array + from, line.ptr, line.len) != 0 ||
            raw_array[from + line.len] != '\n') {
            return false;
        }
        from += line.len + 1u;
    }
    return from == bytes && bytes == batch->raw_bytes;
}

static const char *events_from(uint64_t after, uint64_t through)
{
    struct spool_batch batch;
    while (after < through) {
        struct spool_want want = {.after_seq = after, .raw_max = RAW_BYTES};
        struct buf body = BUF(body_array);
        struct buf scratch = BUF(scratch_array);
        want.events_max = through - after < EVENTS_MAX ? (uint32_t)(through - after) : EVENTS_MAX;
        if (spool_read(&store, &want, scratch, &body, &batch) != RC_OK ||
            batch.first_seq != after + 1u || !batch_is_right(&batch)) {
            return "events";
        }
        after = batch.last_seq;
    }
    return after == through ? NULL : "more events";
}

// Of a full map mostly the two ends: opening has checked what is between them.
static const char *events_are(const struct version *v, bool thoroughly)
{
    uint64_t first = v->acked[0] < v->acked[1] ? v->acked[0] : v->acked[1];
    uint64_t last = v->next_seq - 1u;
    if (!work_is_large() || thoroughly || last - first <= 2u * ENDS) {
        return events_from(first, last);
    }
    const char *wrong = events_from(first, first + ENDS);
    return wrong != NULL ? wrong : events_from(last - ENDS, last);
}

// Every row of a table in its order, and no other.
static const char *rows_are(const struct version *v, uint32_t table)
{
    char key_array[SPOOL_KEY_BYTES_MAX];
    char got_array[SPOOL_ROW_BYTES_MAX];
    char want_array[SPOOL_ROW_BYTES_MAX];
    char expected[8];
    struct spool_from from = {.after = false};
    struct buf last = BUF(key_array);
    for (uint32_t n = 0; n < KEYS; n++) {
        char next_array[SPOOL_KEY_BYTES_MAX];
        struct buf key = BUF(next_array);
        struct buf got = BUF(got_array);
        struct buf want = BUF(want_array);
        if (v->rows[table][n] == 0) {
            continue;
        }
        if (spool_seek(&store, tables[table], from, &key, &got) != RC_OK ||
            !span_equal(buf_span(&key), key_of(n, expected)) ||
            !span_equal(buf_span(&got), value_of(v->rows[table][n], &want))) {
            return "rows";
        }
        buf_reset(&last);
        buf_put(&last, buf_span(&key));
        from = (struct spool_from){.key = buf_span(&last), .after = true};
    }
    struct buf key = BUF(want_array);
    struct buf got = BUF(got_array);
    return spool_seek(&store, tables[table], from, &key, &got) == RC_NOTFOUND ? NULL : "more rows";
}

static const char *dead_are(const struct version *v)
{
    char array[SPOOL_KEY_BYTES_MAX];
    for (uint32_t i = 0; i < v->dead_count; i++) {
        struct buf key = BUF(array);
        struct buf value = BUF(body_array);
        if (spool_get(&store, SPOOL_DEAD, dead_key(v->dead[i], &key), &value) != RC_OK) {
            return "quarantine";
        }
    }
    return spool_stats(&store).dead_rows == v->dead_count ? NULL : "more quarantine";
}

// What is different; NULL: it is that version.
const char *differs(const struct version *v, bool thoroughly)
{
    if (!v->exists) {
        return "a store";
    }
    if (memcmp(spool_id(&store).ptr, v->guid, sizeof(v->guid)) != 0) {
        return "another store";
    }
    if (spool_next_seq(&store) != v->next_seq) {
        return "sequence number";
    }
    for (unsigned i = 0; i < SINKS; i++) {
        if (spool_acked(&store, i) != v->acked[i]) {
            return "position";
        }
    }
    const char *wrong = events_are(v, thoroughly);
    for (uint32_t t = 0; t < TABLES && wrong == NULL; t++) {
        wrong = rows_are(v, t);
    }
    return wrong != NULL ? wrong : dead_are(v);
}

// What works after a cut: an event, a row and an acknowledgement outlive the next opening.
static const char *goes_on(const char *dir, const struct version *found)
{
    static struct version v;
    char key[8];
    char array[64];
    struct buf value = BUF(array);
    struct buf reason = BUF(array);
    enum spool_found how = 0;
    v = *found;
    enum rc rc = spool_has_room(&store) ? spool_append(&store, line_of(v.next_seq)) : RC_FULL;
    v.next_seq += rc == RC_OK;
    v.rows[0][3] = 7;
    rc = spool_put(&store, tables[0], key_of(3, key), value_of(7, &value));
    if (rc == RC_OK) {
        rc = spool_commit(&store);
    }
    v.acked[0] = v.next_seq - 1u;
    rc = rc != RC_OK ? rc : spool_ack(&store, 0, v.acked[0]);
    spool_close(&store);
    if (rc != RC_OK || open_store(dir, &how, &reason) != RC_OK || how != SPOOL_FOUND_GOOD) {
        return "does not go on";
    }
    return differs(&v, false);
}

static enum sim_verdict judge_open(const struct sim_cut *cut, const char **wrong)
{
    bool is_new = true;
    bool thoroughly = cut->seed % 8u == 0;
    *wrong = differs(&versions[cut->new], thoroughly);
    if (*wrong != NULL && cut->old != cut->new) {
        const char *of_old = differs(&versions[cut->old], thoroughly);
        is_new = of_old != NULL;
        *wrong = is_new ? *wrong : NULL;
    }
    if (*wrong == NULL && cut->seed % 4u == 0) {
        *wrong = goes_on(cut->dir, &versions[is_new ? cut->new : cut->old]);
    }
    return *wrong != NULL ? SIM_LOST : is_new ? SIM_NEW : SIM_OLD;
}

static enum sim_verdict judge(const struct sim_cut *cut, char why[static SIM_WHY_BYTES])
{
    char reason_array[64];
    struct buf reason = BUF(reason_array);
    enum spool_found found = 0;
    const char *wrong = NULL;
    unsigned weakened = weaker;
    weaker = 0; // what the cut left is for the real code to judge
    enum sim_verdict verdict = SIM_UNOPENABLE;
    enum rc rc = open_store(cut->dir, &found, &reason);
    if (rc == RC_OK && found == SPOOL_FOUND_NONE && !versions[cut->old].exists) {
        verdict = SIM_OLD; // was never there: begun anew
    } else if (rc == RC_OK && found == SPOOL_FOUND_GOOD) {
        verdict = judge_open(cut, &wrong);
    }
    spool_close(&store);
    weaker = weakened;
    (void)buf_terminate(&reason);
    (void)snprintf(why,
                   SIM_WHY_BYTES,
                   "versions %u..%u, result %d, found %d, %s%s",
                   cut->old,
                   cut->new,
                   (int)rc,
                   (int)found,
                   wrong == NULL ? "" : wrong,
                   reason_array);
    return verdict;
}

// ---- scenarios --------------------------------------------------------------

static void nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    struct sim_scenario s = {.name = "spool",
                             .record = record_small,
                             .judge = judge,
                             .states = sim_states(1000),
                             .states_a_point = SIM_STATES_DEFAULT < 1000 ? 3 : 12,
                             .chained = true};
    struct sim_counts c = sim_run(&s);
    assert_int_equal(sim_bad(&c), 0);
    assert_true(c.states >= s.states && c.by[SIM_OLD] > 0 && c.by[SIM_NEW] > 0);
}

static void nothing_is_lost_when_the_map_is_full(void **state)
{
    (void)state;
    struct sim_scenario s = {.name = "spool, map full",
                             .record = record_full,
                             .judge = judge,
                             .states = sim_states(10),
                             .states_a_point = 4};
    struct sim_counts c = sim_run(&s);
    assert_int_equal(sim_bad(&c), 0);
    assert_true(c.states >= s.states && c.by[SIM_OLD] > 0 && c.by[SIM_NEW] > 0);
}

// A child that dies of what it finds costs much under the sanitizers.
static void want_controls(void)
{
    if (SIM_STATES_DEFAULT < 1000) {
        print_message("not with the sanitizers\n");
        skip();
    }
}

static struct sim_counts run_weakened(const char *name, unsigned flags, bool torn)
{
    struct sim_scenario s = {.name = name, .record = record_small, .judge = judge, .torn = torn};
    s.states = 300;
    s.states_a_point = 4;
    s.control = true;
    weaker = flags;
    struct sim_counts c = sim_run(&s);
    weaker = 0;
    return c;
}

static void a_store_without_flushes_is_found_out(void **state)
{
    (void)state;
    want_controls();
    struct sim_counts c = run_weakened("control: no flush", MDB_NOSYNC, false);
    assert_true(c.by[SIM_UNOPENABLE] > 0);
}

static void a_commit_without_its_last_flush_is_found_out(void **state)
{
    (void)state;
    want_controls();
    struct sim_counts c = run_weakened("control: no last flush", MDB_NOMETASYNC, false);
    assert_true(c.by[SIM_LOST] > 0);
    assert_int_equal(c.by[SIM_KILLED], 0);
}

static void a_device_that_tears_sectors_is_found_out(void **state)
{
    (void)state;
    want_controls();
    struct sim_counts c = run_weakened("control: torn sectors", 0, true);
    assert_true(sim_bad(&c) > 0);
}

static void a_device_that_forgets_flushes_is_found_out(void **state)
{
    (void)state;
    want_controls();
    trace_forget_flushes(true);
    struct sim_counts c = run_weakened("control: forgets flushes", 0, false);
    trace_forget_flushes(false);
    assert_true(c.by[SIM_LOST] + c.by[SIM_UNOPENABLE] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost),
        cmocka_unit_test(nothing_is_lost_when_the_map_is_full),
        cmocka_unit_test(a_store_without_flushes_is_found_out),
        cmocka_unit_test(a_commit_without_its_last_flush_is_found_out),
        cmocka_unit_test(a_device_that_tears_sectors_is_found_out),
        cmocka_unit_test(a_device_that_forgets_flushes_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

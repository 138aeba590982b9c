// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Power cuts of the token store with its backend file. After each of them it opens; every value
 * and the signing key are those before or those after the call that was under way; and no nonce
 * that is on the disk is ever used again, over any number of cuts.
 */
#include "hal/tokenstore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/slots.h"

#include "sim.h"
#include "support/seeded.h"
#include "trace.h"

#define STEPS        10u
#define NAMES        3u
#define VERSIONS_MAX 4096u
#define RECORD_MAGIC 0x544b5331u // "TKS1", of a slot
#define NUMBER_AT    26u         // in a slot: its head of 16 bytes, version, class, epoch
#define NONCE_BYTES  12u
#define NONCES_MAX   64u
#define FILE_BYTES   (32u * SLOTS_SECTOR_BYTES)

/// What must be in the store: numbers that values are made of, 0: there is none.
struct version {
    bool exists;
    uint32_t values[NAMES];
    bool has_key;

    struct {
        size_t len;
        char der[TOKENSTORE_PUBLIC_BYTES_MAX];
    } public;
};

/// Nonces on the disk, number first.
struct nonces {
    char bytes[NONCES_MAX][NONCE_BYTES];
    unsigned count;
};

static const struct span names[NAMES] = {SPAN("client-secret"), SPAN("main-token"), SPAN("x")};

static struct version versions[VERSIONS_MAX];
static struct tokenstore store;
static char value_array[TOKENSTORE_VALUE_BYTES_MAX];

static struct span value_of(uint32_t n)
{
    uint64_t seed = n;
    struct buf b = BUF(value_array);
    size_t bytes = 1u + seeded_below(&seed, n % 4u == 0 ? TOKENSTORE_VALUE_BYTES_MAX : 200u);
    while (b.len < bytes) {
        buf_put_u8(&b, (uint8_t)seeded_next(&seed));
    }
    return buf_span(&b);
}

static RC open_store(const char *dir)
{
    struct tokenstore_findings found;
    TRY(hal_tokenstore_attach(&store, &found));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc = hal_tokenstore_open(&store, fd, &found);
    (void)close(fd);
    return rc == RC_OK && (found.rolled_back || found.downgraded) ? RC_STALE : rc;
}

static RC public_key(struct version *v)
{
    struct buf der = BUF(v->public.der);
    enum rc rc = hal_tokenstore_public(&store, &der);
    v->public.len = der.len;
    v->has_key = rc == RC_OK;
    return rc;
}

// What is different; NULL: it is that version.
static const char *differs(const struct version *v)
{
    static struct version got;
    char got_array[TOKENSTORE_VALUE_BYTES_MAX];
    for (unsigned i = 0; i < NAMES; i++) {
        struct buf value = BUF(got_array);
        enum rc rc = hal_tokenstore_get(&store, names[i], &value);
        if (v->values[i] == 0
                ? rc != RC_NOTFOUND
                : rc != RC_OK || !span_equal(buf_span(&value), value_of(v->values[i]))) {
            return v->values[i] == 0 ? "a value that was never there or removed" : "value";
        }
    }
    enum rc rc = public_key(&got);
    if (!v->has_key) {
        return rc == RC_NOTFOUND ? NULL : "a key that was never there or removed";
    }
    return rc == RC_OK && got.public.len == v->public.len &&
                   memcmp(got.public.der, v->public.der, got.public.len) == 0
               ? NULL
               : "key";
}

// ---- the workload -----------------------------------------------------------

static struct version *next_of(uint32_t at)
{
    assert_true(at + 1u < VERSIONS_MAX);
    versions[at + 1u] = versions[at];
    return &versions[at + 1u];
}

static uint32_t begin(const char *dir, const struct sim_cut *before)
{
    uint32_t at = before == NULL ? 0 : before->old;
    if (!versions[at].exists) {
        next_of(at)->exists = true;
        trace_changes_to(at + 1u);
    }
    assert_int_equal(open_store(dir), RC_OK);
    if (before != NULL && versions[at].exists && differs(&versions[at]) != NULL) {
        at = before->new;
    }
    at += versions[at].exists ? 0u : 1u;
    assert_null(differs(&versions[at]));
    trace_changes_to(at);
    trace_done();
    return at;
}

static void put_or_delete(uint32_t at, uint64_t *seed)
{
    uint32_t name = seeded_below(seed, NAMES);
    struct version *v = next_of(at);
    v->values[name] = seeded_below(seed, 4) == 0 ? 0 : 1u + seeded_below(seed, 100000);
    trace_changes_to(at + 1u);
    if (v->values[name] == 0) {
        enum rc rc = hal_tokenstore_delete(&store, names[name]);
        assert_true(rc == RC_OK || rc == RC_NOTFOUND);
    } else {
        assert_int_equal(hal_tokenstore_put(&store, names[name], value_of(v->values[name])), RC_OK);
    }
    trace_done();
}

// A key takes a second to make: one in a while. What it will be is known when it is there, which is
// before anybody judges.
static void change_key(uint32_t at)
{
    bool made = false;
    struct version *v = next_of(at);
    trace_changes_to(at + 1u);
    if (v->has_key) {
        assert_int_equal(hal_tokenstore_drop_key(&store), RC_OK);
        v->has_key = false;
    } else {
        assert_int_equal(hal_tokenstore_make_key(&store, &made), RC_OK);
        assert_true(made);
        assert_int_equal(public_key(v), RC_OK);
    }
    trace_done();
}

static size_t record(const char *dir, uint64_t seed, const struct sim_cut *before)
{
    if (before == NULL) {
        memset(versions, 0, sizeof(versions));
    }
    uint32_t at = begin(dir, before);
    bool has_key_step = seeded_below(&seed, 8) == 0 || before == NULL;
    for (unsigned i = 0; i < STEPS; i++) {
        if (i == 3u && has_key_step) {
            change_key(at++);
        } else if (seeded_below(&seed, 8) == 0) {
            hal_tokenstore_close(&store);
            assert_int_equal(open_store(dir), RC_OK);
        } else {
            put_or_delete(at++, &seed);
        }
    }
    hal_tokenstore_close(&store);
    return 0;
}

// ---- the judge --------------------------------------------------------------

// Every slot of every record, also of those that a cut has spoilt: what it was sealed with was
// used.
static void add_nonces(int dir_fd, const char *file, struct nonces *all)
{
    static char bytes[FILE_BYTES];
    int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
    (void)close(fd);
    for (ssize_t at = 0; at + (ssize_t)SLOTS_SECTOR_BYTES <= len; at += SLOTS_SECTOR_BYTES) {
        struct reader r = {.left = {.ptr = bytes + at, .len = SLOTS_SECTOR_BYTES}};
        if (reader_be32(&r) == RECORD_MAGIC && all->count < NONCES_MAX) {
            memcpy(all->bytes[all->count++], bytes + at + NUMBER_AT, NONCE_BYTES);
        }
    }
}

static void find_nonces(const char *dir, struct nonces *all)
{
    char path[512];
    all->count = 0;
    (void)snprintf(path, sizeof(path), "%s/tokens", dir);
    DIR *listing = opendir(path);
    for (const struct dirent *e = listing == NULL ? NULL : readdir(listing); e != NULL;
         e = readdir(listing)) {
        add_nonces(dirfd(listing), e->d_name, all);
    }
    if (listing != NULL) {
        (void)closedir(listing);
    }
}

// What was sealed since is sealed with a number above all that were there.
static bool went_on(const struct nonces *before, const struct nonces *after)
{
    unsigned fresh = 0;
    for (unsigned i = 0; i < after->count; i++) {
        bool known = false;
        bool above = true;
        for (unsigned k = 0; k < before->count; k++) {
            known = known || memcmp(before->bytes[k], after->bytes[i], NONCE_BYTES) == 0;
            above = above && memcmp(after->bytes[i], before->bytes[k], 8) > 0;
        }
        if (!known && !above) {
            return false;
        }
        fresh += !known;
    }
    return fresh > 0;
}

static const char *goes_on(const char *dir, struct version v)
{
    struct nonces before;
    struct nonces after;
    for (unsigned i = 0; i < NAMES; i++) {
        find_nonces(dir, &before);
        v.values[i] = 77u + i;
        if (hal_tokenstore_put(&store, names[i], value_of(v.values[i])) != RC_OK) {
            return "does not go on";
        }
        find_nonces(dir, &after);
        if (!went_on(&before, &after)) {
            return "nonce";
        }
    }
    hal_tokenstore_close(&store);
    return open_store(dir) == RC_OK ? differs(&v) : "does not open again";
}

static enum sim_verdict judge(const struct sim_cut *cut, char why[static SIM_WHY_BYTES])
{
    enum sim_verdict verdict = SIM_UNOPENABLE;
    const char *wrong = "";
    enum rc rc = open_store(cut->dir);
    if (rc == RC_OK) {
        wrong = differs(&versions[cut->new]);
        verdict = wrong == NULL ? SIM_NEW : SIM_OLD;
        wrong = wrong == NULL ? NULL : differs(&versions[cut->old]);
        const char *later =
            wrong != NULL ? wrong
                          : goes_on(cut->dir, versions[verdict == SIM_NEW ? cut->new : cut->old]);
        verdict = later == NULL ? verdict : SIM_LOST;
        wrong = later == NULL ? "" : later;
    }
    hal_tokenstore_close(&store);
    (void)snprintf(why,
                   SIM_WHY_BYTES,
                   "versions %u..%u, result %s, %s",
                   cut->old,
                   cut->new,
                   rc_name(rc),
                   wrong);
    return verdict;
}

// ---- scenarios --------------------------------------------------------------

static void a_value_is_the_old_or_the_new(void **state)
{
    (void)state;
    struct sim_scenario s = {.name = "token store",
                             .record = record,
                             .judge = judge,
                             .states = sim_states(1000),
                             .states_a_point = 6,
                             .chained = true};
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
                             .states_a_point = 3,
                             .control = true};
    trace_forget_flushes(true);
    struct sim_counts c = sim_run(&s);
    trace_forget_flushes(false);
    assert_true(c.by[SIM_LOST] + c.by[SIM_UNOPENABLE] > 0);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init() == RC_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_the_old_or_the_new),
        cmocka_unit_test(a_device_that_forgets_flushes_is_found_out),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

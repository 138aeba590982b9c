// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Seeded random damage to the files of a token store: flipped bits (with the checksum put right, or
 * not), cuts, growth, slots and files in each other's place, older ones, those of another box. What
 * is read must be the value that was put last, or nothing; of a store that is found to be restored
 * from a copy, an earlier value of that name. Prints its counts.
 * Where the backend has no counter, an older manifest is left out: with older records beside it, it
 * is an older store, and nothing tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "hal/tokenstore.h"

#include "contract/tokenstore_hardware.h"
#include "contract/tokenstore_record.h"
#include "seeded.h"
#include "state_dir.h"

#define ROUNDS       100000u
#define SEED         20261123u
#define FILES        4u // a, b, c (which was deleted) and the manifest
#define MANIFEST     3u
#define VERSIONS_MAX 12u
#define VALUES_MAX   2u
#define IMAGE_BYTES  10240u

static const char *const names[FILES] = {"a", "b", "c", ".manifest"};

struct image {
    char bytes[IMAGE_BYTES];
    size_t len; ///< 0: no file
};

struct box {
    struct state_dir state;
    struct tokenstore store;
    struct tokenstore_findings found;
    struct image versions[FILES][VERSIONS_MAX];
    unsigned count[FILES];
};

static struct box box, other;
static struct image damaged[FILES];
static bool touched[FILES];
static const char *const current[] = {"the newest of a, which is long", "b is short", NULL};
static const char *const earlier[][VALUES_MAX] = {
    {"the first of a", "the second of a"}, {"the first of b"}, {"what was deleted later"}};
static uint64_t seed = SEED;

static struct {
    unsigned right, refused, noticed, plaintexts, wrong;
} counts;

int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    (void)fd; // no power is cut here
    return 0;
}

// ---- files ------------------------------------------------------------------

static void load(const struct box *b, unsigned file, struct image *image)
{
    char path[64];
    snprintf(path, sizeof(path), "tokens/%s", names[file]);
    int fd = openat(b->state.fd, path, O_RDONLY);
    ssize_t len = fd >= 0 ? read(fd, image->bytes, IMAGE_BYTES) : 0;
    assert_true(len >= 0 && len < (ssize_t)IMAGE_BYTES);
    image->len = (size_t)len;
    if (fd >= 0) {
        close(fd);
    }
}

static void save(unsigned file, const struct image *image)
{
    char path[64];
    snprintf(path, sizeof(path), "tokens/%s", names[file]);
    if (image->len == 0) {
        unlinkat(box.state.fd, path, 0);
        return;
    }
    int fd = openat(box.state.fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, image->bytes, image->len), (ssize_t)image->len);
    close(fd);
}

static const struct image *newest(unsigned file)
{
    return &box.versions[file][box.count[file] - 1u];
}

static void remember(struct box *b)
{
    for (unsigned f = 0; f < FILES; f++) {
        struct image now;
        load(b, f, &now);
        const struct image *last = b->count[f] > 0 ? &b->versions[f][b->count[f] - 1u] : NULL;
        if (last == NULL || last->len != now.len || memcmp(last->bytes, now.bytes, now.len) != 0) {
            assert_true(b->count[f] < VERSIONS_MAX);
            b->versions[f][b->count[f]++] = now;
        }
    }
}

static void change(struct box *b, const char *name, const char *value)
{
    struct span n = span_from_str(name);
    enum rc rc = value != NULL ? hal_tokenstore_put(&b->store, n, span_from_str(value))
                               : hal_tokenstore_delete(&b->store, n);
    assert_int_equal(rc, RC_OK);
    remember(b);
}

static void furnish(struct box *b)
{
    assert_true(state_dir_make(&b->state));
    assert_int_equal(hal_tokenstore_attach(&b->store, &b->found), RC_OK);
    assert_int_equal(hal_tokenstore_open(&b->store, b->state.fd, &b->found), RC_OK);
    remember(b);
    change(b, "a", earlier[0][0]);
    change(b, "c", earlier[2][0]);
    change(b, "a", earlier[0][1]);
    change(b, "b", earlier[1][0]);
    change(b, "c", NULL);
    change(b, "b", current[1]);
    change(b, "a", current[0]);
}

// ---- damage -----------------------------------------------------------------

/// Flip a bit of a slot and make its checksum right again: only the seal can tell.
static void flip_behind_the_checksum(struct image *image)
{
    size_t slot = image->len / 2u, at = seeded_below(&seed, 2) * slot;
    unsigned char *s = (unsigned char *)image->bytes + at;
    if (slot < 64) {
        return;
    }
    size_t payload = (size_t)s[14] << 8 | s[15], summed = 16u + payload;
    if (payload == 0 || summed + 4u > slot) {
        return;
    }
    s[16u + seeded_below(&seed, (unsigned)payload)] ^=
        (unsigned char)(1u << seeded_below(&seed, 8));
    struct buf sum = buf_of((char *)s + summed, 4);
    buf_put_be32(&sum, crc32c(0, (struct span){.ptr = (char *)s, .len = summed}));
}

static void swap_slots(struct image *image)
{
    char half[IMAGE_BYTES / 2u];
    size_t slot = image->len / 2u;
    memcpy(half, image->bytes, slot);
    memcpy(image->bytes, image->bytes + slot, slot);
    memcpy(image->bytes + slot, half, slot);
}

static void take_slot(struct image *image, const struct image *from)
{
    size_t slot = image->len / 2u, its = from->len / 2u, len = slot < its ? slot : its;
    memcpy(image->bytes + seeded_below(&seed, 2) * slot,
           from->bytes + seeded_below(&seed, 2) * its,
           len);
}

static void spoil_bytes(struct image *image)
{
    unsigned len = (unsigned)image->len;
    switch (seeded_below(&seed, 5)) {
    case 0:
        image->bytes[seeded_below(&seed, len)] ^= (char)(1u << seeded_below(&seed, 8));
        break;
    case 1:
        for (unsigned i = 0; i < 20; i++) {
            image->bytes[seeded_below(&seed, len)] = (char)seeded_next(&seed);
        }
        break;
    case 2:
        image->len = seeded_below(&seed, len);
        break;
    case 3: {
        size_t sector = seeded_below(&seed, len / 512u + 1u) * 512u;
        memset(image->bytes + sector, 0, sector + 512u <= len ? 512u : len - sector);
        break;
    }
    default:
        image->len = len + 300u < IMAGE_BYTES ? len + 300u : len;
        break;
    }
}

static const struct image *any_version(const struct box *b, unsigned file)
{
    bool older = b == &other || file != MANIFEST || hardware_counts;
    unsigned n = older ? seeded_below(&seed, b->count[file]) : b->count[file] - 1u;
    return &b->versions[file][n];
}

static void damage(unsigned file)
{
    struct image *image = &damaged[file];
    unsigned from = seeded_below(&seed, FILES);
    touched[file] = true;
    switch (seeded_below(&seed, 8)) {
    case 0:
        *image = *any_version(&box, file);
        break;
    case 1:
        *image = *any_version(&box, from == MANIFEST && file == MANIFEST ? 0 : from);
        break;
    case 2:
        *image = *any_version(&other, seeded_below(&seed, 2) == 0 ? file : from);
        break;
    case 3:
        take_slot(image, any_version(&box, seeded_below(&seed, 2) == 0 ? file : from));
        break;
    case 4:
        swap_slots(image);
        break;
    case 5:
        image->len = seeded_below(&seed, 4) == 0 ? 0 : image->len;
        break;
    case 6:
        flip_behind_the_checksum(image);
        break;
    default:
        if (image->len > 0) {
            spoil_bytes(image);
        }
        break;
    }
}

// ---- judgement --------------------------------------------------------------

/// Was it ever a value of this name?
static bool was_value(unsigned file, struct span value)
{
    for (unsigned i = 0; i < VALUES_MAX && earlier[file][i] != NULL; i++) {
        if (span_equal(value, span_from_str(earlier[file][i]))) {
            return true;
        }
    }
    return false;
}

/// Of a store that is known to be restored, an older value of the same name may come.
static void judge(unsigned file, bool rolled_back)
{
    char bytes[128] = {0};
    struct buf out = BUF(bytes);
    enum rc rc = hal_tokenstore_get(&box.store, span_from_str(names[file]), &out);
    if (rc == RC_OK) {
        bool right =
            current[file] != NULL && span_equal(buf_span(&out), span_from_str(current[file]));
        bool noticed = rolled_back && was_value(file, buf_span(&out));
        counts.right += right;
        counts.noticed += !right && noticed;
        counts.wrong += !right && !noticed;
        return;
    }
    assert_true(rc == RC_NOTFOUND || rc == RC_CORRUPT || rc == RC_STALE);
    counts.refused++;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (bytes[i] != 0) {
            counts.plaintexts++;
            return;
        }
    }
}

static void one_round(void)
{
    unsigned times = 1u + seeded_below(&seed, 3);
    for (unsigned i = 0; i < times; i++) {
        damage(seeded_below(&seed, FILES));
    }
    for (unsigned f = 0; f < FILES; f++) {
        if (touched[f]) {
            save(f, &damaged[f]);
        }
    }
    enum rc rc = tokenstore_look_again(&box.store, box.state.fd, &box.found);
    assert_true(rc == RC_OK || rc == RC_CORRUPT);
    counts.refused += rc != RC_OK;
    if (rc == RC_OK || box.store.dir_fd >= 0) {
        for (unsigned f = 0; f < MANIFEST; f++) {
            judge(f, rc == RC_OK && box.found.rolled_back);
        }
    }
    for (unsigned f = 0; f < FILES; f++) {
        if (touched[f]) {
            damaged[f] = *newest(f);
            save(f, newest(f));
            touched[f] = false;
        }
    }
}

static void no_damage_makes_a_wrong_value_or_shows_one(void **unused)
{
    (void)unused;
    furnish(&other);
    furnish(&box);
    for (unsigned f = 0; f < FILES; f++) {
        damaged[f] = *newest(f);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        one_round();
    }
    // The store is as good as before.
    assert_int_equal(tokenstore_look_again(&box.store, box.state.fd, &box.found), RC_OK);
    assert_false(box.found.rolled_back);
    counts.right = 0;
    judge(0, false);
    judge(1, false);
    assert_int_equal(counts.right, 2);
    assert_int_equal(counts.plaintexts, 0);
    assert_int_equal(counts.wrong, 0);
    hal_tokenstore_close(&box.store);
    hal_tokenstore_close(&other.store);
    state_dir_remove(&box.state);
    state_dir_remove(&other.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_damage_makes_a_wrong_value_or_shows_one)};
    state_dir_prefer_memory();
    if (crypto_init() != RC_OK || !hardware_start()) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hardware_stop();
    printf("damaged stores %u (seed %u): refused %u, noticed as rolled back %u, plaintexts %u, "
           "wrong values %u\n",
           ROUNDS,
           SEED,
           counts.refused,
           counts.noticed,
           counts.plaintexts,
           counts.wrong);
    return failed;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * No key ever sees a nonce twice, with a random generator that always gives the same (but for what
 * tells a store from another), and with the power cut at random writes of which any sectors may be
 * there, or older files in their place. And what is read after each cut is the old or the new
 * value. Prints its counts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crypto.h"
#include "hal/entropy.h"
#include "hal/tokenstore.h"

#include "seeded.h"
#include "state_dir.h"

#define PUTS         100000u
#define SEED         8439u
#define SECTOR_BYTES 512u
#define SEEN_MAX     (1u << 18) // slots of the table, well above the number of puts
#define WRITE_CALLS  12u        // of one put, and some
#define STORE_BYTES  16u        // what a store is told from another by
#define IMAGE_BYTES  10240u

static struct state_dir state;
static struct tokenstore store;
static struct tokenstore_findings found;
static uint64_t seed = SEED;
static unsigned writes_until_cut; // 0: none
static bool dark;                 // the power is gone: nothing is written any more
static uint64_t seen[SEEN_MAX];
static unsigned seals, repeats;
static uint8_t stores; // that were begun

int __wrap_fsync(int fd);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
enum rc __real_crypto_seal(const struct crypto_box *box, struct span plain, struct buf *out);
enum rc __wrap_crypto_seal(const struct crypto_box *box, struct span plain, struct buf *out);
void __wrap_hal_entropy_fill(void *out, size_t len);

int __wrap_fsync(int fd)
{
    (void)fd;
    errno = EIO;
    return dark ? -1 : 0;
}

static void write_any_sectors(int fd, const char *data, size_t len, off_t at)
{
    for (size_t from = 0; from < len; from += SECTOR_BYTES) {
        size_t piece = len - from < SECTOR_BYTES ? len - from : SECTOR_BYTES;
        if (seeded_below(&seed, 2) == 0) {
            (void)!__real_pwrite(fd, data + from, piece, at + (off_t)from);
        }
    }
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (!dark && writes_until_cut > 0 && --writes_until_cut == 0) {
        dark = true;
        write_any_sectors(fd, data, len, at);
    }
    errno = EIO;
    return dark ? -1 : __real_pwrite(fd, data, len, at);
}

void __wrap_hal_entropy_fill(void *out, size_t len)
{
    memset(out, len == STORE_BYTES ? stores++ : 0x55, len);
    memset(out, 0xaa, len / 2u); // a device key of one byte only would be refused
}

enum rc __wrap_crypto_seal(const struct crypto_box *box, struct span plain, struct buf *out)
{
    char both[CRYPTO_KEY_BYTES + CRYPTO_NONCE_BYTES];
    uint8_t digest[SHA256_BYTES];
    uint64_t id;
    memcpy(both, box->key, CRYPTO_KEY_BYTES);
    memcpy(both + CRYPTO_KEY_BYTES, box->nonce, CRYPTO_NONCE_BYTES);
    sha256((struct span){.ptr = both, .len = sizeof(both)}, digest);
    memcpy(&id, digest, sizeof(id));
    size_t at = id % SEEN_MAX;
    while (seen[at] != 0 && seen[at] != id) {
        at = (at + 1u) % SEEN_MAX;
    }
    repeats += seen[at] == id;
    seen[at] = id;
    seals++;
    return __real_crypto_seal(box, plain, out);
}

static void power_on(void)
{
    dark = false;
    writes_until_cut = 0;
    hal_tokenstore_close(&store);
    assert_int_equal(hal_tokenstore_attach(&store, &found), RC_OK);
    assert_int_equal(hal_tokenstore_open(&store, state.fd, &found), RC_OK);
}

static void no_nonce_is_used_twice_whatever_the_power_does(void **unused)
{
    (void)unused;
    static const char *const names[] = {"a", "b"};
    char values[2][16] = {"", ""};
    unsigned cuts = 0, old = 0;
    assert_true(state_dir_make(&state));
    power_on();
    for (unsigned i = 0; i < PUTS; i++) {
        char next[16], bytes[16];
        unsigned n = seeded_below(&seed, 2);
        struct span name = span_from_str(names[n]);
        snprintf(next, sizeof(next), "value %u", i);
        bool cut = seeded_below(&seed, 4) == 0;
        writes_until_cut = cut ? 1u + seeded_below(&seed, WRITE_CALLS) : 0;
        enum rc rc = hal_tokenstore_put(&store, name, span_from_str(next));
        cut = dark;
        assert_int_equal(rc == RC_OK, !cut);
        if (!cut) {
            snprintf(values[n], sizeof(values[n]), "%s", next);
            continue;
        }
        cuts++;
        power_on();
        struct buf out = buf_of(bytes, sizeof(bytes) - 1u);
        rc = hal_tokenstore_get(&store, name, &out);
        assert_true(rc == RC_OK || (rc == RC_NOTFOUND && values[n][0] == '\0'));
        bytes[out.len] = '\0';
        old += strcmp(bytes, values[n]) == 0;
        assert_true(strcmp(bytes, values[n]) == 0 || strcmp(bytes, next) == 0);
        snprintf(values[n], sizeof(values[n]), "%s", bytes);
    }
    assert_int_equal(repeats, 0);
    assert_true(seals > PUTS / 2u && cuts > PUTS / 10u && old > 0 && old < cuts);
    printf("puts %u (seed %u), power cuts %u (%u left the old value), sealed %u, repeated nonces "
           "%u\n",
           PUTS,
           SEED,
           cuts,
           old,
           seals,
           repeats);
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
}

static void put(const char *value)
{
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), span_from_str(value)), RC_OK);
    assert_int_equal(repeats, 0);
}

static void no_nonce_is_used_twice_by_a_store_that_is_begun_anew(void **unused)
{
    (void)unused;
    assert_true(state_dir_make(&state));
    for (unsigned i = 0; i < 3; i++) {
        unlinkat(state.fd, "tokens/a", 0);
        unlinkat(state.fd, "tokens/.manifest", 0); // device.key stays
        power_on();
        put("first");
        put("second");
    }
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
}

static void no_nonce_is_used_twice_under_an_older_manifest(void **unused)
{
    (void)unused;
    static char older[IMAGE_BYTES];
    assert_true(state_dir_make(&state));
    power_on();
    put("first");
    int fd = openat(state.fd, "tokens/.manifest", O_RDWR);
    ssize_t len = pread(fd, older, sizeof(older), 0);
    put("second");
    put("third");
    assert_true(len > 0 && __real_pwrite(fd, older, (size_t)len, 0) == len);
    close(fd);
    power_on();
    put("fourth");
    put("fifth");
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_nonce_is_used_twice_by_a_store_that_is_begun_anew),
        cmocka_unit_test(no_nonce_is_used_twice_under_an_older_manifest),
        cmocka_unit_test(no_nonce_is_used_twice_whatever_the_power_does)};
    state_dir_prefer_memory();
    return crypto_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A next secret takes its place in a real token store, and the disk ends with any of its writes:
 * what the next start finds.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/types.h>

#include "base/crypto.h"

#include "auth/credential.h"
#include "state_dir.h"

#define NOW_END     1796083200000 // 2026-12-01
#define NEXT_END    1858550400000 // 2028-11-23
#define CHANGES_MAX 500u

static const struct config config = {.credential = CREDENTIAL_SECRET};
static const struct now now = {.wall = {.ms = 1795392000000, .quality = CLOCK_TRUSTED}};
static struct state_dir state;
static struct tokenstore store;
static bool cut;
static unsigned left; ///< writes that reach the disk

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_fsync(int fd);

static bool fails(void)
{
    if (!cut) {
        return false;
    }
    if (left == 0) {
        errno = EIO;
        return true;
    }
    left--;
    return false;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    return fails() ? -1 : __real_pwrite(fd, data, len, at);
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
    return fails() ? -1 : __real_unlinkat(fd, name, flags);
}

int __wrap_fsync(int fd)
{
    (void)fd;
    return fails() ? -1 : 0;
}

static void open_store(void)
{
    struct tokenstore_findings found;
    assert_int_equal(hal_tokenstore_attach(&store, &found), RC_OK);
    assert_int_equal(hal_tokenstore_open(&store, state.fd, &found), RC_OK);
}

static void put(const char *name, const char *value)
{
    assert_int_equal(hal_tokenstore_put(&store, span_from_str(name), span_from_str(value)), RC_OK);
}

static bool holds(const char *name, const char *value)
{
    char bytes[64];
    struct buf b = BUF(bytes);
    return hal_tokenstore_get(&store, span_from_str(name), &b) == RC_OK &&
           span_equal(buf_span(&b), span_from_str(value));
}

static int start(void **unused)
{
    (void)unused;
    state_dir_prefer_memory();
    return crypto_init() == RC_OK ? 0 : -1;
}

static void begin(void)
{
    cut = false;
    assert_true(state_dir_make(&state));
    open_store();
    put(credential_record(CREDENTIAL_SECRET, CREDENTIAL_NOW), "old");
    put(credential_expires_record(CREDENTIAL_NOW), "2026-12-01");
    put(credential_record(CREDENTIAL_SECRET, CREDENTIAL_NEXT), "new");
    put(credential_expires_record(CREDENTIAL_NEXT), "2028-11-23");
}

/// One of them is there and its end is its own, or not known.
static void check_between(const struct credential_status *s)
{
    bool old = holds(CREDENTIAL_SECRET_NAME, "old");
    int64_t end_ms = s->expires_ms[CREDENTIAL_NOW];
    assert_true(s->there[CREDENTIAL_NOW]);
    assert_true(old || holds(CREDENTIAL_SECRET_NAME, "new"));
    assert_true(s->there[CREDENTIAL_NEXT] || !old);
    assert_true(end_ms == 0 || end_ms == (old ? NOW_END : NEXT_END));
}

static void check_end(void)
{
    struct credential_status s = {0};
    assert_int_equal(credential_look(&config, &store, now, &s), RC_OK);
    assert_true(holds(CREDENTIAL_SECRET_NAME, "new"));
    assert_true(s.expires_ms[CREDENTIAL_NOW] == NEXT_END);
    assert_false(s.there[CREDENTIAL_NEXT]);
}

static void whichever_write_is_the_last_one_of_them_is_there_and_no_end_is_wrong(void **unused)
{
    (void)unused;
    bool ended = false;
    unsigned n = 0;
    for (; !ended; n++) {
        assert_in_range(n, 0, CHANGES_MAX);
        begin();
        cut = true;
        left = n;
        ended = credential_promote(&config, &store) == RC_OK;
        cut = false;
        hal_tokenstore_close(&store);
        open_store(); // as the next start does
        struct credential_status s = {0};
        assert_int_equal(credential_look(&config, &store, now, &s), RC_OK);
        check_between(&s);
        if (s.there[CREDENTIAL_NEXT]) {
            assert_int_equal(credential_promote(&config, &store), RC_OK);
        }
        check_end();
        hal_tokenstore_close(&store);
        state_dir_remove(&state);
    }
    assert_true(n > 20); // it was cut, and more than once in each change
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_write_is_the_last_one_of_them_is_there_and_no_end_is_wrong),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

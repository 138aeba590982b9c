// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A whole directory that is restored from a copy is found where the backend has a counter; a power
 * cut between manifest and counter is not taken for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crypto.h"
#include "hal/tokenstore.h"

#include "contract/tokenstore_record.h"
#include "state_dir.h"

#define FILES       2u
#define IMAGE_BYTES 10240u

static const char *const names[FILES] = {"tokens/a", "tokens/.manifest"};
static struct state_dir state;
static struct tokenstore store;
static struct tokenstore_findings found;

static struct {
    char bytes[IMAGE_BYTES];
    ssize_t len;
} copy[FILES];

static int begin(void **unused)
{
    (void)unused;
    bool good = state_dir_make(&state) && hal_tokenstore_attach(&store, &found) == RC_OK &&
                hal_tokenstore_open(&store, state.fd, &found) == RC_OK;
    return good ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    hal_tokenstore_close(&store);
    state_dir_remove(&state);
    return 0;
}

static void put(const char *value)
{
    assert_int_equal(hal_tokenstore_put(&store, SPAN("a"), span_from_str(value)), RC_OK);
}

static void take_copy(void)
{
    for (unsigned i = 0; i < FILES; i++) {
        int fd = openat(state.fd, names[i], O_RDONLY);
        copy[i].len = read(fd, copy[i].bytes, IMAGE_BYTES);
        close(fd);
        assert_true(copy[i].len > 0);
    }
}

static void restore_copy(void)
{
    for (unsigned i = 0; i < FILES; i++) {
        int fd = openat(state.fd, names[i], O_WRONLY | O_TRUNC);
        assert_int_equal(write(fd, copy[i].bytes, (size_t)copy[i].len), copy[i].len);
        close(fd);
    }
}

static void look(bool rolled_back)
{
    assert_int_equal(tokenstore_look_again(&store, state.fd, &found), RC_OK);
    assert_int_equal(found.rolled_back, rolled_back);
}

static void a_restored_directory_is_noticed_until_a_person_puts_something_anew(void **unused)
{
    (void)unused;
    put("old");
    take_copy();
    look(false);
    put("new");
    look(false);
    restore_copy();
    look(true);
    look(true);
    store.by_person = true;
    put("newest");
    look(false);
    restore_copy();
    look(true);
}

static void what_the_box_writes_by_itself_is_kept_and_ends_no_notice(void **unused)
{
    (void)unused;
    char bytes[16];
    struct buf value = BUF(bytes);
    put("old");
    take_copy();
    put("new");
    restore_copy();
    look(true);
    for (unsigned i = 0; i < 3; i++) {
        put("by itself");
        look(true);
    }
    assert_int_equal(hal_tokenstore_get(&store, SPAN("a"), &value), RC_OK);
    assert_true(span_equal(buf_span(&value), SPAN("by itself")));
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_OK);
    look(true);
    store.by_person = true;
    put("by a person");
    look(false);
    store.by_person = false;
    put("by itself, later");
    look(false);
}

/// Else a record's key would be used again, whichever copy is put back.
static void what_the_box_writes_by_itself_raises_the_counter_all_the_same(void **unused)
{
    (void)unused;
    put("old");
    take_copy();
    put("new");
    restore_copy();
    for (unsigned i = 0; i < 3; i++) {
        uintptr_t counter = store.device; // of the backend ram
        put("by itself");
        assert_int_equal(store.device, counter + 1u);
    }
}

static void a_persons_deletion_ends_the_notice(void **unused)
{
    (void)unused;
    put("old");
    take_copy();
    put("new");
    restore_copy();
    look(true);
    store.by_person = true;
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_OK);
    look(false);
}

static void a_restored_deletion_is_noticed(void **unused)
{
    (void)unused;
    put("old");
    take_copy();
    assert_int_equal(hal_tokenstore_delete(&store, SPAN("a")), RC_OK);
    look(false);
    int fd = openat(state.fd, names[0], O_WRONLY | O_CREAT, 0600);
    close(fd);
    restore_copy();
    look(true);
}

static void a_power_cut_before_the_counter_was_raised_is_made_good(void **unused)
{
    (void)unused;
    put("value");
    uintptr_t counter = store.device; // of the backend ram
    store.device--;
    look(false);
    assert_int_equal(store.device, counter);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restored_directory_is_noticed_until_a_person_puts_something_anew),
        TEST(what_the_box_writes_by_itself_is_kept_and_ends_no_notice),
        TEST(what_the_box_writes_by_itself_raises_the_counter_all_the_same),
        TEST(a_persons_deletion_ends_the_notice),
        TEST(a_restored_deletion_is_noticed),
        TEST(a_power_cut_before_the_counter_was_raised_is_made_good),
    };
    return crypto_init() == RC_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the file backend promises beyond the contract: modes, broken files, leftovers of a power
 * cut.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/tokenstore.h"

static char state_dir[512];
static struct tokenstore store;

static int open_store(void **unused)
{
    (void)unused;
    const char *tmp = getenv("ANTEROOM_TMP");
    snprintf(state_dir, sizeof(state_dir), "%s/state.XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(state_dir) == NULL || hal_tokenstore_open(&store, state_dir) != RC_OK) {
        return -1;
    }
    return hal_tokenstore_put(&store, SPAN("a"), SPAN("a value of some length")) == RC_OK ? 0 : -1;
}

static const char *path_of(const char *file)
{
    static char path[1024];
    snprintf(path, sizeof(path), "%s/tokens%s%s", state_dir, file[0] != '\0' ? "/" : "", file);
    return path;
}

static int close_store(void **unused)
{
    (void)unused;
    hal_tokenstore_close(&store);
    static const char *const files[] = {"a", "b", ".a.new", ".b.new", ""};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        remove(path_of(files[i]));
    }
    return remove(state_dir);
}

static enum rc get(void)
{
    char bytes[64];
    struct buf out = BUF(bytes);
    return hal_tokenstore_get(&store, SPAN("a"), &out);
}

static enum rc reopen(void)
{
    hal_tokenstore_close(&store);
    return hal_tokenstore_open(&store, state_dir);
}

static mode_t mode_of(const char *file)
{
    struct stat st;
    assert_int_equal(stat(path_of(file), &st), 0);
    return st.st_mode & 07777;
}

static void directory_and_files_are_for_their_owner_only(void **unused)
{
    (void)unused;
    assert_int_equal(mode_of(""), 0700);
    assert_int_equal(mode_of("a"), 0600);
}

static void a_file_that_others_can_read_is_refused_and_not_repaired(void **unused)
{
    (void)unused;
    assert_int_equal(chmod(path_of("a"), 0640), 0);
    assert_int_equal(get(), RC_DENIED);
    assert_int_equal(reopen(), RC_DENIED);
    assert_int_equal(store.dir_fd, -1);
    assert_int_equal(mode_of("a"), 0640);
}

static void a_directory_that_others_can_read_is_refused(void **unused)
{
    (void)unused;
    assert_int_equal(chmod(path_of(""), 0750), 0);
    assert_int_equal(reopen(), RC_DENIED);
}

static void a_link_in_place_of_a_file_is_refused(void **unused)
{
    (void)unused;
    assert_int_equal(symlink("a", path_of("b")), 0);
    assert_int_equal(reopen(), RC_DENIED);
}

static void leftovers_of_a_power_cut_are_removed_at_open(void **unused)
{
    (void)unused;
    int fd = open(path_of(".b.new"), O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(reopen(), RC_OK);
    assert_int_equal(access(path_of(".b.new"), F_OK), -1);
    assert_int_equal(get(), RC_OK);
}

static size_t load(unsigned char *bytes, size_t cap)
{
    int fd = open(path_of("a"), O_RDONLY);
    ssize_t len = read(fd, bytes, cap);
    close(fd);
    assert_true(len > 0);
    return (size_t)len;
}

static void save(const unsigned char *bytes, size_t len)
{
    int fd = open(path_of("a"), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

static void every_flipped_bit_is_found(void **unused)
{
    (void)unused;
    unsigned char bytes[256];
    size_t len = load(bytes, sizeof(bytes));
    for (size_t bit = 0; bit < len * 8u; bit++) {
        bytes[bit / 8u] ^= (unsigned char)(1u << (bit % 8u));
        save(bytes, len);
        assert_int_equal(get(), RC_CORRUPT);
        bytes[bit / 8u] ^= (unsigned char)(1u << (bit % 8u));
    }
    save(bytes, len);
    assert_int_equal(get(), RC_OK);
}

static void every_cut_and_any_growth_is_found(void **unused)
{
    (void)unused;
    static unsigned char bytes[8192];
    size_t len = load(bytes, sizeof(bytes));
    for (size_t cut = 0; cut < len; cut++) {
        save(bytes, cut);
        assert_int_equal(get(), RC_CORRUPT);
    }
    save(bytes, len + 1u);
    assert_int_equal(get(), RC_CORRUPT);
    save(bytes, sizeof(bytes));
    assert_int_equal(get(), RC_CORRUPT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(directory_and_files_are_for_their_owner_only),
        TEST(a_file_that_others_can_read_is_refused_and_not_repaired),
        TEST(a_directory_that_others_can_read_is_refused),
        TEST(a_link_in_place_of_a_file_is_refused),
        TEST(leftovers_of_a_power_cut_are_removed_at_open),
        TEST(every_flipped_bit_is_found),
        TEST(every_cut_and_any_growth_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

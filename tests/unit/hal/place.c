// SPDX-License-Identifier: Apache-2.0
#include "sandbox/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_dir.h"

#define SOMEBODY 4711u

static struct state_dir state;

static int make(void **unused)
{
    (void)unused;
    return state_dir_make(&state) ? 0 : -1;
}

static int destroy(void **unused)
{
    (void)unused;
    state_dir_remove(&state);
    return 0;
}

static struct stat look(const char *name)
{
    struct stat st;
    assert_int_equal(fstatat(state.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st;
}

static void what_is_made_is_for_us_alone(void **unused)
{
    (void)unused;
    int fd = -1;
    umask(0);
    assert_int_equal(sandbox_open(state.fd, "led", O_RDWR | O_CREAT, &fd), RC_OK);
    close(fd);
    assert_int_equal(sandbox_fifo(state.fd, "button", &fd), RC_OK);
    close(fd);
    assert_int_equal(look("sandbox").st_mode, S_IFDIR | 0700);
    assert_int_equal(look("sandbox/led").st_mode, S_IFREG | 0600);
    assert_int_equal(look("sandbox/button").st_mode, S_IFIFO | 0600);
}

static void what_root_makes_belongs_to_the_owner_of_the_state(void **unused)
{
    (void)unused;
    static const char *const made[] = {"sandbox", "sandbox/led", "sandbox/button"};
    int fd = -1;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(fchown(state.fd, SOMEBODY, SOMEBODY), 0);
    assert_int_equal(sandbox_open(state.fd, "led", O_RDWR | O_CREAT, &fd), RC_OK);
    close(fd);
    assert_int_equal(sandbox_fifo(state.fd, "button", &fd), RC_OK);
    close(fd);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        assert_int_equal(look(made[i]).st_uid, SOMEBODY);
        assert_int_equal(look(made[i]).st_gid, SOMEBODY);
    }
}

static void a_link_is_not_followed(void **unused)
{
    (void)unused;
    int fd = -1;
    assert_true(state_dir_write(&state, "sandbox/real", "text"));
    assert_int_equal(symlinkat("real", state.fd, "sandbox/led"), 0);
    assert_int_not_equal(sandbox_open(state.fd, "led", O_RDWR | O_CREAT, &fd), RC_OK);
    assert_int_equal(fd, -1);
    assert_int_equal(symlinkat("real", state.fd, "sandbox/button"), 0);
    assert_int_not_equal(sandbox_fifo(state.fd, "button", &fd), RC_OK);
    assert_int_equal(fd, -1);
}

static void a_file_in_place_of_a_fifo_is_refused(void **unused)
{
    (void)unused;
    int fd = -1;
    assert_true(state_dir_write(&state, "sandbox/button", "1"));
    assert_int_equal(sandbox_fifo(state.fd, "button", &fd), RC_IO);
    assert_int_equal(fd, -1);
}

static void looking_makes_nothing(void **unused)
{
    (void)unused;
    int fd = -1;
    char bytes[8];
    struct buf b = BUF(bytes);
    assert_false(sandbox_absent(state.fd, "led"));
    assert_false(sandbox_has(state.fd, "led"));
    assert_int_equal(sandbox_read(state.fd, "led", &b), RC_UNSUPPORTED);
    assert_int_equal(sandbox_open(state.fd, "led", O_RDONLY, &fd), RC_UNSUPPORTED);
    assert_false(state_dir_has(&state, "sandbox"));
}

static void a_shorter_line_leaves_nothing_of_a_longer_one(void **unused)
{
    (void)unused;
    int fd = -1;
    char text[SANDBOX_LINE_BYTES + 1u];
    assert_int_equal(sandbox_open(state.fd, "led", O_RDWR | O_CREAT, &fd), RC_OK);
    assert_int_equal(sandbox_rewrite(fd, SPAN("on=1 colour=green\n")), RC_OK);
    assert_int_equal(sandbox_rewrite(fd, SPAN("on=0\n")), RC_OK);
    close(fd);
    assert_true(state_dir_read(&state, "sandbox/led", text, sizeof(text)));
    assert_int_equal(strncmp(text, "on=0\n", 5), 0);
    assert_int_equal(strspn(text + 5, "\n"), SANDBOX_LINE_BYTES - 5u);
}

static void a_text_that_does_not_fit_is_too_big_and_one_that_just_fits_is_read(void **unused)
{
    (void)unused;
    char bytes[4];
    struct buf b = BUF(bytes);
    assert_true(state_dir_write(&state, "sandbox/serial", "1234"));
    assert_int_equal(sandbox_read(state.fd, "serial", &b), RC_OK);
    assert_true(span_equal(buf_span(&b), SPAN("1234")));
    assert_true(state_dir_write(&state, "sandbox/serial", "12345"));
    buf_reset(&b);
    assert_int_equal(sandbox_read(state.fd, "serial", &b), RC_TOOBIG);
}

static void devices_are_absent_by_their_whole_name(void **unused)
{
    (void)unused;
    assert_true(state_dir_write(&state, "sandbox/absent", "led, watchdog\n"));
    assert_true(sandbox_absent(state.fd, "led"));
    assert_true(sandbox_absent(state.fd, "watchdog"));
    assert_false(sandbox_absent(state.fd, "watch"));
    assert_false(sandbox_absent(state.fd, "button"));
}

static void numbers_are_found_by_their_whole_name(void **unused)
{
    (void)unused;
    uint64_t n = 7;
    struct span text = SPAN("xmin_ms=1 min_ms=20 max_ms=abc max=\n");
    assert_true(sandbox_number(text, "min_ms", &n));
    assert_int_equal(n, 20);
    assert_false(sandbox_number(text, "max_ms", &n));
    assert_false(sandbox_number(text, "max", &n));
    assert_false(sandbox_number(text, "none", &n));
    assert_int_equal(n, 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_made_is_for_us_alone),
        TEST(what_root_makes_belongs_to_the_owner_of_the_state),
        TEST(a_link_is_not_followed),
        TEST(a_file_in_place_of_a_fifo_is_refused),
        TEST(looking_makes_nothing),
        TEST(a_shorter_line_leaves_nothing_of_a_longer_one),
        TEST(a_text_that_does_not_fit_is_too_big_and_one_that_just_fits_is_read),
        TEST(devices_are_absent_by_their_whole_name),
        TEST(numbers_are_found_by_their_whole_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

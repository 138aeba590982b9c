// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A file that is waited for, in real directories: what the kernel tells, and what a look finds.
 */
#include "sys/arrival.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_dir.h"

static struct state_dir dir;
static struct arrival arrival;
static struct mono now;
static char path[600], other[600];

static const char *at(char *text, const char *name)
{
    (void)snprintf(text, 600, "%s/%s", dir.path, name);
    return text;
}

static int begin(void **unused)
{
    (void)unused;
    now = (struct mono){.ms = 1000};
    arrival_none(&arrival);
    return state_dir_make(&dir) ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    arrival_close(&arrival);
    state_dir_remove(&dir);
    return 0;
}

static void wait_for(const char *name)
{
    assert_int_equal(arrival_watch(&arrival, at(path, name)), RC_OK);
    assert_false(arrival_take(&arrival));
}

static int make(const char *name, const char *text)
{
    int fd = open(at(other, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void put(const char *name, const char *text)
{
    close(make(name, text));
}

// ---- what the kernel tells --------------------------------------------------

static void a_file_is_there_when_its_writer_has_closed_it(void **unused)
{
    (void)unused;
    wait_for("config");
    int fd = make("config", "{");
    assert_false(arrival_take(&arrival));
    close(fd);
    assert_true(arrival_take(&arrival));
    assert_false(arrival_take(&arrival)); // it is told once
}

static void a_file_that_is_moved_there_is_there(void **unused)
{
    (void)unused;
    char from[600];
    put("config.new", "{}");
    wait_for("config");
    assert_int_equal(rename(at(from, "config.new"), at(other, "config")), 0);
    assert_true(arrival_take(&arrival));
}

static void other_files_and_files_without_anything_in_them_are_not_it(void **unused)
{
    (void)unused;
    wait_for("config");
    put("config.bak", "{}");
    put("confi", "{}");
    put("config", "");
    assert_false(arrival_take(&arrival));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "{}", 2), 2);
    close(fd);
    assert_true(arrival_take(&arrival));
}

static void the_next_directory_on_the_way_is_waited_for(void **unused)
{
    (void)unused;
    wait_for("etc/anteroom/config");
    put("config", "{}");
    assert_int_equal(mkdir(at(other, "var"), 0700), 0);
    assert_false(arrival_take(&arrival));
    assert_int_equal(mkdir(at(other, "etc"), 0700), 0);
    assert_true(arrival_take(&arrival));
    arrival_close(&arrival);
    wait_for("etc/anteroom/config"); // as the next life does
    assert_int_equal(mkdir(at(other, "etc/anteroom"), 0700), 0);
    assert_true(arrival_take(&arrival));
    arrival_close(&arrival);
    wait_for("etc/anteroom/config");
    put("etc/anteroom/config", "{}");
    assert_true(arrival_take(&arrival));
}

static void a_directory_that_goes_is_found_out_about_anew(void **unused)
{
    (void)unused;
    assert_int_equal(mkdir(at(other, "etc"), 0700), 0);
    wait_for("etc/config");
    assert_int_equal(rmdir(at(other, "etc")), 0);
    assert_true(arrival_take(&arrival));
}

// ---- what a look finds ------------------------------------------------------

/// Looks as often as turns come, until it is there. @return after how long
static int64_t look_for(int64_t most_ms)
{
    const int64_t from = now.ms;
    while (!arrival_look(&arrival, now)) {
        if (now.ms - from > most_ms) {
            return -1;
        }
        now.ms += 700;
    }
    return now.ms - from;
}

static void a_link_is_found_once_what_it_leads_to_has_not_changed_for_a_while(void **unused)
{
    (void)unused;
    char target[600];
    wait_for("config");
    assert_int_equal(symlink(at(target, "elsewhere"), path), 0);
    assert_false(arrival_take(&arrival));
    assert_int_equal(look_for(10 * ARRIVAL_SETTLED_MS), -1); // it leads nowhere
    put("elsewhere", "{}");
    assert_in_range(look_for(10 * ARRIVAL_SETTLED_MS), ARRIVAL_SETTLED_MS, 2 * ARRIVAL_SETTLED_MS);
}

static void a_file_that_still_grows_is_left_alone(void **unused)
{
    (void)unused;
    wait_for("config");
    int fd = make("config", "");
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(look_for(ARRIVAL_SETTLED_MS - ARRIVAL_LOOK_MS), -1);
        assert_int_equal(write(fd, "{", 1), 1);
    }
    close(fd);
    assert_in_range(look_for(10 * ARRIVAL_SETTLED_MS), ARRIVAL_SETTLED_MS, 2 * ARRIVAL_SETTLED_MS);
}

static void what_was_there_from_the_first_comes_when_it_is_changed(void **unused)
{
    (void)unused;
    int fd = make("config", "{");
    wait_for("config");
    assert_int_equal(look_for(10 * ARRIVAL_SETTLED_MS), -1);
    assert_int_equal(write(fd, "}", 1), 1);
    assert_in_range(look_for(10 * ARRIVAL_SETTLED_MS), ARRIVAL_SETTLED_MS, 2 * ARRIVAL_SETTLED_MS);
    assert_false(arrival_take(&arrival));
    close(fd);
    assert_true(arrival_take(&arrival));
}

static void a_path_counts_from_where_it_was_given(void **unused)
{
    (void)unused;
    assert_int_equal(chdir(dir.path), 0);
    assert_int_equal(arrival_watch(&arrival, "config"), RC_OK);
    assert_int_equal(chdir("/"), 0);
    put("config", "{}");
    assert_true(arrival_take(&arrival));
    assert_in_range(look_for(10 * ARRIVAL_SETTLED_MS), 0, 2 * ARRIVAL_SETTLED_MS);
}

static void a_path_that_nobody_can_watch_is_looked_for_all_the_same(void **unused)
{
    (void)unused;
    static char longer[ARRIVAL_PATH_BYTES_MAX + 600u];
    size_t len = strlen(at(path, ""));
    memcpy(longer, path, len);
    for (; len < ARRIVAL_PATH_BYTES_MAX; len += 2) {
        longer[len] = '.';
        longer[len + 1] = '/';
    }
    memcpy(longer + len, "config", sizeof("config"));
    assert_int_equal(arrival_watch(&arrival, longer), RC_UNSUPPORTED);
    assert_int_equal(arrival.fd, -1);
    put("config", "{}");
    assert_in_range(look_for(10 * ARRIVAL_SETTLED_MS), 0, 2 * ARRIVAL_SETTLED_MS);
}

static void who_waits_for_nothing_finds_nothing(void **unused)
{
    (void)unused;
    assert_false(arrival_look(&arrival, now));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_there_when_its_writer_has_closed_it),
        TEST(a_file_that_is_moved_there_is_there),
        TEST(other_files_and_files_without_anything_in_them_are_not_it),
        TEST(the_next_directory_on_the_way_is_waited_for),
        TEST(a_directory_that_goes_is_found_out_about_anew),
        TEST(a_link_is_found_once_what_it_leads_to_has_not_changed_for_a_while),
        TEST(a_file_that_still_grows_is_left_alone),
        TEST(what_was_there_from_the_first_comes_when_it_is_changed),
        TEST(a_path_counts_from_where_it_was_given),
        TEST(a_path_that_nobody_can_watch_is_looked_for_all_the_same),
        TEST(who_waits_for_nothing_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

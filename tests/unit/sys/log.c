// SPDX-License-Identifier: Apache-2.0
#include "sys/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 16384u

static struct now at(int64_t mono_ms)
{
    return (struct now){.mono = {.ms = mono_ms},
                        .wall = {.ms = 1795392000000 + mono_ms, .quality = CLOCK_TRUSTED}};
}

static char text[TEXT_BYTES_MAX];
static int saved_stderr, pipe_read;

static int setup(void **state)
{
    (void)state;
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) != 0) {
        return -1;
    }
    saved_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_read = ends[0];
    log_set_now(at(0));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_read);
    return 0;
}

// What was written since the last call; the number of lines.
static unsigned written(void)
{
    ssize_t got = read(pipe_read, text, sizeof(text) - 1u);
    size_t len = got > 0 ? (size_t)got : 0u;
    text[len] = '\0';
    unsigned lines = 0;
    for (size_t i = 0; i < len; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

static void a_line_has_time_level_and_event(void **state)
{
    (void)state;
    LOG_WARN("ev=sink_held sink=%s records=%u", "main", 7u);
    assert_int_equal(written(), 1);
    assert_string_equal(
        text, "ts=2026-11-23T00:00:00.000Z level=warn ev=sink_held sink=main records=7\n");
}

static void disabled_levels_are_silent(void **state)
{
    (void)state;
    LOG_DEBUG("ev=never");
    assert_int_equal(written(), CONFIG_LOG_LEVEL >= 4 ? 1 : 0);
}

static void control_characters_cannot_forge_a_line(void **state)
{
    (void)state;
    LOG_INFO("ev=x value=%s", "a\nts=1 level=error\x1b[2J\xc3\xa4");
    assert_int_equal(written(), 1);
    assert_non_null(strstr(text, "value=a?ts=1 level=error?[2J??\n"));
}

static void long_lines_are_cut_and_still_end(void **state)
{
    (void)state;
    char big[3000];
    memset(big, 'x', sizeof(big) - 1u);
    big[sizeof(big) - 1u] = '\0';
    LOG_INFO("ev=big value=%s", big);
    assert_int_equal(written(), 1);
    assert_true(strlen(text) < 700);
}

static void a_site_that_repeats_is_held_back_and_says_so(void **state)
{
    (void)state;
    struct log_site site = {0};
    for (unsigned i = 0; i < 50; i++) {
        log_line(&site, 3, "ev=again");
    }
    assert_int_equal(written(), LOG_BURST);
    log_set_now(at(LOG_REFILL_MS));
    log_line(&site, 3, "ev=again");
    log_line(&site, 3, "ev=again");
    assert_int_equal(written(), 1);
    assert_non_null(strstr(text, "ev=again suppressed=40\n"));
    log_set_now(at(100LL * LOG_REFILL_MS));
    for (unsigned i = 0; i < 50; i++) {
        log_line(&site, 3, "ev=again");
    }
    assert_int_equal(written(), LOG_BURST);
    assert_non_null(strstr(text, "suppressed=1\n"));
}

static void a_refill_in_parts_loses_no_time(void **state)
{
    (void)state;
    struct log_site site = {0};
    for (unsigned i = 0; i < LOG_BURST; i++) {
        log_line(&site, 3, "ev=x");
    }
    assert_int_equal(written(), LOG_BURST);
    unsigned passed = 0;
    for (int64_t ms = 0; ms < 10 * LOG_REFILL_MS + 700; ms += 700) {
        log_set_now(at(ms));
        log_line(&site, 3, "ev=x");
        passed += written();
    }
    assert_int_equal(passed, 10);
}

static void ids_are_short_equal_for_equal_and_not_the_id(void **state)
{
    (void)state;
    struct log_id a = log_id(SPAN("6a0a4e0b-0f1c-4b6a-8f0e-3f4f6e1d2c3b"));
    struct log_id b = log_id(SPAN("6a0a4e0b-0f1c-4b6a-8f0e-3f4f6e1d2c3b"));
    struct log_id c = log_id(SPAN("6a0a4e0b-0f1c-4b6a-8f0e-3f4f6e1d2c3c"));
    assert_int_equal(strlen(a.text), 8);
    assert_string_equal(a.text, b.text);
    assert_string_not_equal(a.text, c.text);
    assert_string_equal(log_id(SPAN("abc")).text, "ba7816bf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_and_event, setup, teardown),
        cmocka_unit_test_setup_teardown(disabled_levels_are_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(control_characters_cannot_forge_a_line, setup, teardown),
        cmocka_unit_test_setup_teardown(long_lines_are_cut_and_still_end, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_site_that_repeats_is_held_back_and_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refill_in_parts_loses_no_time, setup, teardown),
        cmocka_unit_test(ids_are_short_equal_for_equal_and_not_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

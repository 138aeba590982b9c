// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/console.h promises, for every backend that has one; console_*_hardware.c looks at it.
 */
#include "hal/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console_hardware.h"

static struct console console;

static void open_or_fail(void)
{
    assert_int_equal(hal_console_open(&console, hardware_state_fd()), RC_OK);
    assert_string_equal(console.missing, "");
}

static void shows(const char *wanted)
{
    char line[CONSOLE_LINE_BYTES_MAX + 1];
    hardware_look(line, sizeof(line));
    assert_string_equal(line, wanted);
}

static void every_line_is_shown_whole_and_the_last_is_seen(void **unused)
{
    (void)unused;
    open_or_fail();
    shows("");
    assert_int_equal(hal_console_write(&console, SPAN("collecting, 3 sinks, all well\n")), RC_OK);
    shows("collecting, 3 sinks, all well");
    assert_int_equal(hal_console_write(&console, SPAN("attention\n")), RC_OK);
    shows("attention"); // nothing of the longer one is left in it
    hal_console_close(&console);
}

static void the_longest_line_fits_and_a_longer_or_empty_one_is_refused(void **unused)
{
    (void)unused;
    char text[CONSOLE_LINE_BYTES_MAX + 1];
    struct span line = {.ptr = text, .len = CONSOLE_LINE_BYTES_MAX};
    memset(text, 'x', sizeof(text));
    text[CONSOLE_LINE_BYTES_MAX - 1] = '\n';
    open_or_fail();
    assert_int_equal(hal_console_write(&console, line), RC_OK);
    text[CONSOLE_LINE_BYTES_MAX - 1] = '\0';
    shows(text);
    line.len++;
    assert_int_equal(hal_console_write(&console, line), RC_TOOBIG);
    assert_int_equal(hal_console_write(&console, SPAN_NONE), RC_TOOBIG);
    hal_console_close(&console);
}

static void a_console_that_is_closed_says_nothing_and_may_be_closed_twice(void **unused)
{
    (void)unused;
    open_or_fail();
    hal_console_close(&console);
    hal_console_close(&console);
    assert_int_equal(console.fd, -1);
    assert_int_equal(hal_console_write(&console, SPAN("hello\n")), RC_OK);
    shows("");
}

static void a_console_that_is_there_is_found(void **unused)
{
    (void)unused;
    assert_int_equal(hal_console_probe(&console, hardware_state_fd()), RC_OK);
    assert_int_equal(console.fd, -1);
}

static void a_console_that_is_not_there_is_named(void **unused)
{
    (void)unused;
    hardware_fault(CONSOLE_ABSENT);
    assert_int_equal(hal_console_probe(&console, hardware_state_fd()), RC_UNSUPPORTED);
    assert_non_null(strstr(console.missing, "not there"));
    assert_int_equal(hal_console_open(&console, hardware_state_fd()), RC_UNSUPPORTED);
    assert_int_equal(console.fd, -1);
    assert_non_null(strstr(console.missing, "not there"));
}

static void a_console_that_we_may_not_use_is_told(void **unused)
{
    (void)unused;
    hardware_fault(CONSOLE_FORBIDDEN);
    assert_int_equal(hal_console_open(&console, hardware_state_fd()), RC_DENIED);
    assert_non_null(strstr(console.missing, "no permission"));
}

static void a_console_that_fails_when_opened_is_told(void **unused)
{
    (void)unused;
    hardware_fault(CONSOLE_OPEN_FAILS);
    assert_int_equal(hal_console_open(&console, hardware_state_fd()), RC_IO);
    assert_int_equal(console.fd, -1);
}

static void a_console_that_goes_away_is_told(void **unused)
{
    (void)unused;
    open_or_fail();
    hardware_fault(CONSOLE_GONE);
    assert_int_equal(hal_console_write(&console, SPAN("hello\n")), RC_IO);
    hal_console_close(&console);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_line_is_shown_whole_and_the_last_is_seen),
        TEST(the_longest_line_fits_and_a_longer_or_empty_one_is_refused),
        TEST(a_console_that_is_closed_says_nothing_and_may_be_closed_twice),
        TEST(a_console_that_is_there_is_found),
        TEST(a_console_that_is_not_there_is_named),
        TEST(a_console_that_we_may_not_use_is_told),
        TEST(a_console_that_fails_when_opened_is_told),
        TEST(a_console_that_goes_away_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

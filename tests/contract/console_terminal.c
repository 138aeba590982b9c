// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the backend console_linux does with a terminal, beyond the contract.
 */
#include "console_terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hal/console.h"

static struct console console;

static void arrived(const char *wanted)
{
    char text[4096];
    size_t len = 0;
    // A read takes what has come so far; one that finds nothing has fetched what was on the way.
    for (size_t got = terminal_read(text, sizeof(text) - 1); got > 0;
         got = terminal_read(text + len, sizeof(text) - 1 - len)) {
        len += got;
    }
    text[len] = '\0';
    assert_string_equal(text, wanted);
}

static void it_is_set_to_115200_8n1_without_flow_control_whatever_it_was(void **unused)
{
    (void)unused;
    struct termios t;
    terminal_settings(&t);
    t.c_cflag = (t.c_cflag & ~(tcflag_t)CSIZE) | CS7 | PARENB | CSTOPB | CRTSCTS | HUPCL;
    t.c_iflag |= IXON | IXOFF;
    t.c_oflag &= ~(tcflag_t)OPOST;
    assert_int_equal(cfsetospeed(&t, B9600), 0);
    terminal_set(&t);
    assert_int_equal(hal_console_open(&console, -1), RC_OK);
    terminal_settings(&t);
    assert_int_equal(cfgetospeed(&t), B115200);
    // A pseudo-terminal has eight bits and no parity, whatever is asked of it.
    assert_int_equal(t.c_cflag & (CSIZE | CSTOPB | CRTSCTS | HUPCL | CLOCAL), CS8 | CLOCAL);
    assert_int_equal(t.c_iflag & (IXON | IXOFF), 0);
    assert_int_equal(t.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
    hal_console_close(&console);
}

static void what_a_login_set_for_its_input_stays(void **unused)
{
    (void)unused;
    struct termios before, after;
    terminal_settings(&before);
    before.c_lflag = ICANON | ISIG;
    before.c_iflag = ICRNL;
    terminal_set(&before);
    assert_int_equal(hal_console_open(&console, -1), RC_OK);
    terminal_settings(&after);
    assert_int_equal(after.c_lflag, before.c_lflag);
    assert_int_equal(after.c_iflag & ICRNL, ICRNL);
    hal_console_close(&console);
}

static void a_terminal_that_takes_nothing_is_not_waited_for(void **unused)
{
    (void)unused;
    assert_int_equal(hal_console_open(&console, -1), RC_OK);
    terminal_takes(0);
    assert_int_equal(hal_console_write(&console, SPAN("lost\n")), RC_AGAIN);
    terminal_takes(SIZE_MAX);
    assert_int_equal(hal_console_write(&console, SPAN("here\n")), RC_OK);
    arrived("here\r\n");
    hal_console_close(&console);
}

static void the_rest_of_a_cut_line_is_dropped_and_the_next_begins_a_line(void **unused)
{
    (void)unused;
    assert_int_equal(hal_console_open(&console, -1), RC_OK);
    terminal_takes(3);
    assert_int_equal(hal_console_write(&console, SPAN("first\n")), RC_OK);
    assert_int_equal(hal_console_write(&console, SPAN("second\n")), RC_AGAIN);
    terminal_takes(SIZE_MAX);
    assert_int_equal(hal_console_write(&console, SPAN("third\n")), RC_OK);
    arrived("fir\r\nthird\r\n");
    hal_console_close(&console);
}

static void a_terminal_that_is_full_is_not_waited_for(void **unused)
{
    (void)unused;
    char text[CONSOLE_LINE_BYTES_MAX];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\n';
    struct span line = {.ptr = text, .len = sizeof(text)};
    enum rc rc = RC_OK;
    assert_int_equal(hal_console_open(&console, -1), RC_OK);
    for (int i = 0; i < 1000 && rc == RC_OK; i++) { // nobody reads
        rc = hal_console_write(&console, line);
    }
    assert_int_equal(rc, RC_AGAIN);
    hal_console_close(&console);
}

static void a_device_that_is_no_terminal_is_refused(void **unused)
{
    (void)unused;
    terminal_is("/dev/null");
    assert_int_equal(hal_console_open(&console, -1), RC_UNSUPPORTED);
    assert_non_null(strstr(console.missing, "no terminal"));
    assert_non_null(strstr(console.missing, "CONFIG_CONSOLE_DEVICE"));
    assert_int_equal(console.fd, -1);
}

static void a_file_is_found_to_be_none(void **unused)
{
    (void)unused;
    terminal_is("/");
    assert_int_equal(hal_console_probe(&console, -1), RC_UNSUPPORTED);
}

static void a_terminal_that_cannot_be_set_is_told(void **unused)
{
    (void)unused;
    terminal_refuses_settings();
    assert_int_equal(hal_console_open(&console, -1), RC_IO);
    assert_int_equal(console.fd, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_set_to_115200_8n1_without_flow_control_whatever_it_was),
        TEST(what_a_login_set_for_its_input_stays),
        TEST(a_terminal_that_takes_nothing_is_not_waited_for),
        TEST(the_rest_of_a_cut_line_is_dropped_and_the_next_begins_a_line),
        TEST(a_terminal_that_is_full_is_not_waited_for),
        TEST(a_device_that_is_no_terminal_is_refused),
        TEST(a_file_is_found_to_be_none),
        TEST(a_terminal_that_cannot_be_set_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/identity.h promises, for every backend; identity_*_hardware.c is the maker.
 */
#include "hal/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"

#include "identity_hardware.h"

static struct identity id;

static void serial(const char *text)
{
    hardware_serial(text, strlen(text));
}

static enum rc look(void)
{
    return hal_identity_read(&id, hardware_state_fd());
}

static void nothing_is_known(void)
{
    static const uint8_t zeros[sizeof(id.serial_sha256)];
    assert_string_equal(id.serial_end, "");
    assert_memory_equal(id.serial_sha256, zeros, sizeof(zeros));
    assert_string_not_equal(id.missing, "");
}

static void the_end_of_the_serial_and_a_hash_are_shown(void **unused)
{
    (void)unused;
    uint8_t want[SHA256_BYTES];
    sha256(SPAN("ANT-2026-00417|" CONFIG_BOARD_NAME), want);
    serial("ANT-2026-00417\n");
    assert_int_equal(look(), RC_OK);
    assert_string_equal(id.board, CONFIG_BOARD_NAME);
    assert_string_equal(id.serial_end, "0417");
    assert_memory_equal(id.serial_sha256, want, sizeof(want));
    assert_string_equal(id.missing, "");
}

static void what_surrounds_the_serial_does_not_count(void **unused)
{
    (void)unused;
    uint8_t want[SHA256_BYTES];
    serial("ANT-2026-00417");
    assert_int_equal(look(), RC_OK);
    memcpy(want, id.serial_sha256, sizeof(want));
    hardware_serial(" \tANT-2026-00417 \r\n\0", 20); // a device tree ends it with NUL
    assert_int_equal(look(), RC_OK);
    assert_memory_equal(id.serial_sha256, want, sizeof(want));
    assert_string_equal(id.serial_end, "0417");
}

static void boxes_differ(void **unused)
{
    (void)unused;
    uint8_t first[SHA256_BYTES];
    serial("AAAA-0001-1234");
    assert_int_equal(look(), RC_OK);
    memcpy(first, id.serial_sha256, sizeof(first));
    serial("BBBB-0002-1234");
    assert_int_equal(look(), RC_OK);
    assert_memory_not_equal(first, id.serial_sha256, sizeof(first));
}

static void never_more_than_half_of_a_short_serial_is_shown(void **unused)
{
    (void)unused;
    static const char *const shown[][2] = {
        {"47", "7"}, {"471", "1"}, {"47112", "12"}, {"4711234", "234"}, {"47112345", "2345"}};
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        serial(shown[i][0]);
        assert_int_equal(look(), RC_OK);
        assert_string_equal(id.serial_end, shown[i][1]);
    }
}

static void the_longest_serial_is_taken_and_a_longer_one_refused(void **unused)
{
    (void)unused;
    char text[IDENTITY_SERIAL_BYTES_MAX + 60u];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)('A' + i % 26u);
    }
    hardware_serial(text, IDENTITY_SERIAL_BYTES_MAX);
    assert_int_equal(look(), RC_OK);
    for (size_t more = 1; more <= 60; more++) {
        hardware_serial(text, IDENTITY_SERIAL_BYTES_MAX + more);
        assert_int_equal(look(), RC_UNSUPPORTED);
        nothing_is_known();
        assert_non_null(strstr(id.missing, "too long"));
    }
}

static void what_makers_leave_unfilled_is_refused(void **unused)
{
    (void)unused;
    static const char *const unfilled[] = {"To be filled by O.E.M.",
                                           "To Be Filled By O.E.M.\n",
                                           "Default string",
                                           "DEFAULT STRING",
                                           "System Serial Number",
                                           "Not Specified",
                                           "None",
                                           "N/A",
                                           "0",
                                           "00000000",
                                           "........",
                                           "xxxxxxxxxxxx",
                                           "0123456789"};
    for (size_t i = 0; i < sizeof(unfilled) / sizeof(unfilled[0]); i++) {
        serial(unfilled[i]);
        assert_int_equal(look(), RC_UNSUPPORTED);
        nothing_is_known();
        assert_non_null(strstr(id.missing, "unfilled"));
    }
    serial("None-0417"); // begins like one
    assert_int_equal(look(), RC_OK);
}

static void an_empty_serial_and_one_that_is_no_text_are_refused(void **unused)
{
    (void)unused;
    serial("");
    assert_int_equal(look(), RC_UNSUPPORTED);
    nothing_is_known();
    serial(" \n");
    assert_int_equal(look(), RC_UNSUPPORTED);
    hardware_serial("AB\0CD", 5);
    assert_int_equal(look(), RC_UNSUPPORTED);
    nothing_is_known();
    serial("AB\x1b[31mCD");
    assert_int_equal(look(), RC_UNSUPPORTED);
    serial("AB\xff\xfe");
    assert_int_equal(look(), RC_UNSUPPORTED);
    nothing_is_known();
}

static void a_source_that_is_not_there_is_named(void **unused)
{
    (void)unused;
    hardware_fault(IDENTITY_ABSENT);
    assert_int_equal(look(), RC_UNSUPPORTED);
    nothing_is_known();
    assert_non_null(strstr(id.missing, "not there"));
}

static void a_source_that_we_may_not_read_is_told(void **unused)
{
    (void)unused;
    serial("ANT-2026-00417");
    hardware_fault(IDENTITY_FORBIDDEN);
    assert_int_equal(look(), RC_DENIED);
    nothing_is_known();
    assert_non_null(strstr(id.missing, "no permission"));
}

static void a_source_that_fails_is_told(void **unused)
{
    (void)unused;
    serial("ANT-2026-00417");
    hardware_fault(IDENTITY_FAILS);
    assert_int_equal(look(), RC_IO);
    nothing_is_known();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, hardware_make, hardware_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_the_serial_and_a_hash_are_shown),
        TEST(what_surrounds_the_serial_does_not_count),
        TEST(boxes_differ),
        TEST(never_more_than_half_of_a_short_serial_is_shown),
        TEST(the_longest_serial_is_taken_and_a_longer_one_refused),
        TEST(what_makers_leave_unfilled_is_refused),
        TEST(an_empty_serial_and_one_that_is_no_text_are_refused),
        TEST(a_source_that_is_not_there_is_named),
        TEST(a_source_that_we_may_not_read_is_told),
        TEST(a_source_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

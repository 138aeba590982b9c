// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void good(const char *text, bool is_v6, const char *bytes, uint16_t port)
{
    struct address a;
    assert_int_equal(address_parse(span_from_str(text), 123, &a), RC_OK);
    assert_int_equal(a.is_v6, is_v6);
    assert_int_equal(a.port, port);
    assert_memory_equal(a.bytes, bytes, is_v6 ? 16 : 4);
}

static void numeric_addresses_are_read_with_and_without_a_port(void **unused)
{
    (void)unused;
    static const char loopback[16] = {[15] = 1};
    good("192.0.2.1", false, "\xc0\0\2\1", 123);
    good("192.0.2.1:1", false, "\xc0\0\2\1", 1);
    good("255.255.255.255:65535", false, "\xff\xff\xff\xff", 65535);
    good("::1", true, loopback, 123);
    good("[::1]", true, loopback, 123);
    good("[::1]:9", true, loopback, 9);
    good("::ffff:192.0.2.1", true, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 123);
    good("2001:db8::1", true, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 123);
}

static void anything_else_is_refused_and_changes_nothing(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"",
                                      "a",
                                      "pool.ntp.org",
                                      "192.0.2",
                                      "192.0.2.256",
                                      "192.0.2.1:",
                                      "192.0.2.1:0",
                                      "192.0.2.1:x",
                                      "192.0.2.1:65536",
                                      "192.0.2.1:+1",
                                      "[::1",
                                      "::1]",
                                      "[]",
                                      "[192.0.2.1]",
                                      "[192.0.2.1",
                                      "[",
                                      "[::1]x",
                                      "[::1]:",
                                      "[::1]:0",
                                      "fe80::1%eth0",
                                      " 192.0.2.1",
                                      "192.0.2.1 ",
                                      "[[::1]]",
                                      ":",
                                      ":1",
                                      "192.0.2.1:000001"};
    struct address a, before;
    memset(&a, 7, sizeof(a));
    before = a;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(address_parse(span_from_str(bad[i]), 123, &a), RC_PARSE);
        assert_memory_equal(&a, &before, sizeof(a));
    }
    assert_int_equal(address_parse(SPAN("192.0.2.1\0"), 123, &a), RC_PARSE);
    char text[200];
    memset(text, '1', sizeof(text));
    assert_int_equal(address_parse((struct span){text, sizeof(text)}, 123, &a), RC_PARSE);
    text[0] = '[';
    assert_int_equal(address_parse((struct span){text, sizeof(text)}, 123, &a), RC_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_addresses_are_read_with_and_without_a_port),
        cmocka_unit_test(anything_else_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

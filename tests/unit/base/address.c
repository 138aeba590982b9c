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

static void an_address_to_listen_on_may_leave_the_port_to_the_kernel(void **unused)
{
    (void)unused;
    struct address a;
    assert_int_equal(address_parse_listen(SPAN("127.0.0.1:0"), 8443, &a), RC_OK);
    assert_int_equal(a.port, 0);
    assert_int_equal(address_parse_listen(SPAN("[::]:0"), 8443, &a), RC_OK);
    assert_int_equal(a.port, 0);
    assert_int_equal(address_parse_listen(SPAN("[::]"), 8443, &a), RC_OK);
    assert_int_equal(a.port, 8443);
    assert_int_equal(address_parse_listen(SPAN("[::]:65536"), 8443, &a), RC_PARSE);
    assert_int_equal(address_parse_listen(SPAN("[::]:"), 8443, &a), RC_PARSE);
    assert_int_equal(address_parse_listen(SPAN("localhost:0"), 8443, &a), RC_PARSE);
}

static struct address of(const char *text)
{
    struct address a;
    assert_int_equal(address_parse(span_from_str(text), 1, &a), RC_OK);
    return a;
}

static void what_is_put_reads_as_the_same_address(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "192.0.2.1:1", "255.255.255.255:65535", "[::]:8443", "[2001:db8::1]:443"};
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[ADDRESS_TEXT_BYTES_MAX + 1u];
        struct buf out = BUF(text);
        struct address a = of(texts[i]);
        address_put(&out, &a);
        assert_true(buf_terminate(&out));
        assert_string_equal(text, texts[i]);
    }
}

static void the_same_host_is_known_in_whatever_family_it_comes(void **unused)
{
    (void)unused;
    struct address v4 = of("192.0.2.1:80"), mapped = of("[::ffff:192.0.2.1]:443");
    struct address other = of("192.0.2.2:80"), v6 = of("[2001:db8::1]:80");
    assert_true(address_same_host(&v4, &mapped));
    assert_true(address_same_host(&mapped, &v4));
    assert_true(address_same_host(&v6, &v6));
    assert_false(address_same_host(&v4, &other));
    assert_false(address_same_host(&v4, &v6));
    struct address plain = address_unmapped(&mapped), same = address_unmapped(&v6);
    assert_false(plain.is_v6);
    assert_int_equal(plain.port, 443);
    assert_true(same.is_v6);
}

static void loopback_is_known_by_its_address(void **unused)
{
    (void)unused;
    static const char *const loop[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
    static const char *const not_loop[] = {
        "0.0.0.0", "::", "126.0.0.1", "128.0.0.1", "::2", "1::1", "::ffff:192.0.2.1", "7f00::1"};
    for (unsigned i = 0; i < sizeof(loop) / sizeof(loop[0]); i++) {
        struct address a = of(loop[i]);
        assert_true(address_is_loopback(&a));
    }
    for (unsigned i = 0; i < sizeof(not_loop) / sizeof(not_loop[0]); i++) {
        struct address a = of(not_loop[i]);
        assert_false(address_is_loopback(&a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_addresses_are_read_with_and_without_a_port),
        cmocka_unit_test(anything_else_is_refused_and_changes_nothing),
        cmocka_unit_test(an_address_to_listen_on_may_leave_the_port_to_the_kernel),
        cmocka_unit_test(what_is_put_reads_as_the_same_address),
        cmocka_unit_test(the_same_host_is_known_in_whatever_family_it_comes),
        cmocka_unit_test(loopback_is_known_by_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

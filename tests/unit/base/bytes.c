// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "seeded.h"

#define BYTES_MAX 300u

static char bytes[BYTES_MAX];

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(uint8_t)seeded_next(&seed);
    }
}

static void text_is(const struct buf *b, const char *wanted)
{
    assert_true(buf_ok(b));
    assert_int_equal(b->len, strlen(wanted));
    assert_memory_equal(b->ptr, wanted, b->len);
}

static void integers_are_stored_big_end_first(void **state)
{
    (void)state;
    char array[13];
    struct buf b = BUF(array);
    buf_put_u8(&b, 0x01);
    buf_put_be32(&b, 0x23456789u);
    buf_put_be64(&b, 0xabcdef0011223344u);
    assert_true(buf_ok(&b));
    assert_memory_equal(array, "\x01\x23\x45\x67\x89\xab\xcd\xef\x00\x11\x22\x33\x44", 13);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    char array[64];
    struct buf b = BUF(array);
    buf_put_u8(&b, 0xff);
    buf_put_be32(&b, UINT32_MAX - 1);
    buf_put_be64(&b, UINT64_MAX - 1);
    buf_put(&b, SPAN("tail"));
    struct reader r = {.left = buf_span(&b)};
    assert_int_equal(reader_u8(&r), 0xff);
    assert_int_equal(reader_be32(&r), UINT32_MAX - 1);
    assert_true(reader_be64(&r) == UINT64_MAX - 1);
    assert_false(reader_ok(&r)); // something is left
    assert_true(span_equal(reader_bytes(&r, 4), SPAN("tail")));
    assert_true(reader_ok(&r));
    assert_int_equal(reader_bytes(&r, 0).len, 0);
    assert_true(reader_ok(&r));
}

static void a_short_row_is_noticed_wherever_it_ends(void **state)
{
    (void)state;
    for (size_t len = 0; len < 13; len++) {
        struct reader r = {.left = {.ptr = bytes, .len = len}};
        (void)reader_u8(&r);
        (void)reader_be32(&r);
        (void)reader_be64(&r);
        assert_false(reader_ok(&r));
        // The shortage sticks, even for what would fit.
        assert_int_equal(reader_bytes(&r, 0).len, 0);
        assert_int_equal(reader_u8(&r), 0);
        assert_false(reader_ok(&r));
    }
    struct reader r = {.left = {.ptr = bytes, .len = 13}};
    assert_int_equal(reader_bytes(&r, SIZE_MAX).len, 0);
    assert_false(reader_ok(&r));
}

static void base64_of_the_rfc(void **state) // RFC 4648 10
{
    (void)state;
    static const char *const rows[][3] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/", "-_-_"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char array[16];
        struct buf b = BUF(array);
        buf_put_base64(&b, span_from_str(rows[i][0]));
        text_is(&b, rows[i][1]);
        buf_reset(&b);
        buf_put_base64url(&b, span_from_str(rows[i][0]));
        text_is(&b, rows[i][2]);
        for (size_t form = 1; form < 3; form++) {
            buf_reset(&b);
            assert_int_equal(base64_decode(span_from_str(rows[i][form]), &b), RC_OK);
            text_is(&b, rows[i][0]);
        }
    }
}

static void base64_comes_back_at_every_length(void **state)
{
    (void)state;
    fill(1);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        char text[BYTES_MAX * 4 / 3 + 4];
        char back[BYTES_MAX];
        struct span s = {.ptr = bytes, .len = len};
        struct buf t = BUF(text);
        struct buf b = BUF(back);
        buf_put_base64(&t, s);
        assert_int_equal(t.len % 4, 0);
        assert_int_equal(base64_decode(buf_span(&t), &b), RC_OK);
        assert_true(span_equal(buf_span(&b), s));
        buf_reset(&t);
        buf_reset(&b);
        buf_put_base64url(&t, s);
        assert_int_equal(base64_decode(buf_span(&t), &b), RC_OK);
        assert_true(span_equal(buf_span(&b), s));
    }
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "Z",
        "Zg=",
        "Zg===",
        "Zm8==",
        "Zm9v=",
        "Zm9v====",
        "====",
        "=",
        "==",
        "Zm 9",
        "Zm9v\n",
        "Zm=9",
        "Z===",
        "Zm9.",
        "Zh==",
        "Zm9",
        "Zh",
        "\xC3\xBC\xC3\xBC",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char array[16];
        struct buf b = BUF(array);
        assert_int_equal(base64_decode(span_from_str(refused[i]), &b), RC_PARSE);
    }
    char array[16];
    struct buf b = BUF(array);
    assert_int_equal(base64_decode(SPAN("Zm9\0"), &b), RC_PARSE);
}

static void base64_that_does_not_fit_is_told(void **state)
{
    (void)state;
    char array[3];
    struct buf b = buf_of(array, 2);
    assert_int_equal(base64_decode(SPAN("Zm9v"), &b), RC_TOOBIG);
}

static void a_guid_is_of_version_4(void **state)
{
    (void)state;
    char array[GUID_TEXT_BYTES];
    struct buf b = BUF(array);
    uint8_t random[GUID_BYTES];
    memset(random, 0, sizeof(random));
    buf_put_guid(&b, random);
    text_is(&b, "00000000-0000-4000-8000-000000000000");
    memset(random, 0xff, sizeof(random));
    buf_reset(&b);
    buf_put_guid(&b, random);
    text_is(&b, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    for (uint8_t i = 0; i < sizeof(random); i++) {
        random[i] = (uint8_t)(i * 0x11);
    }
    buf_reset(&b);
    buf_put_guid(&b, random);
    text_is(&b, "00112233-4455-4677-8899-aabbccddeeff");
}

static void a_guid_is_read_in_any_case(void **state)
{
    (void)state;
    static const uint8_t wanted[GUID_BYTES] = {0x01,
                                               0x23,
                                               0x45,
                                               0x67,
                                               0x89,
                                               0xab,
                                               0xcd,
                                               0xef,
                                               0x01,
                                               0x23,
                                               0x45,
                                               0x67,
                                               0x89,
                                               0xab,
                                               0xcd,
                                               0xef};
    uint8_t got[GUID_BYTES];
    assert_int_equal(guid_parse(SPAN("01234567-89ab-cdef-0123-456789ABCDEF"), got), RC_OK);
    assert_memory_equal(got, wanted, sizeof(got));
}

static void what_is_no_guid_is_refused(void **state)
{
    (void)state;
    static const char good[] = "01234567-89ab-cdef-0123-456789abcdef";
    uint8_t got[GUID_BYTES];
    for (size_t i = 0; i < GUID_TEXT_BYTES; i++) {
        static const char other[] = {'-', 'g', '/', ':', '@', '`', 'G', ' ', '\0', '{', '\xC3'};
        for (size_t k = 0; k < sizeof(other); k++) {
            char text[GUID_TEXT_BYTES];
            memcpy(text, good, sizeof(text));
            text[i] = other[k];
            enum rc rc = guid_parse((struct span){.ptr = text, .len = sizeof(text)}, got);
            assert_int_equal(rc, good[i] == other[k] ? RC_OK : RC_PARSE);
        }
    }
    assert_int_equal(guid_parse(SPAN_NONE, got), RC_PARSE);
    assert_int_equal(guid_parse(span_sub(span_from_str(good), 0, 35), got), RC_PARSE);
    assert_int_equal(guid_parse(SPAN("01234567-89ab-cdef-0123-456789abcdef0"), got), RC_PARSE);
    assert_int_equal(guid_parse(SPAN("{1234567-89ab-cdef-0123-456789abcde}"), got), RC_PARSE);
}

static uint32_t crc32c_by_bits(struct span s) // the definition, slowly
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < s.len; i++) {
        crc ^= (uint8_t)s.ptr[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
        }
    }
    return ~crc;
}

static void crc32c_has_the_known_values(void **state) // RFC 3720 B.4
{
    (void)state;
    char block[32];
    struct span s = {.ptr = block, .len = sizeof(block)};
    assert_int_equal(crc32c(0, SPAN("123456789")), 0xe3069283u);
    assert_int_equal(crc32c(0, SPAN_NONE), 0);
    memset(block, 0, sizeof(block));
    assert_int_equal(crc32c(0, s), 0x8a9136aau);
    memset(block, 0xff, sizeof(block));
    assert_int_equal(crc32c(0, s), 0x62a8ab43u);
}

static void crc32c_agrees_with_its_definition(void **state)
{
    (void)state;
    fill(2);
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; from + len <= sizeof(bytes); len++) {
            struct span s = {.ptr = bytes + from, .len = len};
            assert_int_equal(crc32c(0, s), crc32c_by_bits(s));
        }
    }
}

static void crc32c_goes_on_where_it_stopped(void **state)
{
    (void)state;
    fill(3);
    struct span s = {.ptr = bytes, .len = sizeof(bytes)};
    for (size_t at = 0; at <= s.len; at++) {
        uint32_t first = crc32c(0, span_sub(s, 0, at));
        assert_int_equal(crc32c(first, span_sub(s, at, s.len)), crc32c(0, s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_stored_big_end_first),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_short_row_is_noticed_wherever_it_ends),
        cmocka_unit_test(base64_of_the_rfc),
        cmocka_unit_test(base64_comes_back_at_every_length),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(base64_that_does_not_fit_is_told),
        cmocka_unit_test(a_guid_is_of_version_4),
        cmocka_unit_test(a_guid_is_read_in_any_case),
        cmocka_unit_test(what_is_no_guid_is_refused),
        cmocka_unit_test(crc32c_has_the_known_values),
        cmocka_unit_test(crc32c_agrees_with_its_definition),
        cmocka_unit_test(crc32c_goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

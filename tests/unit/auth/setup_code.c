// SPDX-License-Identifier: Apache-2.0
#include "auth/setup_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static void check_form(const char *code)
{
    assert_int_equal(strlen(code), SETUP_CODE_CHARS);
    assert_int_equal(code[4], '-');
    assert_int_equal(strspn(code, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ-"), SETUP_CODE_CHARS);
    assert_ptr_equal(strchr(code, '-'), strrchr(code, '-'));
}

static void it_is_made_once_and_then_the_same(void **unused)
{
    (void)unused;
    char first[SETUP_CODE_CHARS + 1], second[SETUP_CODE_CHARS + 1];
    bool made = false;
    assert_int_equal(setup_code_ensure(&world.store, first, &made), RC_OK);
    assert_true(made);
    check_form(first);
    assert_int_equal(setup_code_ensure(&world.store, second, &made), RC_OK);
    assert_false(made);
    assert_string_equal(first, second);
    assert_int_equal(world.puts, 1);
}

static void a_new_one_takes_its_place(void **unused)
{
    (void)unused;
    char first[SETUP_CODE_CHARS + 1], second[SETUP_CODE_CHARS + 1], third[SETUP_CODE_CHARS + 1];
    bool made = false;
    assert_int_equal(setup_code_ensure(&world.store, first, &made), RC_OK);
    assert_int_equal(setup_code_renew(&world.store, second), RC_OK);
    check_form(second);
    assert_string_not_equal(first, second);
    assert_int_equal(setup_code_ensure(&world.store, third, &made), RC_OK);
    assert_string_equal(second, third);
}

static void what_is_no_code_is_replaced(void **unused)
{
    (void)unused;
    static const char *const wrong[] = {"", "ABCDEFGHJ", "ABCD-EFG1", "abcd-efgh", "ABCD-EFGH2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char code[SETUP_CODE_CHARS + 1];
        bool made = false;
        world_put(SETUP_CODE_NAME, span_from_str(wrong[i]), RC_OK);
        assert_int_equal(setup_code_ensure(&world.store, code, &made), RC_OK);
        assert_true(made);
        check_form(code);
    }
}

static void without_a_store_there_is_none(void **unused)
{
    (void)unused;
    char code[SETUP_CODE_CHARS + 1] = "unchanged";
    bool made = true;
    world_put(SETUP_CODE_NAME, SPAN("x"), RC_CORRUPT);
    assert_int_equal(setup_code_ensure(&world.store, code, &made), RC_CORRUPT);
    assert_false(made);
    world_put(SETUP_CODE_NAME, SPAN("x"), RC_NOTFOUND);
    world.put_rc = RC_IO;
    assert_int_equal(setup_code_ensure(&world.store, code, &made), RC_IO);
    assert_false(made);
    assert_int_equal(code[0], '\0');
}

#define TEST(f) cmocka_unit_test_setup(f, world_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_made_once_and_then_the_same),
        TEST(a_new_one_takes_its_place),
        TEST(what_is_no_code_is_replaced),
        TEST(without_a_store_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a board for customers refuses. The tests are built for the sandbox, so the walk is compiled
 * here once more for another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#undef CONFIG_BOARD_SANDBOX
#undef CONFIG_BOARD_NAME
#define CONFIG_BOARD_SANDBOX 0
#define CONFIG_BOARD_NAME    "generic_x86_64"
#include "config/config.c"

static void a_sandbox_is_refused_by_every_other_board(void **unused)
{
    (void)unused;
    static struct config config;
    static struct config_faults faults;
    struct span text =
        SPAN("{\"infrastructure\":{\"name\":\"x\"},\"tenant_id\":\"0a0b0c0d-1111-2222-3333-"
             "444455556666\","
             "\"client_id\":\"0a0b0c0d-1111-2222-3333-444455556666\",\"credential\":\"secret\","
             "\"sinks\":[{\"name\":\"a\",\"url\":\"https://a\"}],"
             "\"sandbox\":{\"graph_url\":\"https://evil.example\"}}");
    assert_int_equal(config_parse(&config, text, &faults), RC_PARSE);
    assert_int_equal(faults.count, 1);
    assert_string_equal(
        faults.text[0],
        "sandbox: is refused by this board (generic_x86_64); only the board sandbox has it");
    assert_string_equal(config.graph_url, "https://graph.microsoft.com");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sandbox_is_refused_by_every_other_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

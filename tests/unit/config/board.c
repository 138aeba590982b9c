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
#undef CONFIG_STATUS_TRUSTED_ADDRESS
#define CONFIG_BOARD_SANDBOX 0
#define CONFIG_BOARD_NAME    "generic_x86_64"

#define CONFIG_STATUS_TRUSTED_ADDRESS "192.0.2.9"
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

static void without_tls_it_listens_where_the_board_says_that_nobody_else_is(void **unused)
{
    (void)unused;
    static struct config config;
    static struct config_faults faults;

    static const struct {
        const char *listen;
        enum rc rc;
    } rows[] = {{"192.0.2.9", RC_OK},
                {"192.0.2.9:80", RC_OK},
                {"[::ffff:192.0.2.9]:80", RC_OK},
                {"127.0.0.1", RC_OK},
                {"192.0.2.8", RC_PARSE},
                {"[::]:8443", RC_PARSE}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];
        struct buf all = BUF(text);
        buf_put_str(&all,
                    "{\"infrastructure\":{\"name\":\"x\"},\"tenant_id\":\"0a0b0c0d-1111-2222-3333-"
                    "444455556666\",\"client_id\":\"0a0b0c0d-1111-2222-3333-444455556666\","
                    "\"credential\":\"secret\",\"sinks\":[{\"name\":\"a\",\"url\":\"https://"
                    "a\"}],\"status\":{\"plain\":true,\"listen\":\"");
        buf_put_str(&all, rows[i].listen);
        buf_put_str(&all, "\"}}");
        assert_int_equal(config_parse(&config, buf_span(&all), &faults), rows[i].rc);
    }
    assert_string_equal(faults.text[0],
                        "status.plain: others on the network could read along at this address; "
                        "allowed: false, or a listen on 127.0.0.1, [::1] or 192.0.2.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sandbox_is_refused_by_every_other_board),
        cmocka_unit_test(without_tls_it_listens_where_the_board_says_that_nobody_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Good configurations, and what becomes of them. Each fault has its test in faults.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"

#include "config/config.h"
#include "config/config_help.h"

#define IDS                                                                                        \
    "\"tenant_id\":\"0A0b0c0d-1111-2222-3333-444455556666\",\"client_id\":\"11111111-aaaa-bbbb-"   \
    "cccc-DDDDEEEEFFFF\","
#define NAME "\"infrastructure\":{\"name\":\"Head office\"},"
#define SINK                                                                                       \
    "\"sinks\":[{\"name\":\"main\",\"type\":\"ndjson\",\"url\":\"https://sink.example/in\"}]"
#define SMALLEST "{" NAME IDS "\"credential\":\"certificate\"," SINK "}"

static struct config config;
static struct config_faults faults;

static void parse_good(const char *text)
{
    enum rc rc = config_parse(&config, span_from_str(text), &faults);
    if (rc != RC_OK) {
        print_message("fault: %s\n", faults.text[0]);
    }
    assert_int_equal(rc, RC_OK);
    assert_int_equal(faults.count, 0);
}

static void the_smallest_configuration_gets_all_defaults(void **unused)
{
    (void)unused;
    parse_good(SMALLEST);
    assert_string_equal(config.name, "Head office");
    assert_string_equal(config.description, "");
    assert_int_equal(config.cloud, CLOUD_GLOBAL);
    assert_int_equal(config.credential, CREDENTIAL_CERTIFICATE);
    assert_false(config.call_records_on);
    assert_int_equal(config.connect_ms, 15000);
    assert_int_equal(config.total_ms, 600000);
    assert_int_equal(config.stall_ms, 30000);
    assert_int_equal(config.spool_map_mib, CONFIG_SPOOL_MAP_MIB);
    assert_int_equal(config.spool_high_percent, 85);
    assert_int_equal(config.commit_ms, 1000);
    assert_string_equal(config.proxy, "");
    assert_string_equal(config.ca_file, "");
    assert_int_equal(config.permissions, 0);
    assert_string_equal(config.redirect_uri, "http://localhost");
    assert_string_equal(config.status_listen, CONFIG_STATUS_LISTEN);
    assert_false(config.status_plain);
    assert_int_equal(config.status_hosts_count, 0);
}

static void call_records_have_the_defaults_of_the_document(void **unused)
{
    (void)unused;
    parse_good("{" NAME IDS "\"credential\":\"secret\",\"sources\":{\"call_records\":{}}," SINK
               "}");
    const struct config_call_records *c = &config.call_records;
    assert_true(config.call_records_on);
    assert_int_equal(config.credential, CREDENTIAL_SECRET);
    assert_int_equal(c->backfill_days, 30);
    assert_int_equal(c->depth, DEPTH_SESSIONS);
    assert_int_equal(c->window_hours, 12);
    assert_int_equal(c->hot_hours, 36);
    assert_int_equal(c->warm_hours, 96);
    assert_int_equal(c->hot_interval_s, 600);
    assert_int_equal(c->warm_interval_s, 3600);
    assert_int_equal(c->cold_interval_s, 86400);
    assert_int_equal(c->page_size, 0);
    assert_int_equal(c->ready_wait_s, 9000);
    assert_int_equal(c->retry_base_ms, 1000);
    assert_int_equal(c->retry_cap_ms, 300000);
    assert_int_equal(c->list_per_20s, 26);
    assert_int_equal(c->record_per_20s, 20);
    assert_int_equal(c->app_per_20s, 750);
}

static void a_sink_has_the_defaults_of_the_document(void **unused)
{
    (void)unused;
    parse_good(SMALLEST);
    const struct config_sink *s = &config.sinks[0];
    assert_int_equal(config.sinks_count, 1);
    assert_string_equal(s->name, "main");
    assert_string_equal(s->url, "https://sink.example/in");
    assert_string_equal(s->authorization, "");
    assert_string_equal(s->client_certificate, "");
    assert_string_equal(s->ca, "");
    assert_int_equal(s->batch_events_max, 2000);
    assert_int_equal(s->batch_bytes_max, 2097152);
    assert_int_equal(s->retry_base_ms, 1000);
    assert_int_equal(s->retry_cap_ms, 300000);
    assert_int_equal(s->hold_probe_s, 600);
    assert_int_equal(s->linger_ms, 2000);
}

static void every_value_that_is_given_is_taken(void **unused)
{
    (void)unused;
    parse_good("{" NAME IDS "\"cloud\":\"usgov_l5\",\"credential\":\"secret\",\n"
               "\"sources\":{\"call_records\":{\"backfill_days\":0,\"depth\":\"records\",\"window_"
               "hours\":720,\"hot_hours\":1,"
               "\"warm_hours\":1,\"hot_interval_s\":604800,\"warm_interval_s\":2,\"cold_interval_"
               "s\":3,\"page_size\":999,"
               "\"ready_wait_s\":86400,\"retry_base_ms\":10,\"retry_cap_ms\":10,\"list_per_20s\":1,"
               "\"record_per_20s\":2,"
               "\"app_per_20s\":100000}},\n"
               "\"http\":{\"proxy\":\"http://"
               "proxy.example:3128\",\"connect_ms\":1000,\"total_ms\":3600000,\"stall_ms\":1001},\n"
               "\"spool\":{\"map_mib\":8,\"high_percent\":90,\"commit_ms\":10},\n"
               "\"sinks\":[{\"name\":\"a-1\",\"url\":\"https://[::1]:8443/"
               "x?y=z\",\"authorization\":\"a-token\","
               "\"client_certificate\":\"device\",\"batch_events_max\":1,\"batch_bytes_max\":4096,"
               "\"retry_base_ms\":20,"
               "\"retry_cap_ms\":30,\"hold_probe_s\":1,\"linger_ms\":0}]}");
    const struct config_call_records *c = &config.call_records;
    assert_int_equal(c->backfill_days, 0);
    assert_int_equal(c->depth, DEPTH_RECORDS);
    assert_int_equal(c->window_hours, 720);
    assert_int_equal(c->hot_interval_s, 604800);
    assert_int_equal(c->warm_interval_s, 2);
    assert_int_equal(c->cold_interval_s, 3);
    assert_int_equal(c->page_size, 999);
    assert_int_equal(c->ready_wait_s, 86400);
    assert_int_equal(c->retry_base_ms, 10);
    assert_int_equal(c->retry_cap_ms, 10);
    assert_int_equal(c->list_per_20s, 1);
    assert_int_equal(c->record_per_20s, 2);
    assert_int_equal(c->app_per_20s, 100000);
    assert_string_equal(config.proxy, "http://proxy.example:3128");
    assert_int_equal(config.total_ms, 3600000);
    assert_int_equal(config.stall_ms, 1001);
    assert_int_equal(config.spool_map_mib, 8);
    assert_int_equal(config.spool_high_percent, 90);
    assert_int_equal(config.commit_ms, 10);
    assert_string_equal(config.sinks[0].url, "https://[::1]:8443/x?y=z");
    assert_string_equal(config.sinks[0].authorization, "a-token");
    assert_string_equal(config.sinks[0].client_certificate, "device");
    assert_int_equal(config.sinks[0].linger_ms, 0);
}

static void ids_are_kept_in_lower_case(void **unused)
{
    (void)unused;
    parse_good(SMALLEST);
    assert_string_equal(config.tenant_id, "0a0b0c0d-1111-2222-3333-444455556666");
    assert_string_equal(config.client_id, "11111111-aaaa-bbbb-cccc-ddddeeeeffff");
}

static void hosts_come_from_the_cloud(void **unused)
{
    (void)unused;

    static const struct {
        const char *cloud, *authority, *graph;
    } rows[] = {
        {"global", "https://login.microsoftonline.com", "https://graph.microsoft.com"},
        {"usgov_l4", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
        {"usgov_l5", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];
        snprintf(text,
                 sizeof(text),
                 "{" NAME IDS "\"cloud\":\"%s\",\"credential\":\"secret\"," SINK "}",
                 rows[i].cloud);
        parse_good(text);
        assert_string_equal(config.authority_url, rows[i].authority);
        assert_string_equal(config.graph_url, rows[i].graph);
    }
    assert_null(config_cloud_authority(CLOUD_ILLEGAL));
    assert_null(config_cloud_graph(CLOUD_ILLEGAL));
}

static void a_sandbox_names_its_own_hosts(void **unused)
{
    (void)unused;
    parse_good("{" NAME IDS "\"credential\":\"secret\"," SINK
               ",\"sandbox\":{\"authority_url\":\"https://127.0.0.1:9443/\","
               "\"graph_url\":\"https://localhost:9444/base\",\"ca_file\":\"ca.pem\"}}");
    assert_string_equal(config.authority_url, "https://127.0.0.1:9443");
    assert_string_equal(config.graph_url, "https://localhost:9444/base");
    assert_string_equal(config.ca_file, "ca.pem");
}

static void escapes_in_keys_and_texts_are_understood(void **unused)
{
    (void)unused;
    parse_good("{\"infra\\u0073tructure\":{\"name\":\"B\\u00fcro \\\"1\\\"\"}," IDS
               "\"credential\":\"\\u0073ecret\"," SINK "}");
    assert_string_equal(config.name, "B\xc3\xbcro \"1\"");
    assert_int_equal(config.credential, CREDENTIAL_SECRET);
}

static void a_ca_of_several_certificates_is_taken(void **unused)
{
    (void)unused;
    static char text[16384], pem[CRYPTO_CERT_PEM_BYTES_MAX], key[CRYPTO_KEY_PEM_BYTES_MAX];
    struct buf cert = BUF(pem), key_buf = BUF(key), all = BUF(text);
    const struct crypto_subject subject = {
        .common_name = SPAN("ca"), .from_ms = 1795392000000, .days = 1};
    assert_int_equal(crypto_init(), RC_OK);
    assert_int_equal(crypto_make_tls_identity(&subject, &key_buf, &cert), RC_OK);
    buf_put_str(
        &all,
        "{" NAME IDS
        "\"credential\":\"secret\",\"sinks\":[{\"name\":\"a\",\"url\":\"https://a\",\"ca\":\"");
    for (size_t i = 0; i < 2 * cert.len; i++) {
        char c = cert.ptr[i % cert.len];
        buf_put_str(&all, c == '\n' ? "\\n" : "");
        if (c != '\n') {
            buf_put_char(&all, c);
        }
    }
    buf_put_str(&all, "\"}]}");
    assert_true(buf_terminate(&all));
    parse_good(text);
    assert_int_equal(strlen(config.sinks[0].ca), 2 * cert.len);
}

static void as_many_sinks_as_there_is_room_for(void **unused)
{
    (void)unused;
    char text[2048];
    struct buf all = BUF(text);
    buf_put_str(&all, "{" NAME IDS "\"credential\":\"secret\",\"sinks\":[");
    for (unsigned i = 0; i < CONFIG_SINKS_MAX; i++) {
        buf_put_str(&all, i > 0 ? "," : "");
        buf_put_str(&all, "{\"url\":\"https://a\",\"name\":\"s");
        buf_put_u64(&all, i);
        buf_put_str(&all, "\"}");
    }
    buf_put_str(&all, "]}");
    assert_true(buf_terminate(&all));
    parse_good(text);
    assert_int_equal(config.sinks_count, CONFIG_SINKS_MAX);
}

static void time_servers_are_taken_as_they_stand(void **unused)
{
    (void)unused;
    parse_good(SMALLEST);
    assert_int_equal(config.sntp_count, 0);
    parse_good("{" NAME IDS "\"credential\":\"secret\",\"time\":{\"sntp\":[]}," SINK "}");
    assert_int_equal(config.sntp_count, 0);
    parse_good("{" NAME IDS "\"credential\":\"secret\",\"time\":{\"sntp\":[\"192.0.2.1\","
               "\"[2001:db8::1]:1123\",\"::1\",\"192.0.2.2:123\"]}," SINK "}");
    assert_int_equal(config.sntp_count, 4);
    assert_string_equal(config.sntp[0], "192.0.2.1");
    assert_string_equal(config.sntp[1], "[2001:db8::1]:1123");
}

#define GIVEN(more) "{" NAME IDS "\"credential\":\"secret\"," more "," SINK "}"

static void what_is_wanted_is_what_is_named_and_what_the_sources_need(void **unused)
{
    (void)unused;
    unsigned calls = 1u << PERMISSION_CALL_RECORDS, users = 1u << PERMISSION_USERS;
    parse_good(GIVEN("\"permissions\":[]"));
    assert_int_equal(config.permissions, 0);
    parse_good(GIVEN("\"permissions\":[\"User.Read.All\",\"TeamworkDevice.Read.All\"]"));
    assert_int_equal(config.permissions, users | 1u << PERMISSION_DEVICES);
    parse_good(GIVEN("\"sources\":{\"call_records\":{}}"));
    assert_int_equal(config.permissions, calls);
    parse_good(GIVEN("\"sources\":{\"call_records\":{}},"
                     "\"permissions\":[\"CallRecords.Read.All\",\"User.Read.All\"]"));
    assert_int_equal(config.permissions, calls | users);
}

static void a_redirect_uri_is_kept_as_it_is_registered(void **unused)
{
    (void)unused;
    static const char *const uris[] = {
        "http://localhost",
        "http://localhost/",
        "http://localhost:8443/redirect",
        "https://box.example:8443/redirect",
        "https://[2001:db8::1]:8443/redirect/",
        "https://Box.example/",
    };
    for (unsigned i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), GIVEN("\"sign_in\":{\"redirect_uri\":\"%s\"}"), uris[i]);
        parse_good(text);
        assert_string_equal(config.redirect_uri, uris[i]);
    }
}

static void the_status_port_may_be_moved_named_and_turned_off(void **unused)
{
    (void)unused;
    parse_good(GIVEN("\"status\":{\"listen\":\"off\"}"));
    assert_string_equal(config.status_listen, "");
    parse_good(GIVEN("\"status\":{\"listen\":\"off\",\"plain\":true}"));
    parse_good(GIVEN("\"status\":{\"listen\":\"192.0.2.1\",\"plain\":false,"
                     "\"hosts\":[\"Box-1.example.COM\",\"box\",\"a_b\",\"c\"]}"));
    assert_string_equal(config.status_listen, "192.0.2.1");
    assert_int_equal(config.status_hosts_count, 4);
    assert_string_equal(config.status_hosts[0], "box-1.example.com");
    assert_string_equal(config.status_hosts[3], "c");
    static const char *const loopback[] = {"127.0.0.1:0", "127.9.9.9", "[::1]:8080", "::1"};
    for (unsigned i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        char text[1024];
        snprintf(text,
                 sizeof(text),
                 GIVEN("\"status\":{\"plain\":true,\"listen\":\"%s\"}"),
                 loopback[i]);
        parse_good(text);
        assert_true(config.status_plain);
        assert_string_equal(config.status_listen, loopback[i]);
    }
}

static void nothing_of_an_earlier_configuration_stays(void **unused)
{
    (void)unused;
    static struct config again;
    memset(&config, 0xa5, sizeof(config));
    parse_good(SMALLEST);
    memcpy(&again, &config, sizeof(config));
    parse_good(
        "{" NAME IDS
        "\"cloud\":\"usgov_l4\",\"credential\":\"secret\",\"http\":{\"proxy\":\"http://p:1\"}," SINK
        "}");
    parse_good(SMALLEST);
    assert_memory_equal(&again, &config, sizeof(config));
}

static void the_help_names_every_key_with_range_and_default(void **unused)
{
    (void)unused;
    static char text[CONFIG_HELP_BYTES_MAX];
    struct buf help = BUF(text);
    config_help(&help);
    assert_true(buf_ok(&help));
    assert_true(buf_terminate(&help));
    static const char *const lines[] = {
        "infrastructure.name: 1..64 bytes of printable text; required\n",
        "cloud: global, usgov_l4, usgov_l5; default global\n",
        "sources.call_records.window_hours: 1..720; default 12\n",
        "sources.call_records.depth: records, sessions; default sessions\n",
        "sinks[].url: https://host[:port][/path], without user name and fragment; required\n",
        "sandbox.ca_file: ",
        "spool.high_percent: 50..90; default 85\n",
        "permissions: a list of CallRecords.Read.All, User.Read.All, TeamworkDevice.Read.All\n",
        "sign_in.redirect_uri: https://host[:port][/path] or http://localhost[:port][/path]; "
        "default http://localhost\n",
        sizeof(CONFIG_STATUS_LISTEN) > 1u ? "127.0.0.1:0; off; default " CONFIG_STATUS_LISTEN "\n"
                                          : "127.0.0.1:0; off; default off\n",
        "status.plain: true, false; default false\n",
        "status.hosts: a list of at most 4 host names\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strstr(text, lines[i]) == NULL) {
            fail_msg("not in the help: %s", lines[i]);
        }
    }
}

static void a_text_that_somebody_still_writes_is_told_from_one_that_is_wrong(void **unused)
{
    (void)unused;
    static const char whole[] = "{\"a\": [1, {\"b\": \"\\u00e4\"}], \"c\": true}\n";
    static const char *const wrong[] = {"{]", "{\"a\" 1", "{} {", "x", "{'a"};

    for (size_t len = 0; len < sizeof(whole) - 2u; len++) {
        assert_true(config_is_part((struct span){.ptr = whole, .len = len}));
    }
    assert_false(config_is_part(span_from_str(whole)));
    assert_false(config_is_part((struct span){.ptr = whole, .len = sizeof(whole) - 2u}));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(config_is_part(span_from_str(wrong[i])));
    }
    assert_false(config_is_part((struct span){.ptr = "{\0", .len = 2})); // a hole
}

static void without_a_file_the_boards_defaults_hold_and_nobody_is_named(void **unused)
{
    (void)unused;
    static struct config none;
    memset(&none, 0x5A, sizeof(none));
    config_none(&none);
    parse_good(SMALLEST);
    assert_true(config_is_there(&config));
    assert_false(config_is_there(&none));
    // What names somebody is empty, the rest is what the smallest configuration gets.
    assert_string_equal(none.authority_url, "");
    assert_string_equal(none.graph_url, "");
    assert_string_equal(none.status_listen, CONFIG_STATUS_LISTEN_UNCONFIGURED);
    assert_int_equal(none.sinks_count, 0);
    memset(config.name, 0, sizeof(config.name));
    memset(config.tenant_id, 0, sizeof(config.tenant_id));
    memset(config.client_id, 0, sizeof(config.client_id));
    memset(config.authority_url, 0, sizeof(config.authority_url));
    memset(config.graph_url, 0, sizeof(config.graph_url));
    memset(config.sinks, 0, sizeof(config.sinks));
    memcpy(config.status_listen, none.status_listen, sizeof(config.status_listen));
    config.sinks_count = 0;
    assert_memory_equal(&none, &config, sizeof(none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_configuration_gets_all_defaults),
        cmocka_unit_test(call_records_have_the_defaults_of_the_document),
        cmocka_unit_test(a_sink_has_the_defaults_of_the_document),
        cmocka_unit_test(every_value_that_is_given_is_taken),
        cmocka_unit_test(ids_are_kept_in_lower_case),
        cmocka_unit_test(hosts_come_from_the_cloud),
        cmocka_unit_test(a_sandbox_names_its_own_hosts),
        cmocka_unit_test(escapes_in_keys_and_texts_are_understood),
        cmocka_unit_test(a_ca_of_several_certificates_is_taken),
        cmocka_unit_test(as_many_sinks_as_there_is_room_for),
        cmocka_unit_test(time_servers_are_taken_as_they_stand),
        cmocka_unit_test(what_is_wanted_is_what_is_named_and_what_the_sources_need),
        cmocka_unit_test(a_redirect_uri_is_kept_as_it_is_registered),
        cmocka_unit_test(the_status_port_may_be_moved_named_and_turned_off),
        cmocka_unit_test(nothing_of_an_earlier_configuration_stays),
        cmocka_unit_test(the_help_names_every_key_with_range_and_default),
        cmocka_unit_test(a_text_that_somebody_still_writes_is_told_from_one_that_is_wrong),
        cmocka_unit_test(without_a_file_the_boards_defaults_hold_and_nobody_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

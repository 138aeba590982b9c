// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Every fault names the path of the value and what is allowed. Texts are made from a good
 * configuration with one thing wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

#define IDS                                                                                        \
    "\"tenant_id\":\"0a0b0c0d-1111-2222-3333-444455556666\",\"client_id\":\"11111111-aaaa-bbbb-"   \
    "cccc-ddddeeeeffff\","
#define NAME        "\"infrastructure\":{\"name\":\"Head office\"},"
#define CRED        "\"credential\":\"certificate\""
#define SINK        "\"sinks\":[{\"name\":\"main\",\"url\":\"https://sink.example/in\"}]"
#define WITH(more)  "{" NAME IDS CRED "," SINK "," more "}"
#define CALLS(more) WITH("\"sources\":{\"call_records\":{" more "}}")
#define SINKS(more) "{" NAME IDS CRED ",\"sinks\":[" more "]}"
#define ONE(more)   SINKS("{\"name\":\"main\",\"url\":\"https://a\"," more "}")

static struct config config;
static struct config_faults faults;

static bool has_fault(const char *wanted)
{
    for (unsigned i = 0; i < faults.count && i < CONFIG_FAULTS_MAX; i++) {
        if (strcmp(faults.text[i], wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void check_only(const char *text, const char *fault)
{
    assert_int_equal(config_parse(&config, span_from_str(text), &faults), RC_PARSE);
    if (faults.count != 1 || !has_fault(fault)) {
        fail_msg("%u faults, first: %s\n  wanted: %s\n  text: %s",
                 faults.count,
                 faults.text[0],
                 fault,
                 text);
    }
}

static void numbers_out_of_their_range_are_told_with_it(void **unused)
{
    (void)unused;
    check_only(CALLS("\"window_hours\":0"),
               "sources.call_records.window_hours: 0 is out of range; allowed: 1..720");
    check_only(CALLS("\"window_hours\":721"),
               "sources.call_records.window_hours: 721 is out of range; allowed: 1..720");
    check_only(CALLS("\"backfill_days\":-1"),
               "sources.call_records.backfill_days: -1 is out of range; allowed: 0..30");
    check_only(CALLS("\"backfill_days\":1.5"),
               "sources.call_records.backfill_days: 1.5 is out of range; allowed: 0..30");
    check_only(CALLS("\"page_size\":0"),
               "sources.call_records.page_size: 0 is out of range; allowed: 1..999");
    check_only(WITH("\"spool\":{\"map_mib\":99999999999999999999999999}"),
               "spool.map_mib: 99999999999999999999999999 is out of range; allowed: 8..2048");
    check_only(WITH("\"spool\":{\"map_mib\":1000000000000000000000000000000000000000000000000000}"),
               "spool.map_mib: 1000000000000000000000000000000000000000... is out of range; "
               "allowed: 8..2048");
    check_only(ONE("\"batch_bytes_max\":4095"),
               "sinks[0].batch_bytes_max: 4095 is out of range; allowed: 4096..8388608");
}

static void wrong_types_are_told_with_what_is_allowed(void **unused)
{
    (void)unused;
    check_only(CALLS("\"window_hours\":\"6\""),
               "sources.call_records.window_hours: is a text; allowed: 1..720");
    check_only(CALLS("\"window_hours\":true"),
               "sources.call_records.window_hours: is true or false; allowed: 1..720");
    check_only(CALLS("\"window_hours\":null"),
               "sources.call_records.window_hours: is null; allowed: 1..720");
    check_only(CALLS("\"window_hours\":[6]"),
               "sources.call_records.window_hours: is a list; allowed: 1..720");
    check_only(CALLS("\"depth\":1"),
               "sources.call_records.depth: is a number; allowed: records, sessions");
    check_only(WITH("\"http\":5"), "http: is a number; allowed: an object");
    check_only(WITH("\"sources\":{\"call_records\":[]}"),
               "sources.call_records: is a list; allowed: an object");
    check_only("{" NAME IDS CRED ",\"sinks\":{}}",
               "sinks: is an object; allowed: a list of 1..4 objects");
    check_only(SINKS("7"), "sinks[0]: is no object; allowed: an object");
    check_only("[]", "configuration: is no object; allowed: an object");
    check_only("7", "configuration: is no object; allowed: an object");
}

static void unknown_keys_are_told_with_the_known_ones(void **unused)
{
    (void)unused;
    check_only(WITH("\"spool\":{\"map\":8}"),
               "spool.map: unknown key; known keys: map_mib, high_percent, commit_ms");
    check_only(WITH("\"clouds\":\"x\""),
               "clouds: unknown key; known keys: infrastructure, cloud, tenant_id, client_id, "
               "credential, sources, permissions, sinks, http, "
               "spool, time, sign_in, status, sandbox");
    check_only(WITH("\"infrastructure \":1"),
               "infrastructure : unknown key; known keys: infrastructure, cloud, tenant_id, "
               "client_id, credential, sources, permissions, sinks, "
               "http, spool, time, sign_in, status, sandbox");
    assert_int_equal(config_parse(&config, SPAN(ONE("\"urll\":1")), &faults), RC_PARSE);
    assert_true(strncmp(faults.text[0],
                        "sinks[0].urll: unknown key; known keys: name, type, url, authorization,",
                        70) == 0);
}

static void time_servers_are_numeric_addresses_and_few(void **unused)
{
    (void)unused;
    static const char allowed[] =
        "allowed: a list of at most 4 numeric addresses like 192.0.2.1 or [2001:db8::1]:123";

    static const struct {
        const char *text, *fault;
    } rows[] = {
        {WITH("\"time\":{\"sntp\":\"192.0.2.1\"}"), "is a text"},
        {WITH("\"time\":{\"sntp\":[\"pool.ntp.org\"]}"), "has an element of a wrong form"},
        {WITH("\"time\":{\"sntp\":[\"192.0.2.1\",7]}"), "has an element of a wrong form"},
        {WITH("\"time\":{\"sntp\":[\"192.0.2.1:0\"]}"), "has an element of a wrong form"},
        {WITH("\"time\":{\"sntp\":[\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\",\"1.1.1.5\"]}"),
         "is too long"},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char fault[200];
        snprintf(fault, sizeof(fault), "time.sntp: %s; %s", rows[i].fault, allowed);
        check_only(rows[i].text, fault);
    }
}

static void permissions_are_known_words_and_each_is_named_once(void **unused)
{
    (void)unused;
    static const char allowed[] =
        "allowed: a list of CallRecords.Read.All, User.Read.All, TeamworkDevice.Read.All";

    static const struct {
        const char *text, *fault;
    } rows[] = {
        {WITH("\"permissions\":\"User.Read.All\""), "is a text"},
        {WITH("\"permissions\":{}"), "is an object"},
        {WITH("\"permissions\":[7]"), "names an unknown permission"},
        {WITH("\"permissions\":[\"User.Read\"]"), "names an unknown permission"},
        {WITH("\"permissions\":[\"user.read.all\"]"), "names an unknown permission"},
        {WITH("\"permissions\":[\"CallRecords.Read.All, User.Read.All\"]"),
         "names an unknown permission"},
        {WITH("\"permissions\":[\"User.Read.All\",\"User.Read.All\"]"), "names a permission twice"},
        {WITH("\"permissions\":[\"User.Read.All\",\"CallRecords.Read.All\","
              "\"TeamworkDevice.Read.All\",\"CallRecords.Read.All\"]"),
         "names a permission twice"},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char fault[200];
        snprintf(fault, sizeof(fault), "permissions: %s; %s", rows[i].fault, allowed);
        check_only(rows[i].text, fault);
    }
}

static void a_redirect_uri_is_https_or_localhost(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",
        "http://",
        "http://localhost.evil.example",
        "http://localhostx",
        "http://localhost@evil.example",
        "http://localhost:1@evil.example",
        "http://127.0.0.1",
        "http://box.example/redirect",
        "http://localhost?x",
        "http://localhost/a?x",
        "http://localhost/#a",
        "http://localhost:0",
        "http://localhost:",
        "https://box.example/a?b",
        "https://",
        "urn:ietf:wg:oauth:2.0:oob",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), WITH("\"sign_in\":{\"redirect_uri\":\"%s\"}"), bad[i]);
        check_only(text,
                   "sign_in.redirect_uri: has a wrong form; allowed: https://host[:port][/path] or "
                   "http://localhost[:port][/path]");
    }
}

static void the_status_port_listens_on_a_numeric_address(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "", "Off", "localhost", "localhost:8443", "192.0.2.1:65536", "192.0.2.1:x", "*:1", ":1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), WITH("\"status\":{\"listen\":\"%s\"}"), bad[i]);
        check_only(text,
                   "status.listen: has a wrong form; allowed: a numeric address like 192.0.2.1, "
                   "[::]:8443, 127.0.0.1:0; off");
    }
    check_only(WITH("\"status\":{\"listen\":8443}"),
               "status.listen: is a number; allowed: a numeric address like 192.0.2.1, "
               "[::]:8443, 127.0.0.1:0; off");
}

static void doing_without_tls_is_refused_where_others_could_read_along(void **unused)
{
    (void)unused;
    static const char fault[] = "status.plain: others on the network could read along at this "
                                "address; allowed: false, or a listen on 127.0.0.1 or [::1]";
    check_only(WITH("\"status\":{\"plain\":true,\"listen\":\"[::]:8443\"}"), fault);
    check_only(WITH("\"status\":{\"plain\":true,\"listen\":\"0.0.0.0\"}"), fault);
    check_only(WITH("\"status\":{\"listen\":\"192.0.2.1:80\",\"plain\":true}"), fault);
    check_only(WITH("\"status\":{\"listen\":\"[::2]\",\"plain\":true}"), fault);
    check_only(WITH("\"status\":{\"plain\":\"true\"}"),
               "status.plain: is a text; allowed: true, false");
    check_only(WITH("\"status\":{\"plain\":1}"), "status.plain: is a number; allowed: true, false");
}

static void host_names_are_few_and_have_the_form_of_one(void **unused)
{
    (void)unused;
    static const char allowed[] = "allowed: a list of at most 4 host names";

    static const struct {
        const char *text, *fault;
    } rows[] = {
        {"\"box\"", "is a text"},
        {"[7]", "has an element of a wrong form"},
        {"[\"\"]", "has an element of a wrong form"},
        {"[\"box:8443\"]", "has an element of a wrong form"},
        {"[\"https://box\"]", "has an element of a wrong form"},
        {"[\"box\",\"*.example\"]", "has an element of a wrong form"},
        {"[\"a234567890123456789012345678901234567890123456789012345678901234\"]",
         "has an element of a wrong form"},
        {"[\"a\",\"b\",\"c\",\"d\",\"e\"]", "is too long"},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024], fault[200];
        snprintf(text, sizeof(text), WITH("\"status\":{\"hosts\":%s}"), rows[i].text);
        snprintf(fault, sizeof(fault), "status.hosts: %s; %s", rows[i].fault, allowed);
        check_only(text, fault);
    }
}

static void long_and_unprintable_keys_are_cut(void **unused)
{
    (void)unused;
    assert_int_equal(config_parse(&config, SPAN(WITH("\"\\u001b[2J\\u0000\":1")), &faults),
                     RC_PARSE);
    assert_true(strncmp(faults.text[0], "?[2J?: unknown key", 18) == 0);
    assert_int_equal(config_parse(&config,
                                  SPAN(WITH("\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeff"
                                            "ffffffffgggggggggghhhhhhhhhh\":1")),
                                  &faults),
                     RC_PARSE);
    assert_true(strncmp(faults.text[0],
                        "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...: unknown key",
                        56) == 0);
}

static void keys_that_are_given_twice_are_a_fault(void **unused)
{
    (void)unused;
    check_only(WITH("\"cloud\":\"global\",\"cloud\":\"global\""), "cloud: is given twice");
    check_only(CALLS("\"page_size\":5,\"page\\u005fsize\":5"),
               "sources.call_records.page_size: is given twice");
    check_only(ONE("\"name\":\"other\""), "sinks[0].name: is given twice");
    check_only(WITH("\"http\":{},\"http\":{}"), "http: is given twice");
}

static void required_keys_that_are_missing_are_all_told(void **unused)
{
    (void)unused;
    assert_int_equal(config_parse(&config, SPAN("{}"), &faults), RC_PARSE);
    assert_int_equal(faults.count, 5);
    assert_true(
        has_fault("infrastructure.name: is missing; allowed: 1..64 bytes of printable text"));
    assert_true(has_fault(
        "tenant_id: is missing; allowed: a GUID like 01234567-89ab-cdef-0123-456789abcdef"));
    assert_true(has_fault(
        "client_id: is missing; allowed: a GUID like 01234567-89ab-cdef-0123-456789abcdef"));
    assert_true(has_fault("credential: is missing; allowed: certificate, secret"));
    assert_true(has_fault("sinks: is missing; allowed: a list of 1..4 objects"));
    assert_int_equal(config_parse(&config, SPAN(SINKS("{}")), &faults), RC_PARSE);
    assert_int_equal(faults.count, 2);
    assert_true(has_fault(
        "sinks[0].name: is missing; allowed: 1..32 characters of a-z 0-9 -, first a letter"));
}

static void several_faults_are_told_in_one_go(void **unused)
{
    (void)unused;
    assert_int_equal(
        config_parse(&config,
                     SPAN("{" NAME IDS
                          "\"cloud\":\"moon\",\"credential\":\"x\",\"spool\":{\"map_mib\":1},"
                          "\"sinks\":[{\"name\":\"a\",\"url\":\"http://"
                          "a\"},{\"name\":\"a\",\"url\":\"https://b\"}]}"),
                     &faults),
        RC_PARSE);
    assert_int_equal(faults.count, 5);
    assert_true(
        has_fault("cloud: is none of the known words; allowed: global, usgov_l4, usgov_l5"));
    assert_true(has_fault("credential: is none of the known words; allowed: certificate, secret"));
    assert_true(has_fault("spool.map_mib: 1 is out of range; allowed: 8..2048"));
    assert_true(has_fault("sinks[0].url: has a wrong form; allowed: https://host[:port][/path], "
                          "without user name and fragment"));
    assert_true(
        has_fault("sinks[1].name: is the name of an earlier sink; allowed: names that differ"));
}

static void more_faults_than_are_kept_are_still_counted(void **unused)
{
    (void)unused;
    static char text[4096];
    struct buf b = BUF(text);
    buf_put_char(&b, '{');
    for (unsigned i = 0; i < CONFIG_FAULTS_MAX + 10u; i++) {
        buf_put_str(&b, "\"k");
        buf_put_u64(&b, i);
        buf_put_str(&b, "\":1,");
    }
    buf_put_str(&b, "\"z\":1}");
    assert_int_equal(config_parse(&config, buf_span(&b), &faults), RC_PARSE);
    assert_true(faults.count > CONFIG_FAULTS_MAX + 10u);
}

static void china_gets_a_sentence_of_its_own(void **unused)
{
    (void)unused;
    check_only(WITH("\"cloud\":\"china\""),
               "cloud: the cloud in China (21Vianet) has no call records; allowed: global, "
               "usgov_l4, usgov_l5");
}

static void urls_must_be_https_without_user_and_fragment(void **unused)
{
    (void)unused;
    static const char *const bad[] = {
        "",
        "http://a",
        "HTTPS://a",
        "https://",
        "https:///x",
        "https://u@a",
        "https://u:p@a/x",
        "https://a#",
        "https://a/x#y",
        "https://a b",
        "https://a\\tb",
        "https://a:0",
        "https://a:65536",
        "https://a:",
        "https://:1",
        "https://[::1",
        "https://[g]/",
        "https://a:1:2",
        "https://-a",
        "https://a\\\\b",
        "https://a/\\u00e4",
        "ftp://a",
        "https://a\\u0000b",
        "https://[::1]x",
        "https://a/{x}",
        "https://a?x#y",
        "https://@",
        "https://a:1x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), SINKS("{\"name\":\"main\",\"url\":\"%s\"}"), bad[i]);
        check_only(text,
                   "sinks[0].url: has a wrong form; allowed: https://host[:port][/path], without "
                   "user name and fragment");
    }
    check_only(WITH("\"sandbox\":{\"graph_url\":\"https://a/?x\"}"),
               "sandbox.graph_url: has a wrong form; allowed: https://host[:port][/path], without "
               "user name, query and fragment");
    check_only(WITH("\"http\":{\"proxy\":\"http://p\"}"),
               "http.proxy: has a wrong form; allowed: http://host:port");
    check_only(WITH("\"http\":{\"proxy\":\"http://p:1/\"}"),
               "http.proxy: has a wrong form; allowed: http://host:port");
    check_only(WITH("\"http\":{\"proxy\":\"https://p:1\"}"),
               "http.proxy: has a wrong form; allowed: http://host:port");
    check_only(WITH("\"http\":{\"proxy\":\"http://u:p@p:1\"}"),
               "http.proxy: has a wrong form; allowed: http://host:port");
}

static void texts_of_a_wrong_form_or_length_are_told(void **unused)
{
    (void)unused;
    static const char guid[] =
        "tenant_id: has a wrong form; allowed: a GUID like 01234567-89ab-cdef-0123-456789abcdef";
    static const char names[] =
        "sinks[0].name: has a wrong form; allowed: 1..32 characters of a-z 0-9 -, first a letter";
#define TENANT(id)                                                                                 \
    "{" NAME "\"client_id\":\"11111111-aaaa-bbbb-cccc-ddddeeeeffff\",\"tenant_id\":\"" id          \
    "\"," CRED "," SINK "}"
    check_only(TENANT("contoso.onmicrosoft.com"), guid);
    check_only(TENANT("{0a0b0c0d-1111-2222-3333-44445555666}"),
               "tenant_id: is too long; allowed: a GUID like "
               "01234567-89ab-cdef-0123-456789abcdef");
    check_only(TENANT("0a0b0c0d-1111-2222-3333-44445555666g"), guid);
    check_only(SINKS("{\"name\":\"\",\"url\":\"https://a\"}"), names);
    check_only(SINKS("{\"name\":\"A\",\"url\":\"https://a\"}"), names);
    check_only(SINKS("{\"name\":\"a/b\",\"url\":\"https://a\"}"), names);
    check_only(
        SINKS("{\"name\":\"a23456789012345678901234567890123\",\"url\":\"https://a\"}"),
        "sinks[0].name: is too long; allowed: 1..32 characters of a-z 0-9 -, first a letter");
    check_only("{\"infrastructure\":{\"name\":\"\"}," IDS CRED "," SINK "}",
               "infrastructure.name: has a wrong form; allowed: 1..64 bytes of printable text");
    check_only("{\"infrastructure\":{\"name\":\"a\\u0000b\"}," IDS CRED "," SINK "}",
               "infrastructure.name: has a wrong form; allowed: 1..64 bytes of printable text");
    check_only(ONE("\"type\":\"splunk\""),
               "sinks[0].type: is none of the known words; allowed: ndjson");
    check_only(ONE("\"client_certificate\":\"other\""),
               "sinks[0].client_certificate: is none of the known words; allowed: device");
    check_only(ONE("\"ca\":\"\""),
               "sinks[0].ca: has a wrong form; allowed: PEM text of certificates");
    check_only(ONE("\"ca\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\""),
               "sinks[0].ca: has a wrong form; allowed: PEM text of certificates");
}

static void secrets_at_a_wrong_place_are_never_repeated(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "{" NAME IDS "\"credential\":\"SwordFish\"," SINK "}",
        "{" NAME "\"tenant_id\":\"SwordFish\",\"client_id\":\"SwordFish\"," CRED "," SINK "}",
        ONE("\"authorization\":\"Bearer SwordFish\""),
        ONE("\"ca\":\"SwordFish\""),
        SINKS("{\"name\":\"SwordFish\",\"url\":\"https://"
              "me:SwordFish@a\",\"client_certificate\":\"SwordFish\"}"),
        WITH("\"client_secret\":\"SwordFish\""),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(config_parse(&config, span_from_str(texts[i]), &faults), RC_PARSE);
        for (unsigned f = 0; f < faults.count; f++) {
            assert_null(strstr(faults.text[f], "SwordFish"));
        }
    }
}

static void no_sink_may_get_a_credential_of_the_box(void **unused)
{
    (void)unused;
    static const char fault[] = "sinks[0].authorization: is the name of a credential of the box "
                                "itself; allowed: another name";
    check_only(ONE("\"authorization\":\"tls-key\""), fault);
    check_only(ONE("\"authorization\":\"tls-certificate\""), fault);
    check_only(ONE("\"authorization\":\"device-certificate\""), fault);
    check_only(ONE("\"authorization\":\"client-secret\""), fault);
}

static void limits_that_contradict_each_other_are_told(void **unused)
{
    (void)unused;
    check_only(CALLS("\"hot_hours\":97"),
               "sources.call_records.hot_hours: is too large; allowed: at most warm_hours");
    check_only(CALLS("\"retry_cap_ms\":999"),
               "sources.call_records.retry_base_ms: is too large; allowed: at most retry_cap_ms");
    check_only(ONE("\"retry_cap_ms\":999"),
               "sinks[0].retry_base_ms: is too large; allowed: at most retry_cap_ms");
}

static void empty_and_too_long_lists_of_sinks_are_told(void **unused)
{
    (void)unused;
    check_only(SINKS(""), "sinks: is empty; allowed: a list of 1..4 objects");
#define S(n) "{\"name\":\"" n "\",\"url\":\"https://a\"}"
    check_only(SINKS(S("a") "," S("b") "," S("c") "," S("d") "," S("e")),
               "sinks: is too long; allowed: a list of 1..4 objects");
}

static void what_is_not_json_is_told_with_its_place(void **unused)
{
    (void)unused;
    check_only("{\n  \"cloud\": 'x'\n}", "line 2, column 12: this is not JSON (RFC 8259)");
    check_only("", "line 1, column 1: the text ends too early");
    check_only("{\"a\":", "line 1, column 6: the text ends too early");
    check_only("{} x", "line 1, column 4: this is not JSON (RFC 8259)");
    check_only("{\"a\":1,}", "line 1, column 8: this is not JSON (RFC 8259)");
}

static void texts_that_are_too_long_or_too_full_are_refused(void **unused)
{
    (void)unused;
    static char text[CONFIG_TEXT_BYTES_MAX + 1u];
    memset(text, ' ', sizeof(text));
    struct span all = {.ptr = text, .len = sizeof(text)};
    assert_int_equal(config_parse(&config, all, &faults), RC_TOOBIG);
    assert_string_equal(faults.text[0], "configuration: is longer than 64 KiB");
    struct buf b = BUF(text);
    buf_put_char(&b, '[');
    for (unsigned i = 0; i < 1100; i++) {
        buf_put_str(&b, "1,");
    }
    buf_put_str(&b, "1]");
    assert_int_equal(config_parse(&config, buf_span(&b), &faults), RC_PARSE);
    assert_string_equal(faults.text[0], "configuration: has more than 1024 keys and values");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_out_of_their_range_are_told_with_it),
        cmocka_unit_test(wrong_types_are_told_with_what_is_allowed),
        cmocka_unit_test(unknown_keys_are_told_with_the_known_ones),
        cmocka_unit_test(time_servers_are_numeric_addresses_and_few),
        cmocka_unit_test(permissions_are_known_words_and_each_is_named_once),
        cmocka_unit_test(a_redirect_uri_is_https_or_localhost),
        cmocka_unit_test(the_status_port_listens_on_a_numeric_address),
        cmocka_unit_test(doing_without_tls_is_refused_where_others_could_read_along),
        cmocka_unit_test(host_names_are_few_and_have_the_form_of_one),
        cmocka_unit_test(long_and_unprintable_keys_are_cut),
        cmocka_unit_test(keys_that_are_given_twice_are_a_fault),
        cmocka_unit_test(required_keys_that_are_missing_are_all_told),
        cmocka_unit_test(several_faults_are_told_in_one_go),
        cmocka_unit_test(more_faults_than_are_kept_are_still_counted),
        cmocka_unit_test(china_gets_a_sentence_of_its_own),
        cmocka_unit_test(urls_must_be_https_without_user_and_fragment),
        cmocka_unit_test(texts_of_a_wrong_form_or_length_are_told),
        cmocka_unit_test(secrets_at_a_wrong_place_are_never_repeated),
        cmocka_unit_test(no_sink_may_get_a_credential_of_the_box),
        cmocka_unit_test(limits_that_contradict_each_other_are_told),
        cmocka_unit_test(empty_and_too_long_lists_of_sinks_are_told),
        cmocka_unit_test(what_is_not_json_is_told_with_its_place),
        cmocka_unit_test(texts_that_are_too_long_or_too_full_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

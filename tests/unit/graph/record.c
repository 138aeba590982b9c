// SPDX-License-Identifier: Apache-2.0
#include "graph/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GRAPH_URL  "https://graph.microsoft.com"
#define TOKENS_MAX 512u
#define START      "\"startDateTime\":\"2026-11-23T10:00:00Z\""
#define START_MS   INT64_C(1795428000000)

static struct json_token tokens[TOKENS_MAX];

static void text_is(struct span got, const char *wanted)
{
    if (!span_equal(got, span_from_str(wanted))) {
        fail_msg("got <%" PRISPAN ">, not <%s>", SPANARG(got), wanted);
    }
}

static struct json parsed(const char *text)
{
    struct json doc = {.text = NULL};
    assert_int_equal(json_parse(&doc, span_from_str(text), tokens, TOKENS_MAX), RC_OK);
    return doc;
}

static enum rc read_record(const char *text, struct callrec *r, const char **reason)
{
    struct json doc = parsed(text);
    return callrec_read(&doc, 0, r, reason);
}

static void a_record_is_read_in_any_order_of_its_members(void **state)
{
    (void)state;
    struct callrec r;
    const char *reason = NULL;
    assert_int_equal(
        read_record("{\"sessions\":[],\"endDateTime\":\"2026-11-23T10:30:00.5Z\",\"x\":{},"
                    "\"version\":9007199254740993," START
                    ",\"id\":\"e523d2ed-2966-4b6b-925b-754a88034cc5\"}",
                    &r,
                    &reason),
        RC_OK);
    text_is(record_id_span(&r.id), "e523d2ed-2966-4b6b-925b-754a88034cc5");
    assert_true(r.version == 9007199254740993);
    assert_true(r.start_ms == START_MS);
    assert_true(r.end_ms == START_MS + 1800500);
}

static void a_record_may_be_written_with_escapes(void **state)
{
    (void)state;
    struct callrec r;
    const char *reason = NULL;
    assert_int_equal(read_record("{\"\\u0069d\":\"\\u0061\",\"version\":1,"
                                 "\"startDateTime\":\"2026-11-23T12:00:00\\u002B02:00\"}",
                                 &r,
                                 &reason),
                     RC_OK);
    text_is(record_id_span(&r.id), "a");
    assert_true(r.start_ms == START_MS);
}

static void an_end_that_is_no_use_is_the_start(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"id\":\"a\",\"version\":1," START "}",
        "{\"id\":\"a\",\"version\":1," START ",\"endDateTime\":null}",
        "{\"id\":\"a\",\"version\":1," START ",\"endDateTime\":\"soon\"}",
        "{\"id\":\"a\",\"version\":1," START ",\"endDateTime\":17}",
        "{\"id\":\"a\",\"version\":1," START ",\"endDateTime\":\"0001-01-01T00:00:00Z\"}",
        "{\"id\":\"a\",\"version\":1," START ",\"endDateTime\":\"2026-11-23T09:59:59Z\"}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct callrec r;
        const char *reason = NULL;
        assert_int_equal(read_record(texts[i], &r, &reason), RC_OK);
        assert_true(r.end_ms == START_MS);
    }
}

static void what_is_missing_or_unusable_is_named(void **state)
{
    (void)state;

    static const struct {
        const char *text, *reason;
    } bad[] = {
        {"{}", "id"},
        {"[]", "id"},
        {"17", "id"},
        {"{\"version\":1," START "}", "id"},
        {"{\"id\":17,\"version\":1," START "}", "id"},
        {"{\"id\":\"\",\"version\":1," START "}", "id"},
        {"{\"id\":\"../x\",\"version\":1," START "}", "id"},
        {"{\"id\":\"a\\u0000\",\"version\":1," START "}", "id"},
        {"{\"id\":\"a\"," START "}", "version"},
        {"{\"id\":\"a\",\"version\":0," START "}", "version"},
        {"{\"id\":\"a\",\"version\":-1," START "}", "version"},
        {"{\"id\":\"a\",\"version\":1.5," START "}", "version"},
        {"{\"id\":\"a\",\"version\":\"1\"," START "}", "version"},
        {"{\"id\":\"a\",\"version\":99999999999999999999," START "}", "version"},
        {"{\"id\":\"a\",\"version\":1}", "startDateTime"},
        {"{\"id\":\"a\",\"version\":1,\"startDateTime\":null}", "startDateTime"},
        {"{\"id\":\"a\",\"version\":1,\"startDateTime\":\"yesterday\"}", "startDateTime"},
        {"{\"id\":\"a\",\"version\":1,\"startDateTime\":\"0001-01-01T00:00:00Z\"}",
         "startDateTime"},
        {"{\"id\":\"a\",\"version\":1,\"startDateTime\":"
         "\"2026-11-23T10:00:00.00000000000000000000000000000000000000000000000000000Z\"}",
         "startDateTime"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct callrec r;
        const char *reason = NULL;
        assert_int_equal(read_record(bad[i].text, &r, &reason), RC_PARSE);
        assert_string_equal(reason, bad[i].reason);
    }
}

static void an_id_longer_than_the_rows_take_is_too_big(void **state)
{
    (void)state;
    for (unsigned len = RECORD_ID_BYTES_MAX; len < RECORD_ID_BYTES_MAX + 5u; len++) {
        char text[300];
        struct buf b = BUF(text);
        struct callrec r;
        const char *reason = NULL;
        buf_put_str(&b, "{\"id\":\"");
        for (unsigned i = 0; i < len; i++) {
            buf_put_char(&b, 'a');
        }
        buf_put_str(&b, "\",\"version\":1," START "}");
        assert_true(buf_terminate(&b));
        assert_int_equal(read_record(text, &r, &reason),
                         len <= RECORD_ID_BYTES_MAX ? RC_OK : RC_TOOBIG);
        assert_string_equal(reason, len <= RECORD_ID_BYTES_MAX ? "startDateTime" : "id");
    }
}

static void the_shell_is_the_record_without_its_big_arrays(void **state)
{
    (void)state;
    struct json doc = parsed(
        "{\"@odata.context\":\"c\",\"sessions@odata.context\":\"x\",\"id\":\"a\\u0062\","
        "\"sessions\":"
        "[{\"sessions\":1}],\"sessions@odata.nextLink\":\"y\",\"sessionsCount\":2,\"session\":3,"
        "\"participants\":[{\"user\":null}],\"participants_v2@odata.context\":\"z\","
        "\"participants_v2\":[1],\"participants_v2@odata.nextLink\":\"w\",\"participants_v3\":[],"
        "\"new\":{\"sessions\":[4]},\"n\":1.50e+3}");
    char out_bytes[400];
    struct buf out = BUF(out_bytes);
    assert_int_equal(callrec_put_shell(&doc, 0, &out), RC_OK);
    text_is(buf_span(&out),
            "{\"@odata.context\":\"c\",\"id\":\"a\\u0062\",\"sessionsCount\":2,\"session\":3,"
            "\"participants\":[{\"user\":null}],\"participants_v3\":[],\"new\":{\"sessions\":[4]},"
            "\"n\":1.50e+3}");
}

static void an_empty_shell_is_an_object(void **state)
{
    (void)state;
    char out_bytes[8];
    struct buf out = BUF(out_bytes);
    struct json doc = parsed("{\"sessions\":[]}");
    assert_int_equal(callrec_put_shell(&doc, 0, &out), RC_OK);
    text_is(buf_span(&out), "{}");
}

static void a_shell_that_does_not_fit_is_told(void **state)
{
    (void)state;
    struct json doc = parsed("{\"id\":\"a\",\"sessions\":[],\"b\":\"\"}");
    size_t whole = sizeof("{\"id\":\"a\",\"b\":\"\"}") - 1u;
    char out_bytes[64];
    for (size_t cap = 0; cap <= whole; cap++) {
        struct buf out = buf_of(out_bytes, cap);
        assert_int_equal(callrec_put_shell(&doc, 0, &out), cap == whole ? RC_OK : RC_TOOBIG);
    }
}

static void a_link_is_read_decoded(void **state)
{
    (void)state;
    struct json doc = parsed("{\"l\":\"https:\\/\\/x\\u003fa=b\",\"n\":null,\"i\":1}");
    char out_bytes[32];
    struct buf out = BUF(out_bytes);
    buf_put_str(&out, "old");
    assert_int_equal(link_read(&doc, 0, SPAN("l"), &out), RC_OK);
    text_is(buf_span(&out), "https://x?a=b");
    assert_int_equal(link_read(&doc, 0, SPAN("none"), &out), RC_NOTFOUND);
    assert_int_equal(out.len, 0);
    assert_int_equal(link_read(&doc, 0, SPAN("n"), &out), RC_NOTFOUND);
    assert_int_equal(link_read(&doc, 0, SPAN("i"), &out), RC_PARSE);
    struct buf small = buf_of(out_bytes, 12);
    assert_int_equal(link_read(&doc, 0, SPAN("l"), &small), RC_TOOBIG);
}

static enum rc check(struct span text, struct buf *link)
{
    buf_reset(link);
    buf_put(link, text);
    assert_true(buf_ok(link));
    return link_check(link, SPAN(GRAPH_URL));
}

static void a_link_of_another_origin_is_denied(void **state)
{
    (void)state;
    static const char *const denied[] = {
        "",
        "/v1.0/communications",
        "http://graph.microsoft.com/v1.0/",
        "HTTP://graph.microsoft.com/v1.0/",
        "https://graph.microsoft.co/v1.0/",
        "https://graph.microsoft.com",
        "https://graph.microsoft.com.evil/v1.0/",
        "https://graph.microsoft.com.evil.example/",
        "https://graph.microsoft.community/",
        "https://graph.microsoft.com@evil/v1.0/",
        "https://graph.microsoft.com:443@evil/",
        "https://graph.microsoft.com:8443/v1.0/",
        "https://user@graph.microsoft.com/v1.0/",
        "https://user:pass@graph.microsoft.com/",
        "https://evil/https://graph.microsoft.com/",
        "https://graph.microsoft.com\\@evil/",
        "https://graph.microsoft.com?x=/",
        "https://graph.microsoft.com#/",
        "https://graph.microsoft.com\t/v1.0/",
        " https://graph.microsoft.com/v1.0/",
        "//graph.microsoft.com/v1.0/",
        "https:/graph.microsoft.com/v1.0/",
    };
    char bytes[128];
    struct buf link = BUF(bytes);
    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
        if (check(span_from_str(denied[i]), &link) != RC_DENIED) {
            fail_msg("<%s> was not denied", denied[i]);
        }
    }
}

static void a_link_that_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        GRAPH_URL "/a b",
        GRAPH_URL "/a\r\nAuthorization: x",
        GRAPH_URL "/\x7F",
        GRAPH_URL "/\xC3\xA9",
        GRAPH_URL "/a#b",
        GRAPH_URL "/$metadata#a#b",
        GRAPH_URL "/$metadata#a$metadata#b",
        GRAPH_URL "/\t",
        GRAPH_URL "/ ",
    };
    char bytes[128];
    struct buf link = BUF(bytes);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(check(span_from_str(bad[i]), &link), RC_PARSE);
    }
    assert_int_equal(check(SPAN(GRAPH_URL "/a\0b"), &link), RC_PARSE);
}

static void a_good_link_stays_as_it_is(void **state)
{
    (void)state;
    static const char *const good[] = {
        GRAPH_URL "/",
        GRAPH_URL
        "/v1.0/communications/callRecords?$filter=startDateTime%20ge%202026-11-23T10:00:00Z"
        "&$skiptoken=abc%3D",
        GRAPH_URL "/v1.0/communications/callRecords('e523')/sessions?$expand=segments&$skip=60",
        GRAPH_URL "/a@b:c",
    };
    char bytes[256];
    struct buf link = BUF(bytes);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(check(span_from_str(good[i]), &link), RC_OK);
        text_is(buf_span(&link), good[i]);
    }
}

static void the_metadata_artefact_of_the_documentation_is_taken_out(void **state)
{
    (void)state;
    char bytes[256];
    struct buf link = BUF(bytes);
    assert_int_equal(
        check(SPAN(GRAPH_URL "/v1.0/$metadata#communications/callRecords('a')/sessions"), &link),
        RC_OK);
    text_is(buf_span(&link), GRAPH_URL "/v1.0/communications/callRecords('a')/sessions");
    assert_int_equal(check(SPAN(GRAPH_URL "/v1.0/$metadata#"), &link), RC_OK);
    text_is(buf_span(&link), GRAPH_URL "/v1.0/");
}

static void a_link_longer_than_a_request_is_refused(void **state)
{
    (void)state;
    static char bytes[LINK_BYTES_MAX + 20u];
    struct buf link = BUF(bytes);
    buf_put_str(&link, GRAPH_URL "/");
    while (link.len < LINK_BYTES_MAX) {
        buf_put_char(&link, 'a');
    }
    assert_int_equal(link_check(&link, SPAN(GRAPH_URL)), RC_OK);
    buf_put_char(&link, 'a');
    assert_int_equal(link_check(&link, SPAN(GRAPH_URL)), RC_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_in_any_order_of_its_members),
        cmocka_unit_test(a_record_may_be_written_with_escapes),
        cmocka_unit_test(an_end_that_is_no_use_is_the_start),
        cmocka_unit_test(what_is_missing_or_unusable_is_named),
        cmocka_unit_test(an_id_longer_than_the_rows_take_is_too_big),
        cmocka_unit_test(the_shell_is_the_record_without_its_big_arrays),
        cmocka_unit_test(an_empty_shell_is_an_object),
        cmocka_unit_test(a_shell_that_does_not_fit_is_told),
        cmocka_unit_test(a_link_is_read_decoded),
        cmocka_unit_test(a_link_of_another_origin_is_denied),
        cmocka_unit_test(a_link_that_is_no_url_is_refused),
        cmocka_unit_test(a_good_link_stays_as_it_is),
        cmocka_unit_test(the_metadata_artefact_of_the_documentation_is_taken_out),
        cmocka_unit_test(a_link_longer_than_a_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

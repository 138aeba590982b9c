// SPDX-License-Identifier: Apache-2.0
// Every rule of status/request.h, and that a verdict does not depend on the pieces.
#include "status/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GET_LINE "GET / HTTP/1.1\r\n"
#define HOST     "Host: box\r\n"
#define GET_BOX  GET_LINE HOST

static char big[16384];

static enum rc read_text(struct span text, struct request *r)
{
    return request_read(text, false, r);
}

/// The verdict on a whole text, and the status that it is refused with.
static void assert_refused(struct span text, enum rc rc, int status)
{
    struct request r;
    assert_int_equal(read_text(text, &r), rc);
    assert_int_equal(r.status, status);
}

static void assert_bad(const char *text)
{
    assert_refused(span_from_str(text), RC_PARSE, 400);
}

static void assert_ok(const char *text, struct request *r)
{
    assert_int_equal(read_text(span_from_str(text), r), RC_OK);
    assert_int_equal(r->status, 0);
}

static void assert_span(struct span s, const char *text)
{
    assert_true(span_equal(s, span_from_str(text)));
}

// ---- what is taken ------------------------------------------------------------------------------

static void a_get_is_read(void **state)
{
    (void)state;
    struct request r;
    assert_ok("GET /status?a=b&c=%20d HTTP/1.1\r\nHost: 192.0.2.1:8443\r\nUser-Agent: x\r\n"
              "Origin:https://192.0.2.1:8443\t \r\nsec-fetch-site:  same-origin\r\nA:\r\n\r\n",
              &r);
    assert_int_equal(r.method, REQUEST_GET);
    assert_false(r.http10);
    assert_span(r.path, "/status");
    assert_span(r.query, "a=b&c=%20d");
    assert_span(r.host, "192.0.2.1:8443");
    assert_span(r.origin, "https://192.0.2.1:8443");
    assert_span(r.fetch_site, "same-origin");
    assert_span(r.content_type, "");
    assert_span(r.body, "");
}

static void a_post_is_read_with_its_body(void **state)
{
    (void)state;
    struct request r;
    assert_ok("POST /action HTTP/1.1\r\nhOST: box\r\ncontent-type: text/x; charset=utf-8\r\n"
              "Content-Length: 7\r\n\r\na=1\r\n\xff\x01",
              &r);
    assert_int_equal(r.method, REQUEST_POST);
    assert_span(r.body, "a=1\r\n\xff\x01");
    assert_span(r.content_type, "text/x; charset=utf-8");
    assert_ok("POST /action HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", &r);
    assert_span(r.body, "");
}

static void a_post_says_its_length(void **state)
{
    (void)state;
    assert_refused(SPAN("POST /action HTTP/1.1\r\n" HOST "\r\n"), RC_PARSE, 411);
    assert_refused(SPAN("POST / HTTP/1.1\r\n" HOST "\r\na=1"), RC_PARSE, 411);
}

static void other_methods_are_read_for_405(void **state)
{
    (void)state;
    struct request r;
    assert_ok("HEAD / HTTP/1.0\r\n" HOST "\r\n", &r);
    assert_int_equal(r.method, REQUEST_HEAD);
    assert_true(r.http10);
    assert_ok("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", &r);
    assert_int_equal(r.method, REQUEST_OTHER);
    assert_span(r.body, "ab");
    assert_ok("get / HTTP/1.1\r\n" HOST "\r\n", &r); // methods have a case
    assert_int_equal(r.method, REQUEST_OTHER);
}

static void a_get_may_say_that_it_has_no_body(void **state)
{
    (void)state;
    struct request r;
    assert_ok(GET_BOX "Content-Length: 0\r\n\r\n", &r);
    assert_bad(GET_BOX "Content-Length: 1\r\n\r\n");
    assert_bad("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
}

static void whatever_is_incomplete_needs_more(void **state)
{
    (void)state;
    struct request r;
    assert_int_equal(read_text(SPAN_NONE, &r), RC_AGAIN);
    assert_int_equal(r.status, 414);
    assert_int_equal(read_text(SPAN("GET / HTTP/1.1\r"), &r), RC_AGAIN);
    assert_int_equal(r.status, 414);
    assert_int_equal(read_text(SPAN(GET_BOX "\r"), &r), RC_AGAIN);
    assert_int_equal(r.status, 431);
    assert_int_equal(read_text(SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na"), &r),
                     RC_AGAIN);
    assert_int_equal(r.status, 413);
}

static void half_closed_before_it_is_complete_is_none(void **state)
{
    (void)state;
    struct request r;
    static const struct span cut[] = {
        SPAN(""),
        SPAN("GET"),
        SPAN(GET_BOX),
        SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na"),
    };
    for (unsigned i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        assert_int_equal(request_read(cut[i], true, &r), RC_PARSE);
        assert_int_equal(r.status, 400);
    }
    assert_int_equal(request_read(SPAN(GET_BOX "\r\n"), true, &r), RC_OK);
}

// ---- the request line ---------------------------------------------------------------------------

static void a_request_line_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\r\n", // RFC 9112 2.2 would let an empty line pass
        " GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",
        "GET  / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n",
        "GET /a b HTTP/1.1\r\n",
        "GET\t/ HTTP/1.1\r\n",
        "GET /\tHTTP/1.1\r\n",
        "GET /a\tb HTTP/1.1\r\n",
        "GET /\r\n", // HTTP/0.9
        "GET\r\n",
        "GET HTTP/1.1\r\n",
        "G(T / HTTP/1.1\r\n",
        "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n",
        "GET / HTTP/1.\r\n",
        "GET / HTTP/11\r\n",
        "GET / HTTP/1.10\r\n",
        "GET / http/1.1\r\n",
        "GET / HTTQ/1.1\r\n",
        "GET http://box/ HTTP/1.1\r\n", // absolute form
        "CONNECT box:443 HTTP/1.1\r\n", // authority form
        "OPTIONS * HTTP/1.1\r\n",       // asterisk form
        "GET status HTTP/1.1\r\n",
        "GET /a#b HTTP/1.1\r\n",
        "\x16\x03\x01\x02", // TLS
    };
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_bad(lines[i]);
    }
}

static void another_version_is_not_spoken(void **state)
{
    (void)state;
    assert_refused(SPAN("GET / HTTP/1.2\r\n"), RC_UNSUPPORTED, 505);
    assert_refused(SPAN("GET / HTTP/0.9\r\n"), RC_UNSUPPORTED, 505);
    assert_refused(SPAN("PRI * HTTP/2.0\r\n"), RC_UNSUPPORTED, 505);
}

static void a_bare_line_feed_ends_no_line(void **state)
{
    (void)state;
    assert_bad("GET / HTTP/1.1\n");
    assert_bad(GET_LINE "Host: box\n\n");
    assert_bad(GET_BOX "\n");
}

static void a_carriage_return_stands_before_a_line_feed_only(void **state)
{
    (void)state;
    assert_bad("GET / HTTP/1.1\rHost");
    assert_bad(GET_LINE "Host: a\rb\r\n");
    assert_bad(GET_BOX "\r\r\n");
}

static void bytes_that_are_no_text_are_refused_where_they_stand(void **state)
{
    (void)state;
    static const char bad[] = {'\0', '\x01', '\x1b', '\x7f', '\x80', '\xe9', '\xff', '\v', '\f'};
    static const char *const before[] = {"G", "GET /", GET_LINE "X", GET_LINE "X: "};
    for (unsigned i = 0; i < sizeof(bad); i++) {
        for (unsigned k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
            struct buf text = BUF(big);
            buf_put_str(&text, before[k]);
            buf_put_char(&text, bad[i]);
            assert_refused(buf_span(&text), RC_PARSE, 400);
        }
    }
}

static void put_many(struct buf *to, char c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put_char(to, c);
    }
}

static enum rc read_target_of(size_t bytes, int *status)
{
    struct buf text = BUF(big);
    struct request r;
    buf_put_str(&text, "GET /");
    put_many(&text, 'a', bytes - 1u);
    buf_put_str(&text, " HTTP/1.1\r\n" HOST "\r\n");
    enum rc rc = read_text(buf_span(&text), &r);
    *status = r.status;
    return rc;
}

static void a_long_target_is_414(void **state)
{
    (void)state;
    int status = 0;
    assert_int_equal(read_target_of(REQUEST_TARGET_BYTES_MAX, &status), RC_OK);
    assert_int_equal(read_target_of(REQUEST_TARGET_BYTES_MAX + 1u, &status), RC_TOOBIG);
    assert_int_equal(status, 414);
    assert_int_equal(read_target_of(8000, &status), RC_TOOBIG);
    assert_int_equal(status, 414);
}

// ---- the header ---------------------------------------------------------------------------------

static void a_field_has_a_name_and_a_colon_behind_it(void **state)
{
    (void)state;
    assert_bad(GET_LINE "Host : box\r\n");
    assert_bad(GET_LINE "Host\t: box\r\n");
    assert_bad(GET_LINE "Host\r\n");
    assert_bad(GET_LINE ": box\r\n");
    assert_bad(GET_LINE "Ho st: box\r\n");
    assert_bad(GET_LINE "\"Host\": box\r\n");
}

static void a_folded_line_is_refused(void **state)
{
    (void)state;
    assert_bad(GET_BOX "A: b\r\n c\r\n");
    assert_bad(GET_BOX "A: b\r\n\tc: d\r\n");
    assert_bad(GET_LINE " Host: box\r\n"); // RFC 9112 2.2
}

static void there_is_one_host(void **state)
{
    (void)state;
    assert_bad(GET_LINE "\r\n");
    assert_bad("GET / HTTP/1.0\r\n\r\n");
    assert_bad(GET_LINE "Host:\r\n");
    assert_bad(GET_LINE "Host: \t\r\n");
    assert_bad(GET_BOX HOST);
    assert_bad(GET_BOX "host: other\r\n");
}

static void what_decides_stands_there_once(void **state)
{
    (void)state;
    assert_bad(GET_BOX "Origin: a\r\norigin: a\r\n");
    assert_bad(GET_BOX "Sec-Fetch-Site: none\r\nSec-Fetch-Site: none\r\n");
    assert_bad(GET_BOX "Content-Type: a\r\nContent-Type: b\r\n");
    assert_bad(GET_BOX "Origin:\r\n");
    struct request r;
    assert_ok(GET_BOX "Accept: a\r\nAccept: b\r\n\r\n", &r);
}

static void a_length_is_one_plain_number(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "+1", "-1", "1 ,1", "1, 1", "0x1", "1a", "1.0", "18446744073709551616", " \t"};
    char text[256];
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(
            text, sizeof(text), "POST / HTTP/1.1\r\n" HOST "Content-Length: %s\r\n", bad[i]);
        assert_bad(text);
    }
    assert_bad("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\ncontent-length: 1\r\n");
    assert_bad("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\ncontent-length: 0\r\n");
}

static void a_long_body_is_413_before_it_comes(void **state)
{
    (void)state;
    char text[256];
    (void)snprintf(text,
                   sizeof(text),
                   "POST / HTTP/1.1\r\n" HOST "Content-Length: %u\r\n",
                   REQUEST_BODY_BYTES_MAX + 1u);
    assert_refused(span_from_str(text), RC_TOOBIG, 413);
    assert_refused(SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551615\r\n"),
                   RC_TOOBIG,
                   413);
}

static void the_longest_body_is_read(void **state)
{
    (void)state;
    struct buf text = BUF(big);
    struct request r;
    buf_put_str(&text, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4096\r\n\r\n");
    put_many(&text, 'x', REQUEST_BODY_BYTES_MAX - 1u);
    assert_int_equal(read_text(buf_span(&text), &r), RC_AGAIN);
    buf_put_char(&text, 'x');
    assert_int_equal(read_text(buf_span(&text), &r), RC_OK);
    assert_int_equal(r.body.len, REQUEST_BODY_BYTES_MAX);
}

static void no_transfer_encoding_is_spoken(void **state)
{
    (void)state;
    assert_refused(
        SPAN("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"), RC_UNSUPPORTED, 501);
    assert_refused(SPAN("POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\ntransfer-encoding:x\r\n"),
                   RC_UNSUPPORTED,
                   501);
    assert_bad("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n");
}

static void nobody_is_told_to_continue(void **state)
{
    (void)state;
    assert_refused(
        SPAN("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"), RC_UNSUPPORTED, 417);
}

static enum rc read_fields(unsigned count, size_t line_bytes, int *status)
{
    struct buf text = BUF(big);
    struct request r;
    buf_put_str(&text, GET_BOX);
    for (unsigned i = 1; i < count; i++) {
        buf_put_str(&text, "A:");
        put_many(&text, 'b', line_bytes - 2u);
        buf_put_str(&text, "\r\n");
    }
    buf_put_str(&text, "\r\n");
    assert_true(buf_ok(&text));
    enum rc rc = read_text(buf_span(&text), &r);
    *status = r.status;
    return rc;
}

static void too_many_or_too_long_fields_are_431(void **state)
{
    (void)state;
    int status = 0;
    assert_int_equal(read_fields(REQUEST_HEADERS_MAX, 10, &status), RC_OK);
    assert_int_equal(read_fields(REQUEST_HEADERS_MAX + 1u, 10, &status), RC_TOOBIG);
    assert_int_equal(status, 431);
    assert_int_equal(read_fields(2, REQUEST_LINE_BYTES_MAX, &status), RC_OK);
    assert_int_equal(read_fields(2, REQUEST_LINE_BYTES_MAX + 1u, &status), RC_TOOBIG);
    assert_int_equal(status, 431);
}

static void nothing_comes_behind_a_request(void **state)
{
    (void)state;
    assert_bad(GET_BOX "\r\nG");
    assert_bad(GET_BOX "\r\n\r\n");
    assert_bad(GET_BOX "\r\n" GET_BOX "\r\n"); // pipelined
    assert_bad("POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nabc");
}

// ---- forms --------------------------------------------------------------------------------------

static enum rc field(const char *form, const char *name, const char *value)
{
    char bytes[64];
    struct buf out = BUF(bytes);
    buf_put_str(&out, "+");
    enum rc rc = form_field(span_from_str(form), span_from_str(name), &out);
    assert_true(buf_ok(&out));
    assert_int_equal(bytes[0], '+');
    assert_span(span_sub(buf_span(&out), 1, out.len), value);
    return rc;
}

static void a_field_is_found_and_decoded(void **state)
{
    (void)state;
    assert_int_equal(field("a=1&b=2", "b", "2"), RC_OK);
    assert_int_equal(field("a=1&b=2", "a", "1"), RC_OK);
    assert_int_equal(field("a=x+y%2B%26%3d%C3%A9=z", "a", "x y+&=\xc3\xa9=z"), RC_OK);
    assert_int_equal(field("%61=1", "a", "1"), RC_OK);
    assert_int_equal(field("a", "a", ""), RC_OK);
    assert_int_equal(field("&&a=&", "a", ""), RC_OK);
    assert_int_equal(field("a b=1", "a b", "1"), RC_OK);
    assert_int_equal(field("ab=1", "a", ""), RC_NOTFOUND);
    assert_int_equal(field("a=1", "ab", ""), RC_NOTFOUND);
    assert_int_equal(field("A=1", "a", ""), RC_NOTFOUND);
    assert_int_equal(field("", "a", ""), RC_NOTFOUND);
    assert_int_equal(field("=a", "a", ""), RC_NOTFOUND);
}

static void a_bad_escape_is_refused(void **state)
{
    (void)state;
    assert_int_equal(field("a=%", "a", ""), RC_PARSE);
    assert_int_equal(field("a=%4", "a", ""), RC_PARSE);
    assert_int_equal(field("a=xy%4g", "a", ""), RC_PARSE);
    assert_int_equal(field("a=%g4", "a", ""), RC_PARSE);
    assert_int_equal(field("a=%-1", "a", ""), RC_PARSE);
    assert_int_equal(field("%=1&a=2", "a", ""), RC_PARSE);
}

static void a_nul_is_refused(void **state)
{
    (void)state;
    char bytes[8];
    struct buf out = BUF(bytes);
    assert_int_equal(field("a=x%00", "a", ""), RC_PARSE);
    assert_int_equal(form_field(SPAN("a=x\0y"), SPAN("a"), &out), RC_PARSE);
    assert_int_equal(out.len, 0);
}

static void a_field_twice_is_refused(void **state)
{
    (void)state;
    assert_int_equal(field("a=1&a=1", "a", ""), RC_PARSE);
    assert_int_equal(field("a=1&b=2&%61=3", "a", ""), RC_PARSE);
    assert_int_equal(field("a=1&b=2&b=3", "a", "1"), RC_OK);
}

static void a_value_without_room_leaves_nothing(void **state)
{
    (void)state;
    char bytes[4];
    struct buf out = BUF(bytes);
    assert_int_equal(form_field(SPAN("a=12345"), SPAN("a"), &out), RC_TOOBIG);
    assert_int_equal(out.len, 0);
    assert_true(buf_ok(&out));
    assert_int_equal(form_field(SPAN("a=1234"), SPAN("a"), &out), RC_OK);
    assert_int_equal(out.len, 4);
}

// ---- pieces -------------------------------------------------------------------------------------

static uint64_t seed = 11;

static uint64_t next_random(void)
{
    seed += 0x9e3779b97f4a7c15u; // splitmix64
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/// A request of parts that fit, with a mistake now and then.
static void put_request(struct buf *to)
{
    static const char *const first[] = {"GET / HTTP/1.1\r\n",
                                        "POST /action HTTP/1.1\r\n",
                                        "HEAD /a?b HTTP/1.0\r\n",
                                        "PUT / HTTP/1.1\r\n",
                                        "GET / HTTP/1.1\n",
                                        "GET / HTTP/2.0\r\n",
                                        "GET a HTTP/1.1\r\n"};
    static const char *const fields[] = {HOST,
                                         "Content-Length: 5\r\n",
                                         "Content-Length: 5000\r\n",
                                         "Origin: x\r\n",
                                         "A: b\r\n",
                                         "A:\r\n",
                                         " folded\r\n",
                                         "Transfer-Encoding: chunked\r\n",
                                         "Expect: x\r\n",
                                         "A : b\r\n",
                                         "\x80"};
    buf_reset(to);
    uint64_t bits = next_random();
    buf_put_str(to, first[bits % 3u + (bits % 5u == 0 ? 4u : 0)]);
    buf_put_str(to, HOST);
    for (unsigned i = 0; i < bits % 4u; i++) {
        uint64_t pick = next_random();
        unsigned known = sizeof(fields) / sizeof(fields[0]);
        buf_put_str(to, fields[pick % 3u == 0 ? pick / 3u % known : 3u + pick % 3u]);
    }
    buf_put_str(to, "\r\n");
    buf_put_str(to, bits % 7u == 0 ? "12345" : "");
    buf_put_str(to, bits % 11u == 0 ? "x" : "");
    if (bits % 13u == 0) {
        to->ptr[next_random() % to->len] = (char)next_random();
    }
}

static void a_verdict_does_not_depend_on_the_pieces(void **state)
{
    (void)state;
    unsigned seen[RC_COUNT] = {0};
    for (unsigned round = 0; round < 20000; round++) {
        struct buf text = BUF(big);
        struct request whole;
        struct request part;
        put_request(&text);
        enum rc verdict = read_text(buf_span(&text), &whole);
        enum rc rc = RC_AGAIN;
        for (size_t len = 0; len <= text.len; len++) {
            struct span piece = span_sub(buf_span(&text), 0, len);
            enum rc now = read_text(piece, &part);
            if (rc == RC_OK) { // complete once: whatever follows is refused
                assert_int_equal(now, RC_PARSE);
            } else if (rc != RC_AGAIN) { // a refusal stands
                assert_int_equal(now, rc);
            }
            rc = now;
        }
        assert_int_equal(rc, verdict);
        assert_int_equal(part.status, whole.status);
        seen[verdict]++;
    }
    assert_true(seen[RC_OK] > 1000 && seen[RC_AGAIN] > 100 && seen[RC_PARSE] > 1000);
    assert_true(seen[RC_TOOBIG] > 100 && seen[RC_UNSUPPORTED] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_read),
        cmocka_unit_test(a_post_is_read_with_its_body),
        cmocka_unit_test(a_post_says_its_length),
        cmocka_unit_test(other_methods_are_read_for_405),
        cmocka_unit_test(a_get_may_say_that_it_has_no_body),
        cmocka_unit_test(whatever_is_incomplete_needs_more),
        cmocka_unit_test(half_closed_before_it_is_complete_is_none),
        cmocka_unit_test(a_request_line_that_is_none_is_refused),
        cmocka_unit_test(another_version_is_not_spoken),
        cmocka_unit_test(a_bare_line_feed_ends_no_line),
        cmocka_unit_test(a_carriage_return_stands_before_a_line_feed_only),
        cmocka_unit_test(bytes_that_are_no_text_are_refused_where_they_stand),
        cmocka_unit_test(a_long_target_is_414),
        cmocka_unit_test(a_field_has_a_name_and_a_colon_behind_it),
        cmocka_unit_test(a_folded_line_is_refused),
        cmocka_unit_test(there_is_one_host),
        cmocka_unit_test(what_decides_stands_there_once),
        cmocka_unit_test(a_length_is_one_plain_number),
        cmocka_unit_test(a_long_body_is_413_before_it_comes),
        cmocka_unit_test(the_longest_body_is_read),
        cmocka_unit_test(no_transfer_encoding_is_spoken),
        cmocka_unit_test(nobody_is_told_to_continue),
        cmocka_unit_test(too_many_or_too_long_fields_are_431),
        cmocka_unit_test(nothing_comes_behind_a_request),
        cmocka_unit_test(a_field_is_found_and_decoded),
        cmocka_unit_test(a_bad_escape_is_refused),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(a_field_twice_is_refused),
        cmocka_unit_test(a_value_without_room_leaves_nothing),
        cmocka_unit_test(a_verdict_does_not_depend_on_the_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// What may be read, and how answers look.
#include "world.h"

static void assert_head(const char *answer, const char *type)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "\r\nContent-Type: %s\r\n", type);
    assert_true(world_has(answer, line));
    (void)snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", strlen(world_body(answer)));
    assert_true(world_has(answer, line));
    static const char *const lines[] = {"\r\nConnection: close\r\n",
                                        "\r\nCache-Control: no-store\r\n",
                                        "\r\nX-Content-Type-Options: nosniff\r\n",
                                        "\r\nReferrer-Policy: same-origin\r\n",
                                        "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
                                        "; frame-ancestors 'none'\r\n"};
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_true(world_has(answer, lines[i]));
    }
    assert_false(world_has(answer, "\r\nServer:"));
    assert_false(world_has(answer, "\r\nSet-Cookie:"));
    assert_false(world_has(answer, "\r\nAccess-Control"));
}

static void the_page_is_at_the_root(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_get(w, "/");
    assert_int_equal(world_status(answer), 200);
    assert_head(answer, "text/html; charset=utf-8");
    assert_true(world_has(answer,
                          "\r\nContent-Security-Policy: default-src 'none'; form-action 'self'; "
                          "frame-ancestors 'none'\r\n"));
    assert_true(world_has(answer, "notice=\"\" good collecting</page>"));
    assert_int_equal(w->wish.kind, STATUS_WISH_NONE);
}

static void status_is_json_and_metrics_are_prometheus(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_get(w, "/status");
    assert_int_equal(world_status(answer), 200);
    assert_head(answer, "application/json");
    assert_string_equal(world_body(answer), "{\"state\":\"collecting\"}");
    answer = world_get(w, "/metrics?name=x");
    assert_int_equal(world_status(answer), 200);
    assert_head(answer, "text/plain; version=0.0.4; charset=utf-8");
    assert_true(world_has(answer, "\r\nContent-Security-Policy: default-src 'none'; frame"));
    assert_string_equal(world_body(answer), "anteroom_up 1\n");
}

static void health_is_two_bytes(void **state)
{
    (void)state;
    struct world *w = world_begin();

    static const enum snapshot_level fine[] = {
        SNAPSHOT_GOOD, SNAPSHOT_WAIT, SNAPSHOT_SETUP, SNAPSHOT_WARN};

    for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        w->snapshot.level = fine[i];
        const char *answer = world_get(w, "/healthz");
        assert_int_equal(world_status(answer), 200);
        assert_string_equal(world_body(answer), "ok");
    }
    w->snapshot.holding = true;
    assert_int_equal(world_status(world_get(w, "/healthz")), 503);
    w->snapshot.holding = false;
    w->snapshot.level = SNAPSHOT_BAD;
    const char *answer = world_get(w, "/healthz");
    assert_int_equal(world_status(answer), 503);
    assert_string_equal(world_body(answer), "no");
    assert_head(answer, "text/plain; charset=utf-8");
    assert_int_equal(status_refused(&w->status), 0);
}

static void the_certificate_is_given_for_upload(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_get(w, "/certificate");
    assert_int_equal(world_status(answer), 200);
    assert_head(answer, "application/x-pem-file");
    assert_string_equal(world_body(answer), w->certificate);
    assert_true(world_has(answer, "filename=\"anteroom.pem\""));
    assert_int_equal(world_status(world_get(w, "/certificate?next=1")), 404);
    w->next_certificate = "next";
    assert_string_equal(world_body(world_get(w, "/certificate?next=1")), "next");
    assert_string_equal(world_body(world_get(w, "/certificate?next=2")), w->certificate);
    w->certificate = "";
    assert_int_equal(world_status(world_get(w, "/certificate")), 404);
}

static void a_certificate_that_does_not_fit_is_500(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static char huge[RENDER_PAGE_BYTES_MAX + 2u];
    memset(huge, 'A', sizeof(huge) - 1u);
    w->certificate = huge;
    assert_int_equal(world_status(world_get(w, "/certificate")), 500);
}

static void head_is_get_without_its_body(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static const char *const paths[] = {
        "/", "/status", "/metrics", "/healthz", "/certificate", "/none", "/redirect"};
    char text[256];
    char head[4096];
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *answer = world_get(w, paths[i]);
        (void)snprintf(head, sizeof(head), "%.*s", (int)(world_body(answer) - answer), answer);
        (void)snprintf(text, sizeof(text), "HEAD %s HTTP/1.1\r\n" WORLD_HOST "\r\n", paths[i]);
        assert_string_equal(world_ask(w, text), head);
    }
}

static void http_1_0_is_answered_too(void **state)
{
    (void)state;
    struct world *w = world_begin();
    assert_int_equal(world_status(world_ask(w, "GET /healthz HTTP/1.0\r\n" WORLD_HOST "\r\n")),
                     200);
}

static void only_the_snapshots_pages_want_it(void **state)
{
    (void)state;
    struct world *w = world_begin();

    static const struct {
        const char *text;
        bool wants;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" WORLD_HOST "\r\n", true},
        {"GET /healthz HTTP/1.1\r\n" WORLD_HOST "\r\n", true},
        {"POST /action HTTP/1.1\r\n" WORLD_HOST "Content-Length: 0\r\n\r\n", true},
        {"GET /action HTTP/1.1\r\n" WORLD_HOST "\r\n", false},
        {"GET /certificate HTTP/1.1\r\n" WORLD_HOST "\r\n", false},
        {"GET /none HTTP/1.1\r\n" WORLD_HOST "\r\n", false},
        {"GET / HTTP/1.1\r\n" WORLD_HOST "\r", false},
        {"GET / HTTP/1.1\r\n\r\n", false},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        serve_fake_connect(&w->serve, 0, WORLD_LOCAL, WORLD_PEER);
        serve_fake_send(&w->serve, 0, span_from_str(cases[i].text));
        assert_int_equal(status_wants(&w->status), cases[i].wants);
        world_step(w);
        assert_false(status_wants(&w->status));
        serve_fake_leave(&w->serve, 0);
        world_step(w);
    }
}

static void an_unknown_path_is_404(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static const char *const paths[] = {"/x",
                                        "//",
                                        "/status/",
                                        "/Status",
                                        "/%73tatus",
                                        "/./status",
                                        "/../etc/passwd",
                                        "/status;a",
                                        "/?/../x=secret-canary/",
                                        "/secret-canary"};
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *answer = world_get(w, paths[i]);
        assert_int_equal(world_status(answer), paths[i][1] == '?' ? 200 : 404);
        assert_false(world_has(answer, "canary")); // nothing of a request is repeated
    }
}

static void another_method_is_405_with_those_that_are_allowed(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_ask(w, "DELETE /status HTTP/1.1\r\n" WORLD_HOST "\r\n");
    assert_int_equal(world_status(answer), 405);
    assert_true(world_has(answer, "\r\nAllow: GET, HEAD\r\n"));
    answer = world_ask(w, "POST / HTTP/1.1\r\n" WORLD_HOST "Content-Length: 1\r\n\r\na");
    assert_int_equal(world_status(answer), 405);
    answer = world_get(w, "/action");
    assert_int_equal(world_status(answer), 405);
    assert_true(world_has(answer, "\r\nAllow: POST\r\n"));
    answer = world_ask(w, "OPTIONS /nothing HTTP/1.1\r\n" WORLD_HOST "\r\n");
    assert_int_equal(world_status(answer), 404);
}

static void what_does_not_fit_is_500_and_not_half_a_page(void **state)
{
    (void)state;
    struct world *w = world_begin();
    w->page_too_big = true;
    static const char *const paths[] = {"/", "/status", "/metrics"};
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *answer = world_get(w, paths[i]);
        assert_int_equal(world_status(answer), 500);
        assert_head(answer, "text/plain; charset=utf-8");
        assert_false(world_has(answer, "collecting\""));
    }
}

static void an_answer_from_the_sign_in_is_handed_on_and_not_shown(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_get(w, "/redirect?code=secret-canary&state=abc");
    assert_int_equal(world_status(answer), 303);
    assert_true(world_has(answer, "\r\nLocation: /?done=redirect\r\n"));
    assert_false(world_has(answer, "canary"));
    assert_int_equal(w->wish.kind, STATUS_WISH_REDIRECT);
    assert_true(span_equal(w->wish.value, SPAN("?code=secret-canary&state=abc")));
    world_step(w); // and forgotten with the next step
    assert_int_equal(w->wish.kind, STATUS_WISH_NONE);
    for (size_t i = 0; i < sizeof(w->status.value); i++) {
        assert_int_equal(w->status.value[i], 0);
    }
    answer = world_get(w, "/?done=redirect");
    assert_true(world_has(answer, "notice=\"The answer of the sign-in was handed on"));
}

static void a_redirect_without_an_answer_is_no_wish(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_get(w, "/redirect");
    assert_int_equal(world_status(answer), 303);
    assert_true(world_has(answer, "\r\nLocation: /\r\n"));
    assert_int_equal(w->wish.kind, STATUS_WISH_NONE);
    answer = world_ask(w, "HEAD /redirect?code=a HTTP/1.1\r\n" WORLD_HOST "\r\n");
    assert_int_equal(world_status(answer), 303);
    assert_int_equal(w->wish.kind, STATUS_WISH_NONE);
}

static void the_longest_answer_of_a_sign_in_fits(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static char target[REQUEST_TARGET_BYTES_MAX + 1u];
    memset(target, 'a', REQUEST_TARGET_BYTES_MAX);
    memcpy(target, "/redirect?", 10);
    assert_int_equal(world_status(world_get(w, target)), 303);
    assert_int_equal(w->wish.kind, STATUS_WISH_REDIRECT);
    assert_int_equal(w->wish.value.len, REQUEST_TARGET_BYTES_MAX - 9u);
}

static void only_known_words_become_a_notice(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static const char *const words[] = {"sign_in", "device_code", "redirect", "enable", "validate"};
    char target[64];
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        (void)snprintf(target, sizeof(target), "/?done=%s", words[i]);
        const char *answer = world_get(w, target);
        assert_int_equal(world_status(answer), 200);
        assert_false(world_has(answer, "notice=\"\""));
        assert_int_equal(w->wish.kind, STATUS_WISH_NONE); // reading does nothing
    }
    static const char *const others[] = {"/?done=forget",
                                         "/?done=",
                                         "/?done=canary",
                                         "/?done=enable&done=enable",
                                         "/?done=%zz",
                                         "/?done=enable-and-something-much-longer"};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(world_has(world_get(w, others[i]), "notice=\"\" good"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_at_the_root),
        cmocka_unit_test(status_is_json_and_metrics_are_prometheus),
        cmocka_unit_test(health_is_two_bytes),
        cmocka_unit_test(the_certificate_is_given_for_upload),
        cmocka_unit_test(a_certificate_that_does_not_fit_is_500),
        cmocka_unit_test(head_is_get_without_its_body),
        cmocka_unit_test(http_1_0_is_answered_too),
        cmocka_unit_test(only_the_snapshots_pages_want_it),
        cmocka_unit_test(an_unknown_path_is_404),
        cmocka_unit_test(another_method_is_405_with_those_that_are_allowed),
        cmocka_unit_test(what_does_not_fit_is_500_and_not_half_a_page),
        cmocka_unit_test(an_answer_from_the_sign_in_is_handed_on_and_not_shown),
        cmocka_unit_test(a_redirect_without_an_answer_is_no_wish),
        cmocka_unit_test(the_longest_answer_of_a_sign_in_fits),
        cmocka_unit_test(only_known_words_become_a_notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
// The port as it is shipped: real server, real page, a client on loopback. What the page has in its
// form is what is taken.
#include <stdio.h>
#include <stdlib.h>

#include "../net/serve_world.h"
#include "snapshots.h"
#include "status/status_state.h"

#define CODE           "AB3D-EF7H"
#define HEAD_BYTES_MAX 1024u

static struct status port;
static struct config config;
static struct snapshot snapshot;
static struct status_wish wish; ///< the last one that there was
static bool present;
static char request[2u * SERVE_IN_BYTES], answer[64u * 1024u], value[256];

static struct span certificate(void *context, bool next)
{
    (void)context;
    (void)next;
    return SPAN_NONE;
}

static int begin(void **state)
{
    config = (struct config){.status_plain = true, .tenant_id = "0"};
    struct status_setup setup = {.config = &config,
                                 .serve = &server,
                                 .setup_code = SPAN(CODE),
                                 .secret = {9},
                                 .certificate = certificate};
    if (serve_setup(state) != 0) {
        return -1;
    }
    serve_start("127.0.0.1");
    status_init(&port, &setup);
    snapshots_make(SCENE_PROPAGATING, &snapshot);
    wish.kind = STATUS_WISH_NONE;
    present = false;
    return 0;
}

/// As app does it.
static void turn(void)
{
    const struct now now = {.mono = {.ms = server_ms}};
    struct status_wish wished;
    (void)serve_turn();
    const struct snapshot *snap = status_wants(&port) ? &snapshot : NULL;
    (void)status_step(&port, snap, present, now, &wished);
    if (wished.kind != STATUS_WISH_NONE) {
        wish = wished;
        (void)snprintf(value, sizeof(value), "%.*s", SPANARG(wished.value));
        wish.value = span_from_str(value);
    }
}

static int ask(const char *text)
{
    struct buf heard = BUF(answer);
    int fd = client();
    client_says(fd, text);
    bool open = true;
    for (unsigned i = 0; i < TURNS_MAX && open; i++) {
        turn();
        open = client_hears(fd, &heard);
    }
    assert_false(open);
    assert_true(buf_terminate(&heard));
    assert_memory_equal(answer, "HTTP/1.1 ", 9);
    return (int)strtol(answer + 9, NULL, 10);
}

static int get(const char *target)
{
    (void)snprintf(request,
                   sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
                   target,
                   serve_address(&server).port);
    return ask(request);
}

static int post(const char *form)
{
    unsigned number = serve_address(&server).port;
    (void)snprintf(request,
                   sizeof(request),
                   "POST /action HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nOrigin: http://127.0.0.1:%u\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: "
                   "same-origin\r\nContent-Length: %zu\r\n\r\n%s",
                   number,
                   number,
                   strlen(form),
                   form);
    return ask(request);
}

/// The value of the attribute `value` that follows this text in the answer.
static void find_value(const char *after, char *to, size_t to_bytes)
{
    const char *at = strstr(answer, after);
    assert_non_null(at);
    at = strstr(at, "value=\"");
    assert_non_null(at);
    at += strlen("value=\"");
    size_t len = strcspn(at, "\"");
    assert_true(len < to_bytes);
    memcpy(to, at, len);
    to[len] = '\0';
}

/// The form of the page that this answer holds, filled in by a person.
static const char *form_of_page(const char *what, const char *rest)
{
    static char form[512];
    char token[128];
    assert_non_null(strstr(answer, "<form method=post action=/action>"));
    find_value("name=" RENDER_FIELD_TOKEN " ", token, sizeof(token));
    (void)snprintf(form,
                   sizeof(form),
                   RENDER_FIELD_TOKEN "=%s&" RENDER_FIELD_CODE "=ab3d+ef7h%s&" RENDER_FIELD_DO
                                      "=%s",
                   token,
                   rest,
                   what);
    return form;
}

static bool offers(const char *what)
{
    char button[64];
    (void)snprintf(button, sizeof(button), "name=" RENDER_FIELD_DO " value=%s>", what);
    return strstr(answer, button) != NULL;
}

static void everything_that_can_be_read_is_read(void **state)
{
    (void)state;
    static const char *const targets[] = {"/", "/status", "/metrics", "/healthz"};
    for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        assert_int_equal(get(targets[i]), 200);
        const char *body = strstr(answer, "\r\n\r\n");
        const char *length = strstr(answer, "\r\nContent-Length: ");
        assert_true(body != NULL && length != NULL && length < body);
        assert_true((size_t)(body - answer) < HEAD_BYTES_MAX);
        assert_int_equal(strtoul(length + 18, NULL, 10), strlen(body + 4));
    }
    assert_int_equal(get("/certificate"), 404);
    assert_int_equal(status_requests(&port), 5);
}

static void every_button_of_the_page_is_taken(void **state)
{
    (void)state;

    static const struct {
        const char *what;
        enum status_wish_kind kind;
        enum snapshots_scene scene;
    } buttons[] = {
        {"sign_in", STATUS_WISH_SIGN_IN, SCENE_COLLECTING},
        {"device_code", STATUS_WISH_DEVICE_CODE, SCENE_COLLECTING},
        {"redirect", STATUS_WISH_REDIRECT, SCENE_SIGNING_IN},
        {"enable", STATUS_WISH_ENABLE, SCENE_PROPAGATING},
        {"validate", STATUS_WISH_VALIDATE, SCENE_PROPAGATING},
    };

    for (unsigned i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++) {
        snapshots_make(buttons[i].scene, &snapshot);
        assert_int_equal(get("/"), 200);
        assert_true(offers(buttons[i].what));
        bool pasted = buttons[i].kind == STATUS_WISH_REDIRECT;
        const char *rest = pasted ? "&" RENDER_FIELD_VALUE "=http%3A%2F%2Flocalhost%2F%3Fcode%3Da"
                                  : "&" RENDER_FIELD_VALUE "="; // the field is there, and empty
        assert_int_equal(post(form_of_page(buttons[i].what, rest)), 303);
        assert_int_equal(wish.kind, buttons[i].kind);
        assert_string_equal(value, pasted ? "http://localhost/?code=a" : "");
        const char *location = strstr(answer, "\r\nLocation: ");
        assert_non_null(location);
        char target[64];
        (void)snprintf(
            target, sizeof(target), "%.*s", (int)strcspn(location + 12, "\r"), location + 12);
        assert_int_equal(get(target), 200);
        assert_non_null(strstr(answer, "role=alert>"));
    }
}

static void a_refused_form_comes_back_with_its_page(void **state)
{
    (void)state;
    assert_int_equal(post("do=validate&code=" CODE), 403);
    assert_non_null(strstr(answer, "role=alert class=bad>"));
    assert_int_equal(post(form_of_page("validate", "")), 303); // the token in it is good
    assert_int_equal(wish.kind, STATUS_WISH_VALIDATE);
}

static void forgetting_is_offered_to_whoever_stands_at_the_box(void **state)
{
    (void)state;
    assert_int_equal(get("/"), 200);
    assert_false(offers("forget"));
    present = true;
    assert_int_equal(get("/"), 200);
    assert_true(offers("forget"));
    assert_int_equal(post(form_of_page("forget", "")), 200);
    assert_int_equal(wish.kind, STATUS_WISH_FORGET);
}

static void many_clients_in_a_row_are_served(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        server_ms += 10;
        assert_int_equal(get(i % 2u == 0 ? "/" : "/nothing"), i % 2u == 0 ? 200 : 404);
    }
    assert_int_equal(status_requests(&port), 60);
    assert_int_equal(status_refused(&port), 30);
    server_ms += SERVE_LINGER_MS; // for clients that have taken their answer and do not close
    turn();
    for (unsigned c = 0; c < SERVE_CONNECTIONS; c++) {
        assert_true(is_free(c));
        assert_false(port.conns[c].used);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_that_can_be_read_is_read, begin, serve_teardown),
        cmocka_unit_test_setup_teardown(every_button_of_the_page_is_taken, begin, serve_teardown),
        cmocka_unit_test_setup_teardown(
            a_refused_form_comes_back_with_its_page, begin, serve_teardown),
        cmocka_unit_test_setup_teardown(
            forgetting_is_offered_to_whoever_stands_at_the_box, begin, serve_teardown),
        cmocka_unit_test_setup_teardown(many_clients_in_a_row_are_served, begin, serve_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

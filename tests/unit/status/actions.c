// SPDX-License-Identifier: Apache-2.0
// What a person may ask for, and who is not let.
#include "world.h"

static void assert_taken(struct world *w, const char *word, enum status_wish_kind wish)
{
    char location[64];
    const char *answer = world_post(w, "", world_form(w, WORLD_CODE, word));
    assert_int_equal(world_status(answer), 303);
    (void)snprintf(location, sizeof(location), "\r\nLocation: /?done=%s\r\n", word);
    assert_true(world_has(answer, location));
    assert_int_equal(w->wish.kind, wish);
    world_step(w);
    assert_int_equal(w->wish.kind, STATUS_WISH_NONE); // once
}

static void assert_refused(struct world *w, const char *answer, int status)
{
    assert_int_equal(world_status(answer), status);
    assert_int_equal(w->wish.kind, STATUS_WISH_NONE);
}

/// Refused with the page and a notice.
static void assert_notice(struct world *w, const char *answer, int status, const char *notice)
{
    assert_refused(w, answer, status);
    assert_true(world_has(answer, notice));
    assert_true(world_has(answer, "\" bad"));
    assert_true(world_has(answer, "\r\nContent-Type: text/html"));
}

static void what_a_person_asks_for_is_wished_once(void **state)
{
    (void)state;
    struct world *w = world_begin();
    assert_taken(w, "sign_in", STATUS_WISH_SIGN_IN);
    assert_taken(w, "device_code", STATUS_WISH_DEVICE_CODE);
    assert_taken(w, "enable", STATUS_WISH_ENABLE);
    assert_taken(w, "validate", STATUS_WISH_VALIDATE);
    assert_int_equal(status_refused(&w->status), 0);
}

static void the_token_of_the_page_is_the_one_that_is_taken(void **state)
{
    (void)state;
    struct world *w = world_begin();
    char form[256];
    (void)world_get(w, "/");
    (void)snprintf(form, sizeof(form), "token=%s&do=validate&code=ab3def7h", w->token);
    assert_int_equal(world_status(world_post(w, "", form)), 303);
    assert_int_equal(w->wish.kind, STATUS_WISH_VALIDATE);
}

static void a_pasted_address_is_handed_on_decoded(void **state)
{
    (void)state;
    struct world *w = world_begin();
    char form[512];
    (void)snprintf(form,
                   sizeof(form),
                   "%s&value=http%%3A%%2F%%2Flocalhost%%2F%%3Fcode%%3Da%%2525b%%26state%%3Dc",
                   world_form(w, WORLD_CODE, "redirect"));
    const char *answer = world_post(w, "", form);
    assert_int_equal(world_status(answer), 303);
    assert_int_equal(w->wish.kind, STATUS_WISH_REDIRECT);
    assert_true(span_equal(w->wish.value, SPAN("http://localhost/?code=a%25b&state=c")));
}

static void an_address_that_is_missing_or_too_long_is_said(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static char form[REQUEST_BODY_BYTES_MAX + 1u];
    const char *answer = world_post(w, "", world_form(w, WORLD_CODE, "redirect"));
    assert_notice(w, answer, 400, "There was no address");
    (void)snprintf(form, sizeof(form), "%s&value=", world_form(w, WORLD_CODE, "redirect"));
    assert_notice(w, world_post(w, "", form), 400, "There was no address");
    memset(form + strlen(form), 'a', STATUS_VALUE_BYTES + 1u);
    assert_notice(w, world_post(w, "", form), 400, "There was no address");
    assert_int_equal(w->wish.value.len, 0);
}

static void forgetting_needs_somebody_at_the_box(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = world_post(w, "", world_form(w, WORLD_CODE, "forget"));
    assert_notice(w, answer, 403, "press the button");
    w->present = true;
    answer = world_post(w, "", world_form(w, "WRONG", "forget"));
    assert_notice(w, answer, 403, "not this box's setup code");
    assert_true(world_has(world_get(w, "/"), "can_forget"));
    answer = world_post(w, "", world_form(w, WORLD_CODE, "forget"));
    assert_int_equal(world_status(answer), 200);
    assert_true(world_has(answer, "notice=\"The box forgets"));
    assert_int_equal(w->wish.kind, STATUS_WISH_FORGET);
}

static void without_a_configuration_there_is_only_something_to_forget(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static const char *const words[] = {"sign_in", "device_code", "redirect", "enable", "validate"};
    config_none(&w->config);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *answer = world_post(w, "", world_form(w, WORLD_CODE, words[i]));
        assert_notice(w, answer, 403, "The box has no configuration");
    }
    w->present = true;
    (void)world_post(w, "", world_form(w, WORLD_CODE, "forget"));
    assert_int_equal(w->wish.kind, STATUS_WISH_FORGET);
}

// ---- who is not let -----------------------------------------------------------------------------

static void a_form_from_another_site_is_refused(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static const char *const lines[] = {
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: http://192.0.2.1:8443\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: https://192.0.2.1:8443\r\nSec-Fetch-Site: cross-site\r\n",
    };
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *answer = world_post(w, lines[i], world_form(w, WORLD_CODE, "enable"));
        assert_refused(w, answer, 403);
        assert_false(world_has(answer, "token"));
    }
    for (unsigned i = 0; i < 2u * STATUS_TRIES; i++) { // and shuts nobody else out
        assert_refused(w, world_post(w, lines[0], world_form(w, "WRONG", "enable")), 403);
    }
    const char *answer =
        world_post(w,
                   "Origin: https://192.0.2.1:8443\r\nSec-Fetch-Site: same-origin\r\n",
                   world_form(w, WORLD_CODE, "enable"));
    assert_int_equal(world_status(answer), 303);
}

static void in_the_clear_the_own_page_is_http(void **state)
{
    (void)state;
    struct world *w = world_begin();
    w->config.status_plain = true;
    const char *answer =
        world_post(w, "Origin: http://192.0.2.1:8443\r\n", world_form(w, WORLD_CODE, "enable"));
    assert_int_equal(world_status(answer), 303);
}

static void a_name_that_is_not_the_boxs_gets_nothing(void **state)
{
    (void)state;
    struct world *w = world_begin();
    static const char *const paths[] = {
        "/", "/status", "/metrics", "/healthz", "/certificate", "/redirect?code=a", "/none"};
    char text[512];
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        (void)snprintf(
            text, sizeof(text), "GET %s HTTP/1.1\r\nHost: canary.example:8443\r\n\r\n", paths[i]);
        const char *answer = world_ask(w, text);
        assert_refused(w, answer, 421);
        assert_false(world_has(answer, "canary"));
        assert_false(world_has(answer, "collecting"));
    }
    const char *form = world_form(w, WORLD_CODE, "enable");
    (void)snprintf(text,
                   sizeof(text),
                   "POST /action HTTP/1.1\r\nHost: canary.example:8443\r\nContent-Length: %zu\r\n"
                   "Origin: https://canary.example:8443\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n\r\n%s",
                   strlen(form),
                   form);
    assert_refused(w, world_ask(w, text), 421);
}

static void only_a_form_is_read(void **state)
{
    (void)state;
    struct world *w = world_begin();
    char text[512];
    const char *form = world_form(w, WORLD_CODE, "enable");
    static const char *const types[] = {"",
                                        "Content-Type: text/plain\r\n",
                                        "Content-Type: multipart/form-data; boundary=a\r\n",
                                        "Content-Type: application/json\r\n"};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        (void)snprintf(text,
                       sizeof(text),
                       "POST /action HTTP/1.1\r\n" WORLD_HOST "%sContent-Length: %zu\r\n\r\n%s",
                       types[i],
                       strlen(form),
                       form);
        assert_refused(w, world_ask(w, text), 415);
    }
    (void)snprintf(text,
                   sizeof(text),
                   "POST /action HTTP/1.1\r\n" WORLD_HOST "Content-Type: "
                   "Application/X-WWW-Form-Urlencoded;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n"
                   "%s",
                   strlen(form),
                   form);
    assert_int_equal(world_status(world_ask(w, text)), 303);
}

static void a_page_that_is_too_old_is_said(void **state)
{
    (void)state;
    struct world *w = world_begin();
    char form[256];
    (void)snprintf(form, sizeof(form), "%s", world_form(w, WORLD_CODE, "enable"));
    w->now.mono.ms += 2 * GUARD_TOKEN_MS;
    const char *answer = world_post(w, "", form);
    assert_notice(w, answer, 403, "The page was too old");
    (void)snprintf(form, sizeof(form), "token=%s&do=enable&code=" WORLD_CODE, w->token);
    assert_int_equal(world_status(world_post(w, "", form)), 303); // with the fresh one it goes
    assert_notice(w, world_post(w, "", "do=enable&code=" WORLD_CODE), 403, "The page was too old");
}

static void a_bad_form_is_400(void **state)
{
    (void)state;
    struct world *w = world_begin();
    char form[256];
    assert_refused(w, world_post(w, "", world_form(w, WORLD_CODE, "none")), 400);
    assert_refused(w, world_post(w, "", world_form(w, WORLD_CODE, "")), 400);
    assert_refused(w, world_post(w, "", world_form(w, WORLD_CODE, "enable&do=forget")), 400);
    (void)snprintf(form, sizeof(form), "%s%%00", world_form(w, WORLD_CODE, "enable"));
    assert_refused(w, world_post(w, "", form), 400);
    assert_refused(w, world_post(w, "", ""), 403); // no token
}

static void a_wrong_code_is_said_and_too_many_shut_the_door(void **state)
{
    (void)state;
    struct world *w = world_begin();
    const char *answer = NULL;
    for (unsigned i = 0; i < STATUS_TRIES; i++) {
        answer = world_post(w, "", world_form(w, "AAAA-AAAA", "enable"));
        assert_notice(w, answer, 403, "not this box's setup code");
        assert_false(world_has(answer, "AAAA"));
    }
    answer = world_post(w, "", world_form(w, WORLD_CODE, "enable"));
    assert_notice(w, answer, 429, "Too many wrong setup codes");
    assert_true(world_has(answer, "\r\nRetry-After: 60\r\n"));
    assert_int_equal(world_status(world_get(w, "/")), 200); // reading goes on
    w->now.mono.ms += STATUS_SHUT_MS;
    assert_int_equal(world_status(world_post(w, "", world_form(w, WORLD_CODE, "enable"))), 303);
}

static void nobody_shuts_the_door_to_whoever_stands_at_the_box(void **state)
{
    (void)state;
    struct world *w = world_begin();
    for (unsigned i = 0; i < STATUS_TRIES; i++) {
        (void)world_post(w, "", world_form(w, "AAAA-AAAA", "enable"));
    }
    const char *answer = world_post(w, "", world_form(w, WORLD_CODE, "validate"));
    assert_notice(w, answer, 429, "If the box has a button: press it");
    w->present = true;
    assert_taken(w, "validate", STATUS_WISH_VALIDATE);
    for (unsigned i = 0; i <= GUARD_POSTS_BURST; i++) { // nor by many forms
        answer = world_post(w, "", world_form(w, "AAAA-AAAA", "enable"));
        assert_notice(w, answer, 403, "not this box's setup code");
    }
    assert_taken(w, "validate", STATUS_WISH_VALIDATE);
    w->present = false;
    for (unsigned i = 0; i < STATUS_TRIES; i++) {
        w->now.mono.ms += GUARD_POST_MS;
        (void)world_post(w, "", world_form(w, "AAAA-AAAA", "enable"));
    }
    assert_refused(w, world_post(w, "", world_form(w, WORLD_CODE, "validate")), 429);
}

static void a_code_that_cannot_be_read_is_a_wrong_one(void **state)
{
    (void)state;
    struct world *w = world_begin();
    for (unsigned i = 0; i < STATUS_TRIES; i++) {
        const char *answer = world_post(w, "", world_form(w, "%zz", "enable"));
        assert_notice(w, answer, 403, "not this box's setup code");
    }
    assert_refused(w, world_post(w, "", world_form(w, WORLD_CODE, "enable")), 429);
}

static void no_code_is_no_try(void **state)
{
    (void)state;
    struct world *w = world_begin();
    for (unsigned i = 0; i < STATUS_TRIES; i++) {
        const char *answer = world_post(w, "", world_form(w, "", "enable"));
        assert_notice(w, answer, 403, "The setup code is missing");
    }
    assert_int_equal(world_status(world_post(w, "", world_form(w, WORLD_CODE, "enable"))), 303);
}

static void forms_come_at_a_pace(void **state)
{
    (void)state;
    struct world *w = world_begin();
    for (unsigned i = 0; i < GUARD_POSTS_BURST; i++) {
        assert_taken(w, "validate", STATUS_WISH_VALIDATE);
    }
    const char *answer = world_post(w, "", world_form(w, WORLD_CODE, "validate"));
    assert_notice(w, answer, 429, "Too many forms");
    assert_true(world_has(answer, "\r\nRetry-After: 3\r\n"));
    w->now.mono.ms += GUARD_POST_MS;
    assert_taken(w, "validate", STATUS_WISH_VALIDATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_person_asks_for_is_wished_once),
        cmocka_unit_test(the_token_of_the_page_is_the_one_that_is_taken),
        cmocka_unit_test(a_pasted_address_is_handed_on_decoded),
        cmocka_unit_test(an_address_that_is_missing_or_too_long_is_said),
        cmocka_unit_test(without_a_configuration_there_is_only_something_to_forget),
        cmocka_unit_test(forgetting_needs_somebody_at_the_box),
        cmocka_unit_test(a_form_from_another_site_is_refused),
        cmocka_unit_test(in_the_clear_the_own_page_is_http),
        cmocka_unit_test(a_name_that_is_not_the_boxs_gets_nothing),
        cmocka_unit_test(only_a_form_is_read),
        cmocka_unit_test(a_page_that_is_too_old_is_said),
        cmocka_unit_test(a_bad_form_is_400),
        cmocka_unit_test(a_wrong_code_is_said_and_too_many_shut_the_door),
        cmocka_unit_test(nobody_shuts_the_door_to_whoever_stands_at_the_box),
        cmocka_unit_test(a_code_that_cannot_be_read_is_a_wrong_one),
        cmocka_unit_test(no_code_is_no_try),
        cmocka_unit_test(forms_come_at_a_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

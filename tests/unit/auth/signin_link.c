// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A person signs in by the link: code and PKCE, then /me; and every way in which that ends early.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crypto.h"

#include "person.h"

static char link_text[CONSENT_LINK_BYTES_MAX];

static void begin(void)
{
    struct buf link = BUF(link_text);
    assert_int_equal(signin_begin_link(&person, world.now, &link), RC_OK);
    assert_true(buf_terminate(&link));
}

static struct span value_in(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    struct span rest = span_from_str(at + strlen(name));
    return span_sub(rest, 0, span_index(rest, '&'));
}

// ---- the machine ------------------------------------------------------------

static enum signin_state golden_next(unsigned state, unsigned event)
{
    static const struct {
        enum signin_state from;
        enum signin_event event;
        enum signin_state to;
    } golden[] = {
        {SIGNIN_OFF, SIGNIN_EV_TOKEN, SIGNIN_ASKING},
        {SIGNIN_OFF, SIGNIN_EV_FAILED, SIGNIN_FAILED},
        {SIGNIN_OFF, SIGNIN_EV_LOST, SIGNIN_LOST},
        {SIGNIN_OFF, SIGNIN_EV_BACK, SIGNIN_DONE},
        {SIGNIN_CODE, SIGNIN_EV_FAILED, SIGNIN_FAILED},
        {SIGNIN_CODE, SIGNIN_EV_OVER, SIGNIN_OFF},
        {SIGNIN_CODE, SIGNIN_EV_OVER_DONE, SIGNIN_DONE},
        {SIGNIN_CODE, SIGNIN_EV_OVER_LOST, SIGNIN_LOST},
        {SIGNIN_DEVICE, SIGNIN_EV_TOKEN, SIGNIN_ASKING},
        {SIGNIN_DEVICE, SIGNIN_EV_FAILED, SIGNIN_FAILED},
        {SIGNIN_ASKING, SIGNIN_EV_SHOWN, SIGNIN_DEVICE},
        {SIGNIN_ASKING, SIGNIN_EV_TOKEN, SIGNIN_ASKING},
        {SIGNIN_ASKING, SIGNIN_EV_WHO, SIGNIN_DONE},
        {SIGNIN_ASKING, SIGNIN_EV_FAILED, SIGNIN_FAILED},
        {SIGNIN_DONE, SIGNIN_EV_LOST, SIGNIN_LOST},
        {SIGNIN_FAILED, SIGNIN_EV_TOKEN, SIGNIN_ASKING},
        {SIGNIN_FAILED, SIGNIN_EV_FAILED, SIGNIN_FAILED},
        {SIGNIN_FAILED, SIGNIN_EV_LOST, SIGNIN_LOST},
        {SIGNIN_LOST, SIGNIN_EV_LOST, SIGNIN_LOST},
        {SIGNIN_LOST, SIGNIN_EV_BACK, SIGNIN_DONE},
    };

    if (state != SIGNIN_ILLEGAL && event == SIGNIN_EV_LINK) {
        return SIGNIN_CODE; // a person may begin at any time
    }
    if (state != SIGNIN_ILLEGAL && event == SIGNIN_EV_ASK) {
        return SIGNIN_ASKING;
    }
    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        if ((unsigned)golden[i].from == state && (unsigned)golden[i].event == event) {
            return golden[i].to;
        }
    }
    return SIGNIN_ILLEGAL;
}

static void the_table_is_as_it_was_meant(void **unused)
{
    (void)unused;
    for (unsigned s = 0; s <= SIGNIN_LOST; s++) {
        for (unsigned e = 0; e < SIGNIN_EVENTS; e++) {
            assert_int_equal(signin_next[s][e], golden_next(s, e));
        }
    }
}

// ---- the way through --------------------------------------------------------

static void a_new_box_knows_nobody_and_asks_nobody(void **unused)
{
    (void)unused;
    assert_int_equal(person_turns().ms, MONO_NEVER.ms);
    assert_int_equal(person_state(), SIGNIN_OFF);
    assert_int_equal(person_requests(), 0);
    assert_int_equal(signin_activity(&person).kind, ACTIVITY_IDLE);
    assert_string_equal(signin_link_state(&person), "");
    assert_int_equal(signin_link(&person).len, 0);
}

static void a_link_carries_the_hash_of_a_secret_that_only_the_exchange_tells(void **unused)
{
    (void)unused;
    char expected[SIGNIN_VERIFIER_BYTES];
    struct buf challenge = BUF(expected);
    uint8_t digest[SHA256_BYTES];
    begin();
    assert_int_equal(person_state(), SIGNIN_CODE);
    assert_true(span_equal(signin_link(&person), span_from_str(link_text)));
    assert_true(
        span_equal(value_in(link_text, "&state="), span_from_str(signin_link_state(&person))));
    struct span shown = value_in(link_text, "&code_challenge=");
    assert_null(strstr(link_text, person.verifier));
    struct consent_redirect r = {.kind = CONSENT_CODE, .code = "c0de/x"};
    signin_redirected(&person, &r, world.now);
    person_turn();
    char *body = world.http.slots[SIGNIN_SLOT].request.body;
    body[world.http.slots[SIGNIN_SLOT].request.body_bytes] = '\0';
    struct span verifier = value_in(body, "&code_verifier=");
    assert_int_equal(verifier.len, 43);
    sha256(verifier, digest);
    buf_put_base64url(&challenge, (struct span){(const char *)digest, SHA256_BYTES});
    assert_true(span_equal(shown, buf_span(&challenge)));
}

static void a_code_becomes_a_name_and_a_token_that_is_kept(void **unused)
{
    (void)unused;
    person_brings_code();
    assert_int_equal(person_state(), SIGNIN_ASKING);
    person_turn();
    assert_string_equal(person_url(), LOGIN "/token");
    assert_true(person_asked("client_id=" CLIENT "&scope=openid%20offline_access%20"
                             "https%3A%2F%2Fgraph.microsoft.com%2FUser.Read"
                             "&grant_type=authorization_code&code=c0de%2Fx"
                             "&redirect_uri=http%3A%2F%2Flocalhost&code_verifier="));
    assert_true(person_asked("&client_secret=sw0rd%2Bf%2Fi%20sh%26%3D%25"));
    assert_int_equal(signin_activity(&person).kind, ACTIVITY_BUSY);
    person_queue_tokens("acc3ss", "r3fresh");
    person_turns();
    assert_string_equal(person_url(), ME_URL);
    assert_string_equal(http_fake_header(&world.http, SIGNIN_SLOT, "authorization"),
                        "Bearer acc3ss");
    assert_false(http_fake_request(&world.http, SIGNIN_SLOT)->asked.post);
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
    assert_int_equal(signin_status(&person)->at_ms, WALL_MS);
    assert_string_equal(person_kept(SIGNIN_REFRESH_NAME), KEPT_AT "r3fresh");
    assert_string_equal(person_kept(SIGNIN_WHO_NAME), KEPT_AT "Adele Vance");
    assert_int_equal(person_requests(), 2);
    assert_int_equal(signin_activity(&person).kind, ACTIVITY_IDLE);
    assert_int_equal(world_log_count("ev=signin_done"), 1);
}

static void nothing_secret_or_personal_is_logged_or_stays_in_memory(void **unused)
{
    (void)unused;
    static const char zeros[SIGNIN_BODY_BYTES];
    static const char *const words[] = {"c0de", "acc3ss", "r3fresh", "sw0rd", "Adele", "state="};
    person_signs_in("r3fresh", "Adele Vance");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_null(strstr(world.log, words[i]));
    }
    assert_memory_equal(person.body, zeros, sizeof(person.body));
    for (size_t i = 0; i < sizeof(person.answer); i++) {
        assert_int_equal(person.answer[i], 0);
    }
    assert_memory_equal(person.code, zeros, sizeof(person.code));
    assert_memory_equal(person.bearer, zeros, sizeof(person.bearer));
    assert_memory_equal(person.verifier, zeros, sizeof(person.verifier));
    assert_memory_equal(person.link, zeros, sizeof(person.link));
    assert_memory_equal(person.link_state, zeros, sizeof(person.link_state));
}

static void each_link_is_another(void **unused)
{
    (void)unused;
    char first[CONSENT_LINK_BYTES_MAX], state[CONSENT_STATE_BYTES];
    begin();
    memcpy(first, link_text, sizeof(first));
    memcpy(state, signin_link_state(&person), sizeof(state));
    begin();
    assert_string_not_equal(first, link_text);
    assert_string_not_equal(state, signin_link_state(&person));
}

// ---- what is in the way -----------------------------------------------------

static void without_the_time_there_is_no_link(void **unused)
{
    (void)unused;
    struct buf link = BUF(link_text);
    world.now.wall.quality = CLOCK_FLOOR;
    assert_int_equal(signin_begin_link(&person, world.now, &link), RC_RETRY);
    signin_begin_device(&person, world.now);
    assert_int_equal(link.len, 0);
    assert_int_equal(person_state(), SIGNIN_OFF);
}

static void a_redirect_address_that_does_not_fit_changes_nothing(void **unused)
{
    (void)unused;
    struct buf link = BUF(link_text);
    memset(world.config.redirect_uri, '/', sizeof(world.config.redirect_uri) - 1u);
    assert_int_equal(signin_begin_link(&person, world.now, &link), RC_TOOBIG);
    assert_int_equal(link.len, 0);
    assert_int_equal(person_state(), SIGNIN_OFF);
}

static void a_link_that_nobody_used_is_forgotten(void **unused)
{
    (void)unused;
    struct consent_redirect r = {.kind = CONSENT_CODE, .code = "late"};
    begin();
    assert_int_equal(person_turns().ms, world.now.mono.ms + SIGNIN_LINK_MS);
    world_sleep(SIGNIN_LINK_MS);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_OFF);
    assert_string_equal(signin_link_state(&person), "");
    signin_redirected(&person, &r, world.now);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_OFF);
    assert_int_equal(person_requests(), 0);
}

static void who_is_known_stays_known_while_another_link_is_out_and_forgotten(void **unused)
{
    (void)unused;
    person_signs_in("r3fresh", "Adele Vance");
    begin();
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
    world_sleep(SIGNIN_LINK_MS);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
}

static void what_comes_back_without_a_link_or_with_another_s_error_is_nothing(void **unused)
{
    (void)unused;
    struct consent_redirect code = {.kind = CONSENT_CODE, .code = "c"};
    struct consent_redirect given = {.kind = CONSENT_GIVEN};
    struct consent_redirect refused = {.kind = CONSENT_REFUSED, .error = "access_denied"};
    signin_redirected(&person, &code, world.now);
    assert_int_equal(person_state(), SIGNIN_OFF);
    begin();
    signin_redirected(&person, &given, world.now);
    signin_redirected(&person, &refused, world.now); // of the admin consent
    assert_int_equal(person_state(), SIGNIN_CODE);
    person_turns();
    assert_int_equal(person_requests(), 0);
}

static void a_person_who_says_no_is_told_apart_from_a_policy(void **unused)
{
    (void)unused;

    static const struct {
        const char *error;
        int aadsts;
        enum signin_cause cause;
    } rows[] = {
        {"access_denied", 65004, SIGNIN_CAUSE_DECLINED},
        {"access_denied", 0, SIGNIN_CAUSE_DECLINED},
        {"access_denied", 53003, SIGNIN_CAUSE_BLOCKED},
        {"invalid_request", 50011, SIGNIN_CAUSE_CONFIGURATION},
        {"consent_required", 65001, SIGNIN_CAUSE_CONSENT},
        {"", 0, SIGNIN_CAUSE_CONFIGURATION},
        {"temporarily_unavailable", 0, SIGNIN_CAUSE_NETWORK},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct consent_redirect r = {
            .kind = CONSENT_REFUSED, .sign_in = true, .aadsts = rows[i].aadsts};
        snprintf(r.error, sizeof(r.error), "%s", rows[i].error);
        person_init(NULL);
        begin();
        signin_redirected(&person, &r, world.now);
        assert_int_equal(person_state(), SIGNIN_FAILED);
        assert_int_equal(person_cause(), rows[i].cause);
        assert_int_equal(signin_status(&person)->aadsts, rows[i].aadsts);
        assert_int_equal(world_log_count("ev=signin_failed"), 1);
        person_turns();
        assert_int_equal(person_requests(), 0);
    }
}

static void a_code_that_is_refused_is_not_tried_again(void **unused)
{
    (void)unused;
    person_brings_code();
    person_queue_error("invalid_grant", 54005);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_EXPIRED);
    world_sleep(DAY_MS);
    person_turns();
    assert_int_equal(person_requests(), 1);
    assert_string_equal(person_kept(SIGNIN_REFRESH_NAME), "");
}

static void a_passing_failure_is_tried_again_a_few_times(void **unused)
{
    (void)unused;
    person_brings_code();
    for (unsigned i = 1; i <= SIGNIN_TRIES_MAX; i++) {
        assert_int_equal(person_state(), SIGNIN_ASKING);
        http_fake_queue_fail(&world.http, SIGNIN_SLOT, HTTP_FAIL_CONNECT);
        person_turns();
        assert_int_equal(person_requests(), i);
        if (i < SIGNIN_TRIES_MAX) {
            assert_int_equal(signin_activity(&person).kind, ACTIVITY_WAITING);
            assert_true(person_sleep_until_next() >= 500);
        }
    }
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_NETWORK);
}

static void somebody_of_another_tenant_is_refused_and_nothing_is_kept(void **unused)
{
    (void)unused;
    person_brings_code();
    person_queue_tokens_of("0a0b0c0d-1111-2222-3333-444455556667", "r3fresh");
    person_turns();
    assert_int_equal(person_cause(), SIGNIN_CAUSE_TENANT);
    assert_int_equal(person_requests(), 1);
    assert_string_equal(person_kept(SIGNIN_REFRESH_NAME), "");
    person_brings_code();
    person_queue_tokens_of("0A0B0C0D-1111-2222-3333-444455556666", "r3fresh");
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
}

static void tokens_without_a_refresh_token_are_not_used(void **unused)
{
    (void)unused;
    person_brings_code();
    person_queue(200, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"a\"}");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_CONFIGURATION);
    assert_int_equal(person_requests(), 1);
}

static void a_public_client_is_asked_again_without_the_credential(void **unused)
{
    (void)unused;
    person_brings_code();
    person_queue_error("invalid_client", 700025);
    person_turns();
    assert_int_equal(person_requests(), 2);
    assert_false(person_asked("client_secret"));
    person_queue_error("invalid_client", 700025); // it was without: not for ever
    person_turns();
    assert_int_equal(person_cause(), SIGNIN_CAUSE_CONFIGURATION);
    assert_int_equal(person_requests(), 2);
    person_signs_in("r3fresh", "Adele Vance"); // known by now
    assert_int_equal(person_requests(), 4);
    person_brings_code();
    person_queue_error("invalid_client", 7000218); // and after all it wants one
    person_turns();
    assert_int_equal(person_requests(), 6);
    assert_true(person_asked("client_secret"));
    person_queue_error("invalid_client", 700025); // whatever it says: once each way
    person_turns();
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_requests(), 6);
}

static void without_a_credential_entra_is_asked_all_the_same(void **unused)
{
    (void)unused;
    world_put(AUTH_SECRET_NAME, SPAN("x"), RC_NOTFOUND);
    person_brings_code();
    person_turn();
    assert_int_equal(person_requests(), 1);
    assert_false(person_asked("client_secret"));
}

static void a_store_that_is_busy_for_the_credential_is_waited_for(void **unused)
{
    (void)unused;
    world_put(AUTH_SECRET_NAME, SPAN("x"), RC_RETRY);
    person_brings_code();
    person_turns();
    assert_int_equal(person_requests(), 0);
    world_put(AUTH_SECRET_NAME, SPAN("x"), RC_OK);
    assert_true(person_sleep_until_next() > 0);
    person_turn();
    assert_int_equal(person_requests(), 1);
}

// ---- /me --------------------------------------------------------------------

static void graph_that_refuses_or_fails_has_its_cause(void **unused)
{
    (void)unused;

    static const struct {
        int status;
        const char *body;
        enum signin_cause cause;
        unsigned tries;
    } rows[] = {
        {403, "{}", SIGNIN_CAUSE_CONSENT, 1},
        {401, "{}", SIGNIN_CAUSE_CONFIGURATION, 1},
        {404, "{}", SIGNIN_CAUSE_CONFIGURATION, 1},
        {500, "{}", SIGNIN_CAUSE_NETWORK, SIGNIN_TRIES_MAX},
        {200, "<html>", SIGNIN_CAUSE_NETWORK, SIGNIN_TRIES_MAX},
        {200, "{\"id\":\"1\"}", SIGNIN_CAUSE_NETWORK, SIGNIN_TRIES_MAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        person_init(NULL);
        person_brings_code();
        person_queue_tokens("acc3ss", "r3fresh");
        person_turns();
        for (unsigned t = 0; t < rows[i].tries; t++) {
            assert_int_equal(person_state(), SIGNIN_ASKING);
            person_queue(rows[i].status, rows[i].body);
            person_turns();
            world_sleep(SECOND_MS * 10);
        }
        assert_int_equal(person_state(), SIGNIN_FAILED);
        assert_int_equal(person_cause(), rows[i].cause);
        assert_int_equal(person_requests(), 1 + rows[i].tries);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, person_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_as_it_was_meant),
        TEST(a_new_box_knows_nobody_and_asks_nobody),
        TEST(a_link_carries_the_hash_of_a_secret_that_only_the_exchange_tells),
        TEST(a_code_becomes_a_name_and_a_token_that_is_kept),
        TEST(nothing_secret_or_personal_is_logged_or_stays_in_memory),
        TEST(each_link_is_another),
        TEST(without_the_time_there_is_no_link),
        TEST(a_redirect_address_that_does_not_fit_changes_nothing),
        TEST(a_link_that_nobody_used_is_forgotten),
        TEST(who_is_known_stays_known_while_another_link_is_out_and_forgotten),
        TEST(what_comes_back_without_a_link_or_with_another_s_error_is_nothing),
        TEST(a_person_who_says_no_is_told_apart_from_a_policy),
        TEST(a_code_that_is_refused_is_not_tried_again),
        TEST(a_passing_failure_is_tried_again_a_few_times),
        TEST(somebody_of_another_tenant_is_refused_and_nothing_is_kept),
        TEST(tokens_without_a_refresh_token_are_not_used),
        TEST(a_public_client_is_asked_again_without_the_credential),
        TEST(without_a_credential_entra_is_asked_all_the_same),
        TEST(a_store_that_is_busy_for_the_credential_is_waited_for),
        TEST(graph_that_refuses_or_fails_has_its_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

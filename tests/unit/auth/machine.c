// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * When the sign-in asks, what it keeps, and how it waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define MIN_MS 60000

static const struct auth_status *status(void)
{
    return auth_status(&world.auth);
}

static enum auth_state golden_next(int state, int event)
{
    static const struct {
        enum auth_state from;
        enum auth_event event;
        enum auth_state to;
    } golden[] = {
        {AUTH_WAITING, AUTH_EV_ASKED, AUTH_ASKING},
        {AUTH_WAITING, AUTH_EV_CANNOT, AUTH_WAITING},
        {AUTH_WAITING, AUTH_EV_REJECTED, AUTH_WAITING},
        {AUTH_ASKING, AUTH_EV_GOT, AUTH_FRESH},
        {AUTH_ASKING, AUTH_EV_FAILED, AUTH_WAITING},
        {AUTH_ASKING, AUTH_EV_REJECTED, AUTH_ASKING},
        {AUTH_FRESH, AUTH_EV_ASKED, AUTH_ASKING},
        {AUTH_FRESH, AUTH_EV_CANNOT, AUTH_WAITING},
        {AUTH_FRESH, AUTH_EV_REJECTED, AUTH_WAITING},
    };

    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        if ((int)golden[i].from == state && (int)golden[i].event == event) {
            return golden[i].to;
        }
    }
    return AUTH_ILLEGAL;
}

static void the_table_is_as_it_was_meant(void **unused)
{
    (void)unused;
    for (int s = 0; s < AUTH_STATES; s++) {
        for (int e = 0; e < AUTH_EVENTS; e++) {
            assert_int_equal(auth_next[s][e], golden_next(s, e));
        }
    }
}

static void a_token_is_asked_for_at_once_and_handed_out_as_a_header(void **unused)
{
    (void)unused;
    assert_int_equal(status()->cause, AUTH_CAUSE_STARTING);
    assert_false(world_has_token());
    world_answer_token("abc.def", 3600);
    struct span line = auth_bearer(&world.auth, world.now);
    assert_true(span_equal(line, SPAN("Authorization: Bearer abc.def")));
    assert_int_equal(status()->cause, AUTH_CAUSE_NONE);
    assert_int_equal(status()->tokens, 1);
    assert_int_equal(auth_generation(&world.auth), 1);
    assert_int_equal(world_requests(), 1);
}

static void the_request_is_the_form_with_everything_encoded(void **unused)
{
    (void)unused;
    world_turn();
    const struct http_fake_request *r = http_fake_request(&world.http, SLOT);
    assert_string_equal(r->url, "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0/token");
    assert_true(r->asked.post);
    assert_int_equal(r->asked.trust, HTTP_TRUST_ROOTS);
    assert_int_equal(r->asked.total_ms, 60000);
    assert_int_equal(r->asked.body_bytes_max, AUTH_ANSWER_BYTES_MAX);
    assert_string_equal(http_fake_header(&world.http, SLOT, "content-type"),
                        "application/x-www-form-urlencoded");
    static const char body[] = "grant_type=client_credentials&client_id=" CLIENT
                               "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_secret="
                               "sw0rd%2Bf%2Fi%20sh%26%3D%25";
    assert_int_equal(r->body_bytes, sizeof(body) - 1u);
    assert_memory_equal(r->body, body, sizeof(body) - 1u);
}

static void an_answer_in_pieces_is_put_together(void **unused)
{
    (void)unused;
    static const char body[] =
        "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"in.pieces\"}";
    struct http_fake_answer answer = {.status = 200, .body = SPAN_NONE, .piece_bytes = 7};
    answer.body = span_from_str(body);
    http_fake_queue(&world.http, SLOT, &answer);
    for (unsigned i = 0; i < sizeof(body) / 7u + 3u; i++) {
        world_turn();
    }
    assert_true(
        span_equal(auth_bearer(&world.auth, world.now), SPAN("Authorization: Bearer in.pieces")));
}

static void secrets_are_wiped_when_they_have_served(void **unused)
{
    (void)unused;
    static const char zeros[AUTH_ANSWER_BYTES_MAX];
    world_answer_token("abc.def", 3600);
    assert_memory_equal(world.auth.body, zeros, sizeof(world.auth.body));
    assert_memory_equal(world.auth.answer, zeros, sizeof(world.auth.answer));
    auth_reject(&world.auth, 1, world.now);
    assert_memory_equal(world.auth.bearer, zeros, sizeof(world.auth.bearer));
}

static void a_token_is_renewed_between_seven_and_eight_tenths_of_its_life(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 3; i++) {
        world_init(NULL);
        world.random = i == 0 ? 0 : i == 1 ? 359999 : 123456;
        world_answer_token("t", 3600);
        int64_t until = world_sleep_until_next();
        assert_int_equal(until, 3600 * 800 - (int64_t)world.random);
        assert_true(until > 3600 * 700 && until <= 3600 * 800);
        world_turn();
        assert_int_equal(world_requests(), 2);
    }
}

static void the_old_token_serves_while_the_new_one_is_fetched(void **unused)
{
    (void)unused;
    world_answer_token("old", 3600);
    world_sleep_until_next();
    world_turn();
    assert_int_equal(world.auth.state, AUTH_ASKING);
    assert_true(span_equal(auth_bearer(&world.auth, world.now), SPAN("Authorization: Bearer old")));
    world_answer_token("new", 3600);
    assert_true(span_equal(auth_bearer(&world.auth, world.now), SPAN("Authorization: Bearer new")));
    assert_int_equal(auth_generation(&world.auth), 2);
}

static void a_failing_renewal_keeps_the_old_token_until_it_expires(void **unused)
{
    (void)unused;
    world_answer_token("old", 3600);
    world_sleep_until_next();
    world_answer_error(500, "server_error", 90033);
    assert_true(world_has_token());
    assert_int_equal(status()->cause, AUTH_CAUSE_NONE);
    assert_int_equal(status()->failures, 1);
    world.now.mono.ms = START_MS + 3600 * 1000 - 30001;
    assert_true(world_has_token());
    world_sleep(2);
    assert_false(world_has_token());
    world_turn();
    assert_int_equal(world.auth.bearer_len, 0);
    assert_int_equal(status()->cause, AUTH_CAUSE_SERVICE);
}

static void a_token_of_a_short_life_is_used_and_renewed_too(void **unused)
{
    (void)unused;
    world_answer_token("t", 1);
    assert_true(world_has_token());
    assert_int_equal(world_sleep_until_next(), 1000); // never a flood, however short it lives
    assert_false(world_has_token());
    world_answer_token("u", 10);
    assert_int_equal(world_sleep_until_next(), 8000);
    assert_true(world_has_token());
}

static void the_step_says_when_the_token_ends_or_is_renewed(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    assert_int_equal(world_turn().ms, START_MS + 3600 * 800);
    assert_int_equal(status()->next_attempt.ms, START_MS + 3600 * 800);
}

static void passing_failures_are_retried_quickly_and_ever_slower(void **unused)
{
    (void)unused;
    int64_t cap = 300000, high = 1000;
    for (unsigned i = 1; i <= 20; i++) {
        world.random = i % 2 == 0 ? UINT64_MAX : 0;
        world_answer_error(503, "temporarily_unavailable", 90033);
        assert_int_equal(status()->failures, i);
        int64_t wait = world_sleep_until_next();
        assert_true(wait >= 500 && wait <= high);
        high = high * 2 < cap ? high * 2 : cap;
    }
    assert_int_equal(world_requests(), 20);
    world_answer_token("t", 3600); // no failure is terminal
    assert_true(world_has_token());
    assert_int_equal(status()->failures, 0);
    assert_int_equal(status()->aadsts, 0);
    assert_string_equal(status()->trace_id, "");
}

static void what_needs_a_person_is_tried_every_15_to_60_minutes(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 6; i++) {
        world.random = i % 2 == 0 ? 0 : (uint64_t)INT64_MAX;
        world_answer_error(401, "invalid_client", 7000215);
        assert_int_equal(status()->cause, AUTH_CAUSE_SECRET_WRONG);
        int64_t wait = world_sleep_until_next();
        assert_true(wait >= 15 * MIN_MS && wait <= 60 * MIN_MS);
    }
    assert_int_equal(world_requests(), 6);
}

static void what_somebody_put_right_is_tried_soon_however_often_it_is_asked_for(void **unused)
{
    (void)unused;
    world_answer_error(401, "invalid_client", 7000215);
    for (unsigned i = 0; i < 20; i++) {
        auth_renew(&world.auth, world.now);
        world_turn();
    }
    assert_int_equal(world_requests(), 1);
    assert_int_equal(world_sleep_until_next(), AUTH_RENEW_MS_MIN);
    world_answer_token("t", 3600);
    world_sleep(60000);
    auth_renew(&world.auth, world.now);
    assert_true(world_has_token()); // the one in use stays so
    world_turn();
    assert_int_equal(world_requests(), 3);
    auth_renew(&world.auth, world.now);
    world_answer_token("u", 3600);
    assert_int_equal(auth_generation(&world.auth), 2);
    assert_int_equal(world_requests(), 3);
}

static void nobody_who_is_impatient_makes_it_ask_before_the_time_that_entra_told(void **unused)
{
    (void)unused;
    struct http_fake_answer busy = {.status = 429, .retry_after_ms = 30 * MIN_MS};
    world_answer_full(&busy);
    for (unsigned i = 0; i < 30; i++, world_sleep(MIN_MS)) {
        auth_renew(&world.auth, world.now);
        world_turn();
    }
    assert_int_equal(world_requests(), 1);
}

static void the_paces_follow_the_configuration(void **unused)
{
    (void)unused;
    world.config.call_records.retry_base_ms = 10;
    world.config.call_records.retry_cap_ms = 20;
    world_answer_error(500, "server_error", 0);
    assert_true(world_sleep_until_next() <= 10);
    world_answer_error(400, "invalid_scope", 70011);
    int64_t wait = world_sleep_until_next();
    assert_true(wait >= 60 && wait <= 240);
}

static void retry_after_is_obeyed_with_a_little_more(void **unused)
{
    (void)unused;
    struct http_fake_answer answer = {.status = 429, .body = SPAN_NONE, .retry_after_ms = 42000};
    world.random = UINT64_MAX;
    world_answer_full(&answer);
    assert_int_equal(status()->cause, AUTH_CAUSE_THROTTLED);
    int64_t wait = world_sleep_until_next();
    assert_true(wait >= 42000);
}

static void throttling_without_a_time_waits_long(void **unused)
{
    (void)unused;
    world_answer_error(400, "invalid_grant", 50196);
    assert_int_equal(status()->cause, AUTH_CAUSE_THROTTLED);
    int64_t wait = world_sleep_until_next();
    assert_true(wait >= 150000 && wait <= 300000);
}

static void every_failure_of_the_network_has_its_cause(void **unused)
{
    (void)unused;

    static const struct {
        enum http_fail fail;
        enum auth_cause cause;
    } rows[] = {
        {HTTP_FAIL_RESOLVE, AUTH_CAUSE_NETWORK},
        {HTTP_FAIL_CONNECT, AUTH_CAUSE_NETWORK},
        {HTTP_FAIL_TRUST, AUTH_CAUSE_TRUST},
        {HTTP_FAIL_TLS, AUTH_CAUSE_NETWORK},
        {HTTP_FAIL_TIMEOUT, AUTH_CAUSE_NETWORK},
        {HTTP_FAIL_CUT, AUTH_CAUSE_NETWORK},
        {HTTP_FAIL_TOOBIG, AUTH_CAUSE_NONSENSE},
        {HTTP_FAIL_ENCODING, AUTH_CAUSE_NONSENSE},
        {HTTP_FAIL_MEMORY, AUTH_CAUSE_NETWORK},
        {HTTP_FAIL_REFUSED, AUTH_CAUSE_CONFIGURATION},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_init(NULL);
        struct http_fake_answer answer = {.fail = rows[i].fail};
        world_answer_full(&answer);
        assert_int_equal(status()->cause, rows[i].cause);
        assert_int_equal(world.auth.state, AUTH_WAITING);
        assert_int_equal(http_state(http_fake_handle(), SLOT), HTTP_FREE);
    }
}

static void answers_that_are_no_token_answers_are_nonsense(void **unused)
{
    (void)unused;
    static const char *const bodies[] = {
        "", "<html>Please log in</html>", "{}", "[1,2", "{\"access_token\":\"a\"}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        world_answer(200, bodies[i]);
        assert_int_equal(status()->cause, AUTH_CAUSE_NONSENSE);
        world_sleep_until_next();
    }
    world_answer(302, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"x\"}");
    assert_false(world_has_token());
}

static void an_answer_without_end_is_nonsense_and_bounded(void **unused)
{
    (void)unused;
    static char big[AUTH_ANSWER_BYTES_MAX + 1000u];
    memset(big, ' ', sizeof(big));
    struct http_fake_answer answer = {
        .status = 200, .body = {big, sizeof(big)}, .piece_bytes = 16384};
    http_fake_queue(&world.http, SLOT, &answer);
    for (unsigned i = 0; i < 10; i++) {
        world_turn();
    }
    assert_int_equal(status()->cause, AUTH_CAUSE_NONSENSE);
}

static void a_full_pool_says_nothing_about_the_sign_in(void **unused)
{
    (void)unused;
    world.http.start_retries = 1;
    world_turn();
    assert_int_equal(status()->cause, AUTH_CAUSE_STARTING);
    assert_int_equal(status()->failures, 0);
    assert_true(world_sleep_until_next() >= 1000);
    world_answer_token("t", 3600);
    assert_true(world_has_token());
}

static void nothing_is_asked_before_the_time_is_trusted(void **unused)
{
    (void)unused;
    world.now.wall.quality = CLOCK_FLOOR;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(world_turn().ms, MONO_NEVER.ms); // the time wakes it
        assert_int_equal(status()->cause, AUTH_CAUSE_CLOCK);
        assert_int_equal(auth_activity(&world.auth).kind, ACTIVITY_IDLE); // not late, however long
        world_sleep(60000);
    }
    assert_int_equal(world_requests(), 0);
    assert_int_equal(world_log_count("ev="), 0); // the box says once why it has no time
    world.now.wall.quality = CLOCK_TRUSTED;
    world_answer_token("t", 3600);
    assert_true(world_has_token());
    world.now.wall.quality =
        CLOCK_FLOOR; // the time service went away: our clock has not become wrong by that
    world_sleep_until_next();
    world_answer_token("u", 3600);
    assert_int_equal(status()->tokens, 2);
}

static void a_missing_secret_is_looked_for_again(void **unused)
{
    (void)unused;
    world_put(AUTH_SECRET_NAME, SPAN("x"), RC_NOTFOUND);
    world_turn();
    assert_int_equal(status()->cause, AUTH_CAUSE_NO_CREDENTIAL);
    assert_int_equal(world_requests(), 0);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(world_sleep_until_next() <= 15000);
        world_turn();
    }
    world_put(AUTH_SECRET_NAME, SPAN(SECRET), RC_CORRUPT);
    world_turn();
    assert_int_equal(status()->cause, AUTH_CAUSE_NO_CREDENTIAL);
    world_put(AUTH_SECRET_NAME, SPAN(SECRET), RC_OK);
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_true(world_has_token());
}

// ---- refused by Graph -------------------------------------------------------

static void a_refused_token_is_replaced_at_once_the_first_time(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    auth_reject(&world.auth, 1, world.now);
    assert_false(world_has_token());
    assert_int_equal(status()->cause, AUTH_CAUSE_STARTING);
    assert_int_equal(world_sleep_until_next(), 0);
    world_answer_token("u", 3600);
    assert_true(world_has_token());
    assert_int_equal(auth_generation(&world.auth), 2);
}

static void refusals_one_after_another_never_make_a_flood(void **unused)
{
    (void)unused;
    int64_t start = world.now.mono.ms;
    world.random = 7919;
    for (unsigned i = 1; world.now.mono.ms - start < 3600 * 1000; i++) {
        world_answer_token("t", 3600);
        assert_int_equal(auth_generation(&world.auth), i);
        auth_reject(&world.auth, i, world.now);
        int64_t wait = world_sleep_until_next();
        assert_true((i == 1) == (wait == 0));
    }
    assert_true(world_requests() <
                1500); // bounded by the base here: this randomness always gives the shortest wait
    world_init(NULL);
    start = world.now.mono.ms;
    world.random = (uint64_t)INT64_MAX - 12345;
    for (unsigned i = 1; world.now.mono.ms - start < 3600 * 1000; i++) {
        world_answer_token("t", 3600);
        auth_reject(&world.auth, i, world.now);
        world_sleep_until_next();
    }
    assert_true(world_requests() < 200);
}

static void a_refusal_a_life_later_is_a_first_one_again(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    auth_reject(&world.auth, 1, world.now);
    world_answer_token("u", 3600);
    world_sleep(3600 * 1000 + 1);
    world_answer_token("v", 3600);
    auth_reject(&world.auth, 3, world.now);
    assert_int_equal(world_sleep_until_next(), 0);
}

static void a_refusal_of_an_older_token_changes_nothing(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    auth_reject(&world.auth, 1, world.now);
    auth_reject(&world.auth, 1, world.now); // the same token, from another lane
    world_answer_token("u", 3600);
    auth_reject(&world.auth, 1, world.now);
    assert_true(world_has_token());
    assert_int_equal(world_requests(), 2);
}

static void a_refusal_while_a_renewal_is_running_waits_for_it(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    world_sleep_until_next();
    world_turn();
    auth_reject(&world.auth, 1, world.now);
    assert_false(world_has_token());
    assert_int_equal(world.auth.state, AUTH_ASKING);
    world_answer_token("u", 3600);
    assert_true(world_has_token());
    assert_int_equal(world_requests(), 2);
}

// ---- what people see --------------------------------------------------------

static void an_episode_of_failures_is_one_warning_and_one_recovery(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    assert_int_equal(world_log_count("ev=auth_token_good"), 1);
    world_sleep_until_next();
    for (unsigned i = 0; i < 5; i++) {
        world_answer_error(503, "temporarily_unavailable", 90033);
        world_sleep_until_next();
    }
    assert_int_equal(
        world_log_count("2 ev=auth_failed code=A06 cause=service aadsts=90033 status=503 "
                        "trace_id=0f0e0d0c-0000-1111-2222-333344445555 failures=1 "),
        1);
    assert_int_equal(world_log_count("ev=auth_failed"), 1);
    world_answer_error(401, "invalid_client", 7000222); // something else: worth a line
    assert_int_equal(world_log_count("ev=auth_failed"), 2);
    world_sleep_until_next();
    world_answer_token("u", 3600);
    assert_int_equal(world_log_count("3 ev=auth_token_good expires_s=3600 failures=6"), 1);
    world_sleep_until_next();
    world_answer_token("v", 3600); // healthy renewals are silent
    assert_int_equal(world_log_count("ev=auth_token_good"), 2);
}

static void the_status_tells_number_and_trace_of_entra(void **unused)
{
    (void)unused;
    world_answer_error(400, "unauthorized_client", 700016);
    assert_int_equal(status()->cause, AUTH_CAUSE_APP_UNKNOWN);
    assert_int_equal(status()->aadsts, 700016);
    assert_string_equal(status()->trace_id, "0f0e0d0c-0000-1111-2222-333344445555");
}

static void no_secret_gets_into_a_log_line(void **unused)
{
    (void)unused;
    world_answer_token("T0PSECRETTOKEN", 3600);
    auth_reject(&world.auth, 1, world.now);
    world_answer(200,
                 "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"T0PSECRETTOKEN "
                 "with blank\"}");
    world_sleep_until_next();
    world_answer_error(401, "invalid_client", 7000215);
    assert_true(world.log_len > 100);
    assert_null(strstr(world.log, "T0PSECRET"));
    assert_null(strstr(world.log, "sw0rd"));
    assert_null(strstr(world.log, "Bearer"));
}

static void what_it_says_of_itself_is_busy_while_asking_and_waiting_otherwise(void **unused)
{
    (void)unused;
    struct mono next = world_turn();
    struct activity asking = auth_activity(&world.auth);
    assert_int_equal(asking.kind, ACTIVITY_BUSY);
    world_answer_error(500, "server_error", 0);
    struct activity waiting = auth_activity(&world.auth);
    assert_int_equal(waiting.kind, ACTIVITY_WAITING);
    assert_int_equal(waiting.until.ms, status()->next_attempt.ms);
    assert_true(waiting.until.ms > world.now.mono.ms);
    assert_int_equal(waiting.failures, 1);
    (void)world_sleep_until_next();
    (void)world_turn();
    assert_int_not_equal(auth_activity(&world.auth).progress, asking.progress);
    world_answer_token("abc", 3600);
    next = world_turn();
    struct activity fresh = auth_activity(&world.auth);
    assert_int_equal(fresh.kind, ACTIVITY_WAITING);
    assert_int_equal(fresh.until.ms, next.ms);
    assert_int_equal(fresh.failures, 0);
}

static void one_that_is_built_anew_when_the_time_is_known_owes_a_request(void **unused)
{
    (void)unused;
    const struct auth_setup setup = {.config = &world.config,
                                     .http = http_fake_handle(),
                                     .slot = SLOT,
                                     .store = &world.store,
                                     .time_trusted = true};
    auth_init(&world.auth, &setup);
    assert_int_equal(auth_activity(&world.auth).kind, ACTIVITY_WAITING);
    assert_true(mono_due(auth_activity(&world.auth).until, world.now.mono));
}

#define TEST(f) cmocka_unit_test_setup(f, world_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_as_it_was_meant),
        TEST(a_token_is_asked_for_at_once_and_handed_out_as_a_header),
        TEST(the_request_is_the_form_with_everything_encoded),
        TEST(an_answer_in_pieces_is_put_together),
        TEST(secrets_are_wiped_when_they_have_served),
        TEST(a_token_is_renewed_between_seven_and_eight_tenths_of_its_life),
        TEST(the_old_token_serves_while_the_new_one_is_fetched),
        TEST(a_failing_renewal_keeps_the_old_token_until_it_expires),
        TEST(a_token_of_a_short_life_is_used_and_renewed_too),
        TEST(the_step_says_when_the_token_ends_or_is_renewed),
        TEST(passing_failures_are_retried_quickly_and_ever_slower),
        TEST(what_needs_a_person_is_tried_every_15_to_60_minutes),
        TEST(what_somebody_put_right_is_tried_soon_however_often_it_is_asked_for),
        TEST(nobody_who_is_impatient_makes_it_ask_before_the_time_that_entra_told),
        TEST(the_paces_follow_the_configuration),
        TEST(retry_after_is_obeyed_with_a_little_more),
        TEST(throttling_without_a_time_waits_long),
        TEST(every_failure_of_the_network_has_its_cause),
        TEST(answers_that_are_no_token_answers_are_nonsense),
        TEST(an_answer_without_end_is_nonsense_and_bounded),
        TEST(a_full_pool_says_nothing_about_the_sign_in),
        TEST(nothing_is_asked_before_the_time_is_trusted),
        TEST(a_missing_secret_is_looked_for_again),
        TEST(a_refused_token_is_replaced_at_once_the_first_time),
        TEST(refusals_one_after_another_never_make_a_flood),
        TEST(a_refusal_a_life_later_is_a_first_one_again),
        TEST(a_refusal_of_an_older_token_changes_nothing),
        TEST(a_refusal_while_a_renewal_is_running_waits_for_it),
        TEST(an_episode_of_failures_is_one_warning_and_one_recovery),
        TEST(the_status_tells_number_and_trace_of_entra),
        TEST(no_secret_gets_into_a_log_line),
        TEST(what_it_says_of_itself_is_busy_while_asking_and_waiting_otherwise),
        TEST(one_that_is_built_anew_when_the_time_is_known_owes_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

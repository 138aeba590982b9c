// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A person signs in by device code: what is shown, how it is polled, and how it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "person.h"

#define DEVICE                                                                                     \
    "{\"device_code\":\"d3vice\",\"user_code\":\"C7RKQ2WHN\","                                     \
    "\"verification_uri\":\"https://microsoft.com/devicelogin\",\"expires_in\":900,"               \
    "\"interval\":5,\"message\":\"To sign in ...\"}"
#define LONG_CODE   "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"" ///< a character too many
#define INTERVAL_MS 5000

static void show(void)
{
    signin_begin_device(&person, world.now);
    person_queue(200, DEVICE);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DEVICE);
}

/// The next poll is answered with this error. @return how long it was waited for
static int64_t poll_error(const char *error, int aadsts)
{
    unsigned before = person_requests();
    int64_t waited = person_sleep_until_next();
    person_queue_error(error, aadsts);
    person_turns();
    assert_int_equal(person_requests(), before + 1);
    return waited;
}

static void a_device_code_is_asked_for_and_shown(void **unused)
{
    (void)unused;
    signin_begin_device(&person, world.now);
    assert_int_equal(person_state(), SIGNIN_ASKING);
    person_turn();
    assert_string_equal(person_url(), LOGIN "/devicecode");
    static const char body[] = "client_id=" CLIENT "&scope=openid%20offline_access%20"
                               "https%3A%2F%2Fgraph.microsoft.com%2FUser.Read";
    assert_int_equal(http_fake_request(&world.http, SIGNIN_SLOT)->body_bytes, sizeof(body) - 1u);
    assert_true(person_asked(body));
    person_queue(200, DEVICE);
    assert_int_equal(person_turns().ms, world.now.mono.ms + INTERVAL_MS);
    assert_int_equal(person_state(), SIGNIN_DEVICE);
    assert_string_equal(signin_status(&person)->user_code, "C7RKQ2WHN");
    assert_string_equal(signin_status(&person)->verify_at, "https://microsoft.com/devicelogin");
    assert_int_equal(signin_status(&person)->until.ms, world.now.mono.ms + 900000);
    assert_null(strstr(world.log, "C7RKQ2WHN"));
    assert_null(strstr(world.log, "d3vice"));
}

static void it_is_polled_at_its_pace_until_somebody_signs_in(void **unused)
{
    (void)unused;
    show();
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(poll_error("authorization_pending", 70016), INTERVAL_MS);
        assert_string_equal(person_url(), LOGIN "/token");
        assert_true(person_asked("&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
                                 "device_code&device_code=d3vice&client_secret="));
        assert_int_equal(person_state(), SIGNIN_DEVICE);
    }
    person_sleep_until_next();
    person_queue_tokens("acc3ss", "r3fresh");
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_string_equal(signin_status(&person)->user_code, "");
    assert_string_equal(signin_status(&person)->verify_at, "");
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
}

static void slow_down_makes_it_slower_for_good(void **unused)
{
    (void)unused;
    show();
    poll_error("slow_down", 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(poll_error("authorization_pending", 70016), INTERVAL_MS + 5000);
    }
    poll_error("slow_down", 0);
    assert_int_equal(poll_error("authorization_pending", 70016), INTERVAL_MS + 10000);
}

static void a_poll_without_an_answer_is_tried_again_ever_slower(void **unused)
{
    (void)unused;
    show();
    world.random = UINT64_MAX / 2;
    int64_t last = INTERVAL_MS;
    for (unsigned i = 0; i < 6; i++) {
        last = person_sleep_until_next();
        assert_true(last >= INTERVAL_MS);
        http_fake_queue_fail(&world.http, SIGNIN_SLOT, HTTP_FAIL_TIMEOUT);
        person_turns();
        assert_int_equal(person_state(), SIGNIN_DEVICE);
    }
    assert_true(last > INTERVAL_MS);
    poll_error("authorization_pending", 70016);
    assert_int_equal(person_state(), SIGNIN_DEVICE);
}

static void every_end_has_its_cause_and_is_the_end(void **unused)
{
    (void)unused;

    static const struct {
        const char *error;
        int aadsts;
        enum signin_cause cause;
    } rows[] = {
        {"authorization_declined", 0, SIGNIN_CAUSE_DECLINED},
        {"access_denied", 0, SIGNIN_CAUSE_DECLINED},
        {"expired_token", 70019, SIGNIN_CAUSE_EXPIRED},
        {"bad_verification_code", 70018, SIGNIN_CAUSE_EXPIRED},
        {"invalid_grant", 53003, SIGNIN_CAUSE_BLOCKED},
        {"access_denied", 530032, SIGNIN_CAUSE_BLOCKED},
        {"invalid_grant", 50199, SIGNIN_CAUSE_BLOCKED},
        {"interaction_required", 50076, SIGNIN_CAUSE_MFA},
        {"invalid_grant", 65001, SIGNIN_CAUSE_CONSENT},
        {"invalid_client", 7000218, SIGNIN_CAUSE_CONFIGURATION},
        {"unauthorized_client", 700016, SIGNIN_CAUSE_CONFIGURATION},
        {"something_new", 0, SIGNIN_CAUSE_CONFIGURATION},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        person_init(NULL);
        show();
        poll_error(rows[i].error, rows[i].aadsts);
        assert_int_equal(person_state(), SIGNIN_FAILED);
        assert_int_equal(person_cause(), rows[i].cause);
        assert_string_equal(signin_status(&person)->user_code, "");
        world_sleep(DAY_MS);
        person_turns();
        assert_int_equal(person_requests(), 2);
        assert_int_equal(world_log_count("ev=signin_failed"), 1);
    }
}

static void a_code_that_is_blocked_from_the_start_is_not_asked_for_again(void **unused)
{
    (void)unused;
    signin_begin_device(&person, world.now);
    person_queue_error("access_denied", 53003);
    person_turns();
    assert_int_equal(person_cause(), SIGNIN_CAUSE_BLOCKED);
    world_sleep(DAY_MS);
    person_turns();
    assert_int_equal(person_requests(), 1);
}

static void a_code_that_nobody_enters_expires_by_our_clock_too(void **unused)
{
    (void)unused;
    show();
    world_sleep(900000 - 1);
    person_queue_error("authorization_pending", 70016);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DEVICE);
    world_sleep(1);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_EXPIRED);
}

static void a_code_that_was_used_does_not_expire_while_graph_is_waited_for(void **unused)
{
    (void)unused;
    struct http_fake_answer busy = {.status = 429, .retry_after_ms = 3600000};
    show();
    person_sleep_until_next();
    person_queue_tokens("acc3ss", "r3fresh");
    http_fake_queue(&world.http, SIGNIN_SLOT, &busy);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_ASKING);
    world_sleep(900000); // the code's time is over
    person_turns();
    assert_int_equal(person_state(), SIGNIN_ASKING);
    person_sleep_until_next();
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
}

static void somebody_impatient_gets_one_attempt_in_10_seconds(void **unused)
{
    (void)unused;
    show();
    for (unsigned i = 0; i < 20; i++) {
        signin_begin_device(&person, world.now);
    }
    assert_int_equal(person_state(), SIGNIN_DEVICE);
    world_sleep(SIGNIN_DEVICE_AGAIN_MS);
    signin_begin_device(&person, world.now);
    assert_int_equal(person_state(), SIGNIN_ASKING);
}

static void a_link_takes_the_place_of_a_device_code_and_of_its_running_request(void **unused)
{
    (void)unused;
    show();
    person_sleep_until_next();
    person_turn();
    assert_int_equal(signin_activity(&person).kind, ACTIVITY_BUSY);
    person_brings_code();
    person_queue_tokens("acc3ss", "r3fresh");
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_int_equal(person_requests(), 4);
}

static void what_a_person_may_not_be_shown_is_no_device_code(void **unused)
{
    (void)unused;
    static const char *const bodies[] = {
        "{}",
        "<html>",
        "[]",
        "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"http://x\"}",
        "{\"device_code\":\"d\",\"user_code\":\"<b>\",\"verification_uri\":\"https://x\"}",
        "{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":\"https://x y\"}",
        "{\"device_code\":\"d\",\"user_code\":\"\",\"verification_uri\":\"https://x\"}",
        "{\"device_code\":\"\",\"user_code\":\"A\",\"verification_uri\":\"https://x\"}",
        "{\"device_code\":\"d\",\"verification_uri\":\"https://x\",\"user_code\":" LONG_CODE "}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        person_init(NULL);
        signin_begin_device(&person, world.now);
        for (unsigned t = 0; t < SIGNIN_TRIES_MAX; t++) {
            assert_int_equal(person_state(), SIGNIN_ASKING);
            person_queue(200, bodies[i]);
            person_turns();
            world_sleep(10000);
        }
        assert_int_equal(person_state(), SIGNIN_FAILED);
        assert_int_equal(person_cause(), SIGNIN_CAUSE_NETWORK);
        assert_string_equal(signin_status(&person)->user_code, "");
    }
}

static void without_a_pace_of_its_own_it_is_5_seconds_and_no_pace_is_endless(void **unused)
{
    (void)unused;

    static const struct {
        const char *times;
        int64_t interval_ms, expires_ms;
    } rows[] = {
        {"", 5000, 900000},
        {",\"interval\":0,\"expires_in\":-1", 5000, 900000},
        {",\"interval\":7,\"expires_in\":60", 7000, 60000},
        {",\"interval\":100000,\"expires_in\":100000", 300000, 3600000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[512];
        person_init(NULL);
        snprintf(body,
                 sizeof(body),
                 "{\"device_code\":\"d\",\"user_code\":\"A-1\",\"verification_uri\":\"https://x\""
                 "%s}",
                 rows[i].times);
        signin_begin_device(&person, world.now);
        person_queue(200, body);
        assert_int_equal(person_turns().ms, world.now.mono.ms + rows[i].interval_ms);
        assert_int_equal(signin_status(&person)->until.ms, world.now.mono.ms + rows[i].expires_ms);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, person_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_code_is_asked_for_and_shown),
        TEST(it_is_polled_at_its_pace_until_somebody_signs_in),
        TEST(slow_down_makes_it_slower_for_good),
        TEST(a_poll_without_an_answer_is_tried_again_ever_slower),
        TEST(every_end_has_its_cause_and_is_the_end),
        TEST(a_code_that_is_blocked_from_the_start_is_not_asked_for_again),
        TEST(a_code_that_nobody_enters_expires_by_our_clock_too),
        TEST(a_code_that_was_used_does_not_expire_while_graph_is_waited_for),
        TEST(somebody_impatient_gets_one_attempt_in_10_seconds),
        TEST(a_link_takes_the_place_of_a_device_code_and_of_its_running_request),
        TEST(what_a_person_may_not_be_shown_is_no_device_code),
        TEST(without_a_pace_of_its_own_it_is_5_seconds_and_no_pace_is_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

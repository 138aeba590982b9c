// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What is asked of Graph for each permission, what its answers mean, and when it is asked again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/validate_state.h"
#include "world.h"

#define VALIDATE_SLOT 5u
#define GRAPH         "https://graph.microsoft.com"
#define MIN_MS        60000
#define ALL           7u ///< the three application permissions

static struct validate validate;
static struct validate_facts facts;
static struct validate_token token;
static unsigned stale;   ///< how often a newer token was asked for
static unsigned refused; ///< how often a token was told to be of no use

static int init(void **unused)
{
    world_init(unused);
    world.config.permissions = ALL;
    memset(&facts, 0, sizeof(facts));
    stale = 0;
    refused = 0;
    token = (struct validate_token){.authorization = SPAN("Authorization: Bearer t"),
                                    .generation = 1,
                                    .roles = ALL,
                                    .readable = true};
    validate_init(&validate,
                  &(struct validate_setup){
                      .config = &world.config, .http = http_fake_handle(), .slot = VALIDATE_SLOT});
    return 0;
}

static struct mono turn(void)
{
    struct mono again = validate_step(&validate, token, world.now, &facts);
    stale += facts.token_stale;
    refused += facts.token_refused;
    (void)http_step(http_fake_handle(), world.now);
    return again;
}

/// Turns until nothing more happens at this moment.
static struct mono turns(void)
{
    struct mono again = turn();
    for (unsigned i = 0; i < 20 && again.ms <= world.now.mono.ms; i++) {
        again = turn();
    }
    for (unsigned i = 0; i < 20; i++) {
        again = turn();
    }
    return again;
}

static unsigned requests(void)
{
    return world.http.slots[VALIDATE_SLOT].requests;
}

static const char *url(void)
{
    return http_fake_request(&world.http, VALIDATE_SLOT)->url;
}

static enum verdict verdict(enum config_permission p)
{
    return validate_row(&validate, p)->verdict;
}

static void queue(int status)
{
    struct http_fake_answer answer = {
        .status = status, .body = SPAN("{\"value\":[{\"id\":\"x\"}]}"), .request_id = "req-1"};
    http_fake_queue(&world.http, VALIDATE_SLOT, &answer);
}

static void queue_three(int calls, int users, int devices)
{
    queue(calls);
    queue(users);
    queue(devices);
}

static void check_three(enum verdict calls, enum verdict users, enum verdict devices)
{
    assert_int_equal(verdict(PERMISSION_CALL_RECORDS), calls);
    assert_int_equal(verdict(PERMISSION_USERS), users);
    assert_int_equal(verdict(PERMISSION_DEVICES), devices);
}

/// Every further request is answered with this status.
static bool respond(void *context,
                    unsigned slot,
                    const struct http_fake_request *request,
                    struct http_fake_answer *answer)
{
    (void)slot;
    (void)request;
    answer->status = *(int *)context;
    return true;
}

static int always;

static void always_answer(int status)
{
    always = status;
    http_fake_respond_with(&world.http, respond, &always);
}

static void newer_token(unsigned roles)
{
    token.generation++;
    token.roles = roles;
}

// ---- what is asked ----------------------------------------------------------

static void each_permission_is_asked_with_one_cheap_request(void **unused)
{
    (void)unused;
    static const char *const urls[] = {
        GRAPH "/v1.0/communications/callRecords?$filter=startDateTime%20ge%202026-11-22T23:59:00Z"
              "&$select=id",
        GRAPH "/v1.0/users?$top=1&$select=id",
        GRAPH "/beta/teamwork/devices?$top=1",
    };
    for (unsigned i = 0; i < 3; i++) {
        turn();
        assert_int_equal(requests(), i + 1u);
        assert_string_equal(url(), urls[i]);
        assert_string_equal(http_fake_header(&world.http, VALIDATE_SLOT, "authorization"),
                            "Bearer t");
        assert_string_equal(http_fake_header(&world.http, VALIDATE_SLOT, "prefer"),
                            "odata.maxpagesize=1");
        assert_false(http_fake_request(&world.http, VALIDATE_SLOT)->asked.post);
        assert_true(validate_is_busy(&validate));
        queue(200);
        turn();
    }
    turns();
    assert_int_equal(requests(), 3);
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
    assert_int_equal(validate_row(&validate, PERMISSION_USERS)->at_ms, WALL_MS);
    assert_int_equal(validate_row(&validate, PERMISSION_USERS)->status, 200);
    assert_string_equal(validate_row(&validate, PERMISSION_USERS)->request_id, "");
    assert_false(validate_is_busy(&validate));
    assert_int_equal(world_log_count("ev=permission_validated"), 3);
}

static void only_what_is_wanted_is_asked(void **unused)
{
    (void)unused;
    world.config.permissions = 1u << PERMISSION_USERS | 1u << PERMISSION_USER;
    always_answer(200);
    turns();
    assert_int_equal(requests(), 1);
    check_three(VERDICT_NONE, VERDICT_GOOD, VERDICT_NONE);
    assert_int_equal(verdict(PERMISSION_USER), VERDICT_NONE);
}

static void without_a_token_nothing_is_asked(void **unused)
{
    (void)unused;
    token.authorization = SPAN_NONE;
    assert_int_equal(turns().ms, MONO_NEVER.ms);
    assert_int_equal(requests(), 0);
    check_three(VERDICT_NONE, VERDICT_NONE, VERDICT_NONE);
}

static void what_the_token_does_not_name_is_missing_without_a_request(void **unused)
{
    (void)unused;
    token.roles = 1u << PERMISSION_USERS;
    always_answer(200);
    turns();
    assert_int_equal(requests(), 1);
    check_three(VERDICT_MISSING, VERDICT_GOOD, VERDICT_MISSING);
    assert_int_equal(world_log_count("verdict=missing"), 2);
    assert_int_equal(world_log_count("CallRecords.Read.All verdict=missing"), 1);
    newer_token(1u << PERMISSION_USERS | 1u << PERMISSION_CALL_RECORDS);
    turns();
    assert_int_equal(requests(), 2); // the one that is new, and not the one that is good
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_MISSING);
    newer_token(1u << PERMISSION_CALL_RECORDS); // withdrawn
    turns();
    check_three(VERDICT_GOOD, VERDICT_MISSING, VERDICT_MISSING);
    assert_int_equal(requests(), 2);
}

static void a_token_that_cannot_be_read_is_tried_for_everything(void **unused)
{
    (void)unused;
    token.roles = 0;
    token.readable = false;
    queue_three(200, 403, 200);
    turns();
    assert_int_equal(requests(), 3);
    check_three(VERDICT_GOOD, VERDICT_FORBIDDEN, VERDICT_GOOD);
}

static void a_long_answer_is_thrown_away_and_counts(void **unused)
{
    (void)unused;
    static char body[300u * 1024u];
    world.config.permissions = 1u << PERMISSION_CALL_RECORDS;
    memset(body, 'x', sizeof(body));
    struct http_fake_answer answer = {
        .status = 200, .body = {.ptr = body, .len = sizeof(body)}, .piece_bytes = 5000};
    http_fake_queue(&world.http, VALIDATE_SLOT, &answer);
    for (unsigned i = 0; i < 100; i++) {
        turn();
    }
    assert_int_equal(verdict(PERMISSION_CALL_RECORDS), VERDICT_GOOD);
    assert_int_equal(world.http.slots[VALIDATE_SLOT].state, HTTP_FREE);
}

// ---- what answers mean ------------------------------------------------------

static void every_status_has_its_verdict(void **unused)
{
    (void)unused;

    static const struct {
        int status;
        enum verdict verdict;
        bool stale;
    } rows[] = {
        {200, VERDICT_GOOD, false},
        {204, VERDICT_GOOD, false},
        {301, VERDICT_NO_ANSWER, false},
        {400, VERDICT_NO_ANSWER, false},
        {402, VERDICT_FORBIDDEN, false},
        {403, VERDICT_FORBIDDEN, true},
        {404, VERDICT_UNAVAILABLE, false},
        {410, VERDICT_UNAVAILABLE, false},
        {429, VERDICT_NO_ANSWER, false},
        {500, VERDICT_NO_ANSWER, false},
        {501, VERDICT_UNAVAILABLE, false},
        {503, VERDICT_NO_ANSWER, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        init(NULL);
        world.config.permissions = 1u << PERMISSION_DEVICES;
        queue(rows[i].status);
        turns();
        assert_int_equal(verdict(PERMISSION_DEVICES), rows[i].verdict);
        assert_int_equal(validate_row(&validate, PERMISSION_DEVICES)->status, rows[i].status);
        assert_int_equal(stale, rows[i].stale);
        assert_string_equal(validate_row(&validate, PERMISSION_DEVICES)->request_id,
                            rows[i].verdict == VERDICT_GOOD ? "" : "req-1");
        assert_int_equal(requests(), 1);
    }
}

static void a_network_that_fails_says_nothing_about_a_verdict(void **unused)
{
    (void)unused;
    world.config.permissions = 1u << PERMISSION_USERS;
    http_fake_queue_fail(&world.http, VALIDATE_SLOT, HTTP_FAIL_CONNECT);
    turns();
    assert_int_equal(verdict(PERMISSION_USERS), VERDICT_NO_ANSWER);
    world_sleep(validate_next(&validate).ms - world.now.mono.ms);
    queue(200);
    turns();
    assert_int_equal(verdict(PERMISSION_USERS), VERDICT_GOOD);
    world_sleep(VALIDATE_DAILY_MS * 2);
    http_fake_queue_fail(&world.http, VALIDATE_SLOT, HTTP_FAIL_TIMEOUT);
    turns();
    assert_int_equal(requests(), 3);
    assert_int_equal(verdict(PERMISSION_USERS), VERDICT_GOOD); // known, and nobody said else
    world_sleep(validate_next(&validate).ms - world.now.mono.ms);
    queue(403);
    turns();
    assert_int_equal(verdict(PERMISSION_USERS), VERDICT_FORBIDDEN);
}

static void a_refused_token_is_told_and_not_used_again(void **unused)
{
    (void)unused;
    queue(401);
    turn();
    turn();
    assert_true(facts.token_refused);
    assert_int_equal(facts.refused, 1);
    assert_int_equal(turns().ms, MONO_NEVER.ms);
    assert_int_equal(requests(), 1);
    check_three(VERDICT_NONE, VERDICT_NONE, VERDICT_NONE);
    newer_token(ALL);
    always_answer(200);
    turns();
    assert_int_equal(requests(), 4);
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
}

static void a_401_that_every_token_gets_is_not_the_tokens_fault(void **unused)
{
    (void)unused;
    queue_three(200, 200, 401);
    turns();
    for (unsigned i = 0; i < 2; i++) { // one newer token, and no more than that
        newer_token(ALL);
        queue(401);
        turns();
        check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_NO_ANSWER);
    }
    assert_int_equal(refused, 1);
    world_sleep(validate_next(&validate).ms - world.now.mono.ms);
    queue(200);
    turns();
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
    world_sleep(VALIDATE_DAILY_MS * 2);
    queue(401); // of something else, later: a token may be bad again
    turns();
    assert_int_equal(refused, 2);
}

// ---- when it is asked again -------------------------------------------------

static void failures_are_backed_off_and_only_they_are_asked_again(void **unused)
{
    (void)unused;
    queue_three(200, 500, 200);
    turns();
    int64_t high = 1000;
    for (unsigned i = 1; i <= 20; i++) {
        int64_t wait = validate_next(&validate).ms - world.now.mono.ms;
        assert_true(wait >= 500 && wait <= high);
        high = high * 2 < 300000 ? high * 2 : 300000;
        world.random = i % 2 == 0 ? 0 : UINT64_MAX;
        world_sleep(wait);
        queue(500);
        turns();
        assert_int_equal(requests(), 3 + i);
        assert_string_equal(url(), GRAPH "/v1.0/users?$top=1&$select=id");
    }
}

static void retry_after_is_obeyed_by_the_whole_round(void **unused)
{
    (void)unused;
    struct http_fake_answer busy = {.status = 429, .body = SPAN_NONE, .retry_after_ms = 42000};
    http_fake_queue(&world.http, VALIDATE_SLOT, &busy);
    always_answer(200);
    assert_true(turns().ms >= world.now.mono.ms + 42000);
    validate_ask(&validate, world.now);
    turns();
    assert_int_equal(requests(), 1);
    world_sleep(validate_next(&validate).ms - world.now.mono.ms);
    turns();
    assert_int_equal(requests(), 6); // the rest of the round, and what was asked for meanwhile
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
}

static void without_room_for_a_request_it_is_tried_a_little_later(void **unused)
{
    (void)unused;
    world.http.start_retries = 1;
    struct mono again = turn();
    assert_int_equal(requests(), 0);
    assert_true(again.ms >= world.now.mono.ms + 1000 && again.ms <= world.now.mono.ms + 1100);
    world_sleep(again.ms - world.now.mono.ms);
    always_answer(200);
    turns();
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
}

static void the_first_403_asks_for_a_newer_token_and_tries_it_at_once(void **unused)
{
    (void)unused;
    queue_three(403, 200, 200);
    turns();
    assert_int_equal(stale, 1);
    check_three(VERDICT_FORBIDDEN, VERDICT_GOOD, VERDICT_GOOD);
    newer_token(ALL);
    queue(200);
    turns();
    assert_int_equal(requests(), 4);
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
    assert_int_equal(stale, 1);
}

/// One pace of 403: the newer token is asked for, comes, and is forbidden as well.
static int64_t one_pace(void)
{
    int64_t wait = validate_next(&validate).ms - world.now.mono.ms;
    unsigned before = stale, asked = requests();
    world_sleep(wait);
    turns();
    assert_int_equal(stale, before + 1);
    assert_int_equal(requests(), asked);
    newer_token(ALL);
    turns();
    assert_int_equal(requests(), asked + 1);
    return wait;
}

static void a_403_that_stays_is_asked_every_5_minutes_for_an_hour_and_then_every_15(void **unused)
{
    (void)unused;
    queue_three(403, 200, 200);
    always_answer(403);
    turns();
    newer_token(ALL);
    turns();
    int64_t began = world.now.mono.ms;
    while (world.now.mono.ms - began < VALIDATE_SOON_FOR_MS) {
        int64_t wait = one_pace();
        assert_true(wait >= VALIDATE_SOON_MS && wait <= VALIDATE_SOON_MS * 11 / 10);
    }
    for (unsigned i = 0; i < 8; i++) {
        int64_t wait = one_pace();
        assert_true(wait >= VALIDATE_LATE_MS && wait <= VALIDATE_LATE_MS * 11 / 10);
    }
    assert_int_equal(world_log_count("verdict=forbidden"), 1); // once per change
    world_sleep(validate_next(&validate).ms - world.now.mono.ms);
    turns();
    newer_token(ALL);
    always_answer(200);
    turns();
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
}

static void if_no_newer_token_comes_the_old_one_is_tried_again(void **unused)
{
    (void)unused;
    queue_three(200, 403, 200);
    turns();
    world_sleep(validate_next(&validate).ms - world.now.mono.ms);
    struct mono again = turns();
    assert_int_equal(requests(), 3);
    assert_int_equal(again.ms, world.now.mono.ms + VALIDATE_FETCH_MS);
    world_sleep(VALIDATE_FETCH_MS);
    queue(200);
    turns();
    assert_int_equal(requests(), 4);
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
}

static void all_of_them_are_looked_at_again_daily(void **unused)
{
    (void)unused;
    always_answer(200);
    struct mono again = turns();
    assert_true(again.ms >= world.now.mono.ms + VALIDATE_DAILY_MS);
    assert_true(again.ms <= world.now.mono.ms + VALIDATE_DAILY_MS * 11 / 10);
    newer_token(ALL); // a renewal: all is well, nothing is asked
    turns();
    assert_int_equal(requests(), 3);
    world_sleep(again.ms - world.now.mono.ms);
    turns();
    assert_int_equal(requests(), 6);
    assert_int_equal(validate_row(&validate, PERMISSION_DEVICES)->at_ms, world.now.wall.ms);
    assert_int_equal(world_log_count("ev=permission_validated"), 3);
}

static void what_graph_does_not_offer_is_tried_daily_and_not_with_every_token(void **unused)
{
    (void)unused;
    queue_three(200, 200, 404);
    always_answer(404);
    turns();
    newer_token(ALL);
    turns();
    assert_int_equal(requests(), 3);
    world_sleep(VALIDATE_DAILY_MS * 2);
    always_answer(200);
    turns();
    assert_int_equal(requests(), 6);
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_GOOD);
}

static void what_is_no_beta_is_not_missed_for_a_day_because_of_one_404(void **unused)
{
    (void)unused;
    always_answer(200);
    turns();
    validate_ask(&validate, world.now);
    world_sleep(VALIDATE_ASK_MS);
    queue_three(404, 200, 404);
    turns();
    check_three(VERDICT_UNAVAILABLE, VERDICT_GOOD, VERDICT_UNAVAILABLE);
    int64_t wait = validate_next(&validate).ms - world.now.mono.ms;
    assert_true(wait >= VALIDATE_LATE_MS && wait <= VALIDATE_LATE_MS * 11 / 10);
    world_sleep(wait);
    turns();
    assert_int_equal(requests(), 7); // call records alone
    check_three(VERDICT_GOOD, VERDICT_GOOD, VERDICT_UNAVAILABLE);
    assert_true(validate_next(&validate).ms > world.now.mono.ms + VALIDATE_DAILY_MS / 2);
}

static void a_person_may_ask_at_once_and_then_every_10_seconds(void **unused)
{
    (void)unused;
    always_answer(200);
    turns();
    world_sleep(VALIDATE_ASK_MS);
    for (unsigned i = 0; i < 50; i++) {
        validate_ask(&validate, world.now);
        turns();
    }
    assert_int_equal(requests(), 6);
    assert_int_equal(validate_next(&validate).ms, world.now.mono.ms + VALIDATE_ASK_MS);
    world_sleep(VALIDATE_ASK_MS);
    turns();
    assert_int_equal(requests(), 9);
    assert_true(validate_next(&validate).ms > world.now.mono.ms + VALIDATE_DAILY_MS / 2);
}

static void what_a_person_asks_for_during_a_round_follows_it(void **unused)
{
    (void)unused;
    turn();
    validate_ask(&validate, world.now);
    always_answer(200);
    turns();
    assert_int_equal(requests(), 3);
    world_sleep(VALIDATE_ASK_MS);
    turns();
    assert_int_equal(requests(), 6);
}

static void a_source_that_doubts_is_heard_at_once_and_then_every_5_minutes(void **unused)
{
    (void)unused;
    always_answer(200);
    turns();
    world_sleep(VALIDATE_ASK_MS);
    for (int64_t i = 0; i < VALIDATE_SOON_MS / MIN_MS; i++) {
        validate_doubt(&validate, world.now);
        turns();
        assert_int_equal(requests(), 6);
        world_sleep(MIN_MS);
    }
    validate_doubt(&validate, world.now);
    turns();
    assert_int_equal(requests(), 9);
}

static void it_is_busy_while_it_asks_and_idle_otherwise(void **unused)
{
    (void)unused;
    turn();
    struct activity asking = validate_activity(&validate);
    assert_int_equal(asking.kind, ACTIVITY_BUSY);
    queue(500);
    world_sleep(1);
    turn();
    turn();
    assert_int_not_equal(validate_activity(&validate).progress, asking.progress);
    always_answer(500);
    turns();
    assert_int_equal(validate_activity(&validate).kind, ACTIVITY_IDLE);
    assert_int_equal(validate_activity(&validate).failures, 1);
}

#define TEST(f) cmocka_unit_test_setup(f, init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_permission_is_asked_with_one_cheap_request),
        TEST(only_what_is_wanted_is_asked),
        TEST(without_a_token_nothing_is_asked),
        TEST(what_the_token_does_not_name_is_missing_without_a_request),
        TEST(a_token_that_cannot_be_read_is_tried_for_everything),
        TEST(a_long_answer_is_thrown_away_and_counts),
        TEST(every_status_has_its_verdict),
        TEST(a_network_that_fails_says_nothing_about_a_verdict),
        TEST(a_refused_token_is_told_and_not_used_again),
        TEST(a_401_that_every_token_gets_is_not_the_tokens_fault),
        TEST(failures_are_backed_off_and_only_they_are_asked_again),
        TEST(retry_after_is_obeyed_by_the_whole_round),
        TEST(without_room_for_a_request_it_is_tried_a_little_later),
        TEST(the_first_403_asks_for_a_newer_token_and_tries_it_at_once),
        TEST(a_403_that_stays_is_asked_every_5_minutes_for_an_hour_and_then_every_15),
        TEST(if_no_newer_token_comes_the_old_one_is_tried_again),
        TEST(all_of_them_are_looked_at_again_daily),
        TEST(what_graph_does_not_offer_is_tried_daily_and_not_with_every_token),
        TEST(what_is_no_beta_is_not_missed_for_a_day_because_of_one_404),
        TEST(a_person_may_ask_at_once_and_then_every_10_seconds),
        TEST(what_a_person_asks_for_during_a_round_follows_it),
        TEST(a_source_that_doubts_is_heard_at_once_and_then_every_5_minutes),
        TEST(it_is_busy_while_it_asks_and_idle_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

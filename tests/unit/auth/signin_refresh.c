// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What outlives the sign-in: the refresh token, its rotation, its loss, restarts, and cuts of the
 * power at every write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "person.h"

static void signed_in(void)
{
    person_init(NULL);
    person_signs_in("r3fresh", "Adele Vance");
}

/// The token's weekly use comes due.
static void a_week_later(void)
{
    person_turns();
    world_sleep(SIGNIN_USE_MS);
    person_turn();
}

static void a_token_is_used_once_a_week_and_replaced(void **unused)
{
    (void)unused;
    signed_in();
    for (unsigned i = 1; i <= 5; i++) {
        char old[32], next[32];
        snprintf(old, sizeof(old), i == 1 ? "r3fresh" : "next%u", i - 1);
        snprintf(next, sizeof(next), "next%u", i);
        assert_int_equal(person_turns().ms, world.now.mono.ms + SIGNIN_USE_MS);
        a_week_later();
        assert_int_equal(person_requests(), 2 + i);
        assert_true(person_asked("&grant_type=refresh_token&refresh_token="));
        assert_true(person_asked(old));
        assert_true(person_asked("&client_secret="));
        person_queue_tokens("acc3ss", next);
        person_turns();
        assert_int_equal(person_state(), SIGNIN_DONE);
        assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), next));
        assert_int_equal(person_requests(), 2 + i); // who it is is known: nobody else is asked
    }
    assert_int_equal(world_log_count("ev=signin"), 2); // the link, and that it is done
}

static void an_answer_without_a_new_token_lets_the_old_one_go_on(void **unused)
{
    (void)unused;
    signed_in();
    a_week_later();
    person_queue(200, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"a\"}");
    assert_int_equal(person_turns().ms, world.now.mono.ms + SIGNIN_USE_MS);
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "r3fresh"));
}

static void a_restart_knows_who_it_was_and_when_the_token_is_due(void **unused)
{
    (void)unused;
    signed_in();
    world_sleep(2 * DAY_MS);
    person_restart();
    assert_int_equal(person_turns().ms, world.now.mono.ms + 5 * DAY_MS);
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
    assert_int_equal(signin_status(&person)->at_ms, WALL_MS);
    assert_int_equal(person_requests(), 2);
    world_sleep(30 * DAY_MS); // off for a month
    person_restart();
    person_turns();
    assert_int_equal(person_requests(), 3);
}

static void without_the_time_nothing_is_due(void **unused)
{
    (void)unused;
    signed_in();
    world_sleep(30 * DAY_MS);
    world.now.wall.quality = CLOCK_FLOOR;
    person_restart();
    assert_int_equal(person_turns().ms, MONO_NEVER.ms);
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_int_equal(person_requests(), 2);
}

static void a_clock_that_was_far_ahead_does_not_put_it_off_for_ever(void **unused)
{
    (void)unused;
    world_sleep(400 * DAY_MS);
    person_signs_in("r3fresh", "Adele Vance");
    world.now.wall.ms = WALL_MS;
    person_restart();
    person_turns();
    assert_int_equal(person_requests(), 3);
}

static void no_answer_is_waited_out_and_changes_nothing(void **unused)
{
    (void)unused;
    signed_in();
    a_week_later();
    for (unsigned i = 0; i < 12; i++) {
        http_fake_queue_fail(&world.http, SIGNIN_SLOT, HTTP_FAIL_RESOLVE);
        person_turns();
        assert_int_equal(person_state(), SIGNIN_DONE);
        assert_int_equal(person_requests(), 3 + i);
        int64_t wait = person_sleep_until_next();
        assert_true(wait >= SIGNIN_USE_BASE_MS / 2 && wait <= SIGNIN_USE_CAP_MS);
        person_turn();
    }
    person_queue_tokens("acc3ss", "next");
    person_turns();
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "next"));
}

static void a_revoked_token_is_lost_once_and_never_used_again(void **unused)
{
    (void)unused;
    static const int numbers[] = {700082, 700084, 70000, 50089, 50173, 50133, 50132, 70043, 70008};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        signed_in();
        a_week_later();
        person_queue_error("invalid_grant", numbers[i]);
        assert_int_equal(person_turns().ms, MONO_NEVER.ms);
        assert_int_equal(person_state(), SIGNIN_LOST);
        assert_int_equal(person_cause(), SIGNIN_CAUSE_REVOKED);
        assert_int_equal(signin_status(&person)->aadsts, numbers[i]);
        assert_string_equal(signin_status(&person)->who, "Adele Vance");
        assert_string_equal(person_kept(SIGNIN_REFRESH_NAME), "");
        world_sleep(400 * DAY_MS);
        person_turns();
        person_restart();
        person_turns();
        assert_int_equal(person_state(), SIGNIN_LOST);
        assert_int_equal(person_cause(), SIGNIN_CAUSE_REVOKED);
        assert_int_equal(person_requests(), 3);
        assert_int_equal(world_log_count("ev=signin_lost"), 1);
    }
}

static void a_token_that_a_policy_stops_is_tried_weekly_and_comes_back(void **unused)
{
    (void)unused;
    signed_in();
    for (unsigned i = 0; i < 4; i++) {
        a_week_later();
        person_queue_error("interaction_required", 53003);
        person_turns();
        assert_int_equal(person_state(), SIGNIN_LOST);
        assert_int_equal(person_cause(), SIGNIN_CAUSE_BLOCKED);
        assert_int_equal(person_requests(), 3 + i);
    }
    assert_int_equal(world_log_count("ev=signin_lost"), 1);
    a_week_later();
    person_queue_tokens("acc3ss", "next");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_NONE);
}

static void somebody_signs_in_again_after_the_loss(void **unused)
{
    (void)unused;
    signed_in();
    a_week_later();
    person_queue_error("invalid_grant", 50173);
    person_turns();
    person_signs_in("again", "Megan Bowen");
    assert_string_equal(signin_status(&person)->who, "Megan Bowen");
    assert_int_equal(person_cause(), SIGNIN_CAUSE_NONE);
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "again"));
}

static void a_failed_attempt_keeps_who_it_was_and_the_weekly_use(void **unused)
{
    (void)unused;
    signed_in();
    person_brings_code();
    person_queue_error("invalid_grant", 54005);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "r3fresh"));
    a_week_later();
    person_queue_tokens("acc3ss", "next");
    person_turns();
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "next"));
    person_restart();
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
}

// ---- a store that fails -----------------------------------------------------

static void a_token_that_cannot_be_kept_is_not_used(void **unused)
{
    (void)unused;

    static const enum rc rows[] = {RC_IO, RC_FULL, RC_CORRUPT};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        person_init(NULL);
        world.put_rc = rows[i];
        person_brings_code();
        person_queue_tokens("acc3ss", "r3fresh");
        person_turns();
        assert_int_equal(person_state(), SIGNIN_FAILED);
        assert_int_equal(person_cause(), SIGNIN_CAUSE_STORE);
        assert_int_equal(person_requests(), 1); // /me was not asked with it
        assert_int_equal(world_log_count("ev=signin_not_kept rc="), 1);
    }
}

static void a_busy_store_is_tried_again_with_the_same_answer(void **unused)
{
    (void)unused;
    world.put_rc = RC_RETRY;
    person_brings_code();
    person_queue_tokens("acc3ss", "r3fresh");
    person_turns();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(person_state(), SIGNIN_ASKING);
        assert_int_equal(person_sleep_until_next(), SIGNIN_PUT_MS);
        person_turns();
    }
    assert_int_equal(person_requests(), 1);
    world.put_rc = RC_OK;
    person_sleep_until_next();
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_int_equal(person_requests(), 2);
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "r3fresh"));
}

static void a_store_that_stays_busy_ends_the_attempt(void **unused)
{
    (void)unused;
    world.put_rc = RC_RETRY;
    person_brings_code();
    person_queue_tokens("acc3ss", "r3fresh");
    person_turns();
    for (unsigned i = 0; i < SIGNIN_PUTS_MAX; i++) {
        world_sleep(SIGNIN_PUT_MS);
        person_turns();
    }
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_STORE);
    assert_int_equal(person_requests(), 1);
}

static void a_rotated_token_that_cannot_be_kept_leaves_the_old_one(void **unused)
{
    (void)unused;
    signed_in();
    world.put_rc = RC_IO;
    a_week_later();
    person_queue_tokens("acc3ss", "next");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "r3fresh"));
    world.put_rc = RC_OK;
    person_sleep_until_next();
    person_turn();
    assert_true(person_asked("refresh_token=r3fresh"));
    person_queue_tokens("acc3ss", "next2");
    person_turns();
    assert_non_null(strstr(person_kept(SIGNIN_REFRESH_NAME), "next2"));
}

static void a_store_that_is_busy_at_the_start_is_read_later(void **unused)
{
    (void)unused;
    signed_in();
    struct span who = SPAN(KEPT_AT "Adele Vance");
    world_put(SIGNIN_WHO_NAME, who, RC_RETRY);
    person_restart();
    person_turns();
    assert_int_equal(person_state(), SIGNIN_OFF);
    world_put(SIGNIN_WHO_NAME, who, RC_OK);
    person_sleep_until_next();
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_int_equal(person_requests(), 2);
}

static void records_that_cannot_be_read_are_as_if_there_were_none(void **unused)
{
    (void)unused;
    static const char *const values[] = {
        "", "\n", "r3fresh", "2026-11-23T00:00:00.000Z", "x\ny", "2026-11-23T00:00:00.000Z\nx"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        signed_in();
        world_put(SIGNIN_REFRESH_NAME, span_from_str(values[i]), RC_OK);
        person_restart();
        person_turns();
        assert_int_equal(person_state(), SIGNIN_LOST);
        world_put(SIGNIN_WHO_NAME, span_from_str(values[i]), RC_OK);
        person_restart();
        person_turns();
        assert_int_equal(person_state(), SIGNIN_OFF);
        assert_int_equal(person_requests(), 2);
    }
}

static void a_box_that_moves_to_another_tenant_knows_nobody_there(void **unused)
{
    (void)unused;
    signed_in();
    world.config.tenant_id[0] = 'f';
    person_restart();
    world_sleep(SIGNIN_USE_MS);
    person_turns();
    assert_int_equal(person_state(), SIGNIN_OFF);
    assert_string_equal(signin_status(&person)->who, "");
    assert_int_equal(person_requests(), 2); // and the token goes nowhere
    world.config.tenant_id[0] = TENANT[0];
    person_restart();
    person_turns();
    assert_string_equal(signin_status(&person)->who, "Adele Vance");
}

// ---- power ------------------------------------------------------------------

/// Whose token is in the store, by its text.
static const char *owner(void)
{
    const char *kept = person_kept(SIGNIN_REFRESH_NAME);
    return strstr(kept, "adele") != NULL   ? "Adele Vance"
           : strstr(kept, "megan") != NULL ? "Megan Bowen"
                                           : "";
}

static void no_cut_of_the_power_leaves_one_s_name_beside_another_s_token(void **unused)
{
    (void)unused;
    for (unsigned changes = 0; changes < 4; changes++) {
        person_init(NULL);
        person_signs_in("adele", "Adele Vance");
        world.cut = true;
        world.changes_left = changes;
        person_brings_code();
        person_queue_tokens("acc3ss", "megan");
        person_queue_me("Megan Bowen");
        person_turns();
        world.cut = false;
        person_restart(); // the answer to /me may still wait in the queue: it is Megan's
        const char *who = owner();
        http_fake_init(&world.http);
        person_restart();
        person_turns();
        assert_string_not_equal(who, "");
        if (person_state() == SIGNIN_DONE) {
            assert_string_equal(signin_status(&person)->who, who);
            continue;
        }
        // Nobody's name is known: the token is asked whose it is.
        assert_true(person_asked("grant_type=refresh_token"));
        person_queue_tokens("acc3ss", strcmp(who, "Adele Vance") == 0 ? "adele2" : "megan2");
        person_queue_me(who);
        person_turns();
        assert_int_equal(person_state(), SIGNIN_DONE);
        assert_string_equal(signin_status(&person)->who, who);
        assert_string_equal(owner(), who);
    }
}

static void a_token_without_a_name_is_asked_for_it_without_haste(void **unused)
{
    (void)unused;
    person_brings_code();
    person_queue_tokens("acc3ss", "r3fresh");
    person_queue(403, "{}");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_FAILED);
    assert_int_equal(person_cause(), SIGNIN_CAUSE_CONSENT);
    assert_true(person_sleep_until_next() >= SIGNIN_USE_MS);
    person_queue_tokens("acc3ss", "next");
    person_queue_me("Adele Vance");
    person_turns();
    assert_int_equal(person_state(), SIGNIN_DONE);
    assert_int_equal(person_requests(), 4);
}

#define TEST(f) cmocka_unit_test_setup(f, person_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_used_once_a_week_and_replaced),
        TEST(an_answer_without_a_new_token_lets_the_old_one_go_on),
        TEST(a_restart_knows_who_it_was_and_when_the_token_is_due),
        TEST(without_the_time_nothing_is_due),
        TEST(a_clock_that_was_far_ahead_does_not_put_it_off_for_ever),
        TEST(no_answer_is_waited_out_and_changes_nothing),
        TEST(a_revoked_token_is_lost_once_and_never_used_again),
        TEST(a_token_that_a_policy_stops_is_tried_weekly_and_comes_back),
        TEST(somebody_signs_in_again_after_the_loss),
        TEST(a_failed_attempt_keeps_who_it_was_and_the_weekly_use),
        TEST(a_token_that_cannot_be_kept_is_not_used),
        TEST(a_busy_store_is_tried_again_with_the_same_answer),
        TEST(a_store_that_stays_busy_ends_the_attempt),
        TEST(a_rotated_token_that_cannot_be_kept_leaves_the_old_one),
        TEST(a_store_that_is_busy_at_the_start_is_read_later),
        TEST(records_that_cannot_be_read_are_as_if_there_were_none),
        TEST(a_box_that_moves_to_another_tenant_knows_nobody_there),
        TEST(no_cut_of_the_power_leaves_one_s_name_beside_another_s_token),
        TEST(a_token_without_a_name_is_asked_for_it_without_haste),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

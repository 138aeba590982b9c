// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * When the time is asked for, what comes of it, and what is said: with virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/slots.h"

#include "world.h"

static void trusted_within(int64_t off_ms)
{
    struct wall w = hal_clock_wall();
    assert_int_equal(w.quality, CLOCK_TRUSTED);
    assert_in_range(w.ms - world.true_ms + off_ms, 0, 2 * off_ms);
}

static void refused(enum timesync_cause cause)
{
    assert_int_equal(timesync_status(&world.time)->cause, cause);
    assert_int_equal(timesync_status(&world.time)->syncs, 0);
    assert_int_not_equal(hal_clock_wall().quality, CLOCK_TRUSTED);
    assert_int_equal(world.http.proven_ms, 0);
    assert_int_equal(world_log_count("ev=time_unknown"), 1);
    char said[64];
    snprintf(said, sizeof(said), "ev=time_unknown cause=%s ", timesync_cause_info(cause)->key);
    assert_int_equal(world_log_count(said), 1);
}

static void the_table_is_the_one_that_was_reviewed(void **unused)
{
    (void)unused;
    static const uint8_t golden[TIMESYNC_STATES][TIMESYNC_EVENTS] = {
        // ASKED, CANNOT, PROVEN, FAILED
        {0, 0, 0, 0},
        {TIMESYNC_ASKING, TIMESYNC_WAITING, 0, 0},
        {0, 0, TIMESYNC_GOOD, TIMESYNC_WAITING},
        {TIMESYNC_ASKING, TIMESYNC_WAITING, 0, 0},
    };
    assert_memory_equal(golden, timesync_next, sizeof(golden));
}

// ---- the question -----------------------------------------------------------

static void both_hosts_are_asked_at_the_same_time_and_without_a_token(void **unused)
{
    (void)unused;
    (void)timesync_step(&world.time, world_now());
    assert_string_equal(http_fake_request(&world.http, SLOT)->url,
                        "https://login.microsoftonline.com/common/v2.0/.well-known/"
                        "openid-configuration");
    assert_string_equal(http_fake_request(&world.http, SLOT + 1)->url,
                        "https://graph.microsoft.com/v1.0/");
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        assert_string_equal(http_fake_header(&world.http, SLOT + i, "Authorization"), "");
        assert_false(http_fake_request(&world.http, SLOT + i)->asked.post);
        assert_true(http_fake_request(&world.http, SLOT + i)->asked.time_unproven);
    }
}

static void without_hosts_nobody_is_asked_and_nobody_waits(void **unused)
{
    (void)unused;
    world.config.authority_url[0] = '\0';
    for (unsigned day = 0; day < 3; day++) {
        assert_int_equal(world_turn().ms, MONO_NEVER.ms);
        assert_int_equal(timesync_activity(&world.time).kind, ACTIVITY_IDLE);
        world_pass(86400000);
    }
    assert_int_equal(world_attempts(), 0);
    assert_int_equal(timesync_status(&world.time)->failures, 0);
    assert_int_not_equal(hal_clock_wall().quality, CLOCK_TRUSTED);
}

static void with_a_trusted_clock_no_certificate_gets_any_leave(void **unused)
{
    (void)unused;
    world_attempt();
    world_run(7 * HOUR_MS);
    assert_int_equal(world_attempts(), 2);
    assert_false(http_fake_request(&world.http, SLOT)->asked.time_unproven);
    assert_false(http_fake_request(&world.http, SLOT + 1)->asked.time_unproven);
}

// ---- what the kernel believes does not matter -------------------------------

static void from_any_clock_of_the_kernel_the_true_time_is_found(void **unused)
{
    (void)unused;
    const int64_t clocks[] = {0,
                              1000,
                              MS_2099,
                              world.true_ms + YEAR_MS,
                              world.true_ms - YEAR_MS,
                              world.true_ms + 9 * YEAR_MS,
                              INT64_C(2147483648000),
                              INT64_C(4294967296000)};
    for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        world_restart();
        world.kernel.wall_ms = clocks[i];
        assert_int_not_equal(hal_clock_wall().quality, CLOCK_TRUSTED);
        world_attempt();
        trusted_within(1000);
    }
}

static void a_step_of_a_year_is_said_and_changes_nothing(void **unused)
{
    (void)unused;
    static const int64_t steps[] = {YEAR_MS, -2 * YEAR_MS, YEAR_MS};
    world_attempt();
    for (unsigned i = 0; i < 3; i++) {
        world_run(HOUR_MS);
        world.kernel.wall_ms += steps[i];
        world_run(2000);
        trusted_within(1000);
        assert_int_equal(world_log_count("ev=clock_stepped by=kernel"), i + 1);
    }
    world_run(12000);
    assert_int_equal(world_attempts(), 4); // each is a reason to ask
}

static void a_kernel_that_is_stepped_all_the_time_makes_no_storm(void **unused)
{
    (void)unused;
    world_attempt();
    for (unsigned i = 0; i < 120; i++) {
        world.kernel.wall_ms += 5000;
        world_run(60000);
    }
    assert_in_range(world_attempts(), 5, 14); // in two hours
    trusted_within(1000);
}

static void a_kernel_that_is_right_within_the_second_is_followed_exactly(void **unused)
{
    (void)unused;
    world_attempt();
    assert_int_equal(hal_clock_wall().ms, world.true_ms);
    assert_int_equal(world_log_count("ev=clock_stepped"), 0);
}

static void the_second_that_date_leaves_open_is_halved(void **unused)
{
    (void)unused;
    for (int64_t fraction = 0; fraction < 1000; fraction += 111) {
        for (int64_t trip = 0; trip <= 4000; trip += 800) {
            world_restart();
            world.true_ms = world.true_ms / 1000 * 1000 + fraction;
            world.kernel.wall_ms = 0;
            world.trip_ms = trip;
            world_attempt();
            trusted_within(501);
        }
    }
}

static void after_a_sleep_the_time_is_asked_for_soon(void **unused)
{
    (void)unused;
    world_attempt();
    world_run(HOUR_MS);
    world_pass(2 * HOUR_MS);
    world.kernel.asleep_ms += 2 * HOUR_MS;
    world_run(12000);
    assert_int_equal(world_attempts(), 2);
    assert_int_equal(world_log_count("ev=clock_slept"), 1);
    assert_int_equal(world_log_count("ev=clock_stepped"), 0);
    trusted_within(1000);
}

// ---- lies -------------------------------------------------------------------

static void one_host_that_lies_by_a_year_is_not_believed(void **unused)
{
    (void)unused;
    for (unsigned host = 0; host < TIMESYNC_HOSTS; host++) {
        world_restart();
        world.log_len = 0;
        memset(world.log, 0, sizeof(world.log));
        world.hosts[host].lie_ms = YEAR_MS;
        world_attempt();
        refused(TIMESYNC_CAUSE_DISAGREE);
        world.hosts[host].lie_ms = 0;
    }
}

static void hosts_may_differ_by_a_minute_and_not_by_more(void **unused)
{
    (void)unused;
    world.trip_ms = 0;
    world.hosts[1].lie_ms = 62000;
    world_attempt();
    refused(TIMESYNC_CAUSE_DISAGREE);
    world.hosts[1].lie_ms = -60000;
    world_run(2000);
    trusted_within(1000);
}

static void both_lying_ahead_of_their_certificates_are_not_believed(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        world.hosts[i].lie_ms = YEAR_MS;
        world.hosts[i].not_after_ms = world.true_ms + 90 * DAY_MS;
    }
    world_attempt();
    refused(TIMESYNC_CAUSE_CERT_DATES);
}

static void both_lying_below_the_floor_are_not_believed(void **unused)
{
    (void)unused;
    world.hosts[0].lie_ms = world.hosts[1].lie_ms = -YEAR_MS;
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        world.hosts[i].not_before_ms = BUILD_MS - 3 * YEAR_MS;
    }
    world_attempt();
    refused(TIMESYNC_CAUSE_BELOW_FLOOR);
}

static void both_lying_far_ahead_are_not_believed(void **unused)
{
    (void)unused;
    world.hosts[0].lie_ms = world.hosts[1].lie_ms = 11 * YEAR_MS;
    world_attempt();
    refused(TIMESYNC_CAUSE_FAR_AHEAD);
}

static void a_later_truth_below_a_wrong_floor_is_said_and_not_followed(void **unused)
{
    (void)unused;
    world.hosts[0].lie_ms = world.hosts[1].lie_ms = YEAR_MS;
    world_attempt(); // two hosts that agree and whose certificates are good: that is all we have
    assert_int_equal(hal_clock_wall().quality, CLOCK_TRUSTED);
    int64_t wrong_ms = hal_clock_wall().ms - world.true_ms;
    world.hosts[0].lie_ms = world.hosts[1].lie_ms = 0;
    world_run(7 * HOUR_MS);
    assert_int_equal(timesync_status(&world.time)->cause, TIMESYNC_CAUSE_BELOW_FLOOR);
    assert_int_equal(world_log_count("ev=time_not_checked cause=below_floor"), 1);
    assert_int_equal(hal_clock_wall().ms - world.true_ms, wrong_ms);
}

// ---- certificates -----------------------------------------------------------

static void a_certificate_that_begins_after_the_floor_is_good_at_its_date(void **unused)
{
    (void)unused;
    world.kernel.wall_ms = 0;
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        world.hosts[i].not_before_ms = world.true_ms - HOUR_MS;
    }
    assert_true(world.hosts[0].not_before_ms > hal_clock_wall().ms);
    world_attempt();
    trusted_within(1000);
}

static void a_certificate_that_begins_after_its_date_is_not(void **unused)
{
    (void)unused;
    world.hosts[1].not_before_ms = world.true_ms + HOUR_MS;
    world_attempt();
    refused(TIMESYNC_CAUSE_CERT_DATES);
}

static void a_certificate_that_has_expired_at_its_date_is_not(void **unused)
{
    (void)unused;
    world.hosts[0].not_after_ms = world.true_ms - HOUR_MS;
    world_attempt();
    refused(TIMESYNC_CAUSE_CERT_DATES);
}

static void certificates_that_nobody_saw_prove_nothing(void **unused)
{
    (void)unused;
    world.hosts[1].not_before_ms = world.hosts[1].not_after_ms = 0;
    world_attempt();
    refused(TIMESYNC_CAUSE_CERT_DATES);
}

static void the_connections_are_vouched_for_once_the_time_is_proven(void **unused)
{
    (void)unused;
    world_attempt();
    assert_in_range(world.http.proven_ms, world.true_ms - 1000, world.true_ms + 1000);
}

// ---- answers ----------------------------------------------------------------

static void any_answer_with_a_date_counts(void **unused)
{
    (void)unused;
    world.hosts[0].status = 503;
    world.hosts[1].status = 401;
    world_attempt();
    trusted_within(1000);
}

static void an_answer_without_a_date_proves_nothing(void **unused)
{
    (void)unused;
    world.hosts[1].no_date = true;
    world_attempt();
    refused(TIMESYNC_CAUSE_NO_DATE);
}

static void a_host_without_an_answer_has_a_cause_of_its_own(void **unused)
{
    (void)unused;

    static const struct {
        enum http_fail fail;
        enum timesync_cause cause;
    } rows[] = {{HTTP_FAIL_RESOLVE, TIMESYNC_CAUSE_NETWORK},
                {HTTP_FAIL_CONNECT, TIMESYNC_CAUSE_NETWORK},
                {HTTP_FAIL_TIMEOUT, TIMESYNC_CAUSE_NETWORK},
                {HTTP_FAIL_TRUST, TIMESYNC_CAUSE_TRUST},
                {HTTP_FAIL_MEMORY, TIMESYNC_CAUSE_MEMORY}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_restart();
        world.log_len = 0;
        memset(world.log, 0, sizeof(world.log));
        world.hosts[i % 2].fail = rows[i].fail;
        world_attempt();
        refused(rows[i].cause);
        world.hosts[i % 2].fail = HTTP_OK;
    }
}

static void a_full_pool_is_tried_again(void **unused)
{
    (void)unused;
    world.http.start_retries = 1;
    (void)world_turn();
    refused(TIMESYNC_CAUSE_MEMORY);
    world.http.start_retries = 0;
    world_run(2000);
    trusted_within(1000);
}

static void an_end_in_the_middle_of_an_attempt_frees_its_transfers(void **unused)
{
    (void)unused;
    world.http.start_retries = 0;
    (void)timesync_step(&world.time, world_now());
    timesync_stop(&world.time);
    assert_int_equal(http_state(http_fake_handle(), SLOT), HTTP_FREE);
    assert_int_equal(http_state(http_fake_handle(), SLOT + 1), HTTP_FREE);
}

// ---- pace -------------------------------------------------------------------

static void while_the_time_is_unknown_it_is_asked_for_every_minute_at_least(void **unused)
{
    (void)unused;
    world.hosts[0].fail = HTTP_FAIL_RESOLVE;
    world_run(HOUR_MS);
    assert_in_range(world_attempts(), 60, 150);
    assert_int_equal(world_log_count("ev=time_unknown"), 1); // once an episode
    world.hosts[0].fail = HTTP_OK;
    world_run(61000);
    trusted_within(1000);
    assert_int_equal(world_log_count("ev=time_trusted"), 1);
}

static void it_is_asked_for_again_every_six_hours(void **unused)
{
    (void)unused;
    world_run(24 * HOUR_MS);
    assert_in_range(world_attempts(), 4, 5);
    assert_int_equal(world_log_count("ev="), 1); // silence when all is well
    trusted_within(1000);
}

static void what_was_proven_stays_proven_when_nobody_answers(void **unused)
{
    (void)unused;
    world_attempt();
    world.hosts[0].fail = world.hosts[1].fail = HTTP_FAIL_TIMEOUT;
    world_run(48 * HOUR_MS);
    assert_int_equal(hal_clock_wall().ms, world.true_ms);
    assert_int_equal(hal_clock_wall().quality, CLOCK_TRUSTED);
    assert_int_equal(world_log_count("ev=time_not_checked cause=network"), 1);
    assert_true(timesync_status(&world.time)->failures > 10);
    world.hosts[0].fail = world.hosts[1].fail = HTTP_OK;
    world_run(HOUR_MS);
    assert_int_equal(timesync_status(&world.time)->failures, 0);
    assert_int_equal(world_log_count("ev=time_trusted"), 2);
}

static void a_mute_host_keeps_it_busy_without_progress(void **unused)
{
    (void)unused;
    world.hosts[1].mute = true;
    world_turn();
    world_turn();
    world_turn();
    struct activity a = timesync_activity(&world.time);
    assert_int_equal(a.kind, ACTIVITY_BUSY);
    world_turn();
    assert_int_equal(timesync_activity(&world.time).progress, a.progress);
    world.hosts[1].mute = false;
    world_turn();
    world_turn();
    assert_int_equal(timesync_activity(&world.time).kind, ACTIVITY_WAITING);
    assert_true(timesync_activity(&world.time).until.ms > world.kernel.boot_ms + 5 * HOUR_MS);
}

// ---- the floor --------------------------------------------------------------

static void the_floor_is_stored_at_the_first_trust(void **unused)
{
    (void)unused;
    world_attempt();
    int64_t floor_ms = hal_clock_floor();
    assert_in_range(floor_ms, world.true_ms - CLOCK_FLOOR_LAG_MS - 1000, world.true_ms);
    world_restart();
    world.kernel.wall_ms = 0;
    assert_int_equal(hal_clock_wall().ms, floor_ms);
    world_attempt();
    trusted_within(1000);
}

static void the_floor_is_stored_every_six_hours_even_if_nobody_answers(void **unused)
{
    (void)unused;
    world_attempt();
    world.hosts[0].fail = HTTP_FAIL_TIMEOUT;
    world_run(48 * HOUR_MS);
    world_restart();
    assert_true(hal_clock_floor() > world.true_ms - 7 * HOUR_MS);
}

static void the_floor_is_stored_at_a_clean_end(void **unused)
{
    (void)unused;
    world_attempt();
    world_run(3 * HOUR_MS);
    timesync_stop(&world.time);
    world_restart();
    assert_true(hal_clock_floor() >= world.true_ms - CLOCK_FLOOR_LAG_MS - 1000);
}

static void a_floor_that_cannot_be_stored_is_said_once(void **unused)
{
    (void)unused;
    world.writes_fail = true;
    world_attempt();
    world_run(24 * HOUR_MS);
    trusted_within(1000);
    assert_int_equal(world_log_count("ev=clock_floor_not_stored"), 1);
}

static void the_year_2038_is_reached_with_a_floor_before_it(void **unused)
{
    (void)unused;
    char bytes[8];
    struct buf b = BUF(bytes);
    struct slots record = {
        .dir_fd = world.state_fd, .name = "clock-floor", .magic = 0x41434631, .payload_max = 8};
    buf_put_be64(&b, (uint64_t)(BUILD_MS + 9 * YEAR_MS));
    assert_int_equal(slots_write(&record, buf_span(&b)), RC_OK);
    world_restart();
    world.true_ms = INT64_C(2147483647500);
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        world.hosts[i].not_after_ms = world.true_ms + YEAR_MS;
    }
    world_attempt();
    trusted_within(1000);
    world_run(7 * HOUR_MS);
    trusted_within(1000);
    assert_int_equal(timesync_status(&world.time)->cause, TIMESYNC_CAUSE_NONE);
}

// ---- time servers -----------------------------------------------------------

static void servers(unsigned configured, unsigned answering)
{
    world.config.sntp_count = configured;
    for (unsigned i = 0; i < configured; i++) {
        memcpy(world.config.sntp[i], "192.0.2.1", 10);
    }
    world.sntp.count = answering;
    world_restart();
}

static void time_servers_that_agree_are_asked_and_heard(void **unused)
{
    (void)unused;
    servers(3, 2);
    world_attempt();
    assert_int_equal(world.sntp.asked, 3);
    trusted_within(1000);
}

static void a_time_server_that_lies_is_said_and_the_time_stays_unknown(void **unused)
{
    (void)unused;
    servers(2, 2);
    world.sntp.lies[1] = -YEAR_MS;
    world_attempt();
    refused(TIMESYNC_CAUSE_SNTP_DIFFERS);
    world.sntp.lies[1] = 59000; // the last second is open to both sides
    world_run(10000);
    assert_int_equal(timesync_status(&world.time)->cause, TIMESYNC_CAUSE_NONE);
}

static void time_servers_that_are_all_silent_leave_the_time_unknown(void **unused)
{
    (void)unused;
    servers(4, 0);
    world_attempt();
    refused(TIMESYNC_CAUSE_SNTP_SILENT);
}

static void time_servers_cannot_prove_what_the_hosts_do_not(void **unused)
{
    (void)unused;
    servers(4, 4);
    world.hosts[0].lie_ms = YEAR_MS;
    world_attempt();
    refused(TIMESYNC_CAUSE_DISAGREE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_the_one_that_was_reviewed),
        TEST(both_hosts_are_asked_at_the_same_time_and_without_a_token),
        TEST(without_hosts_nobody_is_asked_and_nobody_waits),
        TEST(with_a_trusted_clock_no_certificate_gets_any_leave),
        TEST(from_any_clock_of_the_kernel_the_true_time_is_found),
        TEST(a_step_of_a_year_is_said_and_changes_nothing),
        TEST(a_kernel_that_is_stepped_all_the_time_makes_no_storm),
        TEST(a_kernel_that_is_right_within_the_second_is_followed_exactly),
        TEST(the_second_that_date_leaves_open_is_halved),
        TEST(after_a_sleep_the_time_is_asked_for_soon),
        TEST(one_host_that_lies_by_a_year_is_not_believed),
        TEST(hosts_may_differ_by_a_minute_and_not_by_more),
        TEST(both_lying_ahead_of_their_certificates_are_not_believed),
        TEST(both_lying_below_the_floor_are_not_believed),
        TEST(both_lying_far_ahead_are_not_believed),
        TEST(a_later_truth_below_a_wrong_floor_is_said_and_not_followed),
        TEST(a_certificate_that_begins_after_the_floor_is_good_at_its_date),
        TEST(a_certificate_that_begins_after_its_date_is_not),
        TEST(a_certificate_that_has_expired_at_its_date_is_not),
        TEST(certificates_that_nobody_saw_prove_nothing),
        TEST(the_connections_are_vouched_for_once_the_time_is_proven),
        TEST(any_answer_with_a_date_counts),
        TEST(an_answer_without_a_date_proves_nothing),
        TEST(a_host_without_an_answer_has_a_cause_of_its_own),
        TEST(a_full_pool_is_tried_again),
        TEST(an_end_in_the_middle_of_an_attempt_frees_its_transfers),
        TEST(while_the_time_is_unknown_it_is_asked_for_every_minute_at_least),
        TEST(it_is_asked_for_again_every_six_hours),
        TEST(what_was_proven_stays_proven_when_nobody_answers),
        TEST(a_mute_host_keeps_it_busy_without_progress),
        TEST(the_floor_is_stored_at_the_first_trust),
        TEST(the_floor_is_stored_every_six_hours_even_if_nobody_answers),
        TEST(the_floor_is_stored_at_a_clean_end),
        TEST(a_floor_that_cannot_be_stored_is_said_once),
        TEST(the_year_2038_is_reached_with_a_floor_before_it),
        TEST(time_servers_that_agree_are_asked_and_heard),
        TEST(a_time_server_that_lies_is_said_and_the_time_stays_unknown),
        TEST(time_servers_that_are_all_silent_leave_the_time_unknown),
        TEST(time_servers_cannot_prove_what_the_hosts_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "graph/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "seeded.h"

#define DAY_MS    (24 * HOUR_MS)
#define KEPT_MS   (GRAPH_RETENTION_DAYS * DAY_MS)
#define MINUTE_MS INT64_C(60000)
#define NOW_MS    INT64_C(1795428000000) // 2026-11-23T10:00:00Z

static struct windows w;

static struct config_call_records settings_of(uint32_t window_hours)
{
    return (struct config_call_records){
        .backfill_days = 30,
        .window_hours = window_hours,
        .hot_hours = 36,
        .warm_hours = 96,
        .hot_interval_s = 600,
        .warm_interval_s = 3600,
        .cold_interval_s = 86400,
        .retry_base_ms = 1000,
        .retry_cap_ms = 300000,
    };
}

static void init(uint32_t window_hours)
{
    struct config_call_records settings = settings_of(window_hours);
    windows_init(&w, &settings, NOW_MS);
}

static struct window *due(int64_t now_ms)
{
    int64_t next_ms = 0;
    return windows_due(&w, now_ms, true, &next_ms);
}

static int64_t next_due(int64_t now_ms)
{
    int64_t next_ms = 0;
    assert_null(windows_due(&w, now_ms, true, &next_ms));
    return next_ms;
}

// List everything that is due.
static unsigned list_all(int64_t now_ms)
{
    unsigned count = 0;
    for (struct window *win = due(now_ms); win != NULL; win = due(now_ms)) {
        win->row.listed_ms = now_ms;
        count++;
        assert_true(count <= WINDOWS_MAX);
    }
    return count;
}

static int64_t floor_to(int64_t ms, int64_t width_ms)
{
    return ms - ms % width_ms;
}

static void windows_tile_without_gap_or_overlap_newest_first(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned n = 0; n < 60; n++) {
        struct config_call_records settings =
            settings_of(1u + seeded_below(&seed, n % 2 == 0 ? 8u : 720u));
        int64_t width = (int64_t)settings.window_hours * HOUR_MS;
        int64_t now = NOW_MS + (int64_t)(seeded_next(&seed) % (uint64_t)(3 * KEPT_MS));
        settings.backfill_days = seeded_below(&seed, 31);
        windows_init(&w, &settings, NOW_MS);
        int64_t wanted = NOW_MS - (int64_t)settings.backfill_days * DAY_MS;
        int64_t oldest = floor_to(wanted > now - KEPT_MS ? wanted : now - KEPT_MS, width);
        int64_t expected = floor_to(now, width);
        unsigned left = windows_count_due(&w, now);
        assert_int_equal(windows_width_ms(&w), width);
        for (struct window *win = due(now); win != NULL; win = due(now)) {
            assert_true(win->start_ms == expected);
            assert_int_equal(windows_count_due(&w, now), left);
            win->row.listed_ms = now;
            expected -= width;
            left--;
        }
        assert_true(expected + width == oldest);
        assert_int_equal(left, 0);
    }
}

static void a_moment_lies_in_one_window(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (unsigned n = 0; n < 500; n++) {
        init(1u + seeded_below(&seed, 720));
        int64_t ms = NOW_MS - (int64_t)(seeded_next(&seed) % (uint64_t)KEPT_MS);
        struct window *win = windows_at(&w, ms, NOW_MS);
        assert_non_null(win);
        assert_true(win->start_ms <= ms && ms < win->start_ms + windows_width_ms(&w));
        assert_ptr_equal(windows_at(&w, win->start_ms, NOW_MS), win);
    }
}

static void what_is_older_than_kept_or_not_yet_has_no_window(void **state)
{
    (void)state;
    init(6);
    assert_null(windows_at(&w, NOW_MS - KEPT_MS - 6 * HOUR_MS, NOW_MS));
    assert_null(windows_at(&w, 0, NOW_MS));
    assert_null(windows_at(&w, -1, NOW_MS));
    assert_null(windows_at(&w, NOW_MS + 6 * HOUR_MS, NOW_MS));
    assert_non_null(windows_at(&w, NOW_MS - KEPT_MS, NOW_MS));
    assert_non_null(windows_at(&w, NOW_MS, NOW_MS));
}

static void the_interval_follows_the_age(void **state)
{
    (void)state;
    init(6);

    static const struct {
        int64_t ended_ago_ms, interval_s;
    } cases[] = {
        {-6 * HOUR_MS, 600},
        {0, 600},
        {36 * HOUR_MS - 1, 600},
        {36 * HOUR_MS, 3600},
        {96 * HOUR_MS - 1, 3600},
        {96 * HOUR_MS, 86400},
        {29 * DAY_MS, 86400},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t start = NOW_MS - 6 * HOUR_MS - cases[i].ended_ago_ms;
        assert_int_equal(windows_interval_ms(&w, start, NOW_MS), cases[i].interval_s * 1000);
    }
}

static void a_listed_window_is_due_again_after_its_interval(void **state)
{
    (void)state;
    init(6);
    assert_int_equal(list_all(NOW_MS), 121);
    assert_true(next_due(NOW_MS) == NOW_MS + 600 * 1000);
    assert_true(next_due(NOW_MS + 599999) == NOW_MS + 600 * 1000);
    struct window *win = due(NOW_MS + 600 * 1000);
    assert_non_null(win);
    assert_true(win->start_ms == floor_to(NOW_MS, 6 * HOUR_MS));
}

static void what_was_never_listed_comes_before_what_is_late(void **state)
{
    (void)state;
    init(6);
    list_all(NOW_MS);
    struct window *old = windows_at(&w, NOW_MS - 20 * DAY_MS, NOW_MS);
    struct window *older = windows_at(&w, NOW_MS - 21 * DAY_MS, NOW_MS);
    old->row.listed_ms = 0;
    older->row.listed_ms = 0;
    int64_t later = NOW_MS + HOUR_MS; // the hot ones are late six times
    assert_ptr_equal(due(later), old);
    old->row.listed_ms = later;
    assert_ptr_equal(due(later), older);
    older->row.listed_ms = later;
    assert_true(due(later)->start_ms > NOW_MS - 2 * DAY_MS);
}

static void the_one_late_by_the_largest_share_comes_first(void **state)
{
    (void)state;
    init(6);
    list_all(NOW_MS);
    struct window *hot = windows_at(&w, NOW_MS, NOW_MS);
    struct window *cold = windows_at(&w, NOW_MS - 20 * DAY_MS, NOW_MS);
    cold->row.listed_ms = NOW_MS - 3 * DAY_MS;    // three intervals
    hot->row.listed_ms = NOW_MS - 20 * MINUTE_MS; // two
    assert_ptr_equal(due(NOW_MS), cold);
    hot->row.listed_ms = NOW_MS - 40 * MINUTE_MS; // four
    assert_ptr_equal(due(NOW_MS), hot);
    hot->row.listed_ms = NOW_MS - 30 * MINUTE_MS; // three: the newer one
    assert_ptr_equal(due(NOW_MS), hot);
}

static void a_window_is_listed_a_last_time_before_its_records_are_forgotten(void **state)
{
    (void)state;
    struct config_call_records settings = settings_of(6);
    settings.cold_interval_s = 604800;
    windows_init(&w, &settings, NOW_MS);
    int64_t start = floor_to(NOW_MS - 25 * DAY_MS, 6 * HOUR_MS);
    int64_t last_call = start + KEPT_MS - 6 * HOUR_MS;
    list_all(NOW_MS);
    windows_at(&w, start, NOW_MS)->row.listed_ms = last_call - DAY_MS; // the schedule: in six days
    list_all(last_call - 1);
    windows_at(&w, start, last_call)->row.listed_ms = last_call - DAY_MS;
    assert_true(next_due(last_call - 1) == last_call);
    assert_int_equal(list_all(last_call), 2); // and the window that begins then
    assert_true(windows_at(&w, start, last_call)->row.listed_ms == last_call);
    assert_true(next_due(last_call) > last_call); // and not again
}

static void a_clock_set_back_makes_listings_of_the_future_due(void **state)
{
    (void)state;
    init(6);
    int64_t wrong = NOW_MS + 10 * DAY_MS;
    list_all(wrong);
    assert_int_equal(windows_count_due(&w, wrong), 0);
    unsigned due_again = windows_count_due(&w, NOW_MS);
    assert_true(due_again >= 80);
    assert_int_equal(list_all(NOW_MS), due_again);
    assert_int_equal(windows_count_due(&w, NOW_MS), 0);
}

static void a_failed_listing_waits(void **state)
{
    (void)state;
    init(6);
    list_all(NOW_MS);
    struct window *win = windows_at(&w, NOW_MS, NOW_MS);
    win->row.listed_ms = 0;
    win->retry_ms = NOW_MS + 5000;
    assert_true(next_due(NOW_MS) == NOW_MS + 5000);
    assert_ptr_equal(due(NOW_MS + 5000), win);
}

static void a_wait_set_by_a_wrong_clock_is_forgotten(void **state)
{
    (void)state;
    init(6);
    list_all(NOW_MS);
    struct window *win = windows_at(&w, NOW_MS, NOW_MS);
    win->row.listed_ms = 0;
    win->retry_ms = NOW_MS + 300001; // no back-off is so long
    assert_ptr_equal(due(NOW_MS), win);
    win->retry_ms = NOW_MS + 300000;
    assert_true(next_due(NOW_MS) == NOW_MS + 300000);
}

static void while_the_work_list_is_long_no_new_window_is_opened_but_the_present(void **state)
{
    (void)state;
    init(6);
    int64_t next_ms = 0;
    struct window *now = windows_due(&w, NOW_MS, false, &next_ms);
    assert_true(now->start_ms == floor_to(NOW_MS, 6 * HOUR_MS));
    now->row.listed_ms = NOW_MS;
    assert_null(windows_due(&w, NOW_MS, false, &next_ms));
    struct window *old = windows_at(&w, NOW_MS - 20 * DAY_MS, NOW_MS);
    old->row.listed_ms = NOW_MS - 2 * DAY_MS;
    assert_ptr_equal(windows_due(&w, NOW_MS, false, &next_ms), old);
    assert_true(windows_due(&w, NOW_MS, true, &next_ms)->row.listed_ms == 0);
}

static void without_backfill_it_begins_with_the_present(void **state)
{
    (void)state;
    struct config_call_records settings = settings_of(6);
    settings.backfill_days = 0;
    windows_init(&w, &settings, NOW_MS);
    assert_int_equal(list_all(NOW_MS), 1);
    assert_int_equal(list_all(NOW_MS + DAY_MS), 5);
}

static void a_clock_before_the_first_start_finds_nothing_due(void **state)
{
    (void)state;
    struct config_call_records settings = settings_of(6);
    settings.backfill_days = 0;
    windows_init(&w, &settings, NOW_MS);
    assert_true(next_due(NOW_MS - DAY_MS) == INT64_MAX);
    assert_int_equal(windows_count_due(&w, NOW_MS - DAY_MS), 0);
    assert_null(windows_at(&w, NOW_MS - DAY_MS, NOW_MS - DAY_MS));
}

static void stored_rows_are_taken_up_if_they_fit_the_grid(void **state)
{
    (void)state;
    struct window_row row = {.listed_ms = NOW_MS - 5, .records = 3, .pending = 2};
    int64_t start = floor_to(NOW_MS, 6 * HOUR_MS) - 6 * HOUR_MS;
    init(6);
    windows_load(&w, start, 6, &row, NOW_MS);
    assert_memory_equal(&windows_at(&w, start, NOW_MS)->row, &row, sizeof(row));

    init(6);
    windows_load(&w, start, 12, &row, NOW_MS); // listed with another width
    windows_load(&w, start + HOUR_MS, 6, &row, NOW_MS);
    windows_load(&w, start - KEPT_MS, 6, &row, NOW_MS);
    windows_load(&w, start + DAY_MS, 6, &row, NOW_MS);
    for (int64_t ms = start - KEPT_MS; ms < start + DAY_MS; ms += 6 * HOUR_MS) {
        const struct window *win = windows_at(&w, ms, NOW_MS);
        assert_true(win == NULL || win->row.listed_ms == 0);
    }
}

// Two months, step by step, against a model that knows nothing of slots.
static void months_go_by_and_no_window_is_forgotten(void **state)
{
    (void)state;
    static int64_t listed[3u * WINDOWS_MAX]; ///< by number of the window since the oldest
    for (uint32_t hours = 3; hours <= 29; hours += 13) {
        int64_t width = (int64_t)hours * HOUR_MS;
        int64_t first = floor_to(NOW_MS - KEPT_MS, width);
        int64_t step = HOUR_MS;
        memset(listed, 0, sizeof(listed));
        init(hours);
        for (int64_t now = NOW_MS; now < NOW_MS + 60 * DAY_MS; now += step) {
            for (struct window *win = due(now); win != NULL; win = due(now)) {
                int64_t *seen = &listed[(win->start_ms - first) / width];
                assert_true(win->row.listed_ms == *seen); // a slot never speaks for another window
                assert_true(*seen == 0 || now - *seen >= 600 * 1000);
                *seen = now;
                win->row.listed_ms = now;
            }
            int64_t leaving = floor_to(now - KEPT_MS + step, width); // at the next step, or later
            assert_true(listed[(leaving - first) / width] >= leaving + KEPT_MS - 7 * HOUR_MS ||
                        leaving + KEPT_MS - 6 * HOUR_MS > now);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_tile_without_gap_or_overlap_newest_first),
        cmocka_unit_test(a_moment_lies_in_one_window),
        cmocka_unit_test(what_is_older_than_kept_or_not_yet_has_no_window),
        cmocka_unit_test(the_interval_follows_the_age),
        cmocka_unit_test(a_listed_window_is_due_again_after_its_interval),
        cmocka_unit_test(what_was_never_listed_comes_before_what_is_late),
        cmocka_unit_test(the_one_late_by_the_largest_share_comes_first),
        cmocka_unit_test(a_window_is_listed_a_last_time_before_its_records_are_forgotten),
        cmocka_unit_test(a_clock_set_back_makes_listings_of_the_future_due),
        cmocka_unit_test(a_failed_listing_waits),
        cmocka_unit_test(a_wait_set_by_a_wrong_clock_is_forgotten),
        cmocka_unit_test(while_the_work_list_is_long_no_new_window_is_opened_but_the_present),
        cmocka_unit_test(without_backfill_it_begins_with_the_present),
        cmocka_unit_test(a_clock_before_the_first_start_finds_nothing_due),
        cmocka_unit_test(stored_rows_are_taken_up_if_they_fit_the_grid),
        cmocka_unit_test(months_go_by_and_no_window_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/// What the collector says of itself to whoever watches for a standstill: the real collector on the
/// real store, with a scripted service.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph_state.h"
#include "http_fake.h"
#include "spool/spool_state.h"

#define SLOT    1u
#define WALL_MS 1795392000000

static struct graph graph;
static struct spool spool;
static struct http_fake http;
static struct config config;
static struct json_token tokens[CONFIG_JSON_TOKENS_MAX];
static char line[SPOOL_EVENT_BYTES_MAX];
static char shell[GRAPH_SHELL_BYTES];
static struct now now;

static const struct graph_token token = {
    .authorization = {.ptr = "Authorization: Bearer x", .len = 23}, .generation = 1};

static void put_config(void)
{
    struct config_call_records *c = &config.call_records;

    memset(&config, 0, sizeof(config));
    (void)snprintf(config.graph_url, sizeof(config.graph_url), "https://graph.example");
    config.connect_ms = 15000;
    config.total_ms = 600000;
    config.stall_ms = 30000;
    c->depth = DEPTH_SESSIONS;
    c->backfill_days = 1;
    c->window_hours = 24;
    c->list_per_20s = 1000;
    c->app_per_20s = 1000;
    c->record_per_20s = 10;
    c->hot_interval_s = c->warm_interval_s = c->cold_interval_s = 3600;
    c->hot_hours = 24;
    c->warm_hours = 48;
    c->retry_base_ms = 1000;
    c->retry_cap_ms = 300000;
}

static int begin(void **state)
{
    static char dir[256];
    const struct spool_options options = {.state_dir = dir, .map_mib = 16, .high_percent = 85};
    const struct graph_setup setup = {.config = &config,
                                      .http = http_fake_handle(),
                                      .slot = SLOT,
                                      .spool = &spool,
                                      .scratch = {.tokens = tokens,
                                                  .tokens_max = CONFIG_JSON_TOKENS_MAX,
                                                  .line = buf_of(line, sizeof(line)),
                                                  .shell = buf_of(shell, sizeof(shell))}};
    char reason_bytes[128];
    struct buf reason = BUF(reason_bytes);
    enum spool_found found;

    (void)state;
    (void)snprintf(dir, sizeof(dir), "%s/graph-XXXXXX", getenv("ANTEROOM_TMP"));
    assert_non_null(mkdtemp(dir));
    now = (struct now){.mono = {.ms = 5000}, .wall = {.ms = WALL_MS, .quality = CLOCK_TRUSTED}};
    put_config();
    http_fake_init(&http);
    assert_int_equal(spool_open(&spool, &options, &found, &reason), RC_OK);
    assert_int_equal(graph_init(&graph, &setup, now), RC_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    spool_close(&spool);
    return 0;
}

static struct activity step(struct graph_token with)
{
    struct graph_facts facts;

    (void)graph_step(&graph, with, now, &facts);
    (void)http_step(http_fake_handle(), now);
    return graph_activity(&graph);
}

static struct activity steps(unsigned count)
{
    struct activity a = {.kind = ACTIVITY_ILLEGAL};

    for (unsigned i = 0; i < count; i++) {
        a = step(token);
    }
    return a;
}

static void without_a_token_there_is_nothing_to_do_for_it(void **state)
{
    (void)state;
    assert_int_equal(step((struct graph_token){.generation = 0}).kind, ACTIVITY_IDLE);
}

static void an_answer_under_way_is_busy_and_its_bytes_are_progress(void **state)
{
    (void)state;
    struct activity asked = steps(2);
    assert_int_equal(asked.kind, ACTIVITY_BUSY);
    struct activity later = steps(5); // nothing came
    assert_int_equal(later.kind, ACTIVITY_BUSY);
    assert_int_equal(later.progress, asked.progress);
    const struct http_fake_answer slow = {
        .status = 200, .body = SPAN("{\"value\":[]}"), .piece_bytes = 4};
    http_fake_queue(&http, SLOT, &slow);
    struct activity some = steps(3);
    assert_int_equal(some.kind, ACTIVITY_BUSY);
    assert_int_not_equal(some.progress, asked.progress);
}

static void a_peer_that_sends_but_nothing_of_a_body_moves_all_the_same(void **state)
{
    (void)state;
    struct activity asked = steps(2);
    http.slots[SLOT].moved = 1; // of a header, or of what unpacks to nothing
    struct activity later = steps(2);
    assert_int_equal(later.kind, ACTIVITY_BUSY);
    assert_int_not_equal(later.progress, asked.progress);
    http.slots[SLOT].moved = 0;
}

static void a_listing_that_failed_waits_and_counts_its_failures(void **state)
{
    (void)state;
    (void)steps(2);
    http_fake_queue_body(&http, SLOT, 500, "");
    struct activity a = steps(4);
    assert_int_equal(a.kind, ACTIVITY_WAITING);
    assert_int_equal(a.failures, 1);
    assert_true(a.until.ms > now.mono.ms);
    now.mono.ms = a.until.ms;
    assert_int_equal(step(token).kind, ACTIVITY_BUSY); // it asks again
    http_fake_queue_body(&http, SLOT, 200, "{\"value\":[]}");
    assert_int_equal(steps(4).failures, 0);
}

static void when_all_is_listed_it_waits_for_the_next_listing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        http_fake_queue_body(&http, SLOT, 200, "{\"value\":[]}");
    }
    struct activity a = steps(20);
    assert_int_equal(a.kind, ACTIVITY_WAITING);
    assert_true(a.until.ms > now.mono.ms);
    assert_true(a.until.ms <= now.mono.ms + HOUR_MS);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(without_a_token_there_is_nothing_to_do_for_it),
        TEST(an_answer_under_way_is_busy_and_its_bytes_are_progress),
        TEST(a_peer_that_sends_but_nothing_of_a_body_moves_all_the_same),
        TEST(a_listing_that_failed_waits_and_counts_its_failures),
        TEST(when_all_is_listed_it_waits_for_the_next_listing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/// The sink on the real spool: what is in the bodies, and what a restart finds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>
#include <zlib.h>

#include "http_fake.h"
#include "ship/ship_state.h"
#include "spool/spool_state.h"

#define SLOT   3u
#define EVENTS 1000u

static struct {
    struct ship ship;
    struct http_fake http;
    struct spool spool;
    struct tokenstore store;
    struct config config;
    struct now now;
    char dir[SPOOL_PATH_BYTES_MAX];
} t;

static char scratch[SPOOL_BLOCK_RAW_BYTES_MAX];
static char text[SPOOL_BLOCK_RAW_BYTES_MAX];

RC hal_tokenstore_get(struct tokenstore *store, struct span name, struct buf *out)
{
    (void)store;
    (void)name;
    (void)out;
    return RC_NOTFOUND;
}

static void open_all(enum spool_found wanted)
{
    struct spool_options options = {.state_dir = t.dir, .map_mib = 16, .high_percent = 85};
    struct span name = SPAN("main");
    enum spool_found found;
    char reason[128];
    struct buf reason_buf = BUF(reason);
    memset(&t.spool, 0, sizeof(t.spool));
    assert_int_equal(spool_open(&t.spool, &options, &found, &reason_buf), RC_OK);
    assert_int_equal(found, wanted);
    assert_int_equal(spool_set_sinks(&t.spool, &name, 1), RC_OK);
    http_fake_init(&t.http);
    ship_init(&t.ship,
              &(struct ship_setup){
                  .config = &t.config,
                  .index = 0,
                  .http = http_fake_handle(),
                  .slot = SLOT,
                  .spool = &t.spool,
                  .store = &t.store,
                  .scratch = buf_of(scratch, sizeof(scratch)),
              });
}

static void put_line(uint64_t seq, struct buf *line)
{
    buf_put_str(line, "{\"type\":\"call_record\",\"seq\":");
    buf_put_u64(line, seq);
    buf_put_str(line, "}");
}

static int begin(void **state)
{
    (void)state;
    const char *tmp = getenv("ANTEROOM_TMP");
    memset(&t, 0, sizeof(t));
    (void)snprintf(t.dir, sizeof(t.dir), "%s/ship-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(t.dir));
    struct config_sink *sink = &t.config.sinks[0];
    t.config.sinks_count = 1;
    t.config.connect_ms = 15000;
    t.config.total_ms = 600000;
    t.config.stall_ms = 30000;
    (void)snprintf(sink->name, sizeof(sink->name), "main");
    (void)snprintf(sink->url, sizeof(sink->url), "https://sink.example/");
    sink->batch_events_max = 2000;
    sink->batch_bytes_max = 2097152;
    sink->retry_base_ms = 1000;
    sink->retry_cap_ms = 2000;
    sink->hold_probe_s = 600;
    open_all(SPOOL_FOUND_NONE);
    for (uint64_t seq = 1; seq <= EVENTS; seq++) {
        char bytes[128];
        struct buf line = BUF(bytes);
        put_line(seq, &line);
        assert_int_equal(spool_append(&t.spool, buf_span(&line)), RC_OK);
    }
    assert_int_equal(spool_commit(&t.spool), RC_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    char path[SPOOL_PATH_BYTES_MAX + 32u];
    static const char *const names[] = {"/spool/data.mdb", "/spool/lock.mdb", "/spool", ""};
    spool_close(&t.spool);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", t.dir, names[i]);
        (void)remove(path); // what else there is stays for a look
    }
    return 0;
}

/// Until there is a request that has no answer, or nothing to do.
static void run(void)
{
    for (unsigned turn = 0; turn < 100000; turn++) {
        unsigned requests = t.http.requests;
        struct mono next = ship_step(&t.ship, t.now);
        (void)http_step(http_fake_handle(), t.now);
        bool waits = next.ms == INT64_MAX && requests == t.http.requests &&
                     http_state(http_fake_handle(), SLOT) != HTTP_DONE;
        if (waits) {
            return;
        }
        t.now.mono.ms = next.ms > t.now.mono.ms && next.ms != INT64_MAX ? next.ms : t.now.mono.ms;
    }
    fail();
}

/// The last request's body, as gzip: exactly the lines first..last.
static void expect_lines(uint64_t first, uint64_t last)
{
    const struct http_fake_request *r = http_fake_request(&t.http, SLOT);
    static char wanted_bytes[sizeof(text)];
    struct buf wanted = BUF(wanted_bytes);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)r->body,
                  .avail_in = (uInt)r->body_bytes,
                  .next_out = (Bytef *)text,
                  .avail_out = sizeof(text)};
    assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(inflateEnd(&z), Z_OK);
    for (uint64_t seq = first; seq <= last; seq++) {
        put_line(seq, &wanted);
        buf_put_char(&wanted, '\n');
    }
    assert_int_equal(z.total_out, wanted.len);
    assert_memory_equal(text, wanted.ptr, wanted.len);
}

static void after_a_restart_the_same_events_go_under_the_same_key(void **state)
{
    (void)state;
    char key[160];
    char digest[160];
    run();
    assert_int_equal(t.http.requests, 1);
    expect_lines(1, EVENTS);
    (void)snprintf(key, sizeof(key), "%s", http_fake_header(&t.http, SLOT, "Idempotency-Key"));
    (void)snprintf(digest, sizeof(digest), "%s", http_fake_header(&t.http, SLOT, "Content-Digest"));
    spool_close(&t.spool);
    open_all(SPOOL_FOUND_GOOD);
    http_fake_queue_body(&t.http, SLOT, 200, "");
    run();
    assert_string_equal(http_fake_header(&t.http, SLOT, "Idempotency-Key"), key);
    assert_string_equal(http_fake_header(&t.http, SLOT, "Content-Digest"), digest);
    assert_true(ship_is_idle(&t.ship));
    spool_close(&t.spool);
    open_all(SPOOL_FOUND_GOOD);
    run();
    assert_int_equal(t.http.requests, 0);
    assert_int_equal(spool_acked(&t.spool, 0), EVENTS);
}

static bool refuse_event_77(void *context,
                            unsigned slot,
                            const struct http_fake_request *request,
                            struct http_fake_answer *answer)
{
    (void)context;
    (void)request;
    uint64_t first = 0;
    uint64_t count = 0;
    assert_true(span_u64(span_from_str(http_fake_header(&t.http, slot, "X-Batch-Seq")), &first));
    assert_true(span_u64(span_from_str(http_fake_header(&t.http, slot, "X-Batch-Count")), &count));
    expect_lines(first, first + count - 1u);
    answer->status = first <= 77 && first + count > 77 ? 413 : 200;
    return true;
}

static void parts_of_blocks_carry_exactly_their_events(void **state)
{
    (void)state;
    http_fake_respond_with(&t.http, refuse_event_77, NULL);
    run();
    assert_true(ship_is_idle(&t.ship));
    assert_int_equal(ship_status(&t.ship)->events_sent, EVENTS - 1u);
    assert_int_equal(spool_stats(&t.spool).dead_rows, 1);
    assert_int_equal(spool_acked(&t.spool, 0), EVENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            after_a_restart_the_same_events_go_under_the_same_key, begin, end),
        cmocka_unit_test_setup_teardown(parts_of_blocks_carry_exactly_their_events, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

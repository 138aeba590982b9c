// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Months of virtual time against a sink that does everything a sink may do, at random: whatever
 * happens, every request begins right behind what is acknowledged, and every event that is
 * acknowledged was taken by the sink or is in quarantine. ANTEROOM_SEED=n repeats one run.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define EVENTS      3000u
#define POISON_STEP 89u ///< each such event is refused for good
#define SEEDS       200u
#define ROUNDS_MAX  20000u

static struct {
    bool calm; ///< answers honestly from now on
    unsigned taken[EVENTS + 1u];
    char reply[128u * 1024u];
} sink;

static unsigned chance(unsigned of)
{
    return (unsigned)(world_random() % of);
}

static void take(uint64_t first, uint64_t last, bool poison_too)
{
    for (uint64_t seq = first; seq <= last; seq++) {
        sink.taken[seq] += poison_too || seq % POISON_STEP != 0;
    }
}

static bool has_poison(uint64_t first, uint64_t last)
{
    return last / POISON_STEP > (first - 1u) / POISON_STEP;
}

/// Takes what is good and names what is not.
static void answer_with_list(uint64_t first, uint64_t last, struct http_fake_answer *answer)
{
    struct buf b = BUF(sink.reply);
    take(first, last, false);
    buf_put_str(&b, "{\"rejected\":[");
    for (uint64_t seq = first; seq <= last; seq++) {
        if (seq % POISON_STEP == 0) {
            buf_put_str(&b, b.ptr[b.len - 1u] == '[' ? "{\"seq\":" : ",{\"seq\":");
            buf_put_u64(&b, seq);
            buf_put_char(&b, '}');
        }
    }
    buf_put_str(&b, "]}");
    answer->status = 200;
    answer->body = buf_span(&b);
    answer->piece_bytes = 1u + chance(64);
}

static void answer_honestly(uint64_t first, uint64_t last, struct http_fake_answer *answer)
{
    static const int refusals[] = {400, 413, 422};
    if (chance(2) == 0) {
        answer_with_list(first, last, answer);
    } else if (has_poison(first, last)) {
        answer->status = refusals[chance(3)];
    } else {
        take(first, last, false);
        answer->status = 200;
    }
}

static void answer_badly(uint64_t first, uint64_t last, struct http_fake_answer *answer)
{
    static const int statuses[] = {301, 401, 402, 403, 404, 408, 418, 425, 429, 500, 502, 503, 504};

    static const enum http_fail fails[] = {
        HTTP_FAIL_RESOLVE,
        HTTP_FAIL_CONNECT,
        HTTP_FAIL_TRUST,
        HTTP_FAIL_TLS,
        HTTP_FAIL_TIMEOUT,
        HTTP_FAIL_MEMORY,
    };

    switch (chance(5)) {
    case 0: // the answer is lost after the batch was taken
        answer_with_list(first, last, answer);
        answer->fail = HTTP_FAIL_CUT;
        answer->body = span_sub(answer->body, 0, chance((unsigned)answer->body.len));
        break;
    case 1:
        answer->fail = fails[chance(6)];
        break;
    case 2:
        answer->status = 413; // less, please
        break;
    default:
        answer->status = statuses[chance(13)];
        answer->retry_after_ms = chance(2) == 0 ? 1000 + chance(100000) : 0;
        break;
    }
}

static bool random_answer(void *context,
                          unsigned slot,
                          const struct http_fake_request *request,
                          struct http_fake_answer *answer)
{
    struct world *w = context;
    (void)request;
    uint64_t first = 0;
    uint64_t count = 0;
    assert_true(span_u64(span_from_str(http_fake_header(&w->http, slot, "X-Batch-Seq")), &first));
    assert_true(span_u64(span_from_str(http_fake_header(&w->http, slot, "X-Batch-Count")), &count));
    assert_int_equal(first, w->spool.acked + 1u);
    if (sink.calm || chance(3) == 0) {
        answer_honestly(first, first + count - 1u, answer);
    } else if (!(count == 1 && answer->status == 413)) {
        answer_badly(first, first + count - 1u, answer);
    }
    if (answer->status == 413 && count == 1 && first % POISON_STEP != 0) {
        answer->status = 503; // an honest sink does not refuse a good event for good
    }
    return true;
}

static void random_faults(struct world *w)
{
    static const enum rc faults[] = {RC_IO, RC_RETRY, RC_FULL, RC_CORRUPT};

    w->spool.read_fault = (struct spool_fake_fault){faults[chance(4)], chance(4) == 0};
    w->spool.ack_fault = (struct spool_fake_fault){faults[chance(3)], chance(4) == 0};
    w->spool.bury_fault = (struct spool_fake_fault){faults[chance(4)], chance(4) == 0};
    w->http.start_retries = chance(4) == 0;
    if (chance(8) == 0) {
        world_restart(w);
    }
    if (w->spool.durable < EVENTS) {
        uint64_t left = EVENTS - w->spool.durable;
        uint64_t more = chance(40);
        world_commit(w, more < left ? more : left);
    }
}

static void check_account(const struct world *w)
{
    for (uint64_t seq = 1; seq <= w->spool.acked; seq++) {
        assert_true(sink.taken[seq] > 0 || w->spool.burials[seq] > 0);
        assert_int_equal(w->spool.burials[seq] > 0, seq % POISON_STEP == 0);
    }
}

static void run_seed(uint64_t seed)
{
    world_seed = seed;
    memset(&sink, 0, sizeof(sink));
    struct world *w = world_begin(0, 1u + chance(200));
    http_fake_respond_with(&w->http, random_answer, w);
    unsigned rounds = 0;
    while (w->spool.durable < EVENTS && rounds < ROUNDS_MAX) {
        random_faults(w);
        world_run_ms(w, chance(3600000));
        rounds++;
    }
    check_account(w);
    sink.calm = true;
    world_run_ms(w, 86400000);
    assert_int_equal(w->spool.acked, EVENTS);
    assert_true(ship_is_idle(&w->ship));
    check_account(w);
}

static void every_event_is_taken_or_buried_and_nothing_is_skipped(void **state)
{
    (void)state;
    const char *fixed = getenv("ANTEROOM_SEED");
    if (fixed != NULL) {
        run_seed(strtoull(fixed, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        (void)fprintf(stderr, "seed=%" PRIu64 "\n", seed);
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_taken_or_buried_and_nothing_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

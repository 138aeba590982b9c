// SPDX-License-Identifier: Apache-2.0
/// What becomes of a batch after each kind of answer, on virtual time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define DAY_MS 86400000

static const char *header(struct world *w, const char *name)
{
    return http_fake_header(&w->http, WORLD_SLOT, name);
}

static void queue(struct world *w, int status, const char *body)
{
    http_fake_queue_body(&w->http, WORLD_SLOT, status, body);
}

static void a_batch_is_one_post_with_key_digest_and_bearer(void **state)
{
    (void)state;
    struct world *w = world_begin(3, 100);
    queue(w, 204, "");
    world_run_ms(w, 5000);
    const struct http_fake_request *r = http_fake_request(&w->http, WORLD_SLOT);
    assert_true(r->asked.post);
    assert_string_equal(r->url, "https://sink.example/v1/events");
    assert_int_equal(r->asked.trust, HTTP_TRUST_ROOTS);
    assert_string_equal(header(w, "Content-Type"), "application/x-ndjson");
    assert_string_equal(header(w, "Content-Encoding"), "gzip");
    assert_string_equal(header(w, "Authorization"), "Bearer s3cret");
    assert_string_equal(header(w, "Idempotency-Key"), "11111111-2222-4333-8444-555555555555-1-3");
    assert_string_equal(header(w, "X-Batch-Seq"), "1");
    assert_string_equal(header(w, "X-Batch-Count"), "3");
    // printf '1\n2\n3\n' | openssl dgst -sha256 -binary | base64
    assert_string_equal(header(w, "Content-Digest"),
                        "sha-256=:FMXnTEuWzO9BzZTbc6nsM0gDisCU/spP2JfOz/oHza4=:");
    assert_int_equal(r->body_bytes, 6);
    assert_memory_equal(r->body, "1\n2\n3\n", 6);
    assert_int_equal(w->spool.acked, 3);
    assert_true(ship_is_idle(&w->ship));
    assert_int_equal(ship_status(&w->ship)->events_sent, 3);
    assert_int_equal(ship_status(&w->ship)->batches, 1);
}

static void a_sink_with_its_own_ca_and_the_device_certificate_gets_both(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    struct config_sink *sink = &w->config.sinks[0];
    sink->authorization[0] = '\0';
    (void)snprintf(sink->client_certificate, sizeof(sink->client_certificate), "device");
    (void)snprintf(sink->ca, sizeof(sink->ca), "CA PEM");
    world_run_ms(w, 3000);
    assert_int_equal(w->http.requests, 0);
    assert_string_equal(ship_status(&w->ship)->reason, "certificate_missing");
    world_secrets.certificate = "CERT";
    world_secrets.key = "KEY";
    queue(w, 200, "");
    world_run_ms(w, 11000);
    const struct http_request *r = &http_fake_request(&w->http, WORLD_SLOT)->asked;
    assert_int_equal(r->trust, HTTP_TRUST_CA);
    assert_int_equal(r->ca_pem.len, 6);
    assert_int_equal(r->client_cert_pem.len, 4);
    assert_int_equal(r->client_key_pem.len, 3);
    assert_string_equal(header(w, "Authorization"), "");
    assert_int_equal(w->spool.acked, 1);
}

static void events_wait_for_company_but_not_longer_than_linger(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    world_run_ms(w, 1999);
    assert_int_equal(w->http.requests, 0);
    assert_true(!ship_is_idle(&w->ship));
    world_commit(w, 1);
    queue(w, 200, "");
    world_run_ms(w, 1);
    assert_int_equal(w->http.requests, 1);
    assert_string_equal(header(w, "X-Batch-Count"), "2");
    world_commit(w, 100);
    queue(w, 200, "");
    world_run_ms(w, 1); // a full batch does not wait
    assert_int_equal(w->spool.acked, 102);
}

static void what_waits_behind_a_batch_follows_at_once(void **state)
{
    (void)state;
    struct world *w = world_begin(25, 10);
    queue(w, 200, "");
    queue(w, 200, "");
    queue(w, 200, "");
    world_run_ms(w, 1);
    assert_int_equal(w->spool.acked, 25);
}

static void ack_lost_then_sent_again_under_the_same_key(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    char key[128];
    char digest[128];
    http_fake_queue(
        &w->http, WORLD_SLOT, &(struct http_fake_answer){.fail = HTTP_FAIL_CUT, .status = 200});
    world_run_ms(w, 2000);
    (void)snprintf(key, sizeof(key), "%s", header(w, "Idempotency-Key"));
    (void)snprintf(digest, sizeof(digest), "%s", header(w, "Content-Digest"));
    assert_int_equal(w->spool.acked, 0);
    world_commit(w, 5); // must not slip into the repeat
    queue(w, 409, "");
    world_run_ms(w, 1000);
    assert_int_equal(w->http.requests, 2);
    assert_string_equal(header(w, "Idempotency-Key"), key);
    assert_string_equal(header(w, "Content-Digest"), digest);
    assert_int_equal(w->spool.acked, 10);
    assert_int_equal(ship_status(&w->ship)->retries, 1);
}

static void killed_before_the_ack_was_stored_then_sent_again(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    w->spool.ack_fault = (struct spool_fake_fault){RC_IO, 1};
    queue(w, 200, "");
    world_run_ms(w, 2000);
    assert_int_equal(w->spool.acked, 0);
    world_restart(w);
    queue(w, 200, "");
    world_run_ms(w, 2000);
    assert_string_equal(header(w, "Idempotency-Key"), "11111111-2222-4333-8444-555555555555-1-10");
    assert_int_equal(w->spool.acked, 10);
}

static void an_ack_that_the_device_refuses_is_stored_later_without_sending_again(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    w->spool.ack_fault = (struct spool_fake_fault){RC_IO, 4};
    queue(w, 200, "");
    world_run_ms(w, 60000);
    assert_int_equal(w->http.requests, 1);
    assert_int_equal(w->spool.acked, 10);
    assert_string_equal(ship_status(&w->ship)->reason, "");
}

static bool refuse(void *context,
                   unsigned slot,
                   const struct http_fake_request *request,
                   struct http_fake_answer *answer)
{
    (void)slot;
    (void)request;
    answer->status = *(const int *)context;
    return true;
}

static void status_401_holds_and_never_drops(void **state)
{
    (void)state;
    static const int statuses[] = {401, 402, 403, 404, 301, 418};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct world *w = world_begin(10, 100);
        char reason[32];
        int status = statuses[i];
        (void)snprintf(reason, sizeof(reason), "status_%d", status);
        http_fake_respond_with(&w->http, refuse, &status);
        world_run_ms(w, 3 * DAY_MS);
        assert_string_equal(ship_status(&w->ship)->state, "hold");
        assert_string_equal(ship_status(&w->ship)->reason, reason);
        assert_in_range(w->http.requests, 3 * 130, 3 * 145); // one in 600..660 s
        assert_int_equal(w->spool.acked, 0);
        assert_int_equal(w->spool.buried, 0);
        status = 200;
        world_run_ms(w, 700000);
        assert_int_equal(w->spool.acked, 10);
        assert_string_equal(ship_status(&w->ship)->reason, "");
        assert_int_equal(ship_status(&w->ship)->failures, 0);
    }
}

static void a_new_secret_counts_at_the_next_probe(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    queue(w, 401, "");
    world_run_ms(w, 3000);
    world_secrets.main_token = "renewed";
    queue(w, 200, "");
    world_run_ms(w, 700000);
    assert_string_equal(header(w, "Authorization"), "Bearer renewed");
    assert_int_equal(world_secrets.reads, 2);
    assert_int_equal(w->spool.acked, 1);
}

static void a_missing_secret_sends_nothing_and_is_looked_for_every_ten_seconds(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    world_secrets.main_token = NULL;
    world_run_ms(w, DAY_MS);
    assert_int_equal(w->http.requests, 0);
    assert_string_equal(ship_status(&w->ship)->state, "hold");
    assert_string_equal(ship_status(&w->ship)->reason, "secret_missing");
    world_secrets.main_token = "two\nlines";
    world_run_ms(w, 10000);
    assert_string_equal(ship_status(&w->ship)->reason, "secret_unreadable");
    assert_int_equal(w->http.requests, 0);
    world_secrets.main_token = "s3cret";
    queue(w, 200, "");
    world_run_ms(w, 10000);
    assert_int_equal(w->spool.acked, 1);
}

static void a_certificate_that_is_not_trusted_holds(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    http_fake_queue_fail(&w->http, WORLD_SLOT, HTTP_FAIL_TRUST);
    world_run_ms(w, 3000);
    assert_string_equal(ship_status(&w->ship)->state, "hold");
    assert_string_equal(ship_status(&w->ship)->reason, "trust");
}

static void retry_after_wins(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    http_fake_queue(
        &w->http, WORLD_SLOT, &(struct http_fake_answer){.status = 429, .retry_after_ms = 60000});
    world_run_ms(w, 2000);
    assert_int_equal(w->http.requests, 1);
    assert_string_equal(ship_status(&w->ship)->state, "backoff");
    queue(w, 200, "");
    world_run_ms(w, 59999);
    assert_int_equal(w->http.requests, 1);
    world_run_ms(w, 6001);
    assert_int_equal(w->spool.acked, 1);
}

static bool connect_fails(void *context,
                          unsigned slot,
                          const struct http_fake_request *request,
                          struct http_fake_answer *answer)
{
    (void)context;
    (void)slot;
    (void)request;
    answer->fail = HTTP_FAIL_CONNECT;
    return true;
}

static void sink_down_for_days_keeps_everything(void **state)
{
    (void)state;
    struct world *w = world_begin(10, 100);
    http_fake_respond_with(&w->http, connect_fails, NULL);
    for (int day = 0; day < 10; day++) {
        world_run_ms(w, DAY_MS);
        world_commit(w, 1000);
    }
    assert_string_equal(ship_status(&w->ship)->state, "backoff");
    assert_string_equal(ship_status(&w->ship)->reason, "connect");
    assert_int_equal(w->spool.acked, 0);
    assert_int_equal(w->spool.buried, 0);
    assert_in_range(w->http.requests, 10 * 86400 / 300, 10 * 86400 / 150 + 20);
    int ok = 200;
    http_fake_respond_with(&w->http, refuse, &ok);
    world_run_ms(w, 310000);
    assert_int_equal(w->spool.acked, 10010);
    assert_true(ship_is_idle(&w->ship));
}

static void no_memory_to_start_is_tried_again(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    w->http.start_retries = 3;
    w->spool.read_fault = (struct spool_fake_fault){RC_RETRY, 2};
    queue(w, 200, "");
    world_run_ms(w, 2000);
    assert_string_equal(ship_status(&w->ship)->reason, "memory");
    world_run_ms(w, 60000);
    assert_int_equal(w->spool.acked, 1);
}

static void a_corrupt_block_holds_without_spinning(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    w->spool.read_fault = (struct spool_fake_fault){RC_CORRUPT, 1000000};
    world_run_ms(w, DAY_MS);
    assert_string_equal(ship_status(&w->ship)->state, "hold");
    assert_string_equal(ship_status(&w->ship)->reason, "corrupt");
    assert_in_range(w->spool.reads, 130, 146);
    assert_int_equal(w->http.requests, 0);
    assert_int_equal(w->spool.acked, 0);
}

static void body_pages_are_kept_while_a_batch_is_in_hand(void **state)
{
    (void)state;
    struct world *w = world_begin(1, 100);
    queue(w, 503, "");
    world_run_ms(w, 2000);
    ship_idle(&w->ship);
    assert_memory_equal(w->ship.body, "1\n", 2);
    queue(w, 200, "");
    world_run_ms(w, 2000);
    ship_idle(&w->ship);
    assert_int_equal(w->ship.body[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_one_post_with_key_digest_and_bearer),
        cmocka_unit_test(a_sink_with_its_own_ca_and_the_device_certificate_gets_both),
        cmocka_unit_test(events_wait_for_company_but_not_longer_than_linger),
        cmocka_unit_test(what_waits_behind_a_batch_follows_at_once),
        cmocka_unit_test(ack_lost_then_sent_again_under_the_same_key),
        cmocka_unit_test(killed_before_the_ack_was_stored_then_sent_again),
        cmocka_unit_test(an_ack_that_the_device_refuses_is_stored_later_without_sending_again),
        cmocka_unit_test(status_401_holds_and_never_drops),
        cmocka_unit_test(a_new_secret_counts_at_the_next_probe),
        cmocka_unit_test(a_missing_secret_sends_nothing_and_is_looked_for_every_ten_seconds),
        cmocka_unit_test(a_certificate_that_is_not_trusted_holds),
        cmocka_unit_test(retry_after_wins),
        cmocka_unit_test(sink_down_for_days_keeps_everything),
        cmocka_unit_test(no_memory_to_start_is_tried_again),
        cmocka_unit_test(a_corrupt_block_holds_without_spinning),
        cmocka_unit_test(body_pages_are_kept_while_a_batch_is_in_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

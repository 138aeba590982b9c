// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Two credentials side by side: which one is asked with, when the next one takes over, and what a
 * power cut in the middle of that leaves.
 */
#include "auth/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/crypto.h"

#include "world.h"

#define DAY_MS 86400000ll
#define S_NOW  CREDENTIAL_SECRET_NAME
#define S_NEXT CREDENTIAL_SECRET_NAME_NEXT

static int start(void **unused)
{
    (void)unused;
    return crypto_init() == RC_OK ? 0 : -1;
}

static struct span stored(const char *name)
{
    for (unsigned i = 0; i < VALUES_MAX; i++) {
        if (strcmp(world.values[i].name, name) == 0 && world.values[i].rc == RC_OK) {
            return (struct span){.ptr = world.values[i].bytes, .len = world.values[i].len};
        }
    }
    return SPAN_NONE;
}

static bool holds(const char *name, const char *value)
{
    return span_equal(stored(name), span_from_str(value));
}

static bool asked_with(const char *text)
{
    return http_fake_body_has(&world.http, SLOT, text);
}

static const struct credential_status *credentials(void)
{
    return auth_credentials(&world.auth);
}

static void put(const char *name, const char *value)
{
    world_put(name, span_from_str(value), RC_OK);
}

/// A box that has signed in with "old" and its next secret is put meanwhile.
static void running_with_next_secret(void)
{
    put(S_NOW, "old");
    world_answer_token("first", 3600);
    put(S_NEXT, "new");
}

static void make_certificates(int64_t now_from_ms, int64_t next_from_ms)
{
    bool made = false;
    world.config.credential = CREDENTIAL_CERTIFICATE;
    assert_int_equal(auth_ensure_identity(&world.store, SPAN("box"), now_from_ms, &made), RC_OK);
    if (next_from_ms != 0) {
        assert_int_equal(credential_renew(&world.store, SPAN("box"), next_from_ms, &made), RC_OK);
        assert_true(made);
    }
}

/// x5t#S256 of a record's certificate, as the assertion's header carries it before base64.
static void digest_of(const char *record, uint8_t out[static 32])
{
    struct crypto_certificate c;
    assert_int_equal(crypto_read_certificate(stored(record), &c), RC_OK);
    memcpy(out, c.sha256, sizeof(c.sha256));
}

// ---- switch-over ------------------------------------------------------------

static void an_expired_secret_is_followed_by_the_next_at_once_and_without_a_failure(void **unused)
{
    (void)unused;
    running_with_next_secret();
    world.auth.next_try = mono_after(world.now.mono, DAY_MS); // today's try was made
    world_sleep_until_next();
    world_turn();
    assert_true(asked_with("client_secret=old"));
    world_answer_error(401, "invalid_client", 7000222);
    assert_int_equal(world_requests(), 3); // no time was lost
    assert_true(asked_with("client_secret=new"));
    assert_true(world_has_token());
    assert_int_equal(auth_status(&world.auth)->failures, 0);
    world_answer_token("second", 3600);
    assert_true(holds(S_NOW, "new"));
    assert_int_equal(stored(S_NEXT).len, 0);
    assert_int_equal(world_log_count("ev=auth_failed"), 0);
    assert_int_equal(world_log_count("ev=credential_switched kind=secret why=secret_expired"), 1);
    world_sleep_until_next();
    world_turn();
    assert_true(asked_with("client_secret=new"));
}

static void a_secret_past_its_date_is_not_even_asked_with(void **unused)
{
    (void)unused;
    put(S_NOW, "old");
    put(S_NOW CREDENTIAL_EXPIRES, "2026-11-23"); // today
    put(S_NEXT, "new");
    put(S_NEXT CREDENTIAL_EXPIRES, "2028-11-23");
    world_answer_token("t", 3600);
    assert_int_equal(world_requests(), 1);
    assert_true(asked_with("client_secret=new"));
    assert_true(holds(S_NOW, "new"));
    assert_true(holds(S_NOW CREDENTIAL_EXPIRES, "2028-11-23"));
    assert_int_equal(stored(S_NEXT CREDENTIAL_EXPIRES).len, 0);
    assert_false(credentials()->warn);
}

static void a_refused_certificate_is_followed_by_the_next(void **unused)
{
    (void)unused;
    uint8_t next[32];
    make_certificates(WALL_MS, WALL_MS);
    digest_of(CREDENTIAL_CERT_NAME_NEXT, next);
    world.auth.next_try = mono_after(world.now.mono, DAY_MS);
    world_turn();
    world_answer_error(401, "invalid_client", 700027);
    assert_int_equal(world_requests(), 2);
    world_answer_token("t", 3600);
    assert_true(world_has_token());
    assert_memory_equal(credentials()->sha256[CREDENTIAL_NOW], next, 32);
    assert_false(credentials()->there[CREDENTIAL_NEXT]);
    assert_int_equal(world_log_count("ev=credential_switched kind=certificate"), 1);
}

static void a_next_certificate_that_nobody_uploaded_harms_nothing_and_is_tried_daily(void **unused)
{
    (void)unused;
    make_certificates(WALL_MS, 0);
    world_answer_token("first", 3600);
    bool made = false;
    assert_int_equal(credential_renew(&world.store, SPAN("box"), WALL_MS, &made), RC_OK);
    unsigned tried = 0, tokens = 1;
    for (unsigned hour = 0; hour < 72; hour++) { // a token lasts about one
        world_sleep_until_next();
        assert_true(world_has_token());
        world_turn();
        tried += world.auth.asking == CREDENTIAL_NEXT;
        if (world.auth.asking == CREDENTIAL_NEXT) {
            world_answer_error(401, "invalid_client", 700027);
        }
        assert_int_equal(world.auth.asking, CREDENTIAL_NOW);
        world_answer_token("t", 3600);
        tokens++;
        assert_int_equal(auth_status(&world.auth)->failures, 0);
    }
    assert_int_equal(auth_status(&world.auth)->tokens, tokens);
    assert_in_range(tried, 2, 3); // in two days and a half
    assert_int_equal(world_log_count("ev=auth_failed"), 0);
    assert_int_equal(world_log_count("ev=credential_next_refused"), 1); // told once
    assert_int_equal(credentials()->used, CREDENTIAL_NOW);
    assert_true(credentials()->there[CREDENTIAL_NEXT]);
}

static void
an_uploaded_certificate_takes_over_within_a_day_though_the_old_one_is_good(void **unused)
{
    (void)unused;
    make_certificates(WALL_MS, WALL_MS);
    world_turn();
    world_answer_error(401, "invalid_client", 700027); // not uploaded yet
    world_answer_token("t", 3600);
    for (int64_t slept = 0; slept < DAY_MS;) {
        slept += world_sleep_until_next();
        world_answer_token("t", 3600);
    }
    assert_false(credentials()->there[CREDENTIAL_NEXT]);
    assert_int_equal(world_log_count("why=accepted"), 1);
}

static void when_both_are_refused_the_cause_is_that_of_the_one_in_use(void **unused)
{
    (void)unused;
    put(S_NEXT, "new");
    world.auth.next_try = mono_after(world.now.mono, DAY_MS);
    world_turn();
    world_answer_error(401, "invalid_client", 7000222); // expired
    world_answer_error(401, "invalid_client", 7000215); // wrong
    assert_int_equal(world_requests(), 2);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_SECRET_EXPIRED);
    assert_int_equal(auth_status(&world.auth)->aadsts, 7000222);
    assert_int_equal(auth_status(&world.auth)->failures, 1);
    assert_int_equal(world_log_count("ev=auth_failed code=A09"), 1);
    assert_true(world_sleep_until_next() >= 15 * 60000 / 2); // a person has to do something
    world_turn();
    assert_int_equal(world_requests(), 3); // the one in use, again
    assert_true(asked_with("client_secret=sw0rd"));
    assert_true(holds(S_NEXT, "new"));
}

static void when_the_trial_comes_first_and_both_are_refused_it_is_the_same(void **unused)
{
    (void)unused;
    put(S_NEXT, "new");
    world_turn();
    assert_true(asked_with("client_secret=new"));
    world_answer_error(401, "invalid_client", 7000215); // wrong
    world_answer_error(401, "invalid_client", 7000222); // expired
    assert_int_equal(world_requests(), 2);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_SECRET_EXPIRED);
    assert_int_equal(auth_status(&world.auth)->aadsts, 7000222);
}

static void a_service_that_is_down_says_nothing_about_a_credential(void **unused)
{
    (void)unused;
    put(S_NEXT, "new");
    world.auth.next_try = mono_after(world.now.mono, DAY_MS);
    world_turn();
    world_answer_error(503, "temporarily_unavailable", 90033);
    assert_int_equal(world_requests(), 1);
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_SERVICE);
    world_sleep_until_next();
    world_turn();
    assert_true(asked_with("client_secret=sw0rd"));
    world_answer_error(401, "invalid_client", 7000222);
    http_fake_queue_fail(&world.http, SLOT, HTTP_FAIL_CONNECT); // of the second request
    world_turn();
    world_turn();
    assert_int_equal(auth_status(&world.auth)->cause, AUTH_CAUSE_NETWORK);
    world_sleep_until_next();
    world_turn();
    assert_true(asked_with("client_secret=sw0rd")); // from the beginning
    assert_true(holds(S_NEXT, "new"));
}

static void a_policy_that_refuses_the_trial_is_not_the_box_s_failure(void **unused)
{
    (void)unused;
    put(S_NEXT, "new");
    world_turn();
    world_answer_error(400, "invalid_request", 90023);
    assert_true(asked_with("client_secret=sw0rd"));
    world_answer_token("t", 3600);
    assert_int_equal(world_log_count("ev=auth_failed"), 0);
    assert_true(world_has_token());
}

static void a_next_one_alone_is_used_and_takes_its_place(void **unused)
{
    (void)unused;
    world_put(S_NOW, SPAN_NONE, RC_NOTFOUND);
    put(S_NEXT, "new");
    world_answer_token("t", 3600);
    assert_int_equal(world_requests(), 1);
    assert_true(holds(S_NOW, "new"));
}

static void one_that_cannot_be_read_is_followed_by_the_other(void **unused)
{
    (void)unused;
    world_put(S_NOW, SPAN_NONE, RC_CORRUPT);
    put(S_NEXT, "new");
    world_answer_token("t", 3600);
    assert_true(holds(S_NOW, "new"));
    assert_int_equal(world_log_count("ev=credential_unreadable cause=corrupt"), 1);
}

// ---- power cuts -------------------------------------------------------------

static void prepare_dated_secrets(void)
{
    put(S_NOW, "old");
    put(S_NOW CREDENTIAL_EXPIRES, "2026-12-01");
    put(S_NEXT, "new");
    put(S_NEXT CREDENTIAL_EXPIRES, "2028-11-23");
}

static void check_done(void)
{
    assert_true(holds(S_NOW, "new"));
    assert_true(holds(S_NOW CREDENTIAL_EXPIRES, "2028-11-23"));
    assert_int_equal(stored(S_NEXT).len, 0);
}

static void a_power_cut_while_it_takes_its_place_leaves_one_and_never_a_wrong_date(void **unused)
{
    for (unsigned changes = 0; changes < 6; changes++) {
        world_init(unused);
        prepare_dated_secrets();
        world.cut = true;
        world.changes_left = changes;
        bool done = credential_promote(&world.config, &world.store) == RC_OK;
        world.cut = false;
        assert_int_equal(done, changes >= 5);
        struct credential_status now = {0};
        assert_int_equal(credential_look(&world.config, &world.store, world.now, &now), RC_OK);
        assert_true(now.there[CREDENTIAL_NOW]);
        bool old = holds(S_NOW, "old");
        assert_true(old == (changes < 2));
        assert_true(now.there[CREDENTIAL_NEXT] || !old);
        int64_t date = now.expires_ms[CREDENTIAL_NOW];
        assert_true(date == 0 || (date < WALL_MS + 60 * DAY_MS) == old);
        if (now.there[CREDENTIAL_NEXT]) { // the next start tries it first, and comes to the end
            assert_int_equal(credential_promote(&world.config, &world.store), RC_OK);
        }
        check_done();
    }
}

static void a_store_that_cannot_be_written_does_not_keep_it_from_being_used(void **unused)
{
    (void)unused;
    put(S_NEXT, "new");
    world.put_rc = RC_IO;
    world_answer_token("t", 3600);
    assert_true(world_has_token());
    assert_int_equal(credentials()->used, CREDENTIAL_NEXT);
    assert_int_equal(world_log_count("ev=credential_not_switched"), 1);
    world.put_rc = RC_OK;
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_true(holds(S_NOW, "new"));
    assert_int_equal(credentials()->used, CREDENTIAL_NOW);
}

// ---- ends -------------------------------------------------------------------

static void a_secret_without_a_date_ends_nobody_knows_when(void **unused)
{
    (void)unused;
    world_answer_token("t", 3600);
    assert_true(credentials()->there[CREDENTIAL_NOW]);
    assert_int_equal(credentials()->expires_ms[CREDENTIAL_NOW], 0);
    assert_false(credentials()->warn);
    put(S_NOW CREDENTIAL_EXPIRES, "next May");
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_true(credentials()->there[CREDENTIAL_NOW]);
    assert_int_equal(credentials()->expires_ms[CREDENTIAL_NOW], 0);
}

static void the_last_thirty_days_are_warned_of_where_the_time_is_trusted(void **unused)
{
    (void)unused;
    put(S_NOW CREDENTIAL_EXPIRES, "2026-12-24");
    struct credential_status s = {0};
    for (int days = 0; days < 4; days++) {
        struct now at = world.now;
        at.wall.ms += days * DAY_MS;
        assert_int_equal(credential_look(&world.config, &world.store, at, &s), RC_OK);
        assert_int_equal(s.warn, days >= 2);
        at.wall.quality = CLOCK_FLOOR;
        assert_int_equal(credential_look(&world.config, &world.store, at, &s), RC_OK);
        assert_false(s.warn);
    }
}

static void sixty_days_before_its_end_the_box_makes_the_next_certificate(void **unused)
{
    (void)unused;
    struct crypto_certificate now, next;
    char der[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf public = BUF(der);
    make_certificates(WALL_MS, 0);
    assert_int_equal(crypto_read_certificate(stored(CREDENTIAL_CERT_NAME), &now), RC_OK);
    int64_t due_ms = now.not_after_ms - 60 * DAY_MS;
    world.now.wall.ms = due_ms;
    world_answer_token("t", 3600);
    assert_false(credentials()->there[CREDENTIAL_NEXT]);
    world_sleep_until_next();
    world_turn();
    assert_true(credentials()->there[CREDENTIAL_NEXT]);
    assert_int_equal(world_log_count("ev=certificate_renewed"), 1);
    assert_int_equal(crypto_read_certificate(stored(CREDENTIAL_CERT_NAME_NEXT), &next), RC_OK);
    assert_true(next.not_after_ms > now.not_after_ms + 4ll * 365 * DAY_MS);
    assert_int_equal(hal_tokenstore_public(&world.store, &public), RC_OK);
    assert_int_equal(crypto_public_matches(buf_span(&public), stored(CREDENTIAL_CERT_NAME_NEXT)),
                     RC_OK);
    world_answer_error(401, "invalid_client", 700027); // nobody uploaded it yet
    world_answer_token("t", 3600);
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_int_equal(world_log_count("ev=certificate_renewed"), 1); // one is enough
}

static void a_time_that_is_not_trusted_renews_nothing(void **unused)
{
    (void)unused;
    make_certificates(WALL_MS, 0);
    world.now.wall.ms += 10ll * 365 * DAY_MS;
    world.now.wall.quality = CLOCK_FLOOR;
    world_turn();
    assert_true(credentials()->there[CREDENTIAL_NOW]); // shown all the same
    assert_int_equal(stored(CREDENTIAL_CERT_NAME_NEXT).len, 0);
}

static void a_renewal_that_fails_is_told_and_tried_again_after_a_day(void **unused)
{
    (void)unused;
    make_certificates(WALL_MS - 5 * 365 * DAY_MS, 0);
    world.put_rc = RC_FULL;
    world_answer_token("t", 3600);
    world_sleep_until_next();
    world_answer_token("t", 3600);
    assert_true(world_has_token());
    assert_int_equal(world_log_count("ev=certificate_not_renewed cause=full"), 1);
    world.put_rc = RC_OK;
    world_sleep(DAY_MS);
    world_turn();
    assert_int_equal(world_log_count("ev=certificate_renewed"), 1);
}

static void a_key_is_never_made_for_a_renewal(void **unused)
{
    (void)unused;
    bool made = true;
    assert_int_equal(credential_renew(&world.store, SPAN("box"), WALL_MS, &made), RC_NOTFOUND);
    assert_false(made);
    assert_false(world.has_key);
}

static void a_date_is_one_of_the_calendar(void **unused)
{
    (void)unused;
    int64_t ms = 7;
    assert_int_equal(credential_parse_date(SPAN("2026-11-23"), &ms), RC_OK);
    assert_true(ms == WALL_MS);
    static const char *const wrong[] = {
        "", "2026-02-30", "2026-1-2", "23.11.2026", "2026-11-23T", "2026-11-2x", "2026-11-231"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(credential_parse_date(span_from_str(wrong[i]), &ms), RC_PARSE);
        assert_true(ms == WALL_MS);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, world_init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_expired_secret_is_followed_by_the_next_at_once_and_without_a_failure),
        TEST(a_secret_past_its_date_is_not_even_asked_with),
        TEST(a_refused_certificate_is_followed_by_the_next),
        TEST(a_next_certificate_that_nobody_uploaded_harms_nothing_and_is_tried_daily),
        TEST(an_uploaded_certificate_takes_over_within_a_day_though_the_old_one_is_good),
        TEST(when_both_are_refused_the_cause_is_that_of_the_one_in_use),
        TEST(when_the_trial_comes_first_and_both_are_refused_it_is_the_same),
        TEST(a_service_that_is_down_says_nothing_about_a_credential),
        TEST(a_policy_that_refuses_the_trial_is_not_the_box_s_failure),
        TEST(a_next_one_alone_is_used_and_takes_its_place),
        TEST(one_that_cannot_be_read_is_followed_by_the_other),
        TEST(a_power_cut_while_it_takes_its_place_leaves_one_and_never_a_wrong_date),
        TEST(a_store_that_cannot_be_written_does_not_keep_it_from_being_used),
        TEST(a_secret_without_a_date_ends_nobody_knows_when),
        TEST(the_last_thirty_days_are_warned_of_where_the_time_is_trusted),
        TEST(sixty_days_before_its_end_the_box_makes_the_next_certificate),
        TEST(a_time_that_is_not_trusted_renews_nothing),
        TEST(a_renewal_that_fails_is_told_and_tried_again_after_a_day),
        TEST(a_key_is_never_made_for_a_renewal),
        TEST(a_date_is_one_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

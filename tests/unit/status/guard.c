// SPDX-License-Identifier: Apache-2.0
// Who may ask: the box's names, its page, its code.
#include "world.h"

static const uint8_t secret[32] = {7};
static const struct address peer = {.bytes = {192, 0, 2, 9}};

static struct mono at(int64_t ms)
{
    return (struct mono){.ms = ms};
}

static bool host_of(const char *local, const char *host)
{
    struct config c = {.status_hosts = {"box.example", "10.1.2.3"}, .status_hosts_count = 2};
    struct address address;
    assert_int_equal(address_parse(span_from_str(local), 8443, &address), RC_OK);
    return guard_host(&c, span_from_str(host), address);
}

static void the_address_of_the_connection_is_the_boxs_name(void **state)
{
    (void)state;
    assert_true(host_of("192.0.2.1", "192.0.2.1"));
    assert_true(host_of("192.0.2.1", "192.0.2.1:8443"));
    assert_true(host_of("192.0.2.1", "192.0.2.1:443")); // a port may have been forwarded
    assert_true(host_of("2001:db8::1", "[2001:db8::1]"));
    assert_true(host_of("2001:db8::1", "[2001:DB8:0::1]:8443"));
    assert_true(host_of("::ffff:192.0.2.1", "192.0.2.1:8443")); // a socket for both families
    assert_true(host_of("192.0.2.1", "[::ffff:192.0.2.1]"));
    assert_false(host_of("192.0.2.1", "192.0.2.2"));
    assert_false(host_of("192.0.2.1", "127.0.0.1"));
    assert_false(host_of("2001:db8::1", "[2001:db8::2]"));
    assert_false(host_of("::1", "127.0.0.1"));
}

static void a_name_that_resolves_to_the_box_is_not_its_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"evil.example",
                                      "192.0.2.1.evil.example",
                                      "192.0.2.1:8443.evil.example",
                                      "evil.example:8443",
                                      "box.example.evil.example",
                                      "xbox.example",
                                      "box.example.",
                                      "evil@192.0.2.1",
                                      "192.0.2.1:",
                                      "192.0.2.1:0",
                                      "192.0.2.1:65536",
                                      "192.0.2.1:08443x",
                                      "192.0.2.1:8443:8443",
                                      "192.0.2.1/",
                                      "192.0.2.1, 192.0.2.1",
                                      "192.0.2.01",
                                      "3221225985",
                                      "0xc0000201",
                                      "[192.0.2.1]",
                                      "[",
                                      "[]",
                                      "[::1",
                                      "]",
                                      ":8443",
                                      "",
                                      "2001:db8::1",
                                      "localhost",
                                      "*"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(host_of("192.0.2.1", bad[i]));
        assert_false(host_of("2001:db8::1", bad[i]));
    }
}

static void localhost_is_the_box_on_loopback_only(void **state)
{
    (void)state;
    assert_true(host_of("127.0.0.1", "localhost:8443"));
    assert_true(host_of("127.0.0.1", "LOCALHOST"));
    assert_true(host_of("127.1.2.3", "localhost"));
    assert_true(host_of("::1", "localhost"));
    assert_true(host_of("::ffff:127.0.0.1", "localhost"));
    assert_false(host_of("192.0.2.1", "localhost:8443"));
    assert_false(host_of("2001:db8::1", "localhost"));
    assert_false(host_of("127.0.0.1", "localhost.evil.example"));
}

static void a_configured_name_is_the_boxs_in_any_case(void **state)
{
    (void)state;
    assert_true(host_of("192.0.2.1", "box.example"));
    assert_true(host_of("192.0.2.1", "BOX.Example:8443"));
    assert_true(host_of("192.0.2.1", "10.1.2.3")); // behind an address translator
    assert_false(host_of("192.0.2.1", "box.example:x"));
    assert_false(host_of("192.0.2.1", "box.exampl"));
}

static bool same_site(const char *origin, const char *fetch_site, bool plain)
{
    struct guard_source s = {.host = SPAN("192.0.2.1:8443"),
                             .origin = span_from_str(origin),
                             .fetch_site = span_from_str(fetch_site),
                             .plain = plain};
    return guard_same_site(&s);
}

static void a_form_of_the_own_page_is_told_from_a_strangers(void **state)
{
    (void)state;
    assert_true(same_site("", "", false));
    assert_true(same_site("https://192.0.2.1:8443", "same-origin", false));
    assert_true(same_site("http://192.0.2.1:8443", "", true));
    assert_true(same_site("", "none", false));
    assert_false(same_site("http://192.0.2.1:8443", "", false));
    assert_false(same_site("https://192.0.2.1:8443", "", true));
    assert_false(same_site("https://192.0.2.1", "", false));
    assert_false(same_site("https://192.0.2.1:8443/", "", false));
    assert_false(same_site("https://192.0.2.1:8443.evil.example", "", false));
    assert_false(same_site("https://evil.example", "same-origin", false));
    assert_false(same_site("null", "", false));
    assert_false(same_site("https://192.0.2.1:8443", "cross-site", false));
    assert_false(same_site("https://192.0.2.1:8443", "same-site", false));
    assert_false(same_site("", "Same-Origin", false));
}

// ---- tokens -------------------------------------------------------------------------------------

static struct guard the_guard;

static struct guard *begin(void)
{
    guard_init(&the_guard, SPAN(WORLD_CODE), secret);
    return &the_guard;
}

static void a_token_lives_for_30_to_60_minutes(void **state)
{
    (void)state;
    struct guard *g = begin();
    char token[GUARD_TOKEN_BYTES];
    for (int64_t given = 0; given < 2 * GUARD_TOKEN_MS; given += 60000) {
        guard_token(g, peer, at(given), token);
        assert_int_equal(strlen(token), GUARD_TOKEN_BYTES - 1u);
        struct span text = span_from_str(token);
        assert_true(guard_token_good(g, text, peer, at(given)));
        assert_true(guard_token_good(g, text, peer, at(given + GUARD_TOKEN_MS)));
        assert_false(guard_token_good(g, text, peer, at(given + 2 * GUARD_TOKEN_MS)));
    }
}

static void a_token_of_tomorrow_is_none(void **state)
{
    (void)state;
    struct guard *g = begin();
    char token[GUARD_TOKEN_BYTES];
    guard_token(g, peer, at(GUARD_TOKEN_MS), token);
    assert_false(guard_token_good(g, span_from_str(token), peer, at(0)));
}

static void a_token_is_the_whole_text(void **state)
{
    (void)state;
    struct guard *g = begin();
    char token[GUARD_TOKEN_BYTES];
    guard_token(g, peer, at(0), token);
    struct span text = span_from_str(token);
    assert_false(guard_token_good(g, SPAN(""), peer, at(0)));
    assert_false(guard_token_good(g, span_sub(text, 0, text.len - 1u), peer, at(0)));
    assert_false(
        guard_token_good(g, (struct span){.ptr = token, .len = sizeof(token)}, peer, at(0)));
    for (size_t i = 0; i < text.len; i++) {
        char kept = token[i];
        token[i] = kept == '0' ? '1' : '0';
        assert_false(guard_token_good(g, text, peer, at(0)));
        token[i] = kept;
    }
    assert_true(guard_token_good(g, text, peer, at(0)));
}

static void a_token_is_for_one_machine_and_one_start(void **state)
{
    (void)state;
    struct guard *g = begin();
    char token[GUARD_TOKEN_BYTES];
    struct address other = peer;
    struct address mapped = {.is_v6 = true, .bytes = {[10] = 0xff, 0xff, 192, 0, 2, 9}};
    other.bytes[3]++;
    guard_token(g, peer, at(0), token);
    assert_false(guard_token_good(g, span_from_str(token), other, at(0)));
    assert_true(guard_token_good(g, span_from_str(token), mapped, at(0)));
    uint8_t fresh[32] = {8};
    guard_init(g, SPAN(WORLD_CODE), fresh);
    assert_false(guard_token_good(g, span_from_str(token), peer, at(0)));
}

// ---- the code -----------------------------------------------------------------------------------

static RC try_code(struct guard *g, const char *code, int64_t ms)
{
    return guard_code(g, span_from_str(code), at(ms));
}

static void the_code_is_taken_as_people_type_it(void **state)
{
    (void)state;
    struct guard *g = begin();
    static const char *const good[] = {
        "AB3D-EF7H", "ab3d-ef7h", "AB3DEF7H", " ab3d ef7h ", "a-b-3-d-e-f-7-h", "\tAB3D-EF7H"};
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(try_code(g, good[i], 0), RC_OK);
    }
}

static void a_wrong_code_is_denied_and_none_is_no_try(void **state)
{
    (void)state;
    struct guard *g = begin();
    assert_int_equal(try_code(g, "AB3D-EF7", 0), RC_DENIED);
    assert_int_equal(try_code(g, "AB3D-EF7HX", 0), RC_DENIED);
    assert_int_equal(try_code(g, "AB3D-EF7HAB3D-EF7H", 0), RC_DENIED);
    assert_int_equal(try_code(g, "AB3D-EF7G", 0), RC_DENIED);
    assert_int_equal(try_code(g, "", 0), RC_NOTFOUND);
    assert_int_equal(try_code(g, " - ", 0), RC_NOTFOUND);
    assert_int_equal(g->wrong, 4);
    assert_int_equal(try_code(g, WORLD_CODE, 0), RC_OK);
    assert_int_equal(g->wrong, 0);
}

/// Wrong codes until the door shuts. @return for how long.
static int64_t shut_it(struct guard *g, int64_t ms)
{
    int64_t wait_ms = 0;
    for (unsigned i = 0; i < STATUS_TRIES; i++) {
        assert_int_equal(guard_admit(g, at(ms), &wait_ms), RC_OK);
        assert_int_equal(try_code(g, "WRONG", ms), RC_DENIED);
    }
    assert_int_equal(guard_admit(g, at(ms), &wait_ms), RC_AGAIN);
    return wait_ms;
}

static void wrong_codes_shut_the_door_for_longer_each_time(void **state)
{
    (void)state;
    struct guard *g = begin();
    int64_t now = 0;
    int64_t expected = STATUS_SHUT_MS;
    int64_t wait_ms = 0;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(shut_it(g, now), expected);
        assert_int_equal(guard_admit(g, at(now + expected - 1), &wait_ms), RC_AGAIN);
        assert_int_equal(wait_ms, 1);
        now += expected;
        expected = expected * 2 < GUARD_SHUT_MS_MAX ? expected * 2 : GUARD_SHUT_MS_MAX;
    }
    assert_int_equal(expected, GUARD_SHUT_MS_MAX);
    assert_int_equal(guard_admit(g, at(now), &wait_ms), RC_OK);
}

static void a_right_code_forgives_the_wrong_ones(void **state)
{
    (void)state;
    struct guard *g = begin();
    assert_int_equal(shut_it(g, 0), STATUS_SHUT_MS);
    int64_t now = STATUS_SHUT_MS;
    for (unsigned i = 0; i < STATUS_TRIES - 1u; i++) {
        assert_int_equal(try_code(g, "WRONG", now), RC_DENIED);
    }
    assert_int_equal(try_code(g, WORLD_CODE, now), RC_OK);
    assert_int_equal(shut_it(g, now), STATUS_SHUT_MS);
}

static void posts_have_an_allowance(void **state)
{
    (void)state;
    struct guard *g = begin();
    int64_t wait_ms = 0;
    int64_t now = 1000000;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < GUARD_POSTS_BURST; i++) {
            assert_int_equal(guard_admit(g, at(now), &wait_ms), RC_OK);
        }
        assert_int_equal(guard_admit(g, at(now), &wait_ms), RC_AGAIN);
        assert_int_equal(wait_ms, GUARD_POST_MS);
        assert_int_equal(guard_admit(g, at(now + GUARD_POST_MS - 1), &wait_ms), RC_AGAIN);
        assert_int_equal(wait_ms, 1);
        assert_int_equal(guard_admit(g, at(now + GUARD_POST_MS), &wait_ms), RC_OK);
        assert_int_equal(guard_admit(g, at(now + GUARD_POST_MS), &wait_ms), RC_AGAIN);
        now += (int64_t)(GUARD_POSTS_BURST + 1u) * GUARD_POST_MS;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_of_the_connection_is_the_boxs_name),
        cmocka_unit_test(a_name_that_resolves_to_the_box_is_not_its_name),
        cmocka_unit_test(localhost_is_the_box_on_loopback_only),
        cmocka_unit_test(a_configured_name_is_the_boxs_in_any_case),
        cmocka_unit_test(a_form_of_the_own_page_is_told_from_a_strangers),
        cmocka_unit_test(a_token_lives_for_30_to_60_minutes),
        cmocka_unit_test(a_token_of_tomorrow_is_none),
        cmocka_unit_test(a_token_is_the_whole_text),
        cmocka_unit_test(a_token_is_for_one_machine_and_one_start),
        cmocka_unit_test(the_code_is_taken_as_people_type_it),
        cmocka_unit_test(a_wrong_code_is_denied_and_none_is_no_try),
        cmocka_unit_test(wrong_codes_shut_the_door_for_longer_each_time),
        cmocka_unit_test(a_right_code_forgives_the_wrong_ones),
        cmocka_unit_test(posts_have_an_allowance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Links that are made for a browser, and how strictly what comes back is read.
 */
#include "auth/consent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "seeded.h"

#define ADMIN   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PERSON  "pppppppppppppppppppppppppppppppp"
#define ROUNDS  20000u
#define TEXT    1024u
#define TENANT  "0a0b0c0d-1111-2222-3333-444455556666"
#define CLIENT  "11111111-aaaa-bbbb-cccc-ddddeeeeffff"
#define LOGIN   "https://login.microsoftonline.us/" TENANT
#define HOME    "https://box.example:8443/callback?a=1&b=%2F"
#define ENCODED "https%3A%2F%2Fbox.example%3A8443%2Fcallback%3Fa%3D1%26b%3D%252F"

static struct config config;
static struct consent_redirect seen;

static int init(void **unused)
{
    (void)unused;
    memset(&config, 0, sizeof(config));
    snprintf(config.tenant_id, sizeof(config.tenant_id), TENANT);
    snprintf(config.client_id, sizeof(config.client_id), CLIENT);
    snprintf(
        config.authority_url, sizeof(config.authority_url), "https://login.microsoftonline.us");
    snprintf(config.graph_url, sizeof(config.graph_url), "https://graph.microsoft.us");
    snprintf(config.redirect_uri, sizeof(config.redirect_uri), "%s", HOME);
    return 0;
}

static enum consent_kind read_as(const char *url, const char *consent, const char *sign_in)
{
    memset(&seen, 0xff, sizeof(seen));
    consent_read_redirect(span_from_str(url), consent, sign_in, &seen);
    return seen.kind;
}

static enum consent_kind read_url(const char *url)
{
    return read_as(url, ADMIN, PERSON);
}

// ---- links ------------------------------------------------------------------

static void the_consent_link_is_for_this_tenant_and_cloud_and_all_encoded(void **unused)
{
    (void)unused;
    char text[CONSENT_LINK_BYTES_MAX];
    struct buf link = BUF(text);
    consent_link(&config, "s+/=", &link);
    assert_true(buf_ok(&link));
    assert_string_equal(text,
                        LOGIN "/v2.0/adminconsent?client_id=" CLIENT "&redirect_uri=" ENCODED
                              "&state=s%2B%2F%3D"
                              "&scope=https%3A%2F%2Fgraph.microsoft.us%2F.default");
}

static void the_sign_in_link_asks_for_a_code_with_a_challenge(void **unused)
{
    (void)unused;
    char text[CONSENT_LINK_BYTES_MAX];
    struct buf link = BUF(text);
    consent_sign_in_link(&config, "st", SPAN("ch_al-lenge"), &link);
    assert_true(buf_ok(&link));
    assert_string_equal(text,
                        LOGIN "/oauth2/v2.0/authorize?client_id=" CLIENT "&redirect_uri=" ENCODED
                              "&state=st&response_type=code&response_mode=query"
                              "&prompt=select_account&scope=openid%20offline_access%20"
                              "https%3A%2F%2Fgraph.microsoft.us%2FUser.Read"
                              "&code_challenge=ch_al-lenge&code_challenge_method=S256");
}

static void a_link_that_does_not_fit_says_so(void **unused)
{
    (void)unused;
    char text[CONSENT_LINK_BYTES_MAX];
    struct buf link = BUF(text);
    memset(config.redirect_uri, '/', sizeof(config.redirect_uri) - 1u);
    consent_link(&config, ADMIN, &link);
    assert_false(buf_ok(&link));
    link = BUF(text);
    consent_sign_in_link(&config, ADMIN, SPAN("c"), &link);
    assert_false(buf_ok(&link));
}

static void a_state_is_as_long_as_its_randomness_and_stands_in_a_url_as_it_is(void **unused)
{
    (void)unused;
    char one[CONSENT_STATE_BYTES], two[CONSENT_STATE_BYTES];
    uint8_t random[CONSENT_RANDOM_BYTES];
    memset(random, 0xfb, sizeof(random));
    consent_make_state(random, one);
    assert_int_equal(strlen(one), CONSENT_STATE_BYTES - 1u);
    assert_int_equal(
        strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        CONSENT_STATE_BYTES - 1u);
    random[CONSENT_RANDOM_BYTES - 1u] ^= 1u;
    consent_make_state(random, two);
    assert_string_not_equal(one, two);
}

// ---- redirects --------------------------------------------------------------

static void consent_is_read_from_each_form_of_the_redirect(void **unused)
{
    (void)unused;
    static const char *const urls[] = {
        "http://localhost/?admin_consent=True&tenant=" TENANT "&state=" ADMIN "&scope=x",
        "http://localhost/?admin_consent=True&tenant=somebody-else&state=" ADMIN,
        "?admin_consent=true&state=" ADMIN,
        "admin_consent=True&state=" ADMIN,
        " \r\n\thttp://localhost/?admin_consent=True&state=" ADMIN " \r\n",
        "http://localhost/#admin_consent=True&state=" ADMIN,
        "http://localhost/?admin_consent=True&state=" ADMIN "#",
        "http://localhost?state=" ADMIN "#admin_consent=True",
        "/callback?admin_consent=True&&state=" ADMIN "&",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        assert_int_equal(read_url(urls[i]), CONSENT_GIVEN);
        assert_string_equal(seen.error, "");
        assert_string_equal(seen.code, "");
    }
}

static void a_code_is_decoded_and_handed_over(void **unused)
{
    (void)unused;
    assert_int_equal(
        read_url("http://localhost/?code=0.AX%2b%2F-_~&state=" PERSON "&session_state=ffff#"),
        CONSENT_CODE);
    assert_string_equal(seen.code, "0.AX+/-_~");
    assert_int_equal(read_url("http://localhost/#code=1/2&state=" PERSON), CONSENT_CODE);
    assert_string_equal(seen.code, "1/2");
}

static void an_error_comes_before_what_sounds_like_success(void **unused)
{
    (void)unused;
    assert_int_equal(read_url("http://localhost/?admin_consent=True&error=consent_required"
                              "&error_description=AADSTS65004%3a+The+resource+owner+declined"
                              "&state=" ADMIN "&tenant=" TENANT),
                     CONSENT_REFUSED);
    assert_string_equal(seen.error, "consent_required");
    assert_int_equal(seen.aadsts, 65004);
    assert_false(seen.sign_in);
    assert_int_equal(read_url("code=abc&error=access_denied&state=" PERSON), CONSENT_REFUSED);
    assert_string_equal(seen.error, "access_denied");
    assert_string_equal(seen.code, "");
    assert_int_equal(seen.aadsts, 0);
    assert_true(seen.sign_in);
}

static void an_error_with_a_strange_name_is_an_error_without_one(void **unused)
{
    (void)unused;
    static const char *const names[] = {
        "",
        "%3Cscript%3E",
        "Access_Denied",
        "a%00b",
        "%zz",
        "a+b",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char url[256];
        snprintf(url, sizeof(url), "admin_consent=True&error=%s&state=" ADMIN, names[i]);
        assert_int_equal(read_url(url), CONSENT_REFUSED);
        assert_string_equal(seen.error, "");
    }
}

static void the_number_of_an_error_is_bounded(void **unused)
{
    (void)unused;

    static const struct {
        const char *description;
        int aadsts;
    } rows[] = {
        {"AADSTS65001", 65001},
        {"xAADSTS90094:%20no", 90094},
        {"AADSTS", 0},
        {"AADSTSx", 0},
        {"AADSTS2147483647", 2147483647},
        {"AADSTS2147483648", 0},
        {"AADST", 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char url[256];
        snprintf(
            url, sizeof(url), "error=e&state=" ADMIN "&error_description=%s", rows[i].description);
        assert_int_equal(read_url(url), CONSENT_REFUSED);
        assert_int_equal(seen.aadsts, rows[i].aadsts);
    }
}

static void what_is_not_ours_is_nothing(void **unused)
{
    (void)unused;
    static const char *const urls[] = {
        "",
        " ",
        "?",
        "#",
        "http://localhost/",
        "http://localhost/?",
        "hello",
        "admin_consent=True",
        "admin_consent=True&state=",
        "admin_consent=True&state=" ADMIN "a",
        "admin_consent=True&state=Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "admin_consent=True&state=" PERSON,
        "admin_consent=False&state=" ADMIN,
        "admin_consent=&state=" ADMIN,
        "Admin_Consent=True&state=" ADMIN,
        "state=" ADMIN,
        "code=abc&state=" ADMIN,
        "code=&state=" PERSON,
        "code=a%20b&state=" PERSON,
        "code=a%0d%0ab&state=" PERSON,
        "code=a%00&state=" PERSON,
        "code=a%&state=" PERSON,
        "code=a%4&state=" PERSON,
        "code=%g0&state=" PERSON,
        "error=access_denied",
        "error=access_denied&state=other",
        "admin_consent=True&state=" ADMIN "&state=" ADMIN,
        "code=a&code=b&state=" PERSON,
        "code=a&state=" PERSON "#code=b",
        "error=a&error=b&state=" PERSON,
        "http://localhost/code=a&state=" PERSON,
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        assert_int_equal(read_url(urls[i]), CONSENT_NOTHING);
        assert_string_equal(seen.code, "");
    }
}

static void without_a_link_that_is_out_nothing_is_believed(void **unused)
{
    (void)unused;
    assert_int_equal(read_as("admin_consent=True&state=", "", ""), CONSENT_NOTHING);
    assert_int_equal(read_as("code=a&state=", "", ""), CONSENT_NOTHING);
    assert_int_equal(read_as("error=a&state", "", ""), CONSENT_NOTHING);
    assert_int_equal(read_as("code=a&state=" PERSON, PERSON, ""), CONSENT_NOTHING);
    assert_int_equal(read_as("admin_consent=True&state=" ADMIN, "", ADMIN), CONSENT_NOTHING);
}

static void what_is_too_long_is_nothing(void **unused)
{
    (void)unused;
    static char url[CONSENT_REDIRECT_BYTES_MAX + 64u];
    memset(url, 'x', sizeof(url) - 1u);
    memcpy(url, "state=" PERSON "&code=", strlen("state=" PERSON "&code="));
    assert_int_equal(read_url(url), CONSENT_NOTHING);
    url[strlen("state=" PERSON "&code=") + sizeof(seen.code)] = '\0';
    assert_int_equal(read_url(url), CONSENT_NOTHING);
    url[strlen("state=" PERSON "&code=") + sizeof(seen.code) - 1u] = '\0';
    assert_int_equal(read_url(url), CONSENT_CODE);
    assert_int_equal(strlen(seen.code), sizeof(seen.code) - 1u);
}

// ---- property ---------------------------------------------------------------

/// A redirect as an honest sign-in host may send it: its members in any order, in the query or in
/// the fragment, with others between them, values encoded where they must be and sometimes more.
struct made {
    bool error, code, consent, of_sign_in, right_state;
    char text[TEXT];
    struct buf url;
};

static void put_pair(struct made *m, uint64_t *seed, const char *name, const char *value)
{
    buf_put_str(&m->url,
                m->url.ptr[m->url.len - 1u] == '?' || m->url.ptr[m->url.len - 1u] == '#' ? ""
                                                                                         : "&");
    buf_put_str(&m->url, name);
    buf_put_char(&m->url, '=');
    for (const char *at = value; *at != '\0'; at++) {
        struct span one = {.ptr = at, .len = 1};
        if (seeded_below(seed, 4) == 0) {
            buf_put_char(&m->url, '%');
            buf_put_hex(&m->url, one);
        } else {
            buf_put_urlencoded(&m->url, one);
        }
    }
}

static void put_member(struct made *m, uint64_t *seed, unsigned which)
{
    static const char wrong[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    const char *state = m->of_sign_in ? PERSON : ADMIN;
    switch (which) {
    case 0:
        put_pair(m, seed, "state", m->right_state ? state : wrong);
        break;
    case 1:
        if (m->error) {
            put_pair(m, seed, "error", "access_denied");
        }
        break;
    case 2:
        if (m->code) {
            put_pair(m, seed, "code", "0.ab+/=&#?");
        }
        break;
    case 3:
        if (m->consent) {
            put_pair(m, seed, "admin_consent", "True");
        }
        break;
    default:
        put_pair(m, seed, "tenant", "state=code&error=#?");
        break;
    }
}

static void make(struct made *m, uint64_t *seed)
{
    uint64_t bits = seeded_next(seed);
    m->error = (bits & 3u) == 0;
    m->code = (bits & 4u) != 0;
    m->consent = (bits & 8u) != 0;
    m->of_sign_in = (bits & 16u) != 0;
    m->right_state = (bits & 0x60u) != 0;
    m->url = BUF(m->text);
    buf_put_str(&m->url, (bits & 128u) != 0 ? "https://box/callback?" : "http://localhost/#");
    unsigned first = seeded_below(seed, 5);
    for (unsigned i = 0; i < 5; i++) {
        put_member(m, seed, (first + i) % 5u);
    }
    assert_true(buf_terminate(&m->url));
}

static enum consent_kind expected(const struct made *m)
{
    if (!m->right_state) {
        return CONSENT_NOTHING;
    }
    if (m->error) {
        return CONSENT_REFUSED;
    }
    if (m->of_sign_in) {
        return m->code ? CONSENT_CODE : CONSENT_NOTHING;
    }
    return m->consent ? CONSENT_GIVEN : CONSENT_NOTHING;
}

static void any_order_place_and_encoding_is_read_the_same(void **unused)
{
    (void)unused;
    uint64_t seed = 20261123;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct made m;
        make(&m, &seed);
        assert_int_equal(read_url(m.text), expected(&m));
        assert_string_equal(seen.code, seen.kind == CONSENT_CODE ? "0.ab+/=&#?" : "");
        assert_string_equal(seen.error, seen.kind == CONSENT_REFUSED ? "access_denied" : "");
    }
}

#define TEST(f) cmocka_unit_test_setup(f, init)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_consent_link_is_for_this_tenant_and_cloud_and_all_encoded),
        TEST(the_sign_in_link_asks_for_a_code_with_a_challenge),
        TEST(a_link_that_does_not_fit_says_so),
        TEST(a_state_is_as_long_as_its_randomness_and_stands_in_a_url_as_it_is),
        TEST(consent_is_read_from_each_form_of_the_redirect),
        TEST(a_code_is_decoded_and_handed_over),
        TEST(an_error_comes_before_what_sounds_like_success),
        TEST(an_error_with_a_strange_name_is_an_error_without_one),
        TEST(the_number_of_an_error_is_bounded),
        TEST(what_is_not_ours_is_nothing),
        TEST(without_a_link_that_is_out_nothing_is_believed),
        TEST(what_is_too_long_is_nothing),
        TEST(any_order_place_and_encoding_is_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

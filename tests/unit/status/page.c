// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crypto.h"

#include "snapshots.h"
#include "status/page_put.h"
#include "status/render.h"

#define WHOLE_BYTES_MAX (24u * 1024u) ///< of the answer
#define HEAD_BYTES_MAX  1024u         ///< of it, before the page

static char out[RENDER_PAGE_BYTES_MAX], html[2 * WHOLE_BYTES_MAX];
static struct render_page asked;
static struct span parts[RENDER_PARTS_MAX];

static void render(const struct snapshot *s)
{
    struct buf b = BUF(out), whole = BUF(html);
    unsigned count = render_page(s, &asked, &b, parts);

    assert_int_equal(count, RENDER_PARTS_MAX);
    for (unsigned i = 0; i < count; i++) {
        buf_put(&whole, parts[i]);
    }
    assert_true(buf_terminate(&whole));
    assert_true(whole.len + HEAD_BYTES_MAX < WHOLE_BYTES_MAX);
}

static int begin(void **state)
{
    (void)state;
    asked = (struct render_page){.token = "dG9rZW4", .notice = ""};
    return 0;
}

static void render_scene(enum snapshots_scene scene)
{
    struct snapshot s;

    snapshots_make(scene, &s);
    render(&s);
}

static bool shows(const char *piece)
{
    return strstr(html, piece) != NULL;
}

static void every_page_is_under_24_kilobytes_in_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENES; i++) {
        render_scene((enum snapshots_scene)i);
    }
    asked.can_forget = true;
    asked.notice = "Not the setup code of this box. It stands on its label; four tries are left "
                   "before the box takes none for a minute.";
    render_scene(SCENE_LARGEST);
    render_scene(SCENE_HOSTILE);
}

static void every_state_stands_there_in_words_with_its_led_code(void **state)
{
    (void)state;

    static const struct {
        enum snapshots_scene scene;
        const char *word, *led;
    } states[] = {
        {SCENE_UNCONFIGURED, "<h2>Unconfigured</h2>", "<b>4</b>"},
        {SCENE_AWAITING_CONSENT, "<h2>Awaiting consent</h2>", "<b>7</b>"},
        {SCENE_VALIDATING, "<h2>Validating</h2>", "<b>8</b>"},
        {SCENE_PROPAGATING, "<h2>Propagating</h2>", "<b>8</b>"},
        {SCENE_COLLECTING, "<h2>Collecting</h2>", "<b>10</b>"},
        {SCENE_DEGRADED, "<h2>Degraded</h2>", "<b>7</b>"},
        {SCENE_ATTENTION, "<h2>Attention</h2>", "<b>7</b>"},
    };

    for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        struct snapshot s;
        snapshots_make(states[i].scene, &s);
        render(&s);
        assert_true(shows(states[i].word));
        assert_true(shows(states[i].led));
        assert_true(shows(s.led_shows));
        assert_true(shows(s.permissions[0].text));
    }
}

static void propagation_is_counted_down(void **state)
{
    (void)state;
    render_scene(SCENE_PROPAGATING);
    assert_true(shows("1\xC2\xA0h\xC2\xA0"
                      "32\xC2\xA0min"));
    assert_true(shows("<progress"));
    render_scene(SCENE_COLLECTING);
    assert_false(shows("<progress"));
}

static void consent_has_its_code_and_link_only_while_it_is_wanted(void **state)
{
    (void)state;
    struct snapshot s;

    snapshots_make(SCENE_AWAITING_CONSENT, &s);
    render(&s);
    assert_true(shows("class=qr"));
    assert_true(shows("href=\"https://login.microsoftonline.com/3fa85f64"));
    assert_true(shows("&amp;state=Zk3v9qT1xW7pR5sY2mB8nA\""));
    s.consent_wanted = false;
    render(&s);
    assert_false(shows("class=qr"));
    assert_false(shows("login.microsoftonline.com"));
}

static void a_link_that_no_code_holds_is_still_a_link(void **state)
{
    (void)state;
    struct snapshot s;
    char link[900];

    memset(link, 'a', sizeof(link) - 1);
    memcpy(link, "https://", 8);
    link[sizeof(link) - 1] = '\0';
    snapshots_make(SCENE_AWAITING_CONSENT, &s);
    s.consent_link = link;
    render(&s);
    assert_false(shows("class=qr"));
    assert_true(shows(link));
}

static void only_https_becomes_a_link(void **state)
{
    (void)state;
    struct snapshot s;

    snapshots_make(SCENE_DEVICE_CODE, &s);
    render(&s);
    assert_true(shows("href=\"https://microsoft.com/devicelogin\""));
    s.signin.verify_at = "javascript:alert(1)";
    render(&s);
    assert_false(shows("href=\"javascript"));
    assert_true(shows("Enter it at javascript:alert(1)"));
    assert_false(page_is_link("http://example.org/"));
    assert_false(page_is_link(""));
    assert_false(page_is_link(NULL));
}

static void the_certificate_is_offered_until_it_is_accepted(void **state)
{
    (void)state;
    struct snapshot s;

    render_scene(SCENE_UNCONFIGURED);
    assert_true(shows("<h2>Upload the certificate</h2>"));
    assert_true(shows("href=\"/certificate\" download"));
    render_scene(SCENE_COLLECTING);
    assert_false(shows("Upload the certificate"));
    snapshots_make(SCENE_ATTENTION, &s);
    s.reason = "A10";
    s.credential.certificate = true;
    render(&s);
    assert_true(shows("<h2>Upload the certificate</h2>"));
    render_scene(SCENE_EXPIRING);
    assert_true(shows("href=\"/certificate?next=1\" download"));
    assert_true(shows("<b>19\xC2\xA0"
                      "d</b>until it expires"));
}

static void a_button_is_there_only_when_it_makes_sense(void **state)
{
    (void)state;
    struct snapshot s;

    render_scene(SCENE_COLLECTING);
    assert_true(shows("value=validate>"));
    assert_true(shows("value=sign_in>"));
    assert_true(shows("value=device_code>"));
    assert_false(shows("value=redirect>"));
    assert_false(shows("value=enable>"));
    assert_false(shows("value=forget>"));
    render_scene(SCENE_PROPAGATING);
    assert_true(shows("value=enable>"));
    render_scene(SCENE_SIGNING_IN);
    assert_true(shows("value=redirect>"));
    assert_true(strstr(html, "value=redirect>") < strstr(html, "value=validate>"));
    asked.can_forget = true;
    render_scene(SCENE_COLLECTING);
    assert_true(shows("value=forget>"));
    asked.can_forget = false;
    snapshots_make(SCENE_UNCONFIGURED, &s);
    s.credential.there = false;
    render(&s);
    assert_true(shows("<section id=f data-u aria-labelledby=fh hidden>"));
}

static void without_a_configuration_no_button_is_there_that_cannot_work(void **state)
{
    (void)state;
    render_scene(SCENE_NO_CONFIGURATION);
    assert_true(shows("<title>Unconfigured</title>"));
    assert_true(shows("/etc/anteroom/config.json"));
    assert_true(shows("<h2>Upload the certificate</h2>"));
    assert_true(shows("href=\"/certificate\" download"));
    assert_true(shows("once it has its configuration"));
    assert_true(shows("<section id=f data-u aria-labelledby=fh hidden>"));
    assert_false(shows("<button"));
    assert_false(shows("class=qr"));
    assert_false(shows("login.microsoftonline.com"));
    assert_true(shows("None is configured."));
    asked.can_forget = true;
    render_scene(SCENE_NO_CONFIGURATION);
    asked.can_forget = false;
    assert_true(shows("value=forget>"));
    assert_false(shows("value=validate>"));
    assert_false(shows("<section id=f data-u aria-labelledby=fh hidden>"));
}

static void the_form_carries_the_token_and_one_field_for_the_setup_code(void **state)
{
    (void)state;
    const char *first;

    render_scene(SCENE_COLLECTING);
    assert_true(shows("<form method=post action=/action>"));
    assert_true(shows("name=" RENDER_FIELD_TOKEN " value=\"dG9rZW4\""));
    first = strstr(html, "name=" RENDER_FIELD_CODE " ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "name=" RENDER_FIELD_CODE " "));
}

static void a_notice_stands_there_once_and_says_how_bad_it_is(void **state)
{
    (void)state;
    asked.notice = "<Done>";
    render_scene(SCENE_COLLECTING);
    assert_true(shows("<p role=alert>&lt;Done&gt;</p>"));
    asked.notice_bad = true;
    render_scene(SCENE_COLLECTING);
    assert_true(shows("<p role=alert class=bad>&lt;Done&gt;</p>"));
    asked.notice = "";
    render_scene(SCENE_COLLECTING);
    assert_false(shows("<p role=alert"));
}

static void an_hour_without_anything_is_said_and_not_drawn(void **state)
{
    (void)state;
    render_scene(SCENE_COLLECTING);
    assert_true(shows("<svg class=g"));
    assert_true(shows("collected 2,100"));
    assert_true(shows("sent 1,641"));
    render_scene(SCENE_PROPAGATING);
    assert_false(shows("<svg class=g"));
    assert_true(shows("Nothing was collected, and nothing sent."));
}

static void policy_allows_this_style_and_this_script_and_nothing_else(void **state)
{
    (void)state;
    static const unsigned places[] = {1, 5};
    struct span policy = render_page_csp();

    render_scene(SCENE_COLLECTING);
    assert_true(span_starts(policy, SPAN("default-src 'none'; ")));
    for (unsigned i = 0; i < 2; i++) {
        uint8_t digest[SHA256_BYTES];
        char wanted[80];
        struct buf b = BUF(wanted);

        sha256(parts[places[i]], digest);
        buf_put_str(&b, "-src 'sha256-");
        buf_put_base64(&b, (struct span){.ptr = (const char *)digest, .len = sizeof(digest)});
        buf_put_str(&b, "';");
        assert_true(buf_terminate(&b));
        assert_non_null(strstr(policy.ptr, wanted));
    }
    assert_null(strstr(policy.ptr, "unsafe"));
    assert_non_null(strstr(policy.ptr, "form-action 'self'"));
    assert_non_null(strstr(policy.ptr, "base-uri 'none'"));
}

static bool is_one_of(struct span word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (span_equal(word, span_from_str(*words))) {
            return true;
        }
    }
    return false;
}

static struct span word_at(const char **at)
{
    size_t len = strspn(*at, "abcdefghijklmnopqrstuvwxyzB0123456789-");
    struct span word = {.ptr = *at, .len = len};

    *at += len;
    return word;
}

/// The attributes of a tag up to its '>': known ones, quoted or plain. @return behind it
static const char *past_attributes(const char *at)
{
    static const char *const names[] = {
        "action",
        "aria-label",
        "aria-labelledby",
        "aria-live",
        "autocapitalize",
        "autocomplete",
        "class",
        "content",
        "d",
        "data-u",
        "download",
        "for",
        "hidden",
        "href",
        "id",
        "max",
        "maxlength",
        "method",
        "name",
        "preserve",
        "rel",
        "required",
        "role",
        "shape-rendering",
        "spellcheck",
        "stroke",
        "target",
        "type",
        "value",
        "viewBox",
        "preserveAspectRatio",
        NULL,
    };

    while (*at != '>') {
        if (*at == '/') { // of <path/>
            at++;
            continue;
        }
        assert_int_equal(*at++, ' ');
        struct span name = {.ptr = at, .len = strcspn(at, "= >")};
        assert_true(is_one_of(name, names));
        at += name.len;
        if (*at == '=' && at[1] == '"') {
            at = strchr(at + 2, '"');
            assert_non_null(at);
            at++;
        } else if (*at == '=') {
            size_t len = strcspn(at, " \"'<>`");
            at += len;
        }
    }
    return at + 1;
}

static void no_text_becomes_markup(void **state)
{
    (void)state;
    static const char *const tags[] = {
        "title",  "link", "head", "body",     "header",   "main",   "section", "footer", "div",
        "p",      "h1",   "h2",   "b",        "i",        "em",     "span",    "small",  "ul",
        "ol",     "li",   "dl",   "dt",       "dd",       "a",      "form",    "input",  "label",
        "button", "svg",  "path", "progress", "noscript", "script", "style",   NULL,
    };

    asked.can_forget = true;
    asked.notice = asked.token = "\"'><script>alert(1)</script>";
    for (unsigned i = 0; i < SCENES; i++) {
        render_scene((enum snapshots_scene)i);
        unsigned scripts = 0;
        const char *at = strstr(html, "</style>");
        const char *end = strstr(html, "<script>");
        while (at < end) {
            assert_true((unsigned char)*at >= 0x20 && *at != 0x7F);
            if (*at++ != '<') {
                continue;
            }
            at += *at == '/' ? 1 : 0;
            struct span name = word_at(&at);
            assert_true(is_one_of(name, tags));
            scripts += span_equal(name, SPAN("script"));
            at = past_attributes(at);
        }
        assert_true(span_equal((struct span){end + 8, parts[5].len}, parts[5]));
        assert_int_equal(scripts, 0); // ours is behind it
    }
}

static void without_room_there_is_no_page(void **state)
{
    (void)state;
    struct snapshot s;

    snapshots_make(SCENE_COLLECTING, &s);
    struct buf whole = BUF(out);
    assert_int_equal(render_page(&s, &asked, &whole, parts), RENDER_PARTS_MAX);
    for (size_t cap = 0; cap < whole.len; cap++) {
        struct buf b = buf_of(out, cap);
        assert_int_equal(render_page(&s, &asked, &b, parts), 0);
    }
}

static void durations_are_said_as_people_say_them(void **state)
{
    (void)state;

    static const struct {
        int64_t s;
        const char *text;
    } all[] = {
        {-5, "0 s"},
        {0, "0 s"},
        {59, "59 s"},
        {60, "1 min"},
        {3599, "59 min"},
        {3600, "1 h 00 min"},
        {7500, "2 h 05 min"},
        {86399, "23 h 59 min"},
        {86400, "1 d"},
        {90000, "1 d 1 h"},
        {864000, "10 d"},
        {INT64_MAX, "106751991167300 d"},
    };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char text[64], plain[64];
        struct buf b = BUF(text), p = BUF(plain);
        page_duration(&b, all[i].s);
        for (size_t at = 0; at < b.len; at++) {
            if (text[at] != '\xC2') {
                buf_put_char(&p, text[at] == '\xA0' ? ' ' : text[at]);
            }
        }
        assert_true(buf_terminate(&p));
        assert_string_equal(plain, all[i].text);
    }
}

static void bytes_and_counts_are_said_as_people_say_them(void **state)
{
    (void)state;
    char text[160];
    struct buf b = BUF(text);

    page_bytes(&b, 0);
    buf_put_char(&b, '|');
    page_bytes(&b, 9433088);
    buf_put_char(&b, '|');
    page_bytes(&b, UINT64_MAX);
    buf_put_char(&b, '|');
    page_count(&b, 999);
    buf_put_char(&b, '|');
    page_count(&b, UINT64_MAX);
    assert_true(buf_terminate(&b));
    assert_string_equal(text,
                        "0.0\xC2\xA0KiB|8.9\xC2\xA0MiB|15.9\xC2\xA0"
                        "EiB|999|18,446,744,073,709,551,615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_page_is_under_24_kilobytes_in_all, begin),
        cmocka_unit_test_setup(every_state_stands_there_in_words_with_its_led_code, begin),
        cmocka_unit_test_setup(propagation_is_counted_down, begin),
        cmocka_unit_test_setup(consent_has_its_code_and_link_only_while_it_is_wanted, begin),
        cmocka_unit_test_setup(a_link_that_no_code_holds_is_still_a_link, begin),
        cmocka_unit_test_setup(only_https_becomes_a_link, begin),
        cmocka_unit_test_setup(the_certificate_is_offered_until_it_is_accepted, begin),
        cmocka_unit_test_setup(a_button_is_there_only_when_it_makes_sense, begin),
        cmocka_unit_test_setup(without_a_configuration_no_button_is_there_that_cannot_work, begin),
        cmocka_unit_test_setup(the_form_carries_the_token_and_one_field_for_the_setup_code, begin),
        cmocka_unit_test_setup(a_notice_stands_there_once_and_says_how_bad_it_is, begin),
        cmocka_unit_test_setup(an_hour_without_anything_is_said_and_not_drawn, begin),
        cmocka_unit_test_setup(policy_allows_this_style_and_this_script_and_nothing_else, begin),
        cmocka_unit_test_setup(no_text_becomes_markup, begin),
        cmocka_unit_test_setup(without_room_there_is_no_page, begin),
        cmocka_unit_test(durations_are_said_as_people_say_them),
        cmocka_unit_test(bytes_and_counts_are_said_as_people_say_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

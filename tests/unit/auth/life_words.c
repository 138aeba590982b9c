// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What people are told: for every state with every reason and every set of permissions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tale.h"

#define ALL (CALLS | USERS | DEVICES)

static char what_text[LIFE_TEXT_BYTES_MAX + 1u], next_text[LIFE_TEXT_BYTES_MAX + 1u],
    advice_text[LIFE_TEXT_BYTES_MAX + 1u];

static void describe(void)
{
    struct buf what = BUF(what_text);
    struct buf next = BUF(next_text);
    struct buf advice = BUF(advice_text);

    life_describe(&tale.life, tale.now, &what, &next, &advice);
    assert_true(buf_terminate(&what) && buf_terminate(&next) && buf_terminate(&advice));
}

static void expect_sentences(const char *text)
{
    size_t len = strlen(text);

    if (len == 0) {
        return;
    }
    assert_true((text[0] >= 'A' && text[0] <= 'Z') && text[len - 1u] == '.');
    for (size_t i = 0; i < len; i++) {
        assert_in_range(text[i], ' ', '~');
    }
    assert_null(strstr(text, "  "));
    assert_null(strstr(text, ": ."));
    assert_null(strstr(text, " ,"));
    assert_null(strstr(text, ".."));
    assert_null(strstr(text, "()"));
}

static void expect_good_words(void)
{
    describe();
    assert_true(what_text[0] != '\0' && next_text[0] != '\0');
    expect_sentences(what_text);
    expect_sentences(next_text);
    expect_sentences(advice_text);
    assert_null(strstr(what_text, tale_config.tenant_id));
    assert_null(strstr(advice_text, tale_config.client_id));
    assert_int_equal(strlen(life_code(&tale.life)) % 3u, 0);
}

/// Every verdict for each permission, as the digits of a number.
static void take_verdicts(unsigned number)
{
    for (unsigned p = 0; p < PERMISSION_USER; p++) {
        tale.life.known[p] = (enum verdict)(number % VERDICTS);
        number /= VERDICTS;
        tale.life.answering |= tale.life.known[p] == VERDICT_GOOD ? 1u << p : 0u;
    }
    tale.life.wanted = ALL;
    tale.life.lacking = ALL & ~tale.life.answering;
}

static void every_state_with_every_reason_has_words(void **unused)
{
    (void)unused;
    static const int64_t waits_ms[] = {0, 1, 59999, MINUTE, 90 * MINUTE, 100 * HOUR};
    tale_begin(__func__);
    for (unsigned i = 0; i < LIFE_STATES * AUTH_CAUSE_COUNT * AUTH_CAUSE_COUNT; i++) {
        tale.life.reason = (enum auth_cause)(i % AUTH_CAUSE_COUNT);
        tale.life.without = (enum auth_cause)(i / AUTH_CAUSE_COUNT % AUTH_CAUSE_COUNT);
        tale.life.state = (enum life_state)(i / AUTH_CAUSE_COUNT / AUTH_CAUSE_COUNT);
        tale.life.next = mono_after(tale.now.mono, waits_ms[i % 6u]);
        if (tale.life.state != LIFE_ILLEGAL) {
            expect_good_words();
        }
    }
}

static void every_state_with_every_set_of_verdicts_has_words(void **unused)
{
    (void)unused;
    const unsigned sets = VERDICTS * VERDICTS * VERDICTS;
    for (unsigned i = 0; i < LIFE_STATES * sets * 2u; i++) {
        tale_begin(__func__);
        tale.life.state = (enum life_state)(i / 2u / sets);
        tale.life.without = i % 2u == 0 ? AUTH_CAUSE_NONE : AUTH_CAUSE_NETWORK;
        tale.life.next = i % 2u == 0 ? MONO_NEVER : tale.now.mono;
        take_verdicts(i / 2u % sets);
        if (tale.life.state != LIFE_ILLEGAL) {
            expect_good_words();
        }
    }
}

static void who_has_to_consent_is_told_to_what_and_when_it_is_looked_at(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_MISSING);
    tale.facts.next = mono_after(tale.now.mono, 4 * MINUTE);
    tale_turn();
    describe();
    assert_string_equal(what_text,
                        "The box is known to the tenant, but nothing that it needs is granted: "
                        "CallRecords.Read.All, User.Read.All and TeamworkDevice.Read.All.");
    assert_string_equal(next_text,
                        "The box looks again in 4 minutes. Once consent is given, it starts to "
                        "collect without anybody.");
    assert_non_null(strstr(advice_text, "opens the consent link in any browser"));
}

static void a_wait_for_graph_says_how_long_and_what_can_be_had_at_once(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_GOOD);
    tale_pass(15 * MINUTE);
    describe();
    assert_string_equal(what_text,
                        "Consent is given, and Graph still refuses CallRecords.Read.All (403). "
                        "That is usual for 10 minutes to 2 hours after consent.");
    assert_string_equal(next_text,
                        "Asked again in 5 minutes; in 2 hours at the latest it should answer. "
                        "Then collecting starts by itself.");
    assert_string_equal(advice_text,
                        "Nothing has to be done. To collect at once what answers already "
                        "(User.Read.All and TeamworkDevice.Read.All), enable it with a warning.");
    tale_pass(LIFE_PROPAGATION_MS);
    describe();
    assert_non_null(strstr(what_text, "Graph refuses CallRecords.Read.All (403) for longer than"));
    assert_non_null(
        strstr(what_text, "Collected is what answers: User.Read.All and TeamworkDevice.Read.All."));
    assert_non_null(strstr(advice_text, "whether admin consent for CallRecords.Read.All is given"));
}

static void what_is_refused_for_too_long_is_named_apart_from_what_is_in_its_time(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say_both(CALLS, VERDICT_FORBIDDEN, USERS | DEVICES, VERDICT_MISSING);
    tale_pass(2 * HOUR);
    tale_say(DEVICES, VERDICT_FORBIDDEN);
    tale_pass(HOUR);
    describe();
    assert_string_equal(what_text,
                        "Graph refuses CallRecords.Read.All (403) for longer than consent takes to "
                        "spread: somebody has to look. Refused too, and in its time still: "
                        "TeamworkDevice.Read.All. Not granted: User.Read.All.");
}

static void an_outage_is_told_apart_from_what_is_a_persons_matter(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale_say(ALL, VERDICT_GOOD);
    describe();
    assert_string_equal(what_text, "The box collects; everything that it needs answers.");
    assert_string_equal(advice_text, "");
    tale_auth(AUTH_CAUSE_SERVICE);
    describe();
    assert_string_equal(what_text,
                        "The box cannot sign in for the time being and collects nothing. The "
                        "sign-in service has a problem of its own.");
    assert_string_equal(advice_text, ""); // nothing to do
    tale_auth(AUTH_CAUSE_SECRET_EXPIRED);
    tale_auth(AUTH_CAUSE_NETWORK);
    describe();
    assert_string_equal(what_text,
                        "The secret has expired. At this moment: The sign-in host gave no answer.");
}

static void a_box_without_a_configuration_says_where_it_belongs_and_what_happens_then(void **unused)
{
    (void)unused;
    tale_begin(__func__);
    tale.facts = (struct life_facts){.auth = AUTH_CAUSE_NO_CREDENTIAL,
                                     .config_at = "/etc/anteroom/config.json",
                                     .next = MONO_NEVER};
    tale_turn();
    expect_good_words();
    assert_string_equal(what_text,
                        "The box has no configuration yet, so it asks nobody for anything: there "
                        "is no file /etc/anteroom/config.json.");
    assert_string_equal(next_text,
                        "Once the file is there, the box starts anew by itself, reads it and signs "
                        "in.");
    assert_non_null(strstr(advice_text, "anteroomctl config help lists its keys"));
    tale.facts.config_part = true;
    tale_turn();
    expect_good_words();
    assert_string_equal(what_text,
                        "The box has no configuration yet, so it asks nobody for anything: a part "
                        "is missing at the end of /etc/anteroom/config.json.");
    tale.facts.config_at = NULL;
    tale_turn();
    expect_good_words();
}

static void permissions_and_verdicts_have_names_of_their_own(void **unused)
{
    (void)unused;
    for (unsigned v = 0; v < VERDICTS; v++) {
        assert_true(verdict_text((enum verdict)v)[0] != '\0');
        for (unsigned k = 0; k < v; k++) {
            assert_string_not_equal(verdict_name((enum verdict)v), verdict_name((enum verdict)k));
        }
    }
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        const struct permission_info *info = permission_info((enum config_permission)p);
        assert_true(info->gives[0] != '\0');
        assert_int_equal(permission_of_role(span_from_str(info->name)),
                         info->delegated ? 0 : 1u << p);
    }
    assert_int_equal(permission_of_role(SPAN("user.read.all")), 0); // names are exact
    assert_int_equal(permission_of_role(SPAN_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_with_every_reason_has_words),
        cmocka_unit_test(every_state_with_every_set_of_verdicts_has_words),
        cmocka_unit_test(who_has_to_consent_is_told_to_what_and_when_it_is_looked_at),
        cmocka_unit_test(a_wait_for_graph_says_how_long_and_what_can_be_had_at_once),
        cmocka_unit_test(what_is_refused_for_too_long_is_named_apart_from_what_is_in_its_time),
        cmocka_unit_test(an_outage_is_told_apart_from_what_is_a_persons_matter),
        cmocka_unit_test(a_box_without_a_configuration_says_where_it_belongs_and_what_happens_then),
        cmocka_unit_test(permissions_and_verdicts_have_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

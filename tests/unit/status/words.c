// SPDX-License-Identifier: Apache-2.0
/*
 * Words that two modules know which do not include each other: a state or a verdict that auth
 * learns and the metrics do not would be missed in a dashboard, and nobody would be told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/auth_cause.h"
#include "auth/life.h"
#include "auth/permission.h"
#include "status/render.h"
#include "status/text.h"

static char text[RENDER_METRICS_BYTES_MAX];

static const char *metrics_of(const struct snapshot *s)
{
    struct buf b = BUF(text);

    render_metrics(s, &b);
    assert_true(buf_terminate(&b));
    return text;
}

static unsigned times(const char *haystack, const char *needle)
{
    unsigned count = 0;

    for (const char *at = haystack; (at = strstr(at, needle)) != NULL; at++) {
        count++;
    }
    return count;
}

static void every_state_of_the_life_is_a_gauge_from_the_start(void **state)
{
    (void)state;
    struct snapshot s = {.state = life_state_name(LIFE_UNCONFIGURED)};
    const char *metrics = metrics_of(&s);

    for (unsigned i = LIFE_UNCONFIGURED; i < LIFE_STATES; i++) {
        char wanted[80];
        (void)snprintf(wanted,
                       sizeof(wanted),
                       "anteroom_state{state=\"%s\"} %u\n",
                       life_state_name((enum life_state)i),
                       i == LIFE_UNCONFIGURED);
        assert_non_null(strstr(metrics, wanted));
    }
    assert_int_equal(times(metrics, "anteroom_state{"), LIFE_STATES - LIFE_UNCONFIGURED);
}

static void every_verdict_is_a_gauge_from_the_start(void **state)
{
    (void)state;
    struct snapshot s = {.permissions_count = 1};

    for (unsigned v = VERDICT_NONE; v < VERDICTS; v++) {
        s.permissions[0] = (struct snapshot_permission){
            .name = "P",
            .verdict = verdict_name((enum verdict)v),
            .age_s = SNAPSHOT_NEVER,
        };
        const char *metrics = metrics_of(&s);
        char wanted[100];
        (void)snprintf(wanted,
                       sizeof(wanted),
                       "anteroom_permission_verdict{permission=\"P\",verdict=\"%s\"} 1\n",
                       s.permissions[0].verdict);
        assert_non_null(strstr(metrics, wanted));
        assert_int_equal(times(metrics, "anteroom_permission_verdict{"), VERDICTS);
    }
}

static void no_word_for_people_is_cut(void **state)
{
    (void)state;
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        const struct permission_info *info = permission_info((enum config_permission)p);
        assert_true(strlen(info->name) <= TEXT_WORD_BYTES);
        assert_true(strlen(info->gives) <= TEXT_CLAUSE_BYTES);
    }
    for (unsigned v = VERDICT_NONE; v < VERDICTS; v++) {
        assert_true(strlen(verdict_text((enum verdict)v)) <= TEXT_CLAUSE_BYTES);
    }
    for (unsigned c = AUTH_CAUSE_NONE; c < AUTH_CAUSE_COUNT; c++) {
        const struct auth_cause_info *info = auth_cause_info((enum auth_cause)c);
        assert_true(strlen(info->what) + strlen(info->advice) <= TEXT_SENTENCE_BYTES);
    }
}

static void the_certificate_that_is_not_accepted_has_the_code_that_the_page_looks_for(void **state)
{
    (void)state;
    assert_string_equal(auth_cause_info(AUTH_CAUSE_CERT_REJECTED)->code, "A10");
    assert_string_equal(life_state_name(LIFE_UNCONFIGURED), "unconfigured");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_of_the_life_is_a_gauge_from_the_start),
        cmocka_unit_test(every_verdict_is_a_gauge_from_the_start),
        cmocka_unit_test(no_word_for_people_is_cut),
        cmocka_unit_test(the_certificate_that_is_not_accepted_has_the_code_that_the_page_looks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What is rendered for machines. That others read it, too (a schema checker, promtool), is a system
 * test's business: it takes what outputs.c writes.
 */
#include "status/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/json.h"
#include "snapshots.h"

static char text[RENDER_METRICS_BYTES_MAX + 1];

static struct buf as_text(void (*render)(const struct snapshot *, struct buf *),
                          enum snapshots_scene scene,
                          size_t max)
{
    struct snapshot s;
    struct buf b = buf_of(text, max);

    snapshots_make(scene, &s);
    render(&s, &b);
    assert_true(buf_ok(&b));
    text[b.len] = '\0';
    return b;
}

static void every_status_is_json_within_its_bound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENES; i++) {
        struct buf b = as_text(render_json, (enum snapshots_scene)i, RENDER_JSON_BYTES_MAX);
        assert_int_equal(json_validate(buf_span(&b)), RC_OK);
    }
}

static void every_line_is_one_line_of_json(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENES; i++) {
        struct buf b = as_text(render_line, (enum snapshots_scene)i, RENDER_LINE_BYTES_MAX);
        assert_int_equal(json_validate(buf_span(&b)), RC_OK);
        assert_int_equal(span_index(buf_span(&b), '\n'), b.len - 1);
    }
}

static void the_line_says_what_a_person_at_the_console_needs(void **state)
{
    (void)state;
    (void)as_text(render_line, SCENE_PROPAGATING, RENDER_LINE_BYTES_MAX);
    assert_non_null(strstr(text, "\"state\":\"propagating\""));
    assert_non_null(strstr(text, "\"led_code\":8"));
    assert_non_null(strstr(text, "\"propagation_left_s\":5523"));
    assert_non_null(strstr(text, "\"fingerprint\":\"3b9f0c6a"));
    assert_non_null(strstr(text, "\"time\":\"2026-11-23T"));
    (void)as_text(render_line, SCENE_COLLECTING, RENDER_LINE_BYTES_MAX);
    assert_non_null(strstr(text, "\"backlog\":7132"));
    assert_non_null(strstr(text, "\"propagation_left_s\":null"));
}

static void what_only_the_page_may_say_is_in_no_other_answer(void **state)
{
    (void)state;

    static const enum snapshots_scene scenes[] = {
        SCENE_AWAITING_CONSENT,
        SCENE_DEGRADED,
        SCENE_SIGNING_IN,
        SCENE_DEVICE_CODE,
    };

    for (unsigned i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        (void)as_text(render_json, scenes[i], RENDER_JSON_BYTES_MAX);
        assert_null(strstr(text, "https:"));
        assert_null(strstr(text, "HJKQ7F2PL"));
        (void)as_text(render_metrics, scenes[i], RENDER_METRICS_BYTES_MAX);
        assert_null(strstr(text, "https:"));
        assert_null(strstr(text, "HJKQ7F2PL"));
        (void)as_text(render_line, scenes[i], RENDER_LINE_BYTES_MAX);
        assert_null(strstr(text, "https:"));
        assert_null(strstr(text, "HJKQ7F2PL"));
    }
}

static void one_state_is_1_and_the_others_are_0(void **state)
{
    (void)state;
    for (unsigned i = SCENE_UNCONFIGURED; i <= SCENE_ATTENTION; i++) {
        char wanted[80] = "anteroom_state{state=\"";
        unsigned zeros = 0;

        strncat(wanted, snapshots_names[i], 30);
        strncat(wanted, "\"} 1\n", 6);
        (void)as_text(render_metrics, (enum snapshots_scene)i, RENDER_METRICS_BYTES_MAX);
        assert_non_null(strstr(text, wanted));
        for (const char *at = text; (at = strstr(at, "anteroom_state{")) != NULL; at++) {
            zeros += strncmp(strchr(at, '}'), "} 0\n", 4) == 0;
        }
        assert_int_equal(zeros, 6);
    }
}

static void a_time_that_there_is_not_has_no_sample(void **state)
{
    (void)state;
    (void)as_text(render_metrics, SCENE_COLLECTING, RENDER_METRICS_BYTES_MAX);
    assert_null(strstr(text, "\nanteroom_propagation_left_seconds"));
    assert_null(strstr(text, "last_age_seconds{source=\"devices\"}"));
    assert_non_null(strstr(text, "last_age_seconds{source=\"users\"} 1804\n"));
    (void)as_text(render_metrics, SCENE_ATTENTION, RENDER_METRICS_BYTES_MAX);
    assert_non_null(strstr(text, "expires_seconds{credential=\"now\",kind=\"secret\"} -7300\n"));
}

static bool is_sample(const char *line)
{
    const char *at = strchr(line, '{');
    const char *end = strchr(line, '\n');

    if (at != NULL && at < end) { // labels: quotes are even, and what they hold has no bare one
        for (at++; *at != '}'; at += *at == ',') {
            at = strchr(at, '"');
            if (at == NULL || at > end) {
                return false;
            }
            for (at++; *at != '"'; at++) {
                at += *at == '\\';
            }
            at++;
        }
        at++;
    } else {
        at = strchr(line, ' ');
    }
    return *at == ' ' && strspn(at + 1, "0123456789.-") == (size_t)(end - at - 1);
}

static void no_text_ends_a_label_or_a_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SCENES; i++) {
        (void)as_text(render_metrics, (enum snapshots_scene)i, RENDER_METRICS_BYTES_MAX);
        for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
            assert_true(strncmp(line, "# HELP anteroom_", 16) == 0 ||
                        strncmp(line, "# TYPE anteroom_", 16) == 0 ||
                        (strncmp(line, "anteroom_", 9) == 0 && is_sample(line)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_is_json_within_its_bound),
        cmocka_unit_test(every_line_is_one_line_of_json),
        cmocka_unit_test(the_line_says_what_a_person_at_the_console_needs),
        cmocka_unit_test(what_only_the_page_may_say_is_in_no_other_answer),
        cmocka_unit_test(one_state_is_1_and_the_others_are_0),
        cmocka_unit_test(a_time_that_there_is_not_has_no_sample),
        cmocka_unit_test(no_text_ends_a_label_or_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

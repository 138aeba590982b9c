// SPDX-License-Identifier: Apache-2.0
/// When a stored line was collected.
#include "graph/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_moment_of_collecting_is_the_envelopes_own(void **state)
{
    int64_t ms = 0;
    (void)state;
    // A name inside what came from outside has its quotation marks escaped.
    struct span line =
        SPAN("{\"type\":\"call_record\",\"id\":\"\\\"collected_time\\\":\\\"1999\","
             "\"event_time\":\"2026-11-22T08:00:00.000Z\","
             "\"collected_time\":\"2026-11-23T17:00:00.250Z\",\"clock\":\"trusted\"}");
    assert_int_equal(event_collected_ms(line, &ms), RC_OK);
    assert_int_equal(ms, 1795453200250);
}

static void another_text_has_none(void **state)
{
    int64_t ms = 7;
    (void)state;
    assert_int_equal(event_collected_ms(SPAN(""), &ms), RC_PARSE);
    assert_int_equal(event_collected_ms(SPAN("{\"collected_time\":\""), &ms), RC_PARSE);
    assert_int_equal(event_collected_ms(SPAN("{\"collected_time\":\"x\"}"), &ms), RC_PARSE);
    assert_int_equal(ms, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_moment_of_collecting_is_the_envelopes_own),
        cmocka_unit_test(another_text_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

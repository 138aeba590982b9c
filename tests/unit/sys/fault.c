// SPDX-License-Identifier: Apache-2.0
#include "sys/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct now at(int64_t ms)
{
    return (struct now){.mono = {.ms = ms}, .wall = {.ms = ms, .quality = CLOCK_FLOOR}};
}

static void an_empty_ring_has_no_faults(void **state)
{
    (void)state;
    assert_int_equal(fault_count(), 0);
    assert_null(fault_at(0));
}

static void the_newest_fault_comes_first(void **state)
{
    (void)state;
    const struct fault_detail said = {
        .status = 503, .code = 35, .request_id = "server-id", .client_request_id = "our-id"};
    fault_note(at(5), "graph.list", RC_RETRY, &said);
    fault_note(at(6), "ship.post", RC_DENIED, NULL);
    assert_int_equal(fault_count(), 2);
    assert_string_equal(fault_at(0)->where, "ship.post");
    assert_int_equal(fault_at(0)->rc, RC_DENIED);
    assert_string_equal(fault_at(0)->request_id, "");
    assert_string_equal(fault_at(1)->request_id, "server-id");
    assert_string_equal(fault_at(1)->client_request_id, "our-id");
    assert_int_equal(fault_at(1)->status, 503);
    assert_int_equal(fault_at(1)->detail, 35);
    assert_null(fault_at(2));
}

static void ids_are_cut_and_made_printable(void **state)
{
    (void)state;
    const struct fault_detail said = {.request_id = "a b\n\x80",
                                      .client_request_id =
                                          "0123456789012345678901234567890123456789012345"};
    fault_note(at(7), "x", RC_IO, &said);
    assert_string_equal(fault_at(0)->request_id, "a?b??");
    assert_string_equal(fault_at(0)->client_request_id, "012345678901234567890123456789012345678");
}

static void old_faults_make_room(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        fault_note(at(i), "many", RC_RETRY, &(struct fault_detail){.status = i});
    }
    assert_int_equal(fault_at(0)->status, 99);
    assert_int_equal(fault_at(FAULT_RING_COUNT - 1u)->status, 100 - (int)FAULT_RING_COUNT);
    assert_null(fault_at(FAULT_RING_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_has_no_faults),
        cmocka_unit_test(the_newest_fault_comes_first),
        cmocka_unit_test(ids_are_cut_and_made_printable),
        cmocka_unit_test(old_faults_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/// The ack rule as tables: every status, every failure, every pair of the state machine.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ship/ship_state.h"

struct range {
    int from, to;
    enum ship_class class;
};

static const struct range golden_statuses[] = {
    {100, 199, SHIP_HOLD},
    {200, 299, SHIP_OK},
    {300, 399, SHIP_HOLD},
    {400, 400, SHIP_SPLIT},
    {401, 407, SHIP_HOLD},
    {408, 408, SHIP_RETRY},
    {409, 409, SHIP_OK},
    {410, 412, SHIP_HOLD},
    {413, 413, SHIP_SPLIT},
    {414, 421, SHIP_HOLD},
    {422, 422, SHIP_SPLIT},
    {423, 424, SHIP_HOLD},
    {425, 425, SHIP_RETRY},
    {426, 428, SHIP_HOLD},
    {429, 429, SHIP_RETRY},
    {430, 499, SHIP_HOLD},
    {500, 599, SHIP_RETRY},
};

static void every_status_has_its_class(void **state)
{
    (void)state;
    int next = 100;
    for (size_t i = 0; i < sizeof(golden_statuses) / sizeof(golden_statuses[0]); i++) {
        const struct range *r = &golden_statuses[i];
        assert_int_equal(r->from, next);
        for (int status = r->from; status <= r->to; status++) {
            assert_int_equal(ship_classify(HTTP_OK, status), r->class);
        }
        next = r->to + 1;
    }
    assert_int_equal(next, 600);
    assert_int_equal(ship_classify(HTTP_OK, 999), SHIP_HOLD);
    assert_int_equal(ship_classify(HTTP_OK, 0), SHIP_RETRY);
}

static void every_failure_has_its_class(void **state)
{
    (void)state;

    static const struct {
        enum http_fail fail;
        enum ship_class no_header, after_200, after_401, after_413, after_503;
    } golden[] = {
        {HTTP_FAIL_RESOLVE, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY},
        {HTTP_FAIL_CONNECT, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY},
        {HTTP_FAIL_TRUST, SHIP_HOLD, SHIP_HOLD, SHIP_HOLD, SHIP_HOLD, SHIP_HOLD},
        {HTTP_FAIL_TLS, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY},
        {HTTP_FAIL_TIMEOUT, SHIP_RETRY, SHIP_RETRY, SHIP_HOLD, SHIP_SPLIT, SHIP_RETRY},
        {HTTP_FAIL_CUT, SHIP_RETRY, SHIP_RETRY, SHIP_HOLD, SHIP_SPLIT, SHIP_RETRY},
        {HTTP_FAIL_TOOBIG, SHIP_RETRY, SHIP_OK, SHIP_HOLD, SHIP_SPLIT, SHIP_RETRY},
        {HTTP_FAIL_ENCODING, SHIP_RETRY, SHIP_OK, SHIP_HOLD, SHIP_SPLIT, SHIP_RETRY},
        {HTTP_FAIL_MEMORY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY, SHIP_RETRY},
        {HTTP_FAIL_REFUSED, SHIP_HOLD, SHIP_HOLD, SHIP_HOLD, SHIP_HOLD, SHIP_HOLD},
    };

    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        assert_int_equal(ship_classify(golden[i].fail, 0), golden[i].no_header);
        assert_int_equal(ship_classify(golden[i].fail, 200), golden[i].after_200);
        assert_int_equal(ship_classify(golden[i].fail, 401), golden[i].after_401);
        assert_int_equal(ship_classify(golden[i].fail, 413), golden[i].after_413);
        assert_int_equal(ship_classify(golden[i].fail, 503), golden[i].after_503);
    }
}

static void the_state_table_is_the_golden_one(void **state)
{
    (void)state;
    static const uint8_t golden[][3] = {
        {SHIP_IDLE, SHIP_EV_WORK, SHIP_LINGER},
        {SHIP_LINGER, SHIP_EV_EMPTY, SHIP_IDLE},
        {SHIP_LINGER, SHIP_EV_START, SHIP_SENDING},
        {SHIP_LINGER, SHIP_EV_WAIT, SHIP_BACKOFF},
        {SHIP_LINGER, SHIP_EV_HOLD, SHIP_HOLDING},
        {SHIP_SENDING, SHIP_EV_ANSWERED, SHIP_SETTLING},
        {SHIP_SENDING, SHIP_EV_SPLIT, SHIP_LINGER},
        {SHIP_SENDING, SHIP_EV_WAIT, SHIP_BACKOFF},
        {SHIP_SENDING, SHIP_EV_HOLD, SHIP_HOLDING},
        {SHIP_SETTLING, SHIP_EV_SETTLED, SHIP_IDLE},
        {SHIP_SETTLING, SHIP_EV_WAIT, SHIP_BACKOFF},
        {SHIP_SETTLING, SHIP_EV_HOLD, SHIP_HOLDING},
        {SHIP_BACKOFF, SHIP_EV_DUE, SHIP_LINGER},
        {SHIP_BACKOFF, SHIP_EV_RESUME, SHIP_SETTLING},
        {SHIP_HOLDING, SHIP_EV_DUE, SHIP_LINGER},
        {SHIP_HOLDING, SHIP_EV_RESUME, SHIP_SETTLING},
    };
    uint8_t expected[SHIP_STATES][SHIP_EVENTS];
    memset(expected, SHIP_ILLEGAL, sizeof(expected));
    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        expected[golden[i][0]][golden[i][1]] = golden[i][2];
    }
    for (unsigned from = 0; from < SHIP_STATES; from++) {
        for (unsigned ev = 0; ev < SHIP_EVENTS; ev++) {
            assert_int_equal(ship_next[from][ev], expected[from][ev]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_class),
        cmocka_unit_test(every_failure_has_its_class),
        cmocka_unit_test(the_state_table_is_the_golden_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

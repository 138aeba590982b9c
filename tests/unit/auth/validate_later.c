// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * How often Graph is asked for a permission that was granted later than the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/validate_state.h"
#include "world.h"

#define VALIDATE_SLOT 5u
#define TURNS_ENOUGH  20u
#define GRANTED       (1u << PERMISSION_CALL_RECORDS | 1u << PERMISSION_USERS)
#define LATER         (1u << PERMISSION_DEVICES)

static struct validate validate;
static struct validate_token token = {
    .authorization = SPAN("Authorization: Bearer t"), .roles = GRANTED, .readable = true};

static bool refuse(void *context,
                   unsigned slot,
                   const struct http_fake_request *request,
                   struct http_fake_answer *answer)
{
    (void)context;
    (void)slot;
    (void)request;
    answer->status = 403;
    return true;
}

/// As often as something happens at this moment.
static void turns(void)
{
    struct validate_facts facts;
    for (unsigned i = 0; i < TURNS_ENOUGH; i++) {
        (void)validate_step(&validate, token, world.now, &facts);
        (void)http_step(http_fake_handle(), world.now);
    }
}

static void a_newer_token_names(unsigned roles)
{
    token.roles = roles;
    token.generation++;
    turns();
}

static int64_t pause_ms(void)
{
    return validate_next(&validate).ms - world.now.mono.ms;
}

static void what_is_granted_later_is_asked_as_often_at_first(void **unused)
{
    world_init(unused);
    world.config.permissions = GRANTED | LATER;
    http_fake_respond_with(&world.http, refuse, NULL);
    validate_init(&validate,
                  &(struct validate_setup){
                      .config = &world.config, .http = http_fake_handle(), .slot = VALIDATE_SLOT});
    a_newer_token_names(GRANTED);
    int64_t began = world.now.mono.ms;
    while (world.now.mono.ms - began < 2 * VALIDATE_SOON_FOR_MS) {
        world_sleep(pause_ms());
        turns();
        a_newer_token_names(GRANTED);
    }
    assert_true(pause_ms() >= VALIDATE_LATE_MS);
    a_newer_token_names(GRANTED | LATER);
    assert_int_equal(validate_row(&validate, PERMISSION_DEVICES)->verdict, VERDICT_FORBIDDEN);
    assert_true(pause_ms() >= VALIDATE_SOON_MS && pause_ms() <= VALIDATE_SOON_MS * 11 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_granted_later_is_asked_as_often_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

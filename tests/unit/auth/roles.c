// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a token says of the permissions that it carries, and its number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static void roles_are_looked_up_in_the_token_if_it_can_be_read(void **unused)
{
    (void)unused;
    char text[512];
    struct buf t = BUF(text);
    buf_put_str(&t, "e30."); // {"roles":["CallRecords.Read.All","User.Read.All"]} in base64url
    buf_put_str(&t, "eyJyb2xlcyI6WyJDYWxsUmVjb3Jkcy5SZWFkLkFsbCIsIlVzZXIuUmVhZC5BbGwiXX0");
    buf_put_str(&t, ".sig");
    assert_true(buf_terminate(&t));
    world_answer_token(text, 3600);
    bool readable = false;
    const unsigned both = 1u << PERMISSION_CALL_RECORDS | 1u << PERMISSION_USERS;
    assert_int_equal(auth_roles(&world.auth, &readable), both);
    assert_true(readable);
    world_sleep_until_next();
    world_answer_token("e30.e30.sig", 3600); // {}: a token without roles
    assert_int_equal(auth_roles(&world.auth, &readable), 0);
    assert_true(readable);
    world_sleep_until_next(); // {"roles":[7,"User.Read","X.Read.All","TeamworkDevice.Read.All"]}
    world_answer_token("e30.eyJyb2xlcyI6WzcsIlVzZXIuUmVhZCIsIlguUmVhZC5BbGwiLCJUZWFtd29ya0Rldmlj"
                       "ZS5SZWFkLkFsbCJdfQ.sig",
                       3600);
    assert_int_equal(auth_roles(&world.auth, &readable), 1u << PERMISSION_DEVICES);
    assert_true(readable);
    static const char *const opaque[] = {
        "opaque", "a.b", "a.!!!!.c", "a..c", "a.bm90IGpzb24.c", "e30.W10.c"};
    for (size_t i = 0; i < sizeof(opaque) / sizeof(opaque[0]); i++) {
        world_sleep_until_next();
        world_answer_token(opaque[i], 3600);
        assert_int_equal(auth_roles(&world.auth, &readable), 0);
        assert_false(readable);
    }
}

static void without_a_configuration_nobody_is_asked_for_one(void **unused)
{
    (void)unused;
    memset(&world.config, 0, sizeof(world.config));
    world.config.credential = CREDENTIAL_SECRET;
    for (unsigned day = 0; day < 3; day++) {
        assert_int_equal(world_turn().ms, MONO_NEVER.ms);
        assert_int_equal(auth_activity(&world.auth).kind, ACTIVITY_IDLE);
        world.now.mono.ms += 86400000;
    }
    assert_int_equal(world_requests(), 0);
    assert_false(world_has_token());
    assert_true(auth_credentials(&world.auth)->there[CREDENTIAL_NOW]); // what is there is shown
}

static void tokens_are_numbered_on_when_the_machine_is_built_anew(void **unused)
{
    (void)unused;
    const struct auth_setup setup = {.config = &world.config,
                                     .http = http_fake_handle(),
                                     .slot = SLOT,
                                     .store = &world.store,
                                     .time_trusted = true,
                                     .generation = 7};
    auth_init(&world.auth, &setup);
    auth_reject(&world.auth, 7, world.now); // an answer to the last one before
    world_answer_token("t", 3600);
    assert_int_equal(auth_generation(&world.auth), 8);
    auth_reject(&world.auth, 7, world.now);
    assert_true(world_has_token());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(roles_are_looked_up_in_the_token_if_it_can_be_read, world_init),
        cmocka_unit_test_setup(without_a_configuration_nobody_is_asked_for_one, world_init),
        cmocka_unit_test_setup(tokens_are_numbered_on_when_the_machine_is_built_anew, world_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

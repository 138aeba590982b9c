// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Lives of random facts, with a seed: whatever comes in whatever order, the promises hold, and good
 * facts lead to collecting without anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tale.h"

#define STEPS       100000u
#define GOOD_EVERY  100u ///< so often all facts turn good
#define ALL         (CALLS | USERS | DEVICES)
#define GOOD_TURNS  2u
#define SEEDS_COUNT 3u

static uint64_t seed;

static unsigned chance(unsigned below)
{
    seed ^= seed << 13u;
    seed ^= seed >> 7u;
    seed ^= seed << 17u;
    return (unsigned)(seed % below);
}

static void change_facts(void)
{
    tale.facts.configured = chance(50) != 0;
    // a good token is as likely as all that can go wrong
    tale.facts.auth = chance(2) != 0 ? AUTH_CAUSE_NONE : (enum auth_cause)chance(AUTH_CAUSE_COUNT);
    if (chance(200) == 0) {
        tale.facts.wanted = chance(1u << CONFIG_PERMISSIONS);
    }
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        if (chance(3) == 0) {
            tale.facts.verdicts[p] = (enum verdict)chance(VERDICTS);
        }
    }
}

static void change_time(void)
{
    static const int64_t moves_ms[] = {0, 1000, MINUTE, HOUR, 3 * HOUR};
    int64_t ms = moves_ms[chance(5)];

    tale.now.mono.ms += ms;
    tale.now.wall.ms += ms;
    if (chance(100) == 0) { // the clock is set, forward or back
        tale.now.wall.ms = 1795392000000 + (int64_t)chance(1000000000) * 10 - 5000000000;
    }
    tale.now.wall.quality = chance(20) == 0 ? CLOCK_FLOOR : CLOCK_TRUSTED;
}

static void expect_promises(void)
{
    const struct life *l = &tale.life;
    unsigned allowed = tale_allowed();
    int64_t left_ms = life_left_ms(l, tale.now);

    assert_in_range(l->state, LIFE_UNCONFIGURED, LIFE_ATTENTION);
    assert_int_equal(allowed & ~tale.facts.wanted, 0);
    assert_int_equal(l->lacking & l->answering, 0);
    assert_int_equal(l->refused & ~l->wanted, 0);
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        if ((allowed & 1u << p) != 0) {
            assert_int_equal(l->known[p], VERDICT_GOOD);
        }
    }
    assert_in_range(left_ms, 0, LIFE_PROPAGATION_MS);
    if (tale.now.wall.quality == CLOCK_TRUSTED && l->configured) { // else it keeps what was
        for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
            bool forbidden = (l->kept.forbidden & 1u << p) != 0;
            assert_true(l->kept.forbidden_since_ms[p] <= tale.now.wall.ms);
            assert_true(forbidden == (l->kept.forbidden_since_ms[p] != 0));
        }
        assert_int_equal(l->overdue & ~l->kept.forbidden, 0);
    }
    if (l->event == LIFE_EV_ALL) { // else it collects without a token, by an older configuration
        assert_int_equal(l->state, LIFE_COLLECTING);
        assert_int_equal(l->lacking, 0);
        assert_false(l->kept.enabled_with_warning);
    }
    if (l->state == LIFE_UNCONFIGURED || l->state == LIFE_AWAITING_CONSENT) {
        assert_int_equal(allowed, 0);
    }
    assert_true(mono_due(tale.now.mono, tale.due)); // it never asks for a moment that has passed
}

static void let_all_be_good(void)
{
    tale.facts.configured = true;
    tale.facts.wanted = tale.facts.wanted & ALL;
    tale.now.wall.quality = CLOCK_TRUSTED;
    for (unsigned turn = 0; turn < GOOD_TURNS; turn++) {
        tale_say(ALL, VERDICT_GOOD);
        expect_promises();
    }
    tale_expect(LIFE_COLLECTING);
    assert_int_equal(tale_allowed(), tale.facts.wanted);
}

static void walk(uint64_t with)
{
    bool changed = false;

    seed = with;
    tale_begin("walk");
    for (unsigned i = 1; i <= STEPS; i++) {
        change_time();
        change_facts();
        if (chance(500) == 0) {
            tale_restart();
        }
        if (chance(30) == 0) {
            life_enable_with_warning(&tale.life, &changed);
        }
        tale_turn();
        expect_promises();
        if (i % GOOD_EVERY == 0) {
            let_all_be_good();
        }
    }
}

static void whatever_happens_the_promises_hold_and_good_facts_lead_to_collecting(void **unused)
{
    (void)unused;
    static const uint64_t seeds[SEEDS_COUNT] = {
        88172645463325252u, 1795392000000u, 0x9e3779b97f4a7c15u};
    for (unsigned i = 0; i < SEEDS_COUNT; i++) {
        print_message("seed %llu\n", (unsigned long long)seeds[i]);
        walk(seeds[i]);
    }
}

static void a_walk_meets_every_state_and_every_event(void **unused)
{
    (void)unused;
    unsigned states = 0;
    unsigned events = 0;
    for (unsigned s = 1; s < LIFE_STATES; s++) {
        for (unsigned e = 0; e < LIFE_EVENTS; e++) {
            states |= tale_walked(s, e) != NULL ? 1u << s : 0u;
            events |= tale_walked(s, e) != NULL ? 1u << e : 0u;
        }
    }
    assert_int_equal(states, (1u << LIFE_STATES) - 2u);
    assert_int_equal(events, (1u << LIFE_EVENTS) - 1u);
}

/// Restarted anywhere on its way, a box arrives where it would have.
static void a_restart_in_any_state_ends_where_the_facts_lead(void **unused)
{
    (void)unused;

    static const enum auth_cause causes[] = {
        AUTH_CAUSE_NONE, AUTH_CAUSE_NO_CREDENTIAL, AUTH_CAUSE_CONSENT, AUTH_CAUSE_POLICY};

    const unsigned sets = VERDICTS * VERDICTS;
    for (unsigned i = 0; i < sets * 4u * 3u; i++) {
        static const int64_t waits_ms[] = {0, HOUR, LIFE_PROPAGATION_MS};
        enum verdict calls = (enum verdict)(i % VERDICTS);
        enum verdict users = (enum verdict)(i / VERDICTS % VERDICTS);
        tale_begin(__func__);
        tale.facts.wanted = CALLS | USERS;
        tale_say_both(CALLS, calls, USERS, users);
        tale_pass(waits_ms[i / sets % 3u]);
        tale_auth(causes[i / sets / 3u]);
        enum life_state before = tale.life.state;
        enum auth_cause reason = tale.life.reason;
        unsigned allowed = tale_allowed();
        tale_restart();
        assert_int_equal(tale_allowed(), 0); // nothing has answered yet
        if (causes[i / sets / 3u] == AUTH_CAUSE_NONE) {
            tale_say_both(CALLS, calls, USERS, users);
        }
        tale_auth(causes[i / sets / 3u]);
        tale_expect(before);
        assert_int_equal(tale.life.reason, reason);
        assert_int_equal(tale_allowed(), allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_promises_hold_and_good_facts_lead_to_collecting),
        cmocka_unit_test(a_walk_meets_every_state_and_every_event),
        cmocka_unit_test(a_restart_in_any_state_ends_where_the_facts_lead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

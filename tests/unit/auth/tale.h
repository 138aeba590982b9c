// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A box's life told by facts, in virtual time. Every edge that is walked is noted with the name of
 * the test that walked it first.
 */
#ifndef TESTS_UNIT_AUTH_TALE_H
#define TESTS_UNIT_AUTH_TALE_H
#include "auth/life.h"
#include "auth/life_kept.h"

#define MINUTE  ((int64_t)60 * 1000)
#define HOUR    (60 * MINUTE)
#define CALLS   (1u << PERMISSION_CALL_RECORDS)
#define USERS   (1u << PERMISSION_USERS)
#define DEVICES (1u << PERMISSION_DEVICES)

struct tale {
    const char *name;
    struct life life;
    struct life_facts facts;
    struct now now;
    struct mono due; ///< what life_step asked for
    char record[LIFE_KEPT_BYTES_MAX];
    size_t record_len; ///< 0: nothing was kept so far
    unsigned saves;
    enum rc store_rc; ///< what the token store answers
};
extern struct tale tale;
extern const struct config tale_config;

/// A new box that wants all three, with a tenant and a trusted clock, before its first answer.
void tale_begin(const char *name);
void tale_turn(void);
/// Both clocks move, then a turn.
void tale_pass(int64_t ms);
/// The sign-in's answer; then a turn.
void tale_auth(enum auth_cause cause);
/// A verdict for each permission of the mask (and a good token); then a turn.
void tale_say(unsigned mask, enum verdict v);
/// Two masks at once.
void tale_say_both(unsigned a, enum verdict va, unsigned b, enum verdict vb);
/// The process ends; the next one has only what was kept, and no answer yet.
void tale_restart(void);
void tale_expect_(enum life_state state, const char *file, int line);
#define tale_expect(state) tale_expect_((state), __FILE__, __LINE__)
/// What life_allows says, as a mask.
unsigned tale_allowed(void);

/// Where the edge was walked first, or NULL.
const char *tale_walked(unsigned state, unsigned event);

#endif

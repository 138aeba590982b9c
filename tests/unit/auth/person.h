// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The world of a person's sign-in, for its tests: world.h, a struct signin in it, and short forms
 * of what Entra and Graph answer.
 */
#ifndef TESTS_UNIT_AUTH_PERSON_H
#define TESTS_UNIT_AUTH_PERSON_H
#include "auth/signin_state.h"
#include "world.h"

#define SIGNIN_SLOT 6u
#define LOGIN       "https://login.microsoftonline.com/" TENANT "/oauth2/v2.0"
#define ME_URL      "https://graph.microsoft.com/v1.0/me?$select=displayName,userPrincipalName,id"
#define SECOND_MS   1000
#define KEPT_AT     "2026-11-23T00:00:00.000Z 528186139\n" ///< begins what is kept then
#define DAY_MS      86400000ll

extern struct signin person;

int person_init(void **unused);
/// The power comes back: memory is gone, the store is as it was.
void person_restart(void);
struct mono person_turn(void);
/// Turns until nothing more happens at this moment.
struct mono person_turns(void);
/// As many, with the clock moved to whatever is due next. @return how long that was
int64_t person_sleep_until_next(void);

unsigned person_requests(void);
const char *person_url(void);
bool person_asked(const char *text); ///< the body of the last request holds it
enum signin_state person_state(void);
enum signin_cause person_cause(void);

void person_queue(int status, const char *body);
void person_queue_error(const char *error, int aadsts); ///< 400
/// Tokens of somebody of this tenant, or of another.
void person_queue_tokens(const char *access, const char *refresh);
void person_queue_tokens_of(const char *tid, const char *refresh);
void person_queue_me(const char *name);
/// A link is out and its code came back.
void person_brings_code(void);
/// All of it: code, tokens (refresh), /me (name).
void person_signs_in(const char *refresh, const char *name);

/// What the store has, or "".
const char *person_kept(const char *record);

#endif

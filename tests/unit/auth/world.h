// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the sign-in lives in, for its tests: a scripted http, a token store in memory, log lines
 * that are kept, a clock that stands still until it is moved, and randomness that a test chooses
 * (link with -Wl,--wrap=hal_entropy_u64).
 */
#ifndef TESTS_UNIT_AUTH_WORLD_H
#define TESTS_UNIT_AUTH_WORLD_H
#include "auth/auth_state.h"
#include "http_fake.h"

#define SLOT       3u
#define WALL_MS    1795392000000 // 2026-11-23T00:00:00Z
#define START_MS   5000          // monotonic
#define LOG_BYTES  (64u * 1024u)
#define VALUES_MAX 8u

#define SECRET "sw0rd+f/i sh&=%"
#define TENANT "0a0b0c0d-1111-2222-3333-444455556666"
#define CLIENT "11111111-aaaa-bbbb-cccc-ddddeeeeffff"

struct world {
    struct http_fake http;
    struct auth auth;
    struct config config;
    struct tokenstore store;
    struct now now;
    uint64_t random;     ///< what hal_entropy_u64 gives
    char log[LOG_BYTES]; ///< all lines, level digit first
    size_t log_len;

    struct {
        char name[TOKENSTORE_NAME_BYTES_MAX + 1u];
        char bytes[TOKENSTORE_VALUE_BYTES_MAX];
        size_t len;
        enum rc rc; ///< what get answers
    } values[VALUES_MAX];
    enum rc put_rc;
    unsigned puts;
    bool cut;              ///< the power goes after `changes_left` more puts and deletes
    unsigned changes_left; ///< then

    // The signing key, made once for all tests.
    bool has_key;
    enum rc key_rc; ///< what public, signs and sign answer while there is one
    enum tokenstore_signature signs;
};
extern struct world world;

/// A fresh world: signs in by secret, which is in the store; the clock is trusted.
int world_init(void **unused);
void world_put(const char *name, struct span value, enum rc get_rc);
/// One turn of the loop, or several with the clock moved between them.
struct mono world_turn(void);
void world_sleep(int64_t ms);
/// Sleep until the next attempt that the sign-in asks for; returns how long that was.
int64_t world_sleep_until_next(void);
/// Bring an answer to the running request (asking first, if it is time).
void world_answer(int status, const char *body);
void world_answer_full(const struct http_fake_answer *answer);
/// {"token_type":"Bearer","expires_in":...,"access_token":"..."}
void world_answer_token(const char *token, unsigned expires_s);
void world_answer_error(int status, const char *error, int aadsts);
unsigned world_requests(void);
bool world_has_token(void);
unsigned world_log_count(const char *text);

#endif

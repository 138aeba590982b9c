// SPDX-License-Identifier: Apache-2.0
#include "person.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#define BODIES       64u
#define BODY_BYTES   4096u
#define TURNS_ENOUGH 16u

struct signin person;

// Answers are borrowed until they are released.
static char bodies[BODIES][BODY_BYTES];
static unsigned bodies_used;

void person_restart(void)
{
    struct signin_setup setup = {.config = &world.config,
                                 .http = http_fake_handle(),
                                 .slot = SIGNIN_SLOT,
                                 .store = &world.store};
    http_release(http_fake_handle(), SIGNIN_SLOT);
    signin_init(&person, &setup);
}

int person_init(void **unused)
{
    world_init(unused);
    snprintf(world.config.redirect_uri, sizeof(world.config.redirect_uri), "http://localhost");
    bodies_used = 0;
    person_restart();
    return 0;
}

struct mono person_turn(void)
{
    struct mono again = signin_step(&person, world.now);
    (void)http_step(http_fake_handle(), world.now);
    return again;
}

struct mono person_turns(void)
{
    struct mono again = MONO_NEVER;
    for (unsigned i = 0; i < TURNS_ENOUGH; i++) {
        again = person_turn();
    }
    return again;
}

int64_t person_sleep_until_next(void)
{
    struct mono next = person_turns();
    ASSERT(next.ms != MONO_NEVER.ms);
    int64_t ms = next.ms - world.now.mono.ms;
    ASSERT(ms >= 0);
    world_sleep(ms);
    return ms;
}

unsigned person_requests(void)
{
    return world.http.slots[SIGNIN_SLOT].requests;
}

const char *person_url(void)
{
    return http_fake_request(&world.http, SIGNIN_SLOT)->url;
}

bool person_asked(const char *text)
{
    return http_fake_body_has(&world.http, SIGNIN_SLOT, text);
}

enum signin_state person_state(void)
{
    return signin_status(&person)->state;
}

enum signin_cause person_cause(void)
{
    return signin_status(&person)->cause;
}

static char *next_body(void)
{
    ASSERT(bodies_used < BODIES);
    return bodies[bodies_used++];
}

void person_queue(int status, const char *body)
{
    http_fake_queue_body(&world.http, SIGNIN_SLOT, status, body);
}

void person_queue_error(const char *error, int aadsts)
{
    char *body = next_body();
    snprintf(body,
             BODY_BYTES,
             "{\"error\":\"%s\",\"error_description\":\"AADSTS%d: no.\",\"error_codes\":[%d],"
             "\"trace_id\":\"0f0e0d0c-0000-1111-2222-333344445555\"}",
             error,
             aadsts,
             aadsts);
    person_queue(400, body);
}

static void queue_tokens(const char *access, const char *id_token, const char *refresh)
{
    char *body = next_body();
    snprintf(body,
             BODY_BYTES,
             "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"%s\","
             "\"id_token\":\"%s\",\"refresh_token\":\"%s\"}",
             access,
             id_token,
             refresh);
    person_queue(200, body);
}

void person_queue_tokens(const char *access, const char *refresh)
{
    queue_tokens(access, "opaque", refresh);
}

void person_queue_tokens_of(const char *tid, const char *refresh)
{
    char claims[128], token[256];
    struct buf b = BUF(token);
    snprintf(claims, sizeof(claims), "{\"tid\":\"%s\",\"aud\":\"x\"}", tid);
    buf_put_str(&b, "e30.");
    buf_put_base64url(&b, span_from_str(claims));
    buf_put_str(&b, ".sig");
    ASSERT(buf_terminate(&b));
    queue_tokens("acc3ss", token, refresh);
}

void person_queue_me(const char *name)
{
    char *body = next_body();
    snprintf(body,
             BODY_BYTES,
             "{\"@odata.context\":\"x\",\"displayName\":\"%s\",\"userPrincipalName\":\"a@b\","
             "\"id\":\"1\"}",
             name);
    person_queue(200, body);
}

void person_brings_code(void)
{
    char text[CONSENT_LINK_BYTES_MAX];
    struct buf link = BUF(text);
    struct consent_redirect r = {.kind = CONSENT_CODE, .code = "c0de/x"};
    ASSERT(signin_begin_link(&person, world.now, &link) == RC_OK);
    signin_redirected(&person, &r, world.now);
}

void person_signs_in(const char *refresh, const char *name)
{
    person_turns();
    person_brings_code();
    person_queue_tokens("acc3ss", refresh);
    person_queue_me(name);
    person_turns();
    ASSERT(person_state() == SIGNIN_DONE);
}

const char *person_kept(const char *record)
{
    static char text[TOKENSTORE_VALUE_BYTES_MAX + 1u];
    struct buf b = buf_of(text, TOKENSTORE_VALUE_BYTES_MAX);
    if (hal_tokenstore_get(&world.store, span_from_str(record), &b) != RC_OK) {
        return "";
    }
    text[b.len] = '\0';
    return text;
}

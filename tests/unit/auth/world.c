// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/crypto.h"
#include "hal/entropy.h"

#include "sys/log.h"

struct world world;

uint64_t __wrap_hal_entropy_u64(void);

uint64_t __wrap_hal_entropy_u64(void)
{
    return world.random;
}

// ---- sys/log.h --------------------------------------------------------------

void log_set_now(struct now now)
{
    (void)now;
}

void log_line(struct log_site *site, int level, const char *format, ...)
{
    (void)site;
    char line[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    ASSERT(len > 0 && (size_t)len < sizeof(line));
    int added =
        snprintf(world.log + world.log_len, LOG_BYTES - world.log_len, "%d %s\n", level, line);
    ASSERT(added > 0 && (size_t)added < LOG_BYTES - world.log_len);
    world.log_len += (size_t)added;
}

unsigned world_log_count(const char *text)
{
    unsigned count = 0;
    for (const char *at = strstr(world.log, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

// ---- hal/tokenstore.h -------------------------------------------------------

RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out)
{
    (void)t;
    for (unsigned i = 0; i < VALUES_MAX; i++) {
        if (span_equal(span_from_str(world.values[i].name), name)) {
            TRY(world.values[i].rc);
            buf_put(out, (struct span){.ptr = world.values[i].bytes, .len = world.values[i].len});
            return buf_ok(out) ? RC_OK : RC_TOOBIG;
        }
    }
    return RC_NOTFOUND;
}

static RC change(void)
{
    if (world.cut && world.changes_left == 0) {
        return RC_IO;
    }
    world.changes_left -= world.cut;
    return RC_OK;
}

RC hal_tokenstore_put(struct tokenstore *t, struct span name, struct span value)
{
    (void)t;
    char text[TOKENSTORE_NAME_BYTES_MAX + 1u];
    snprintf(text, sizeof(text), "%" PRISPAN, SPANARG(name));
    TRY(world.put_rc);
    TRY(change());
    world_put(text, value, RC_OK);
    world.puts++;
    return RC_OK;
}

RC hal_tokenstore_delete(struct tokenstore *t, struct span name)
{
    char text[TOKENSTORE_NAME_BYTES_MAX + 1u], old[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(old);
    snprintf(text, sizeof(text), "%" PRISPAN, SPANARG(name));
    TRY(hal_tokenstore_get(t, name, &value));
    TRY(world.put_rc);
    TRY(change());
    world_put(text, SPAN_NONE, RC_NOTFOUND);
    return RC_OK;
}

static char key_bytes[CRYPTO_KEY_DER_BYTES_MAX];
static struct buf key = {.ptr = key_bytes, .cap = sizeof(key_bytes)};

static RC key_state(void)
{
    if (key.len == 0) { // takes seconds
        TRY(crypto_make_rsa(NULL, NULL, &key));
    }
    return world.has_key ? world.key_rc : RC_NOTFOUND;
}

RC hal_tokenstore_make_key(struct tokenstore *t, bool *made)
{
    (void)t;
    TRY(world.put_rc);
    *made = !world.has_key;
    world.has_key = true;
    return key_state();
}

RC hal_tokenstore_public(struct tokenstore *t, struct buf *der)
{
    (void)t;
    TRY(key_state());
    return crypto_public(buf_span(&key), der);
}

RC hal_tokenstore_signs(struct tokenstore *t, enum tokenstore_signature *best)
{
    (void)t;
    *best = world.signs;
    return key_state();
}

RC hal_tokenstore_sign(struct tokenstore *t,
                       enum tokenstore_signature kind,
                       const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                       struct buf *out)
{
    (void)t;
    TRY(key_state());
    return crypto_sign_rsa(
        buf_span(&key), kind == TOKENSTORE_PS256 ? CRYPTO_PS256 : CRYPTO_RS256, digest, out);
}

void world_put(const char *name, struct span value, enum rc get_rc)
{
    unsigned i = 0;
    while (i < VALUES_MAX && world.values[i].name[0] != '\0' &&
           strcmp(world.values[i].name, name) != 0) {
        i++;
    }
    ASSERT(i < VALUES_MAX && value.len <= TOKENSTORE_VALUE_BYTES_MAX);
    snprintf(world.values[i].name, sizeof(world.values[i].name), "%s", name);
    if (value.len > 0) {
        memcpy(world.values[i].bytes, value.ptr, value.len);
    }
    world.values[i].len = value.len;
    world.values[i].rc = get_rc;
}

// ---- the world --------------------------------------------------------------

int world_init(void **unused)
{
    (void)unused;
    memset(&world, 0, sizeof(world));
    http_fake_init(&world.http);
    struct config *c = &world.config;
    snprintf(c->tenant_id, sizeof(c->tenant_id), TENANT);
    snprintf(c->client_id, sizeof(c->client_id), CLIENT);
    snprintf(c->authority_url, sizeof(c->authority_url), "https://login.microsoftonline.com");
    snprintf(c->graph_url, sizeof(c->graph_url), "https://graph.microsoft.com");
    c->credential = CREDENTIAL_SECRET;
    c->connect_ms = 15000;
    c->total_ms = 600000;
    c->stall_ms = 30000;
    c->call_records.retry_base_ms = 1000;
    c->call_records.retry_cap_ms = 300000;
    world.signs = TOKENSTORE_PS256;
    world.now.mono.ms = START_MS;
    world.now.wall = (struct wall){.ms = WALL_MS, .quality = CLOCK_TRUSTED};
    world_put(AUTH_SECRET_NAME, SPAN(SECRET), RC_OK);
    auth_init(&world.auth,
              &(struct auth_setup){
                  .config = c,
                  .http = http_fake_handle(),
                  .slot = SLOT,
                  .store = &world.store,
              });
    return 0;
}

struct mono world_turn(void)
{
    struct mono again = auth_step(&world.auth, world.now);
    (void)http_step(http_fake_handle(), world.now);
    return again;
}

void world_sleep(int64_t ms)
{
    world.now.mono.ms += ms;
    world.now.wall.ms += ms;
}

int64_t world_sleep_until_next(void)
{
    int64_t ms = auth_status(&world.auth)->next_attempt.ms - world.now.mono.ms;
    ASSERT(ms >= 0);
    world_sleep(ms);
    return ms;
}

void world_answer_full(const struct http_fake_answer *answer)
{
    http_fake_queue(&world.http, SLOT, answer);
    world_turn(); // asks, if it was not asking; the answer arrives behind it
    world_turn(); // takes it
    world_turn();
}

void world_answer(int status, const char *body)
{
    struct http_fake_answer answer = {.status = status, .body = span_from_str(body)};
    world_answer_full(&answer);
}

void world_answer_token(const char *token, unsigned expires_s)
{
    char body[8192];
    snprintf(body,
             sizeof(body),
             "{\"token_type\":\"Bearer\",\"expires_in\":%u,\"access_token\":\"%s\"}",
             expires_s,
             token);
    world_answer(200, body);
}

void world_answer_error(int status, const char *error, int aadsts)
{
    char body[512];
    snprintf(body,
             sizeof(body),
             "{\"error\":\"%s\",\"error_description\":\"AADSTS%d: no.\\r\\nTrace ID: "
             "x\",\"error_codes\":[%d],"
             "\"trace_id\":\"0f0e0d0c-0000-1111-2222-333344445555\",\"timestamp\":\"2026-11-23 "
             "00:00:00Z\"}",
             error,
             aadsts,
             aadsts);
    world_answer(status, body);
}

unsigned world_requests(void)
{
    return world.http.requests;
}

bool world_has_token(void)
{
    return auth_bearer(&world.auth, world.now).len > 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "tale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sys/log.h"

#define WALL_MS 1795392000000 // 2026-11-23T00:00:00Z

struct tale tale;

static const char *walked[LIFE_STATES][LIFE_EVENTS];

const struct config tale_config = {
    .authority_url = "https://login.microsoftonline.com",
    .tenant_id = "0a0b0c0d-1111-2222-3333-444455556666",
    .client_id = "11111111-aaaa-bbbb-cccc-ddddeeeeffff",
};

void log_line(struct log_site *site, int level, const char *format, ...)
{
    (void)site;
    (void)level;
    (void)format;
}

const char *tale_walked(unsigned state, unsigned event)
{
    return walked[state][event];
}

// ---- hal/tokenstore.h -------------------------------------------------------

RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out)
{
    (void)t;
    assert_true(span_equal(name, SPAN(LIFE_KEPT_NAME)));
    if (tale.store_rc != RC_OK || tale.record_len == 0) {
        return tale.store_rc != RC_OK ? tale.store_rc : RC_NOTFOUND;
    }
    buf_put(out, (struct span){.ptr = tale.record, .len = tale.record_len});
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

RC hal_tokenstore_put(struct tokenstore *t, struct span name, struct span value)
{
    (void)t;
    assert_true(span_equal(name, SPAN(LIFE_KEPT_NAME)) && value.len <= sizeof(tale.record));
    memcpy(tale.record, value.ptr, value.len);
    tale.record_len = value.len;
    tale.saves++;
    return tale.store_rc;
}

// ---- the tale ---------------------------------------------------------------

static void begin_life(void)
{
    struct life_kept kept;

    assert_int_equal(life_load(NULL, &tale_config, &kept), RC_OK);
    life_init(&tale.life, &kept, tale.now);
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        tale.facts.verdicts[p] = VERDICT_NONE;
    }
    tale.facts.auth = AUTH_CAUSE_STARTING;
}

void tale_begin(const char *name)
{
    memset(&tale, 0, sizeof(tale));
    tale.name = name;
    tale.now = (struct now){{.ms = 5000}, {.ms = WALL_MS, .quality = CLOCK_TRUSTED}};
    tale.facts = (struct life_facts){
        .configured = true, .wanted = CALLS | USERS | DEVICES, .next = {.ms = 65000}};
    begin_life();
    tale_turn();
}

void tale_turn(void)
{
    bool changed = false;
    enum life_state from = tale.life.state;

    tale.due = life_step(&tale.life, &tale.facts, tale.now, &changed);
    if (walked[from][tale.life.event] == NULL) {
        walked[from][tale.life.event] = tale.name;
    }
    if (changed) {
        assert_int_equal(life_save(NULL, &tale_config, &tale.life.kept), RC_OK);
    }
}

void tale_pass(int64_t ms)
{
    tale.now.mono.ms += ms;
    tale.now.wall.ms += ms;
    tale.facts.next = mono_after(tale.now.mono, 5 * MINUTE);
    tale_turn();
}

void tale_auth(enum auth_cause cause)
{
    tale.facts.auth = cause;
    tale_turn();
}

void tale_say_both(unsigned a, enum verdict va, unsigned b, enum verdict vb)
{
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        if (((a | b) & 1u << p) != 0) {
            tale.facts.verdicts[p] = (a & 1u << p) != 0 ? va : vb;
        }
    }
    tale_auth(AUTH_CAUSE_NONE);
}

void tale_say(unsigned mask, enum verdict v)
{
    tale_say_both(mask, v, 0, v);
}

void tale_restart(void)
{
    tale.now.mono.ms += 20000;
    tale.now.wall.ms += 20000;
    begin_life();
    tale_turn();
}

unsigned tale_allowed(void)
{
    unsigned mask = 0;

    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        mask |= life_allows(&tale.life, (enum config_permission)p) ? 1u << p : 0u;
    }
    return mask;
}

void tale_expect_(enum life_state state, const char *file, int line)
{
    if (tale.life.state != state) {
        print_error("is %s, not %s\n", life_state_name(tale.life.state), life_state_name(state));
    }
    _assert_int_equal(tale.life.state, state, file, line);
}

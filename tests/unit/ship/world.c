// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "hal/entropy.h"

struct world_secrets world_secrets;
uint64_t world_seed = 1;
static struct world the_world;
static char scratch[SPOOL_BLOCK_RAW_BYTES_MAX];

uint64_t world_random(void)
{
    world_seed += 0x9e3779b97f4a7c15u; // splitmix64
    uint64_t z = world_seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Instead of base/entropy.c.
uint64_t hal_entropy_u64(void)
{
    return world_random();
}

void hal_entropy_fill(void *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = (uint8_t)world_random();
    }
}

RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out)
{
    (void)t;
    const char *value = NULL;
    if (span_equal(name, SPAN("main-token"))) {
        value = world_secrets.main_token;
        world_secrets.reads++;
    } else if (span_equal(name, SPAN(SHIP_KEY_NAME))) {
        value = world_secrets.key;
    } else if (span_equal(name, SPAN(SHIP_CERT_NAME))) {
        value = world_secrets.certificate;
    }
    if (value == NULL) {
        return RC_NOTFOUND;
    }
    buf_put_str(out, value);
    return buf_ok(out) ? RC_OK : RC_TOOBIG;
}

static void put_config(struct config *c, uint32_t batch)
{
    memset(c, 0, sizeof(*c));
    struct config_sink *s = &c->sinks[0];
    c->sinks_count = 1;
    c->connect_ms = 15000;
    c->total_ms = 600000;
    c->stall_ms = 30000;
    (void)snprintf(s->name, sizeof(s->name), "main");
    (void)snprintf(s->url, sizeof(s->url), "https://sink.example/v1/events");
    (void)snprintf(s->authorization, sizeof(s->authorization), "main-token");
    s->batch_events_max = batch;
    s->batch_bytes_max = 2097152;
    s->retry_base_ms = 1000;
    s->retry_cap_ms = 300000;
    s->hold_probe_s = 600;
    s->linger_ms = 2000;
}

static void init_ship(struct world *w)
{
    ship_init(&w->ship,
              &(struct ship_setup){
                  .config = &w->config,
                  .index = 0,
                  .http = http_fake_handle(),
                  .slot = WORLD_SLOT,
                  .spool = &w->spool,
                  .store = &w->store,
                  .scratch = buf_of(scratch, sizeof(scratch)),
              });
}

struct world *world_begin(uint64_t events, uint32_t batch)
{
    struct world *w = &the_world;
    world_secrets = (struct world_secrets){.main_token = "s3cret"};
    http_fake_init(&w->http);
    spool_fake_init(&w->spool, events);
    put_config(&w->config, batch);
    w->now = (struct now){.mono = {.ms = 1000}, .wall = {.ms = 1790000000000}};
    init_ship(w);
    return w;
}

struct world *world_current(void)
{
    return &the_world;
}

void world_restart(struct world *w)
{
    http_release(http_fake_handle(), WORLD_SLOT);
    init_ship(w);
}

void world_commit(struct world *w, uint64_t events)
{
    ASSERT(w->spool.durable + events <= SPOOL_FAKE_EVENTS_MAX);
    w->spool.durable += events;
}

void world_run_ms(struct world *w, int64_t ms)
{
    int64_t end = w->now.mono.ms + ms;
    for (unsigned turn = 0; turn < WORLD_TURNS_MAX; turn++) {
        struct mono next = ship_step(&w->ship, w->now);
        enum http_state before = http_state(http_fake_handle(), WORLD_SLOT);
        (void)http_step(http_fake_handle(), w->now);
        bool woken = before != http_state(http_fake_handle(), WORLD_SLOT) ||
                     http_body(http_fake_handle(), WORLD_SLOT).len > 0;
        if (woken || next.ms <= w->now.mono.ms) {
            continue;
        }
        int64_t to = next.ms < end ? next.ms : end;
        w->now.wall.ms += to - w->now.mono.ms;
        w->now.mono.ms = to;
        if (next.ms > end) {
            return;
        }
    }
    ASSERT(false); // it spins
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One sink on virtual time: real ship module, scripted HTTP, spool and token store in memory.
 */
#ifndef TESTS_UNIT_SHIP_WORLD_H
#define TESTS_UNIT_SHIP_WORLD_H
#include "http_fake.h"
#include "ship/ship_state.h"
#include "spool_fake.h"

#define WORLD_SLOT      3u
#define WORLD_TURNS_MAX 5000000u

struct world {
    struct ship ship;
    struct http_fake http;
    struct spool spool;
    struct tokenstore store;
    struct config config;
    struct now now;
};

/// What the token store holds; NULL: nothing under that name.
struct world_secrets {
    const char *main_token, *key, *certificate;
    unsigned reads; ///< of main_token
};
extern struct world_secrets world_secrets;
/// Seed of everything random, the module's jitter included, so that a run can be repeated.
extern uint64_t world_seed;
uint64_t world_random(void);

/// The world is static: struct ship is large. One sink "main", bearer "main-token" = "s3cret",
/// batches of `batch` events.
struct world *world_begin(uint64_t events, uint32_t batch);
struct world *world_current(void);
void world_restart(struct world *w); ///< the program starts again; the spool stands
void world_run_ms(struct world *w, int64_t ms);
void world_commit(struct world *w, uint64_t events); ///< so many more

#endif

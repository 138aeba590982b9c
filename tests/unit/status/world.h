// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A status port on virtual time: the real module, scripted clients, and renderers that show what
 * they were given.
 */
#ifndef TESTS_UNIT_STATUS_WORLD_H
#define TESTS_UNIT_STATUS_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve_fake.h"
#include "status/request.h"
#include "status/status_state.h"

#define WORLD_LOCAL "192.0.2.1:8443"
#define WORLD_PEER  "192.0.2.9"
#define WORLD_CODE  "AB3D-EF7H"
#define WORLD_HOST  "Host: 192.0.2.1:8443\r\n"

struct world {
    struct status status;
    struct serve_fake serve;
    struct config config;
    struct snapshot snapshot;
    struct status_wish wish;
    struct mono until; ///< what status_step returned
    struct now now;
    bool present;
    bool page_too_big; ///< the renderers have no room
    const char *certificate, *next_certificate;
    unsigned pages; ///< rendered so far
    char token[GUARD_TOKEN_BYTES];
};

struct world *world_begin(void);
/// As app does it: the snapshot is filled only if it is wanted.
void world_step(struct world *w);
/// One request on a connection of its own, answered in one step: the whole answer.
const char *world_ask(struct world *w, const char *request);
/// GET of a path with the right Host.
const char *world_get(struct world *w, const char *target);
/// POST of a form with all that the page's own has, but for these extra lines of the header.
const char *world_post(struct world *w, const char *lines, const char *form);
/// "token=...&code=...&do=WORD" with a good token and this code.
const char *world_form(struct world *w, const char *code, const char *word);

int world_status(const char *answer);
bool world_has(const char *answer, const char *text);
/// What stands behind the head.
const char *world_body(const char *answer);

#endif

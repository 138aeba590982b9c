// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The status port: what the box says of itself over HTTP/1.1, and the few things that a person may
 * ask of it there.
 *   GET /             the page           GET /healthz      200 or 503, two bytes
 *   GET /status       JSON               GET /metrics      Prometheus
 *   GET /certificate  PEM for the app registration (?next=1: the one that follows it)
 *   GET /redirect     where a browser comes back to from Entra; it goes on to the page at once
 *   POST /action      sign_in, device_code, redirect (a pasted address), enable, validate, forget:
 *                     with the setup code of the box and the page's token
 * A form that was taken is answered with 303 to the page, so that a reload repeats nothing; one
 * that was not, with the page and what is to be said. Guard:  Host must be an address of this box
 * (the connection's own), localhost on loopback, or a configured name, against DNS rebinding. POST
 * needs the box's setup code (STATUS_TRIES wrong ones in a row shut POST for STATUS_SHUT_MS), the
 * page's token, and no foreign Origin. What is wrong gets a short answer that repeats nothing of
 * the request. Model:  one request per connection. status_step takes the requests that are
 * complete; if one needs the snapshot, status_wants says so before, and the caller fills it.
 * Memory: struct status; a body buffer per connection whose pages go back when it is done.
 */
#ifndef STATUS_STATUS_H
#define STATUS_STATUS_H
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "config/config.h"
#include "net/serve.h"
#include "status/snapshot.h"

#define STATUS_CODE_CHARS  9u ///< "XXXX-XXXX" without look-alikes, 40 bits
#define STATUS_TRIES       5u
#define STATUS_SHUT_MS     60000
#define STATUS_VALUE_BYTES 3072u

enum status_wish_kind {
    STATUS_WISH_NONE = 0,
    STATUS_WISH_SIGN_IN, ///< by link: the page shows it
    STATUS_WISH_DEVICE_CODE,
    STATUS_WISH_REDIRECT, ///< value: query with its '?', or pasted URL; not proven to be anything
    STATUS_WISH_ENABLE,   ///< with a warning
    STATUS_WISH_VALIDATE,
    STATUS_WISH_FORGET,
};

/// What a person asked for in this step; at most one.
struct status_wish {
    enum status_wish_kind kind;
    struct span value; ///< valid until the next status_step
};

struct status_setup {
    const struct config *config; ///< names that Host may have
    struct serve *serve;
    struct span setup_code; ///< STATUS_CODE_CHARS; copied
    uint8_t secret[32];     ///< for the tokens of the page; fresh with every start
    struct span (*certificate)(void *context,
                               bool next); ///< PEM or empty; valid until the next call
    void *context;
};

struct status; ///< defined in status_state.h

void status_init(struct status *s, const struct status_setup *setup);
/// A request waits that the snapshot answers.
bool status_wants(const struct status *s);
/// @param snap  filled if status_wants; else ignored. @param present  a person pressed the box's
/// button a moment ago. @return when it wants to run next.
struct mono status_step(struct status *s,
                        const struct snapshot *snap,
                        bool present,
                        struct now now,
                        struct status_wish *wish);
uint64_t status_requests(const struct status *s);
uint64_t status_refused(const struct status *s);

#endif

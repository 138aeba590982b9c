// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * POST /action: what a person may ask for, and what they are told.
 */
#ifndef STATUS_ACTION_H
#define STATUS_ACTION_H
#include "status/request.h"
#include "status/status_state.h"

/// What becomes of a form.
struct action_verdict {
    int status; ///< 303: taken, see `wish`
    bool page;  ///< answered with the page and the notice; else with a short text
    enum status_wish_kind wish;
    const char *done;   ///< 303: where the browser goes
    const char *notice; ///< literal
    int64_t wait_ms;    ///< 429
};

/// The value of the wish is put into s->value.
struct action_verdict action_read(
    struct status *s, const struct request *r, struct address peer, bool present, struct now now);
/// What is said on the page when the browser comes back (?done=WORD); "" for anything else.
const char *action_notice(struct span query);

#endif

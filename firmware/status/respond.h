// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Answers of the status port: heads, and the short texts that go with a refusal. Nothing of a
 * request is repeated.
 */
#ifndef STATUS_RESPOND_H
#define STATUS_RESPOND_H
#include "status/status_state.h"

enum respond_type {
    RESPOND_TEXT = 0,
    RESPOND_HTML,
    RESPOND_JSON,
    RESPOND_METRICS,
    RESPOND_PEM,
};

struct respond {
    unsigned c; ///< connection
    int status;
    enum respond_type type;
    bool head_only;       ///< HEAD
    const char *allow;    ///< 405: methods, or NULL
    const char *location; ///< 303: or NULL
    int64_t wait_ms;      ///< 429: or 0
};

/// The body is in answers[c].parts[1..count].
void respond(struct status *s, const struct respond *r, unsigned count);
/// With the text that belongs to the status.
void respond_text(struct status *s, const struct respond *r);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Who may ask what of the status port: the questions, apart from the answers.
 * Rebinding:  a page of a stranger's whose name resolves to this box has that name in Host: it gets
 *             nothing. Behind an address translator the name or address that people use there has
 *             to be configured (status.hosts).
 * Cross-site: a request that changes something comes from the box's own page: by Origin and
 *             Sec-Fetch-Site where the browser sends them, and always by the page's token, which
 *             no other site can read.
 * Guessing:   STATUS_TRIES wrong codes in a row shut the door for STATUS_SHUT_MS, then for twice as
 *             long, up to GUARD_SHUT_MS_MAX: the 40 bits last for longer than any box.
 * Shut out:   anybody in the network can shut it so; it does not stay shut to whoever presses the
 *             box's button (action.c).
 * Time:       passed in.
 */
#ifndef STATUS_GUARD_H
#define STATUS_GUARD_H
#include <stdbool.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/rc.h"
#include "base/span.h"

#include "config/config.h"
#include "status/status.h"

#define GUARD_CODE_CHARS  (STATUS_CODE_CHARS - 1u) ///< without its dash
#define GUARD_TOKEN_MS    ((int64_t)30 * 60 * 1000)
#define GUARD_TOKEN_BYTES 33u ///< hex, with NUL
#define GUARD_POSTS_BURST 10u
#define GUARD_POST_MS     3000 ///< one more in this time
#define GUARD_SHUT_MS_MAX 3600000

struct guard {
    char code[GUARD_CODE_CHARS]; ///< upper case
    uint8_t secret[32];
    unsigned wrong;          ///< codes in a row
    int64_t shut_ms;         ///< for how long the next time
    struct mono shut_until;  ///< nobody may post before
    struct mono posts_since; ///< when the allowance of posts was last reckoned
    unsigned posts;          ///< how many may come now
};

/// @param code  STATUS_CODE_CHARS.
void guard_init(struct guard *g, struct span code, const uint8_t secret[static 32]);

/**
 * Is this the box's own name? Its address at which the connection arrived, "localhost" if that is
 * loopback, or one of status_hosts; each with any port or without.
 */
bool guard_host(const struct config *c, struct span host, struct address local);

/// What a browser says of where a request comes from. Empty: it says nothing.
struct guard_source {
    struct span host, origin, fetch_site;
    bool plain; ///< http, not https
};

bool guard_same_site(const struct guard_source *source);

/// The token for the page that this peer gets now, NUL-terminated.
void guard_token(const struct guard *g,
                 struct address peer,
                 struct mono now,
                 char out[static GUARD_TOKEN_BYTES]);
/// Given to this peer 0 to 60 minutes ago (at least 30). Constant time in the text.
bool guard_token_good(const struct guard *g,
                      struct span text,
                      struct address peer,
                      struct mono now);

/// May a request that changes something be looked at now? Counts it.
/// @param wait_ms  how long not. @retval RC_AGAIN too many, or too many wrong codes.
RC guard_admit(struct guard *g, struct mono now, int64_t *wait_ms);
/// The setup code, any case, its dash or blanks or not. Constant time in the text.
/// @retval RC_NOTFOUND nothing but dashes and blanks: no try. @retval RC_DENIED
RC guard_code(struct guard *g, struct span text, struct mono now);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct signin, for struct app (which holds it) and for auth/ itself.
 */
#ifndef AUTH_SIGNIN_STATE_H
#define AUTH_SIGNIN_STATE_H
#include "auth/auth_state.h"
#include "auth/signin.h"
#include "auth/signin_answer.h"
#include "auth/signin_cause.h"
#include "auth/signin_keep.h"

#define SIGNIN_BODY_BYTES     (16u * 1024u) ///< a refresh token, each byte encoded, and proof
#define SIGNIN_VERIFIER_BYTES 44u           ///< RFC 7636 4.1: 32 random bytes in base64url, and NUL
#define SIGNIN_TRIES_MAX      4u            ///< of a request that gets no answer
#define SIGNIN_PUTS_MAX       30u           ///< of a store that is busy, SIGNIN_PUT_MS apart
#define SIGNIN_PUT_MS         2000
#define SIGNIN_SLOWER_MS      5000                       ///< RFC 8628 3.5: slow_down
#define SIGNIN_USE_BASE_MS    ((int64_t)60 * 1000)       ///< back-off of a refresh that gets no
#define SIGNIN_USE_CAP_MS     ((int64_t)6 * 3600 * 1000) ///< answer

enum signin_event {
    SIGNIN_EV_LINK,   ///< a link was given out
    SIGNIN_EV_ASK,    ///< a request for a person's sign-in begins
    SIGNIN_EV_SHOWN,  ///< there is a device code
    SIGNIN_EV_TOKEN,  ///< somebody's tokens came, and are kept
    SIGNIN_EV_WHO,    ///< and it is known whose
    SIGNIN_EV_FAILED, ///< the attempt is over
    SIGNIN_EV_LOST,   ///< the refresh token is of no use
    SIGNIN_EV_BACK,   ///< it is, after all; or it was kept over a restart
    SIGNIN_EV_OVER,   ///< nobody used the link, and nobody is known
    SIGNIN_EV_OVER_DONE,
    SIGNIN_EV_OVER_LOST,
    SIGNIN_EVENTS,
};

/// The machine; state 0 is illegal, so an unlisted pair trips an assertion.
extern const uint8_t signin_next[SIGNIN_LOST + 1][SIGNIN_EVENTS];

struct signin {
    const struct config *config;
    struct http *http;
    unsigned slot;
    struct tokenstore *store;
    struct span ca_pem;

    enum signin_state state;
    enum signin_state rest; ///< OFF, DONE or LOST: what is so without the attempt
    struct signin_status status;

    enum signin_ask ask; ///< what is to be asked at `next`, or is (asking)
    bool asking;
    bool held; ///< the answer is here, and the store was busy
    struct mono asked_at, next;
    uint32_t tries, puts;
    int64_t offset_ms;  ///< added to the wall clock in assertions
    bool proved;        ///< the request carries the box's credential
    bool public_client; ///< Entra wants none
    bool flipped;       ///< that was found out by this exchange
    int64_t interval_ms;
    struct mono device_after;

    bool loaded; ///< the records were looked at
    struct mono load_at;
    bool has_refresh;     ///< there is one in the store
    int64_t refreshed_ms; ///< wall, its last use
    uint32_t use_failures;
    struct mono use_after;

    char link[CONSENT_LINK_BYTES_MAX];
    size_t link_len;
    char link_state[CONSENT_STATE_BYTES];
    char verifier[SIGNIN_VERIFIER_BYTES];    ///< secret
    char code[SIGNIN_DEVICE_BYTES_MAX + 1u]; ///< of the redirect, or the device's; secret
    char bearer[AUTH_BEARER_BYTES];          ///< header line for /me; secret
    size_t bearer_len;

    char url[AUTH_URL_BYTES];
    size_t url_len;
    char body[SIGNIN_BODY_BYTES]; ///< of the request; secret, wiped when it is answered
    size_t body_len;
    char answer[AUTH_ANSWER_BYTES_MAX]; ///< secret, wiped when it was read
    size_t answer_len;
    struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
};

_Static_assert(sizeof(((struct signin_status *)0)->who) == SIGNIN_WHO_BYTES, "one name");
_Static_assert(sizeof(((struct consent_redirect *)0)->code) <= SIGNIN_DEVICE_BYTES_MAX + 1u,
               "a code has room");

#endif

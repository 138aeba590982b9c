// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct auth, for struct app (which holds it) and for auth/ itself.
 */
#ifndef AUTH_AUTH_STATE_H
#define AUTH_AUTH_STATE_H
#include "auth/auth.h"
#include "auth/auth_answer.h"
#include "auth/auth_claims.h"
#include "auth/auth_proof.h"

#define AUTH_BODY_BYTES   8192u
#define AUTH_BEARER_BYTES (AUTH_TOKEN_BYTES_MAX + 24u) ///< "Authorization: Bearer " and the token

_Static_assert(AUTH_BEARER_BYTES <= HTTP_HEADER_BYTES_MAX, "a token must fit into a header line");

enum auth_state {
    AUTH_ILLEGAL = 0,
    AUTH_WAITING, ///< for the next attempt; an older token may still be good
    AUTH_ASKING,  ///< a request is running
    AUTH_FRESH,   ///< there is a token; waits until it is time to renew it
    AUTH_STATES,
};

enum auth_event {
    AUTH_EV_ASKED,    ///< a request was started
    AUTH_EV_CANNOT,   ///< none could be started: no credential, no time, no memory
    AUTH_EV_GOT,      ///< a token came
    AUTH_EV_FAILED,   ///< none came
    AUTH_EV_REJECTED, ///< Graph refused the token that we have
    AUTH_EVENTS,
};

/// The machine; state 0 is illegal, so an unlisted pair trips an assertion.
extern const uint8_t auth_next[AUTH_STATES][AUTH_EVENTS];

struct auth {
    const struct config *config;
    struct http *http;
    unsigned slot;
    struct tokenstore *store;
    struct span ca_pem;

    enum auth_state state;
    struct mono since;
    struct mono next; ///< attempt or renewal, in WAITING and FRESH
    struct mono hold; ///< Entra asked not to be asked before, whoever wants to

    char bearer[AUTH_BEARER_BYTES]; ///< the whole header line; secret
    size_t bearer_len;              ///< 0: no token
    struct mono good_until;
    int64_t life_ms; ///< of the latest token
    uint32_t generation;
    struct auth_claims claims; ///< of the latest token
    uint32_t rejects;          ///< refused by Graph one after another
    struct mono rejects_until; ///< a refusal before this counts as one more of them

    bool time_trusted;   ///< the wall clock was trusted once since start
    int64_t offset_ms;   ///< added to the wall clock in assertions; 0 until Entra finds fault with
                         ///< their time
    bool offset_retried; ///< the one retry at once of this episode is used up
    bool certificate_expired;
    struct mono asked_at;

    // ---- the two credentials (auth_switch.h) ----
    struct credential_status credentials;
    bool looked;                  ///< at them, since start
    enum rc look_told;            ///< how that went last
    enum credential_which asking; ///< with which one the request of the moment was made
    bool second;                  ///< the attempt's first one was refused: this is the other
    enum auth_cause first_cause;  ///< then: why
    bool next_told;               ///< that the next one is not accepted yet
    struct mono next_try;         ///< when an attempt begins with the next one
    struct mono renew_due;        ///< the making of a next one failed: not before

    enum auth_cause cause; ///< of the latest failure, AUTH_CAUSE_STARTING before the first answer
    enum auth_cause told;  ///< in a log line of this episode
    struct auth_status status;

    char url[AUTH_URL_BYTES];
    size_t url_len;
    char body[AUTH_BODY_BYTES]; ///< of the request; secret, wiped when it is answered
    size_t body_len;
    char answer[AUTH_ANSWER_BYTES_MAX]; ///< secret, wiped when it was read
    size_t answer_len;
    struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
};

#endif

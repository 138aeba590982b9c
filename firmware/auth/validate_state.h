// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * struct validate, for struct app (which holds it) and for auth/ itself.
 */
#ifndef AUTH_VALIDATE_STATE_H
#define AUTH_VALIDATE_STATE_H
#include "auth/validate.h"

#define VALIDATE_URL_BYTES        (CONFIG_URL_BYTES + 128u)
#define VALIDATE_ANSWER_BYTES_MAX (256u * 1024u) ///< of an answer that nobody reads
#define VALIDATE_FETCH_MS         30000          ///< a round does without a newer token after this

struct validate {
    const struct config *config;
    struct http *http;
    unsigned slot;
    struct span ca_pem;

    bool asking;                  ///< a request is running
    enum config_permission asked; ///< for this one
    uint32_t asked_generation;    ///< with this token
    struct mono asked_at;
    unsigned todo;       ///< mask, of the round under way; 0: none is
    unsigned unanswered; ///< mask, of the last round
    bool whole;          ///< the next round asks for the good ones too
    bool fetching;       ///< the round that is due waits for a newer token
    struct mono next;    ///< round
    struct mono hold;    ///< nothing is asked before: Retry-After, or no memory
    struct mono daily;   ///< the next whole round that nobody asked for
    struct mono ask_after, doubt_after;
    struct mono stepped; ///< the last step

    bool seen;           ///< some token was seen
    uint32_t generation; ///< that one
    unsigned named;      ///< mask of what is wanted and may be asked for with it
    bool refused;        ///< 401 was the answer to the token of refused_generation
    uint32_t refused_generation;
    unsigned blamed; ///< mask of those whose 401 was taken for the token's fault, until they answer
    bool forbidden;  ///< an episode of 403 is on
    struct mono forbidden_since;
    uint32_t failures; ///< rounds in a row without all the answers

    struct validate_row rows[CONFIG_PERMISSIONS];
    char url[VALIDATE_URL_BYTES];
    size_t url_len;
    uint64_t taken; ///< bytes of answers
};

#endif

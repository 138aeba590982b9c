// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What an answer does to a person's sign-in, and how an attempt ends.
 */
#ifndef AUTH_SIGNIN_OUTCOME_H
#define AUTH_SIGNIN_OUTCOME_H
#include "signin_state.h"

/// Why no tokens, or no name, came.
struct signin_refusal {
    enum signin_cause cause;
    struct span error; ///< Entra's word, or empty
    int aadsts;
    int64_t retry_after_ms; ///< 0: none
};

void signin_go(struct signin *s, enum signin_event event);
bool signin_knows_who(const struct signin *s);
/// Nothing is asked any more; link, codes and tokens in memory are wiped.
void signin_stop(struct signin *s);
void signin_fail(struct signin *s, enum signin_cause cause, int aadsts, struct now now);
/// The refresh token is of no use for a person's reasons: said once. It is tried again in a week,
/// unless it was revoked.
void signin_lose(struct signin *s, enum signin_cause cause, int aadsts, struct now now);
/// Try again, go on polling, or end it.
void signin_refused(struct signin *s, const struct signin_refusal *r, struct now now);
/// The transfer is DONE and s->answer has its body: what now? Releases the transfer.
void signin_judge(struct signin *s, struct now now);
/// The same for an answer that was held because the store was busy.
void signin_once_more(struct signin *s, struct now now);

#endif

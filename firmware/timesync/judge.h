// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Whether what the hosts and time servers said proves the time. Pure.
 */
#ifndef TIMESYNC_JUDGE_H
#define TIMESYNC_JUDGE_H
#include "base/clock.h"

#include "net/http.h"
#include "net/sntp.h"
#include "timesync/timesync.h"

#define TIMESYNC_AGREE_MS INT64_C(60000) ///< besides what the ways there and back leave open

/// What one host answered.
struct timesync_answer {
    enum http_fail fail; ///< if status is 0: why there is no answer
    int status;          ///< any will do
    int64_t date_ms;     ///< 0: none, or none that can be read
    struct mono asked_at, answered_at;
    bool unproven;                       ///< its certificates' dates are to be judged here
    int64_t not_before_ms, not_after_ms; ///< of its chain; 0: not known
};

struct timesync_evidence {
    struct timesync_answer hosts[TIMESYNC_HOSTS];
    bool sntp_wanted;
    struct sntp_answer sntp[SNTP_SERVERS_MAX];
    unsigned sntp_count; ///< that answered
    int64_t floor_ms;
};

struct timesync_verdict {
    enum timesync_cause cause; ///< NONE: it was wall_ms at `at`
    struct mono at;
    int64_t wall_ms;   ///< the middle of what is possible ...
    int64_t unsure_ms; ///< ... this much to both sides
    int64_t spread_ms; ///< by which the two hosts differ
};

struct timesync_verdict timesync_judge(const struct timesync_evidence *e);

#endif

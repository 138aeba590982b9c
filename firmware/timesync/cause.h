// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Why the time is not proven: closed list, each with a stable key and a sentence for people.
 */
#ifndef TIMESYNC_CAUSE_H
#define TIMESYNC_CAUSE_H

enum timesync_cause {
    TIMESYNC_CAUSE_NONE = 0,
    TIMESYNC_CAUSE_STARTING,     ///< no answer yet
    TIMESYNC_CAUSE_MEMORY,       ///< no room for a request at the moment
    TIMESYNC_CAUSE_NETWORK,      ///< a host gave no answer
    TIMESYNC_CAUSE_TRUST,        ///< a host's certificate is not good
    TIMESYNC_CAUSE_NO_DATE,      ///< an answer without a usable Date
    TIMESYNC_CAUSE_BELOW_FLOOR,  ///< a Date before what is surely past
    TIMESYNC_CAUSE_FAR_AHEAD,    ///< a Date more than CLOCK_AHEAD_MS_MAX after the floor
    TIMESYNC_CAUSE_CERT_DATES,   ///< a host's certificates are not good at its own Date
    TIMESYNC_CAUSE_DISAGREE,     ///< the two hosts differ
    TIMESYNC_CAUSE_SNTP_SILENT,  ///< no configured time server answered usably
    TIMESYNC_CAUSE_SNTP_DIFFERS, ///< one of them differs from the hosts
    TIMESYNC_CAUSE_COUNT,
};

struct timesync_cause_info {
    const char *key;      ///< for log lines
    const char *sentence; ///< what happened and what a person can do
};
const struct timesync_cause_info *timesync_cause_info(enum timesync_cause cause);

#endif

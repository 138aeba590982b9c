// SPDX-License-Identifier: Apache-2.0
#include "timesync/cause.h"

#include "base/assert.h"

// clang-format off
static const struct timesync_cause_info infos[TIMESYNC_CAUSE_COUNT] = {
    [TIMESYNC_CAUSE_NONE] = { "none", "The time is proven." },
    [TIMESYNC_CAUSE_STARTING] = { "starting", "The box is asking what time it is." },
    [TIMESYNC_CAUSE_MEMORY] = { "memory",
        "The memory for connections is in use; the box asks again in a moment." },
    [TIMESYNC_CAUSE_NETWORK] = { "network",
        "The sign-in host or the Graph host gave no answer; check cable, name lookup, firewall "
        "and proxy. The box asks again." },
    [TIMESYNC_CAUSE_TRUST] = { "trust",
        "A host's certificate is not Microsoft's, or has expired; exempt the box from devices "
        "that open TLS. The box asks again." },
    [TIMESYNC_CAUSE_NO_DATE] = { "no_date",
        "An answer had no usable date; a proxy or login portal may be in the way. The box asks "
        "again." },
    [TIMESYNC_CAUSE_BELOW_FLOOR] = { "below_floor",
        "A host names a time that has passed already. The box asks again; if an earlier time "
        "was wrong, stop it and remove clock-floor from its state directory." },
    [TIMESYNC_CAUSE_FAR_AHEAD] = { "far_ahead",
        "A host names a time more than ten years ahead. The box asks again; if the firmware is "
        "that old, update it." },
    [TIMESYNC_CAUSE_CERT_DATES] = { "certificate_dates",
        "A host's certificate is not good at the time that the host names. The box asks again." },
    [TIMESYNC_CAUSE_DISAGREE] = { "hosts_disagree",
        "The sign-in host and the Graph host name different times. The box asks again." },
    [TIMESYNC_CAUSE_SNTP_SILENT] = { "sntp_silent",
        "No time server of time.sntp gives a usable answer; check the addresses and that UDP "
        "port 123 is open, or remove them. The box asks again." },
    [TIMESYNC_CAUSE_SNTP_DIFFERS] = { "sntp_differs",
        "A time server of time.sntp differs from Microsoft's hosts by more than a minute; "
        "correct or remove it. The box asks again." },
};

// clang-format on

const struct timesync_cause_info *timesync_cause_info(enum timesync_cause cause)
{
    ASSERT((unsigned)cause < TIMESYNC_CAUSE_COUNT);
    return &infos[cause];
}

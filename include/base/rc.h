// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Results: one closed enum, named by what the caller does next.
 * Detail (errno, HTTP status, library code) goes to the fault ring (sys/fault.h) and is never
 * branched on.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

enum rc {
    RC_OK = 0,
    RC_AGAIN,       ///< not ready: return to the loop
    RC_RETRY,       ///< transient: back off and try again
    RC_FULL,        ///< a bounded resource is full: push back on the source
    RC_TOOBIG,      ///< this one item exceeds its bound: quarantine it
    RC_PARSE,       ///< the peer (or a person) sent nonsense
    RC_DENIED,      ///< credentials or signature refused
    RC_NOTFOUND,    ///< there is no such thing
    RC_STALE,       ///< expired, superseded or rolled back
    RC_CORRUPT,     ///< our own stored data does not check
    RC_IO,          ///< a device or file failed
    RC_UNSUPPORTED, ///< not offered by this board or peer
    RC_COUNT,
};

/// Every fallible prototype returns `RC`; a result that is thrown away is a compile error.
#define RC __attribute__((warn_unused_result)) enum rc

/// Stable lower-case name of a result, for log lines. Never NULL.
const char *rc_name(enum rc rc);

/// A deliberate ignore, with the reason beside it.
static inline void rc_ignore(enum rc rc, const char *why)
{
    (void)rc;
    (void)why;
}

/// Return early on anything but RC_OK. Not used while a transaction is open.
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum rc try_rc_ = (call);                                                                  \
        if (try_rc_ != RC_OK) {                                                                    \
            return try_rc_;                                                                        \
        }                                                                                          \
    } while (0)

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What timesync lives in, for its tests: a kernel whose clocks the test moves, two hosts and time
 * servers that know the true time or lie about it, a state directory, log lines that are kept.
 */
#ifndef TESTS_UNIT_TIMESYNC_WORLD_H
#define TESTS_UNIT_TIMESYNC_WORLD_H
#include "http_fake.h"
#include "timesync/timesync_state.h"

#define SLOT      4u
#define LOG_BYTES (64u * 1024u)
#define BUILD_MS  ((int64_t)CONFIG_BUILD_EPOCH * 1000)
#define DAY_MS    INT64_C(86400000)
#define YEAR_MS   (365 * DAY_MS)
#define HOUR_MS   INT64_C(3600000)
#define MS_2099   INT64_C(4070908800000)

struct host {
    int64_t lie_ms; ///< its Date minus the true time
    enum http_fail fail;
    int status;   ///< 200
    bool no_date; ///< missing or nonsense: the http layer reports 0 for both
    int64_t not_before_ms, not_after_ms;
    bool mute; ///< never answers
};

struct world {
    struct http_fake http;
    struct timesync time;
    struct config config;
    struct loop loop;

    struct {
        int64_t wall_ms, boot_ms, asleep_ms;
    } kernel;

    int64_t true_ms;
    int64_t trip_ms; ///< from question to answer
    struct host hosts[TIMESYNC_HOSTS];

    struct {
        unsigned count; ///< that answer
        int64_t lies[SNTP_SERVERS_MAX];
        unsigned asked;
    } sntp;

    int state_fd;
    bool writes_fail;
    char log[LOG_BYTES];
    size_t log_len;
};
extern struct world world;

/// The true time is a day after the build, and so is the kernel's; both hosts tell the truth.
int world_begin(void **unused);
int world_end(void **unused);
/// The process begins again: the clock is read from the state directory.
void world_restart(void);
/// All clocks go on.
void world_pass(int64_t ms);
struct now world_now(void);
/// One turn. @return what the machine wants
struct mono world_turn(void);
/// Turns until the attempt that is due or under way has ended.
void world_attempt(void);
/// Turns, each when the machine wants it, until that much time has passed.
void world_run(int64_t ms);
unsigned world_attempts(void); ///< so far
unsigned world_log_count(const char *text);

#endif

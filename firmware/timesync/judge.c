// SPDX-License-Identifier: Apache-2.0
#include "judge.h"

#include "hal/clock.h"

#define DATE_GRAIN_MS 1000

/// A moment and what time it was, give or take half of what the way there and back took.
struct sample {
    struct mono at;
    int64_t wall_ms, unsure_ms;
};

static struct sample sample_of(const struct timesync_answer *a)
{
    int64_t trip_ms = a->answered_at.ms - a->asked_at.ms;
    return (struct sample){.at = a->answered_at,
                           .wall_ms = a->date_ms + (DATE_GRAIN_MS + trip_ms) / 2,
                           .unsure_ms = trip_ms / 2};
}

/// By how much b is ahead of a.
static int64_t ahead_ms(const struct sample *a, const struct sample *b)
{
    return (b->wall_ms - b->at.ms) - (a->wall_ms - a->at.ms);
}

static bool agree(const struct sample *a, const struct sample *b)
{
    int64_t ms = ahead_ms(a, b);
    return (ms < 0 ? -ms : ms) <= TIMESYNC_AGREE_MS + a->unsure_ms + b->unsure_ms;
}

static enum timesync_cause no_answer(const struct timesync_answer *a)
{
    return a->fail == HTTP_FAIL_TRUST    ? TIMESYNC_CAUSE_TRUST
           : a->fail == HTTP_FAIL_MEMORY ? TIMESYNC_CAUSE_MEMORY
                                         : TIMESYNC_CAUSE_NETWORK;
}

static enum timesync_cause judge_host(const struct timesync_answer *a, int64_t floor_ms)
{
    if (a->status == 0) {
        return no_answer(a);
    }
    if (a->date_ms == 0) {
        return TIMESYNC_CAUSE_NO_DATE;
    }
    struct sample s = sample_of(a);
    if (s.wall_ms < floor_ms) {
        return TIMESYNC_CAUSE_BELOW_FLOOR;
    }
    if (s.wall_ms > floor_ms + CLOCK_AHEAD_MS_MAX) {
        return TIMESYNC_CAUSE_FAR_AHEAD;
    }
    bool good = a->not_before_ms <= s.wall_ms && s.wall_ms <= a->not_after_ms;
    return a->unproven && !good ? TIMESYNC_CAUSE_CERT_DATES : TIMESYNC_CAUSE_NONE;
}

static enum timesync_cause judge_sntp(const struct timesync_evidence *e, const struct sample *date)
{
    if (e->sntp_wanted && e->sntp_count == 0) {
        return TIMESYNC_CAUSE_SNTP_SILENT;
    }
    for (unsigned i = 0; i < e->sntp_count; i++) {
        struct sample s = {
            .at = e->sntp[i].at, .wall_ms = e->sntp[i].wall_ms, .unsure_ms = e->sntp[i].unsure_ms};
        if (!agree(date, &s)) {
            return TIMESYNC_CAUSE_SNTP_DIFFERS;
        }
    }
    return TIMESYNC_CAUSE_NONE;
}

struct timesync_verdict timesync_judge(const struct timesync_evidence *e)
{
    struct timesync_verdict v = {.cause = TIMESYNC_CAUSE_NONE};
    for (unsigned i = 0; i < TIMESYNC_HOSTS && v.cause == TIMESYNC_CAUSE_NONE; i++) {
        v.cause = judge_host(&e->hosts[i], e->floor_ms);
    }
    if (v.cause != TIMESYNC_CAUSE_NONE) {
        return v;
    }
    // The first is the sign-in host: its clock is the one that assertions are held against.
    struct sample first = sample_of(&e->hosts[0]);
    struct sample second = sample_of(&e->hosts[1]);
    v.at = first.at;
    v.wall_ms = first.wall_ms;
    v.unsure_ms = first.unsure_ms + DATE_GRAIN_MS / 2;
    v.spread_ms = ahead_ms(&first, &second);
    v.cause = agree(&first, &second) ? judge_sntp(e, &first) : TIMESYNC_CAUSE_DISAGREE;
    return v;
}

// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/assert.h"

#include "sys/log.h"

#define TURNS_MAX 10000u

struct world world;

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
    int64_t ms = id == CLOCK_REALTIME ? world.kernel.wall_ms : world.kernel.boot_ms;
    ms -= id == CLOCK_MONOTONIC ? world.kernel.asleep_ms : 0;
    *ts = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
    return 0;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (world.writes_fail) {
        errno = EIO;
        return -1;
    }
    return __real_pwrite(fd, data, len, at);
}

// ---- sys/log.h --------------------------------------------------------------

void log_set_now(struct now now)
{
    (void)now;
}

void log_line(struct log_site *site, int level, const char *format, ...)
{
    (void)site;
    size_t room = LOG_BYTES - world.log_len;
    int head = snprintf(world.log + world.log_len, room, "%d ", level);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(world.log + world.log_len + head, room - (size_t)head, format, args);
    va_end(args);
    ASSERT(len > 0 && (size_t)(head + len) + 1u < room);
    world.log_len += (size_t)(head + len);
    world.log[world.log_len++] = '\n';
}

unsigned world_log_count(const char *text)
{
    unsigned count = 0;
    for (const char *at = strstr(world.log, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

// ---- net/sntp.h -------------------------------------------------------------

void sntp_init(struct sntp *s, struct loop *loop)
{
    *s = (struct sntp){.loop = loop};
}

void sntp_add(struct sntp *s, struct span address)
{
    ASSERT(address.len > 0);
    s->count++;
}

void sntp_start(struct sntp *s, struct now now)
{
    (void)now;
    world.sntp.asked += s->count;
}

struct mono sntp_step(struct sntp *s, int64_t floor_ms, struct now now)
{
    (void)s;
    (void)floor_ms;
    (void)now;
    return MONO_NEVER;
}

unsigned sntp_answers(const struct sntp *s, struct sntp_answer out[static SNTP_SERVERS_MAX])
{
    ASSERT(world.sntp.count <= s->count);
    for (unsigned i = 0; i < world.sntp.count; i++) {
        out[i] = (struct sntp_answer){.at = {.ms = world.kernel.boot_ms},
                                      .wall_ms = world.true_ms + world.sntp.lies[i],
                                      .unsure_ms = 10};
    }
    return world.sntp.count;
}

void sntp_stop(struct sntp *s)
{
    (void)s;
}

// ---- the hosts --------------------------------------------------------------

static bool respond(void *context,
                    unsigned slot,
                    const struct http_fake_request *request,
                    struct http_fake_answer *answer)
{
    (void)context;
    (void)request;
    ASSERT(slot >= SLOT && slot < SLOT + TIMESYNC_HOSTS);
    const struct host *h = &world.hosts[slot - SLOT];
    int64_t says_ms = (world.true_ms + h->lie_ms) / 1000 * 1000;
    *answer = (struct http_fake_answer){
        .fail = h->fail,
        .status = h->fail == HTTP_OK ? h->status : 0,
        .body = h->fail == HTTP_OK ? SPAN("{\"issuer\":\"whoever\"}") : SPAN_NONE,
        .date_ms = h->no_date || h->fail != HTTP_OK ? 0 : says_ms,
        .not_before_ms = h->not_before_ms,
        .not_after_ms = h->not_after_ms,
    };
    return !h->mute;
}

// ---- the world --------------------------------------------------------------

static void build(void)
{
    http_fake_init(&world.http);
    http_fake_respond_with(&world.http, respond, NULL);
    const struct timesync_setup setup = {.config = &world.config,
                                         .http = http_fake_handle(),
                                         .slot = SLOT,
                                         .loop = &world.loop,
                                         .state_fd = world.state_fd};
    timesync_init(&world.time, &setup);
}

int world_begin(void **unused)
{
    (void)unused;
    char path[512];
    memset(&world, 0, sizeof(world));
    snprintf(path, sizeof(path), "%s/time-XXXXXX", getenv("ANTEROOM_TMP"));
    if (mkdtemp(path) == NULL) {
        return -1;
    }
    world.state_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct config *c = &world.config;
    snprintf(c->authority_url, sizeof(c->authority_url), "https://login.microsoftonline.com");
    snprintf(c->graph_url, sizeof(c->graph_url), "https://graph.microsoft.com");
    c->connect_ms = 15000;
    c->total_ms = 600000;
    c->stall_ms = 30000;
    c->call_records.retry_base_ms = 1000;
    c->call_records.retry_cap_ms = 300000;
    world.kernel.boot_ms = 5000;
    world.true_ms = world.kernel.wall_ms = BUILD_MS + DAY_MS + 321;
    world.trip_ms = 80;
    for (unsigned i = 0; i < TIMESYNC_HOSTS; i++) {
        world.hosts[i] = (struct host){.status = 200,
                                       .not_before_ms = BUILD_MS - 30 * DAY_MS,
                                       .not_after_ms = BUILD_MS + 20 * YEAR_MS};
    }
    build();
    return hal_clock_open(world.state_fd) == RC_OK ? 0 : -1;
}

int world_end(void **unused)
{
    (void)unused;
    (void)unlinkat(world.state_fd, "clock-floor", 0);
    close(world.state_fd);
    return 0;
}

void world_restart(void)
{
    build();
    enum rc rc = hal_clock_open(world.state_fd);
    ASSERT(rc == RC_OK);
}

void world_pass(int64_t ms)
{
    ASSERT(ms >= 0);
    world.kernel.wall_ms += ms;
    world.kernel.boot_ms += ms;
    world.true_ms += ms;
}

struct now world_now(void)
{
    return (struct now){.mono = hal_clock_mono(), .wall = hal_clock_wall()};
}

struct mono world_turn(void)
{
    struct mono next = timesync_step(&world.time, world_now());
    if (world.time.state == TIMESYNC_ASKING) {
        world_pass(world.trip_ms / 2); // the way there; Date is of when it arrives
        (void)http_step(http_fake_handle(), world_now());
        world_pass(world.trip_ms - world.trip_ms / 2);
    }
    return next;
}

void world_attempt(void)
{
    unsigned before = world_attempts();
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        (void)world_turn();
        if (world_attempts() > before && world.time.state != TIMESYNC_ASKING) {
            return;
        }
    }
    ASSERT(false);
}

void world_run(int64_t ms)
{
    int64_t end_ms = world.kernel.boot_ms + ms;
    for (unsigned i = 0; i < TURNS_MAX && world.kernel.boot_ms < end_ms; i++) {
        struct mono next = world_turn();
        next = mono_min(next, (struct mono){.ms = end_ms});
        if (next.ms > world.kernel.boot_ms) {
            world_pass(next.ms - world.kernel.boot_ms);
        }
    }
    ASSERT(world.kernel.boot_ms >= end_ms);
}

unsigned world_attempts(void)
{
    return world.http.slots[SLOT].requests;
}

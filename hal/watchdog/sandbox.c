// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A watchdog that is one line in STATE/sandbox/watchdog; somebody else plays the hardware that
 * bites. A lock on the file makes it what the kernel's is: one process at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/device.h"

#include "backend.h"
#include "sandbox/place.h"

#define FILE_NAME        "watchdog"
#define BITTEN_NAME      "bitten"
#define LIMITS_BYTES_MAX 96

static struct mono boot_time(void)
{
    struct timespec ts;
    int failed = clock_gettime(CLOCK_BOOTTIME, &ts);
    ASSERT(failed == 0);
    return (struct mono){.ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000};
}

static RC show(const struct watchdog *w, struct mono fed, bool armed)
{
    char line[SANDBOX_LINE_BYTES];
    int len = snprintf(line,
                       sizeof(line),
                       "timeout_ms=%u fed_ms=%lld armed=%d\n",
                       (unsigned)w->timeout_ms,
                       (long long)fed.ms,
                       armed ? 1 : 0);
    ASSERT(len > 0 && (size_t)len < sizeof(line));
    return sandbox_rewrite(w->fd, (struct span){.ptr = line, .len = (size_t)len});
}

RC watchdog_backend_probe(struct watchdog *w, int state_fd)
{
    if (sandbox_absent(state_fd, "watchdog")) {
        device_say(w->missing, "watchdog", "STATE/sandbox/absent", "not there");
        return RC_UNSUPPORTED;
    }
    return RC_OK;
}

/// What the file `limits` says that this watchdog takes, as a driver would round it.
static void adapt(struct watchdog *w, int state_fd, uint32_t wanted_ms)
{
    char bytes[LIMITS_BYTES_MAX];
    struct buf b = BUF(bytes);
    uint64_t least = 1, most = WATCHDOG_TIMEOUT_MS_MAX, nowayout = 0;
    if (sandbox_read(state_fd, "limits", &b) == RC_OK) {
        sandbox_number(buf_span(&b), "min_ms", &least);
        sandbox_number(buf_span(&b), "max_ms", &most);
        sandbox_number(buf_span(&b), "nowayout", &nowayout);
    }
    uint64_t taken = wanted_ms < least ? least : wanted_ms;
    taken = taken > most ? most : taken;
    w->timeout_ms = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
    w->can_stop = nowayout == 0;
    w->stays_armed = true;
}

static RC read_bitten(struct watchdog *w, int state_fd)
{
    int folder_fd = -1;
    TRY(sandbox_folder(state_fd, &folder_fd));
    w->bitten = unlinkat(folder_fd, BITTEN_NAME, 0) == 0;
    int error = errno;
    close(folder_fd);
    return w->bitten || error == ENOENT ? RC_OK : device_rc(error);
}

static RC arm(struct watchdog *w, int state_fd, uint32_t wanted_ms)
{
    TRY(sandbox_open(state_fd, FILE_NAME, O_RDWR | O_CREAT, &w->fd));
    if (flock(w->fd, LOCK_EX | LOCK_NB) != 0) {
        return device_rc(errno);
    }
    TRY(read_bitten(w, state_fd));
    adapt(w, state_fd, wanted_ms);
    return show(w, boot_time(), true);
}

RC watchdog_backend_open(struct watchdog *w, int state_fd, uint32_t wanted_ms)
{
    TRY(watchdog_backend_probe(w, state_fd));
    enum rc rc = arm(w, state_fd, wanted_ms);
    if (rc != RC_OK) {
        device_say(w->missing, "STATE/sandbox/watchdog", "watchdog_sandbox", device_why(rc));
        watchdog_backend_hand_over(w);
    }
    return rc;
}

RC watchdog_backend_feed(struct watchdog *w, struct mono now)
{
    return show(w, now, true);
}

void watchdog_backend_hand_over(struct watchdog *w)
{
    if (w->fd >= 0) {
        close(w->fd);
    }
    w->fd = -1;
}

RC watchdog_backend_stop(struct watchdog *w)
{
    TRY(show(w, boot_time(), false));
    watchdog_backend_hand_over(w);
    return RC_OK;
}

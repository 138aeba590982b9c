// SPDX-License-Identifier: Apache-2.0
/*
 * Linux clocks. CLOCK_BOOTTIME and not CLOCK_MONOTONIC: deadlines go on while the machine is
 * suspended.
 */
#include <time.h>

#include <sys/timex.h>

#include "base/assert.h"
#include "hal/clock.h"

#define BUILD_EPOCH_MS ((int64_t)CONFIG_BUILD_EPOCH * 1000)

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

// The kernel's own word on whether somebody disciplines its clock; TIME_ERROR means that nobody
// does.
static bool is_synchronised(void)
{
    struct timex tx = {.modes = 0};
    int state = adjtimex(&tx);
    return state != -1 && state != TIME_ERROR && (tx.status & STA_UNSYNC) == 0;
}

struct mono hal_clock_mono(void)
{
    return (struct mono){.ms = read_ms(CLOCK_BOOTTIME)};
}

struct wall hal_clock_wall(void)
{
    int64_t ms = read_ms(CLOCK_REALTIME);
    if (ms < BUILD_EPOCH_MS) {
        return (struct wall){.ms = BUILD_EPOCH_MS, .quality = CLOCK_FLOOR};
    }
    bool trusted = CONFIG_BOARD_SANDBOX || is_synchronised();
    return (struct wall){.ms = ms, .quality = trusted ? CLOCK_TRUSTED : CLOCK_FLOOR};
}

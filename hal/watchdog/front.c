// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "hal/watchdog.h"

#include "backend.h"

static void begin(struct watchdog *w)
{
    memset(w, 0, sizeof(*w));
    w->fd = -1;
}

RC hal_watchdog_probe(struct watchdog *w, int state_fd)
{
    begin(w);
    return watchdog_backend_probe(w, state_fd);
}

/// A timeout that one slow flush of a disk uses up would reset a healthy box again and again.
static RC refuse(struct watchdog *w)
{
    uint32_t timeout_ms = w->timeout_ms;
    bool armed = hal_watchdog_stop(w) != RC_OK;
    if (armed) {
        watchdog_backend_hand_over(w);
    }
    begin(w);
    snprintf(w->missing,
             sizeof(w->missing),
             "a watchdog of %u s or more (CONFIG_WATCHDOG_TIMEOUT_S): it bites after %u.%03u s%s",
             WATCHDOG_TIMEOUT_MS_MIN / 1000u,
             (unsigned)timeout_ms / 1000u,
             (unsigned)timeout_ms % 1000u,
             armed ? ", and is armed" : "");
    return RC_UNSUPPORTED;
}

RC hal_watchdog_open(struct watchdog *w, int state_fd, uint32_t wanted_ms)
{
    ASSERT(wanted_ms >= WATCHDOG_TIMEOUT_MS_MIN);
    ASSERT(wanted_ms <= WATCHDOG_TIMEOUT_MS_MAX);
    begin(w);
    TRY(watchdog_backend_open(w, state_fd, wanted_ms));
    ASSERT(w->fd >= 0);
    return w->timeout_ms >= WATCHDOG_TIMEOUT_MS_MIN ? RC_OK : refuse(w);
}

RC hal_watchdog_feed(struct watchdog *w, struct mono now)
{
    ASSERT(w->fd >= 0);
    return watchdog_backend_feed(w, now);
}

void hal_watchdog_hand_over(struct watchdog *w)
{
    if (w->fd >= 0) {
        watchdog_backend_hand_over(w);
    }
    ASSERT(w->fd < 0);
}

RC hal_watchdog_stop(struct watchdog *w)
{
    ASSERT(w->fd >= 0);
    if (!w->can_stop) {
        return RC_UNSUPPORTED;
    }
    return watchdog_backend_stop(w);
}

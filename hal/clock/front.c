// SPDX-License-Identifier: Apache-2.0
/*
 * Everything about time that does not depend on the board. CLOCK_BOOTTIME and not CLOCK_MONOTONIC:
 * deadlines and wall time go on while the machine is suspended.
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/slots.h"
#include "hal/clock.h"

#include "source.h"

#define BUILD_EPOCH_MS ((int64_t)CONFIG_BUILD_EPOCH * 1000)
#define FLOOR_MS_MAX   (BUILD_EPOCH_MS + CLOCK_AHEAD_MS_MAX)
#define RECORD_BYTES   8u

static struct state {
    int64_t proven_ms; // greatest that was proven; 0: nothing
    int64_t stored_ms; // in the record
    bool trusted;
    int64_t boot_to_wall_ms; // while trusted: added to CLOCK_BOOTTIME
} state;

int64_t clock_kernel_ms(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct slots record_in(int state_fd)
{
    return (struct slots){.dir_fd = state_fd,
                          .name = "clock-floor",
                          .magic = 0x41434631, // ACF1
                          .payload_max = RECORD_BYTES};
}

RC hal_clock_open(int state_fd)
{
    char bytes[RECORD_BYTES];
    struct buf payload = BUF(bytes);
    struct slots record = record_in(state_fd);

    state = (struct state){.trusted = false};
    clock_source_open(state_fd);
    enum rc rc = slots_read(&record, &payload, NULL);
    if (rc == RC_NOTFOUND) {
        return RC_OK;
    }
    if (rc != RC_OK) {
        return rc == RC_TOOBIG ? RC_CORRUPT : rc;
    }
    struct reader r = {.left = buf_span(&payload)};
    int64_t stored_ms = (int64_t)reader_be64(&r);
    if (!reader_ok(&r) || stored_ms < 0 || stored_ms > FLOOR_MS_MAX) {
        return RC_CORRUPT;
    }
    state.stored_ms = stored_ms;
    hal_clock_raise_floor(stored_ms);
    return RC_OK;
}

int64_t hal_clock_floor(void)
{
    return state.proven_ms > BUILD_EPOCH_MS ? state.proven_ms : BUILD_EPOCH_MS;
}

void hal_clock_raise_floor(int64_t wall_ms)
{
    if (wall_ms > hal_clock_floor() && wall_ms <= FLOOR_MS_MAX) {
        state.proven_ms = wall_ms;
    }
}

struct mono hal_clock_mono(void)
{
    return (struct mono){.ms = clock_kernel_ms(CLOCK_BOOTTIME)};
}

struct wall hal_clock_wall(void)
{
    int64_t floor_ms = hal_clock_floor();

    if (state.trusted) {
        int64_t ms = clock_kernel_ms(CLOCK_BOOTTIME) + state.boot_to_wall_ms;
        return (struct wall){.ms = ms > floor_ms ? ms : floor_ms, .quality = CLOCK_TRUSTED};
    }
    int64_t ms = clock_source_wall_ms();
    if (ms < floor_ms || ms > floor_ms + CLOCK_AHEAD_MS_MAX) {
        return (struct wall){.ms = floor_ms, .quality = CLOCK_UNKNOWN};
    }
    return (struct wall){.ms = ms, .quality = CLOCK_FLOOR};
}

void hal_clock_set(struct mono at, int64_t wall_ms)
{
    ASSERT(wall_ms >= hal_clock_floor());
    state.trusted = true;
    state.boot_to_wall_ms = wall_ms - at.ms;
    hal_clock_raise_floor(wall_ms - CLOCK_FLOOR_LAG_MS);
}

RC hal_clock_store_floor(int state_fd)
{
    char bytes[RECORD_BYTES];
    struct buf payload = BUF(bytes);
    struct slots record = record_in(state_fd);

    if (state.trusted) {
        hal_clock_raise_floor(hal_clock_wall().ms - CLOCK_FLOOR_LAG_MS);
    }
    int64_t floor_ms = hal_clock_floor();
    if (floor_ms == state.stored_ms) {
        return RC_OK;
    }
    buf_put_be64(&payload, (uint64_t)floor_ms);
    TRY(slots_write(&record, buf_span(&payload)));
    state.stored_ms = floor_ms;
    return RC_OK;
}

struct clock_kernel hal_clock_kernel(void)
{
    return (struct clock_kernel){
        .wall_ms = clock_source_wall_ms(),
        .asleep_ms = clock_kernel_ms(CLOCK_BOOTTIME) - clock_kernel_ms(CLOCK_MONOTONIC),
    };
}

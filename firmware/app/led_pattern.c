// SPDX-License-Identifier: Apache-2.0
#include "app/led_pattern.h"

#include "base/assert.h"

#define SHOW_ON_MS   300
#define SHOW_OFF_MS  300
#define SHOW_REST_MS 1500

/// `flashes` times on and off; the last off lasts `rest_ms`.
struct way {
    uint16_t flashes, on_ms, off_ms, rest_ms;
    enum led_colour colour;
    enum led_colour other; ///< of every second flash; LED_OFF: the same
};

// clang-format off
static const struct way ways[LED_CODES] = {
    [LED_CODE_DEAD]          = {0, 0, 0, 1000, LED_OFF, LED_OFF},
    [LED_CODE_RESET]         = {1, 180, 0, 180, LED_RED, LED_OFF},
    [LED_CODE_APPLYING]      = {2, 150, 150, 700, LED_BLUE, LED_OFF},
    [LED_CODE_ROLLED_BACK]   = {3, 150, 200, 1200, LED_RED, LED_AMBER},
    [LED_CODE_UNPROVISIONED] = {1, 100, 0, 1900, LED_BLUE, LED_OFF},
    [LED_CODE_NETWORK]       = {4, 150, 200, 1200, LED_AMBER, LED_OFF},
    [LED_CODE_TIME]          = {5, 150, 200, 1200, LED_AMBER, LED_OFF},
    [LED_CODE_REFUSED]       = {6, 150, 200, 1200, LED_AMBER, LED_OFF},
    [LED_CODE_BUFFERING]     = {1, 1000, 0, 1000, LED_AMBER, LED_OFF},
    [LED_CODE_FULL]          = {1, 1500, 0, 200, LED_AMBER, LED_OFF},
    [LED_CODE_NORMAL]        = {1, 50, 0, 2950, LED_GREEN, LED_OFF},
};

// clang-format on

static int64_t period_ms(const struct way *w)
{
    return w->flashes == 0
               ? w->rest_ms
               : (int64_t)w->flashes * w->on_ms + (w->flashes - 1) * w->off_ms + w->rest_ms;
}

/// The light at `at_ms` of the pattern, and for how much longer it stays like that.
static enum led_colour light(const struct way *w, int64_t at_ms, int64_t *left_ms)
{
    int64_t at = at_ms % period_ms(w);

    for (unsigned i = 0; i < w->flashes; i++) {
        if (at < w->on_ms) {
            *left_ms = w->on_ms - at;
            return i % 2u == 1u && w->other != LED_OFF ? w->other : w->colour;
        }
        int64_t off_ms = i + 1u < w->flashes ? w->off_ms : w->rest_ms;
        at -= w->on_ms;
        if (at < off_ms) {
            *left_ms = off_ms - at;
            return LED_OFF;
        }
        at -= off_ms;
    }
    *left_ms = w->rest_ms - at;
    return LED_OFF;
}

void led_pattern_init(struct led_pattern *p, struct mono now)
{
    *p = (struct led_pattern){
        .code = LED_CODE_NORMAL,
        .wanted = LED_CODE_NORMAL,
        .since = now,
        .shown_until = now,
        .show_began = now,
    };
}

void led_pattern_want(struct led_pattern *p, enum led_code code)
{
    ASSERT(code < LED_CODES);
    p->wanted = code;
}

static struct way shown_in_full(enum led_code code)
{
    return (struct way){.flashes = (uint16_t)code,
                        .on_ms = SHOW_ON_MS,
                        .off_ms = SHOW_OFF_MS,
                        .rest_ms = SHOW_REST_MS,
                        .colour = ways[code].colour,
                        .other = LED_OFF};
}

void led_pattern_show(struct led_pattern *p, struct mono now)
{
    const struct way full = shown_in_full(p->code);

    p->show_began = now;
    p->shown_until = mono_after(now, LED_SHOW_REPEATS * period_ms(&full));
}

/// Change to what is wanted, if the code before has had its time.
static void change(struct led_pattern *p, struct mono now)
{
    bool read = mono_due(mono_after(p->since, LED_DWELL_MS), now) && mono_due(p->shown_until, now);

    if (p->wanted != p->code && (read || p->wanted == LED_CODE_RESET)) {
        p->code = p->wanted;
        p->since = now;
        p->shown_until = now;
    }
}

enum led_colour led_pattern_at(struct led_pattern *p, struct mono now, struct mono *again)
{
    int64_t left_ms = 0;
    enum led_colour colour = LED_OFF;

    change(p, now);
    if (!mono_due(p->shown_until, now)) {
        const struct way full = shown_in_full(p->code);
        colour = light(&full, now.ms - p->show_began.ms, &left_ms);
    } else {
        colour = light(&ways[p->code], now.ms - p->since.ms, &left_ms);
    }
    *again = mono_after(now, left_ms);
    if (p->wanted != p->code && !mono_due(mono_after(p->since, LED_DWELL_MS), now)) {
        *again = mono_min(*again, mono_after(p->since, LED_DWELL_MS));
    }
    return colour;
}

struct mono led_pattern_unseen(struct led_pattern *p, struct mono now)
{
    change(p, now);
    if (p->wanted == p->code) {
        return MONO_NEVER;
    }
    struct mono read = mono_after(p->since, LED_DWELL_MS);
    return read.ms > p->shown_until.ms ? read : p->shown_until;
}

const char *led_code_shows(enum led_code code)
{
    static const char *const shows[LED_CODES] = {
        [LED_CODE_DEAD] = "off",
        [LED_CODE_RESET] = "red, fast flashing",
        [LED_CODE_APPLYING] = "blue, 2 flashes",
        [LED_CODE_ROLLED_BACK] = "red and amber, 3 flashes",
        [LED_CODE_UNPROVISIONED] = "blue, 1 short flash every 2 s",
        [LED_CODE_NETWORK] = "amber, 4 flashes",
        [LED_CODE_TIME] = "amber, 5 flashes",
        [LED_CODE_REFUSED] = "amber, 6 flashes",
        [LED_CODE_BUFFERING] = "amber, 1 s on and 1 s off",
        [LED_CODE_FULL] = "amber, long flashes",
        [LED_CODE_NORMAL] = "green, 1 short flash every 3 s",
    };

    ASSERT(code < LED_CODES);
    return shows[code];
}

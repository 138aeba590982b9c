// SPDX-License-Identifier: Apache-2.0
#include "app/hour.h"

#include <string.h>

#define MINUTE_MS 60000

static void go_to(struct hour *h, int64_t minute)
{
    if (minute - h->minute >= HOUR_MINUTES) {
        memset(h->collected_in, 0, sizeof(h->collected_in));
        memset(h->sent_in, 0, sizeof(h->sent_in));
        h->minute = minute;
    }
    while (h->minute < minute) {
        h->minute++;
        h->collected_in[h->minute % HOUR_MINUTES] = 0;
        h->sent_in[h->minute % HOUR_MINUTES] = 0;
    }
}

static uint32_t grown(uint64_t was, uint64_t is)
{
    uint64_t by = is > was ? is - was : 0;

    return by > UINT32_MAX ? UINT32_MAX : (uint32_t)by;
}

void hour_init(struct hour *h, uint64_t collected, uint64_t sent, struct mono now)
{
    memset(h, 0, sizeof(*h));
    h->minute = now.ms / MINUTE_MS;
    h->collected = collected;
    h->sent = sent;
}

void hour_note(struct hour *h, uint64_t collected, uint64_t sent, struct mono now)
{
    if (collected == h->collected && sent == h->sent) {
        return; // no count, no minute: most turns
    }
    go_to(h, now.ms / MINUTE_MS);
    h->collected_in[h->minute % HOUR_MINUTES] += grown(h->collected, collected);
    h->sent_in[h->minute % HOUR_MINUTES] += grown(h->sent, sent);
    h->collected = collected;
    h->sent = sent;
}

void hour_read(const struct hour *h,
               struct mono now,
               uint32_t collected[static HOUR_MINUTES],
               uint32_t sent[static HOUR_MINUTES])
{
    struct hour moved = *h;

    go_to(&moved, now.ms / MINUTE_MS);
    for (unsigned i = 0; i < HOUR_MINUTES; i++) {
        int64_t minute = moved.minute - (int64_t)i;
        bool known = minute >= 0;
        collected[i] = known ? moved.collected_in[minute % HOUR_MINUTES] : 0;
        sent[i] = known ? moved.sent_in[minute % HOUR_MINUTES] : 0;
    }
}

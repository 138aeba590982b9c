// SPDX-License-Identifier: Apache-2.0
/*
 * Packets of RFC 5905 7.3, as RFC 4330 has a simple client use them.
 */
#include "base/bytes.h"

#include "net/sntp.h"

#define LEAP_UNKNOWN 3u
#define MODE_CLIENT  3u
#define MODE_SERVER  4u
#define VERSION      4u
#define STRATUM_MAX  15u                 // 0 is a refusal ("kiss of death"), 16 is not synchronised
#define ROOT_MS_MAX  1000                // of delay and dispersion towards the true time
#define TIME_1970_S  INT64_C(2208988800) // seconds of the protocol, which begins with 1900
#define ERA_S        (INT64_C(1) << 32)
#define ERA_SLACK_S                                                                                \
    86400 // before the floor: a server that is a little behind is not 136 years ahead
#define NONCE_BYTES 8u

void sntp_question(const uint8_t nonce[static 8], char out[static SNTP_PACKET_BYTES])
{
    struct buf b = buf_of(out, SNTP_PACKET_BYTES);
    buf_put_u8(&b, (uint8_t)(VERSION << 3 | MODE_CLIENT));
    while (b.len < SNTP_PACKET_BYTES - NONCE_BYTES) {
        buf_put_u8(&b, 0); // a server needs nothing else from us, so it learns nothing else
    }
    buf_put(&b, (struct span){.ptr = (const char *)nonce, .len = NONCE_BYTES});
}

static int64_t short_ms(uint32_t seconds_16_16)
{
    return (int64_t)seconds_16_16 * 1000 >> 16;
}

/// 32 bits of seconds and of fraction; of the possible eras the first that is not before the floor.
static int64_t stamp_ms(uint64_t stamp, int64_t floor_ms)
{
    int64_t s = (int64_t)(stamp >> 32) - TIME_1970_S;
    int64_t from_s = floor_ms / 1000 - ERA_SLACK_S;
    if (s < from_s) {
        s += (from_s - s + ERA_S - 1) / ERA_S * ERA_S;
    }
    return s * 1000 + (int64_t)((stamp & UINT32_MAX) * 1000 >> 32);
}

RC sntp_read(struct span packet,
             const uint8_t nonce[static 8],
             int64_t trip_ms,
             int64_t floor_ms,
             struct sntp_answer *out)
{
    if (packet.len < SNTP_PACKET_BYTES) {
        return RC_PARSE;
    }
    struct reader r = {.left = span_sub(packet, 0, SNTP_PACKET_BYTES)};
    uint8_t head = reader_u8(&r);
    uint8_t stratum = reader_u8(&r);
    (void)reader_bytes(&r, 2); // poll interval, precision
    int64_t root_ms = short_ms(reader_be32(&r)) / 2 + short_ms(reader_be32(&r));
    (void)reader_bytes(&r, 12); // reference identifier, reference time
    struct span origin = reader_bytes(&r, NONCE_BYTES);
    uint64_t received = reader_be64(&r);
    uint64_t sent = reader_be64(&r);

    if (!reader_ok(&r) || !span_equal(origin, (struct span){(const char *)nonce, NONCE_BYTES})) {
        return RC_DENIED;
    }
    if ((head & 7u) != MODE_SERVER || (head >> 3 & 7u) == 0 || sent == 0 || received == 0) {
        return RC_PARSE;
    }
    if (head >> 6 == LEAP_UNKNOWN || stratum == 0 || stratum > STRATUM_MAX ||
        root_ms > ROOT_MS_MAX) {
        return RC_UNSUPPORTED;
    }
    int64_t sent_ms = stamp_ms(sent, floor_ms);
    int64_t held_ms = sent_ms - stamp_ms(received, floor_ms);
    int64_t way_ms = held_ms >= 0 && held_ms <= trip_ms ? trip_ms - held_ms : trip_ms;
    out->wall_ms = sent_ms + way_ms / 2;
    out->unsure_ms = way_ms / 2 + root_ms;
    return RC_OK;
}

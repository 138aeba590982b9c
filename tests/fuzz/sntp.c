// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as a time server's packet: never a crash; a time that is taken lies in the era of the
 * floor. The nonce is the one that the packet has, so that what follows is reached.
 */
#include "net/sntp.h"

#include <string.h>

#include "base/assert.h"

#define ORIGIN   24u
#define TRIP_MS  250
#define ERA_MS   (INT64_C(4294967296) * 1000)
#define SLACK_MS INT64_C(86401000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t floors[] = {INT64_C(1795392000000),
                                     INT64_C(2085978496000),
                                     INT64_C(2147483648000),
                                     INT64_C(4294967296000)};
    struct span packet = {.ptr = (const char *)data, .len = size};
    uint8_t nonce[8] = {0};
    if (size >= ORIGIN + sizeof(nonce)) {
        memcpy(nonce, data + ORIGIN, sizeof(nonce));
    }
    for (unsigned i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
        struct sntp_answer a = {.wall_ms = 0};
        enum rc rc = sntp_read(packet, nonce, TRIP_MS, floors[i], &a);
        ASSERT(rc == RC_OK || rc == RC_PARSE || rc == RC_UNSUPPORTED);
        ASSERT(rc != RC_OK || size >= SNTP_PACKET_BYTES);
        if (rc == RC_OK) {
            ASSERT(a.wall_ms >= floors[i] - SLACK_MS);
            ASSERT(a.wall_ms <= floors[i] + ERA_MS + TRIP_MS);
            ASSERT(a.unsure_ms >= 0);
        }
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A spool in memory that fails on demand: what the real one does only when a device breaks. Link it
 * instead of the module. An event is the line "<seq>\n"; a body is those lines as they are, without
 * gzip.
 */
#ifndef TESTS_UNIT_SHIP_SPOOL_FAKE_H
#define TESTS_UNIT_SHIP_SPOOL_FAKE_H
#include "spool/spool.h"

#define SPOOL_FAKE_EVENTS_MAX   20000u
#define SPOOL_FAKE_REASON_BYTES 80u

/// The next `count` calls answer rc.
struct spool_fake_fault {
    enum rc rc;
    unsigned count;
};

struct spool {
    uint64_t durable;
    uint64_t acked;
    unsigned acks;                               ///< calls of spool_ack that worked
    uint8_t burials[SPOOL_FAKE_EVENTS_MAX + 1u]; ///< per sequence number
    unsigned buried;                             ///< different events
    unsigned quarantine_max;
    uint64_t last_buried;
    char last_reason[SPOOL_FAKE_REASON_BYTES]; ///< NUL-terminated
    unsigned reads;
    struct spool_fake_fault read_fault, ack_fault, bury_fault;
};

void spool_fake_init(struct spool *s, uint64_t events); ///< so many are committed

#endif

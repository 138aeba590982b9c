// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The hardware behind a backend of the watchdog, played: one file per backend.
 */
#ifndef CONTRACT_WATCHDOG_HARDWARE_H
#define CONTRACT_WATCHDOG_HARDWARE_H
#include <stdbool.h>
#include <stdint.h>

enum watchdog_fault {
    WATCHDOG_WELL = 0,
    WATCHDOG_ABSENT,
    WATCHDOG_FORBIDDEN,
    WATCHDOG_TAKEN,
    WATCHDOG_OPEN_FAILS,
    WATCHDOG_WRITES_FAIL,
};

struct watchdog_seen {
    bool armed;
    uint32_t timeout_ms;
    bool open;
    unsigned
        fed; ///< times, since hardware_make; counted where the backend's own time does not show
};

int hardware_make(void **state_fd); ///< cmocka setup: a well watchdog that takes any timeout
int hardware_remove(void **unused);
int hardware_state_fd(void);
void hardware_limits(uint32_t min_ms, uint32_t max_ms);
void hardware_nowayout(void);
void hardware_bite(void); ///< the last reset was the watchdog's
void hardware_fault(enum watchdog_fault fault);
struct watchdog_seen hardware_look(void);

#endif

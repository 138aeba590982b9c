// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What of the process's own confinement the running kernel grants, for --check.
 */
#ifndef APP_CHECK_CONFINED_H
#define APP_CHECK_CONFINED_H
#include <stdbool.h>

enum confined_verdict {
    CONFINED_YES,   ///< granted
    CONFINED_NO,    ///< not granted, and done without
    CONFINED_WRONG, ///< not granted, and the box does not start without
};

struct confined_finding {
    enum confined_verdict verdict;
    const char *what, *meaning; ///< literals; the meaning of what is missing
};

#define CHECK_CONFINED 6u

/// Asks; changes nothing. The limit on locked memory is that of now.
void check_confined(struct confined_finding out[static CHECK_CONFINED]);

#endif

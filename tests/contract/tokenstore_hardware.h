// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What the contract of the token store asks of whoever plays the hardware behind a backend.
 */
#ifndef CONTRACT_TOKENSTORE_HARDWARE_H
#define CONTRACT_TOKENSTORE_HARDWARE_H
#include <stdbool.h>

extern const bool hardware_keeps;  ///< values outlive the handle
extern const bool hardware_counts; ///< there is a counter: a restored directory is found

bool hardware_start(void); ///< once, before all tests
void hardware_stop(void);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/entropy.h gives; front.c has checked the arguments.
 */
#ifndef ENTROPY_BACKEND_H
#define ENTROPY_BACKEND_H
#include "hal/entropy.h"

void entropy_backend_fill(uint8_t *out, size_t len); ///< len > 0

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/identity.h gives: the text as the hardware says it. front.c judges it.
 */
#ifndef IDENTITY_BACKEND_H
#define IDENTITY_BACKEND_H
#include "base/span.h"
#include "hal/identity.h"

/// @param serial  appended. @param i  its `missing` is filled on failure.
RC identity_backend_serial(struct identity *i, int state_fd, struct buf *serial);
/// Where it is looked for, and the board's name for that.
const char *identity_backend_place(void);
const char *identity_backend_option(void);

#endif

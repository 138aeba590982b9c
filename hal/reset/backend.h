// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What a backend of hal/reset.h gives. front.c keeps the record and judges.
 */
#ifndef RESET_BACKEND_H
#define RESET_BACKEND_H
#include "hal/reset.h"

/// Fills 16 bytes that are the same for as long as the machine runs. @retval RC_IO
RC reset_backend_boot_id(int state_fd, uint8_t id[static RESET_BOOT_ID_BYTES]);
/// When the newest trace of a kernel panic was left, milliseconds since 1970; 0: there is none.
/// @retval RC_UNSUPPORTED @retval RC_DENIED @retval RC_IO
RC reset_backend_panic_ms(int state_fd, uint64_t *ms);
/// Where it is looked for, and the board's name for that.
const char *reset_backend_place(void);
const char *reset_backend_option(void);

#endif

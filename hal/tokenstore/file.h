// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Private to file.c and its tests: the device key as a file.
 */
#ifndef TOKENSTORE_FILE_H
#define TOKENSTORE_FILE_H
#include "backend.h"

#define FILE_KEY_BYTES_MIN 16u
#define FILE_KEY_BYTES_MAX 4096u
#define FILE_KEY_NAME      "device.key" ///< in STATE, where the board names none

/// Opens the board's device key. @retval RC_UNSUPPORTED it is not there.
/// @retval RC_DENIED others can read it, or we cannot. @retval RC_IO
RC file_key_open(const char *path, int *fd, struct buf *missing);
/// The KEK of an opened device key. @retval RC_UNSUPPORTED it is too short, too long, or the same
/// byte all over: an empty fuse. @retval RC_IO
RC file_key_derive(int fd, uint8_t kek[static TOKENSTORE_KEK_BYTES], struct buf *missing);

#endif

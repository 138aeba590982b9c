// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Small files that are read once at start: the configuration and, on a sandbox board, the private
 * CA.
 */
#ifndef APP_FILES_H
#define APP_FILES_H
#include "base/rc.h"
#include "base/span.h"

#define FILES_PATH_BYTES_MAX 1024u

/// The whole file, appended to out. @retval RC_NOTFOUND @retval RC_TOOBIG @retval RC_IO
RC file_read(const char *path, struct buf *out);
/// `name` as seen from the directory that `beside` is in (or itself, if absolute), NUL-terminated.
/// @retval RC_TOOBIG
RC file_path_beside(const char *beside, const char *name, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The sandbox board's hardware: files below STATE/sandbox, made by the backend that needs them,
 * owned like STATE itself, so that tests and the demo can play the hardware.
 * Model: a line is rewritten in place by one write of SANDBOX_LINE_BYTES, the rest of it line ends:
 *        who reads takes the first line, and always finds a whole one. (Cutting the file to its
 *        length would be one more system call for a process that may have few.)
 */
#ifndef SANDBOX_PLACE_H
#define SANDBOX_PLACE_H
#include <stdbool.h>

#include "base/rc.h"
#include "base/span.h"

#define SANDBOX_LINE_BYTES 64u
#define SANDBOX_LONG_BYTES 1024u

/// STATE/sandbox, made (0700) if it is not there; the caller closes it.
/// @retval RC_DENIED @retval RC_FULL @retval RC_IO @covtest
RC sandbox_folder(int state_fd, int *folder_fd);
/// A file in it; with O_CREAT in flags it and the folder are made (0600). The caller closes it.
/// @retval RC_UNSUPPORTED  no such file. @retval RC_DENIED @retval RC_FULL @retval RC_IO
RC sandbox_open(int state_fd, const char *name, int flags, int *fd);
/// A FIFO in it, made if it is not there, open for both ends; never blocks. The caller closes it.
/// @retval RC_DENIED @retval RC_FULL @retval RC_IO
RC sandbox_fifo(int state_fd, const char *name, int *fd);
/// Appends what a file holds. @retval RC_UNSUPPORTED no such file. @retval RC_TOOBIG longer than
/// out has room for. @retval RC_DENIED @retval RC_IO
RC sandbox_read(int state_fd, const char *name, struct buf *out);
/// Rewrite an open file. @param line with its end, at most SANDBOX_LINE_BYTES. @retval RC_FULL
/// @retval RC_IO
RC sandbox_rewrite(int fd, struct span line);
/// The same with files of another size. @param bytes  at most SANDBOX_LONG_BYTES, always the same.
RC sandbox_rewrite_all(int fd, struct span line, size_t bytes);
bool sandbox_has(int state_fd, const char *name);
/// The file `absent` names this device: it is to be found missing.
bool sandbox_absent(int state_fd, const char *device);
/// A number in a text of KEY=NUMBER words. False: there is none.
bool sandbox_number(struct span text, const char *key, uint64_t *out);

#endif

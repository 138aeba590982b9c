// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Token store: keeps small secrets across reboots.
 * Model:    named values; put replaces the whole value or changes nothing.
 * Memory:   none kept but the directory handle; callers own every buffer and wipe it.
 * Threads:  main thread only.
 * Backends: file (a directory 0700 of files 0600, plain text on the disk: it protects against other
 *           users, not against somebody who takes the disk). All pass tests/contract/tokenstore.c.
 */
#ifndef HAL_TOKENSTORE_H
#define HAL_TOKENSTORE_H
#include "base/rc.h"
#include "base/span.h"

#define TOKENSTORE_VALUE_BYTES_MAX 4096u ///< largest value
#define TOKENSTORE_NAME_BYTES_MAX  32u   ///< names: 1..32 of [a-z0-9-], first a letter

struct tokenstore {
    int dir_fd; ///< -1: closed
};

/**
 * Open the store below the state directory, making it if it is not there.
 * @param state_dir  NUL-terminated path of an existing directory.
 * @retval RC_DENIED  it, or a file in it, can be read by others: refused, nothing is repaired in
 *                    silence.
 * @retval RC_IO      the directory cannot be made or opened.
 */
RC hal_tokenstore_open(struct tokenstore *t, const char *state_dir);
void hal_tokenstore_close(struct tokenstore *t);
/**
 * Replace a value. Durable on return: after a power cut the slot holds the old or the new value,
 * never a mix.
 * @param value  1..TOKENSTORE_VALUE_BYTES_MAX bytes; borrowed for the call.
 * @retval RC_PARSE   the name breaks the rule above.
 * @retval RC_TOOBIG  value is longer than the maximum (or empty); nothing changed.
 * @retval RC_IO      device refused; the old value stands. @covtest
 */
RC hal_tokenstore_put(struct tokenstore *t, struct span name, struct span value);
/**
 * Read a value, appended to out.
 * @retval RC_NOTFOUND  there is none. @retval RC_TOOBIG out has not enough room.
 * @retval RC_CORRUPT   the stored value does not check (each carries a length and a checksum).
 * @retval RC_DENIED    the file can be read by others. @retval RC_IO @covtest
 */
RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out);
/// Remove a value, durable on return. @retval RC_NOTFOUND there is none. @retval RC_IO @covtest
RC hal_tokenstore_delete(struct tokenstore *t, struct span name);

#endif

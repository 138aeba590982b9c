// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Takes named files and directories away, for good: each file is overwritten, flushed and removed,
 * those below a directory likewise.
 * Caveat: where a disk or a file system writes to another place than before (flash, copy on write)
 *         remains may lie where no program reads them. Only what was sealed is safe there.
 * Order:  cut off at any moment, doing it once more comes to the end.
 */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H
#include <stdbool.h>

#include "base/rc.h"

#define WIPE_NAME_BYTES 256u ///< of a file, with its NUL

struct wipe {
    int dir_fd; ///< borrowed
    /// Up to a NULL, of the directory itself, not below; "name-*" are all that begin so.
    const char *const *names;
    bool others;                          ///< all but these are meant
    void (*while_waiting)(void *context); ///< often; may be NULL
    void *context;
    char at[WIPE_NAME_BYTES]; ///< of a failure: what could not be taken away, or is left
};

/// @retval RC_DENIED no permission. @retval RC_TOOBIG deeper than anybody makes. @retval RC_IO
RC wipe_all(struct wipe *w);
/// Look whether any of them is there. @retval RC_FULL one is: see `at`. @retval RC_IO
RC wipe_check(struct wipe *w);

#endif

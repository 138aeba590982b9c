// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Waits for a file that is not there yet, and costs no wake-up while nothing happens.
 * Model:   arrival_watch while directories may be opened that are shut later: inotify on the
 *          deepest directory of the path that exists. What is waited for there is the next name of
 *          the path: written and closed, or moved there; a directory on the way also if it is made.
 *          Then arrival_take says so, and whoever waits begins anew, a directory deeper or with the
 *          file. arrival_look sees by stat what inotify does not tell: a mount, a link, a network's
 *          file system. It takes a file that has not changed for ARRIVAL_SETTLED_MS, since nobody
 *          says that its writer is done. What is there from the first (a part of a file) has been
 *          looked at, and is nothing that came until it is changed.
 * Caveat:  by stat a directory has to be open to who we are by then. Where it is not, a link or a
 *          mount stays unseen.
 * Memory:  struct arrival; the path is borrowed.
 */
#ifndef SYS_ARRIVAL_H
#define SYS_ARRIVAL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rc.h"

#define ARRIVAL_PATH_BYTES_MAX 1024u
#define ARRIVAL_LOOK_MS        10000 ///< between two looks
#define ARRIVAL_SETTLED_MS     30000

/// A file, as stat tells it from a later state of it. 0: there is none, or nothing in it.
struct arrival_seen {
    int64_t ino, bytes, mtime_ns;
};

struct arrival {
    int fd;                     ///< inotify's, to be polled for reading; -1: it tells nothing
    int from_fd;                ///< where the path begins; -1: nothing is waited for
    const char *path;           ///< of the file
    char next[256];             ///< the name that is waited for in the directory that is watched
    bool last;                  ///< it is the file's
    struct mono look_at, since; ///< since: what was seen last is as it is
    struct arrival_seen seen, first;
};

void arrival_none(struct arrival *a); ///< waits for nothing
/// @param path  NUL-terminated; kept.
/// @retval RC_UNSUPPORTED  inotify cannot be had, or the directory is shut: arrival_look goes on.
/// @retval RC_IO  the working directory cannot be opened: nothing is waited for. @covtest
RC arrival_watch(struct arrival *a, const char *path);
/// Take what inotify has told. @return true: something came. To be called when fd can be read.
bool arrival_take(struct arrival *a);
/// Every turn: cheap, and asks for none. @return true: it is there, and nobody writes it any more.
bool arrival_look(struct arrival *a, struct mono now);
void arrival_close(struct arrival *a);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The one epoll loop and the one clock read.
 * Model:   loop_wait sleeps until a descriptor is ready or the deadline, calls the ready handlers
 *          (they only copy bytes and set flags), reads the clocks once and returns; all decisions
 *          are made by the caller afterwards.
 * Memory:  struct loop only.
 * Threads: main thread only.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H
#include "base/clock.h"
#include "base/rc.h"

#define LOOP_WATCHES_MAX 64u

#define LOOP_READ  1u
#define LOOP_WRITE 2u

typedef void loop_handler(void *context, int fd, unsigned ready);

struct loop_watch {
    int fd; ///< -1: free
    loop_handler *handler;
    void *context;
};

struct loop {
    int epoll_fd;
    struct loop_watch watches[LOOP_WATCHES_MAX];
    uint64_t wakeups; ///< times that epoll_wait returned
};

RC loop_init(struct loop *l); ///< @retval RC_IO
void loop_deinit(struct loop *l);
/// Adds or changes a watch. @retval RC_FULL no slot left. @retval RC_IO
RC loop_watch(struct loop *l, int fd, unsigned events, loop_handler *handler, void *context);
void loop_unwatch(struct loop *l, int fd); ///< unknown descriptors are fine
/// Clocks without waiting (start-up).
struct now loop_now(void);
/// Sleep until ready or `until`, run handlers, read the clocks once.
struct now loop_wait(struct loop *l, struct mono until);

#endif

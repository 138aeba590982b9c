// SPDX-License-Identifier: Apache-2.0
/*
 * Level-triggered epoll. An event carries both the slot and the descriptor of its watch: an earlier
 * handler of the same batch may have ended that watch and begun another in its slot, and such an
 * event is then nobody's.
 */
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>

#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "hal/clock.h"

#define EVENTS_PER_WAIT 16

static uint64_t tag_of(unsigned slot, int fd)
{
    return (uint64_t)(uint32_t)fd << 32 | slot;
}

static struct loop_watch *find(struct loop *l, int fd)
{
    for (unsigned i = 0; i < LOOP_WATCHES_MAX; i++) {
        if (l->watches[i].fd == fd) {
            return &l->watches[i];
        }
    }
    return NULL;
}

RC loop_init(struct loop *l)
{
    ASSERT(l != NULL);
    l->wakeups = 0;
    for (unsigned i = 0; i < LOOP_WATCHES_MAX; i++) {
        l->watches[i] = (struct loop_watch){.fd = -1};
    }
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return l->epoll_fd < 0 ? RC_IO : RC_OK;
}

void loop_deinit(struct loop *l)
{
    ASSERT(l != NULL);
    if (l->epoll_fd >= 0) {
        close(l->epoll_fd);
        l->epoll_fd = -1;
    }
}

RC loop_watch(struct loop *l, int fd, unsigned events, loop_handler *handler, void *context)
{
    ASSERT(l != NULL && handler != NULL);
    ASSERT(fd >= 0);
    ASSERT((events & ~(LOOP_READ | LOOP_WRITE)) == 0);
    struct loop_watch *w = find(l, fd);
    if (w == NULL) {
        w = find(l, -1);
    }
    if (w == NULL) {
        return RC_FULL;
    }
    struct epoll_event ev = {.data.u64 = tag_of((unsigned)(w - l->watches), fd)};
    ev.events |= (events & LOOP_READ) != 0 ? (uint32_t)EPOLLIN : 0u;
    ev.events |= (events & LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0u;
    int rc = epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
    if (rc != 0 && errno == EEXIST) {
        rc = epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &ev);
    }
    if (rc != 0) {
        *w = (struct loop_watch){.fd = -1};
        return RC_IO;
    }
    *w = (struct loop_watch){.fd = fd, .handler = handler, .context = context};
    return RC_OK;
}

void loop_unwatch(struct loop *l, int fd)
{
    ASSERT(l != NULL);
    struct loop_watch *w = fd >= 0 ? find(l, fd) : NULL;
    if (w != NULL) {
        // Fails if the owner closed the descriptor first: the kernel has then forgotten it already.
        (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        *w = (struct loop_watch){.fd = -1};
    }
}

struct now loop_now(void)
{
    return (struct now){.mono = hal_clock_mono(), .wall = hal_clock_wall()};
}

static int sleep_ms(struct mono until)
{
    if (until.ms == MONO_NEVER.ms) {
        return -1;
    }
    int64_t ms = until.ms - hal_clock_mono().ms;
    if (ms <= 0) {
        return 0;
    }
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void dispatch(struct loop *l, const struct epoll_event *ev)
{
    unsigned slot = (unsigned)(ev->data.u64 & UINT32_MAX);
    ASSERT(slot < LOOP_WATCHES_MAX);
    const struct loop_watch w = l->watches[slot];
    if (w.fd < 0 || tag_of(slot, w.fd) != ev->data.u64) {
        return;
    }
    unsigned ready = (ev->events & EPOLLIN) != 0 ? LOOP_READ : 0u;
    ready |= (ev->events & EPOLLOUT) != 0 ? LOOP_WRITE : 0u;
    if ((ev->events & (EPOLLERR | EPOLLHUP)) != 0) {
        ready =
            LOOP_READ | LOOP_WRITE; // whichever call the handler makes next will report the error
    }
    w.handler(w.context, w.fd, ready);
}

struct now loop_wait(struct loop *l, struct mono until)
{
    ASSERT(l != NULL);
    struct epoll_event events[EVENTS_PER_WAIT];
    int count = epoll_wait(l->epoll_fd, events, EVENTS_PER_WAIT, sleep_ms(until));
    ASSERT(count >= 0 || errno == EINTR);
    l->wakeups++;
    for (int i = 0; i < count; i++) {
        dispatch(l, &events[i]);
    }
    return loop_now();
}

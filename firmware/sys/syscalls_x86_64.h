// SPDX-License-Identifier: Apache-2.0
// System calls of a running box on x86_64; made by tools/check/syscalls.py, see there.
// Calls that are allowed with some arguments only stand in confine_filter.c.
#ifndef SYS_SYSCALLS_H
#define SYS_SYSCALLS_H

// Seen in traces of the system tests.
#define SYSCALLS_SEEN(X)                                                                           \
    X(close)                                                                                       \
    X(connect)                                                                                     \
    X(epoll_ctl)                                                                                   \
    X(epoll_pwait)                                                                                 \
    X(exit_group)                                                                                  \
    X(fallocate)                                                                                   \
    X(fdatasync)                                                                                   \
    X(fstat)                                                                                       \
    X(geteuid)                                                                                     \
    X(getpid)                                                                                      \
    X(getrandom)                                                                                   \
    X(getsockname)                                                                                 \
    X(getsockopt)                                                                                  \
    X(lseek)                                                                                       \
    X(munmap)                                                                                      \
    X(openat)                                                                                      \
    X(poll)                                                                                        \
    X(pwrite64)                                                                                    \
    X(read)                                                                                        \
    X(recvfrom)                                                                                    \
    X(setsockopt)                                                                                  \
    X(write)                                                                                       \
    X(writev)

// Seen by chance only:
//   adjtimex         is the clock synchronised
//   bind             name lookup
//   clock_gettime    a clock that the vdso does not have
//   epoll_wait       kernels without epoll_pwait
//   eventfd2         the library's lookups wake the loop
//   exit             end of a lookup's thread
//   flock            token store: a second look at what seems damaged
//   fstatfs          room on the disk
//   fsync            small records
//   futex            locks, waiting for a thread
//   membarrier       threads of musl
//   mlock2           pages that were given back are locked again before Linux 5.18
//   munlock          likewise
//   newfstatat       files by name
//   open             files of the resolver
//   ppoll            poll of newer C libraries
//   pread64          small records
//   readv            stdio: files of the resolver
//   recvmsg          name lookup of newer C libraries
//   renameat         a file that is made whole under another name
//   restart_syscall  a wait that a stop signal interrupted
//   rt_sigaction     abort
//   rt_sigprocmask   making a thread, abort
//   rt_sigreturn     end of a signal handler
//   sched_yield      locks under contention
//   shutdown         connections
//   statx            stat of newer C libraries
//   unlinkat         what such a file left behind
#define SYSCALLS_BY_DESIGN(X)                                                                      \
    X(adjtimex)                                                                                    \
    X(bind)                                                                                        \
    X(clock_gettime)                                                                               \
    X(epoll_wait)                                                                                  \
    X(eventfd2)                                                                                    \
    X(exit)                                                                                        \
    X(flock)                                                                                       \
    X(fstatfs)                                                                                     \
    X(fsync)                                                                                       \
    X(futex)                                                                                       \
    X(membarrier)                                                                                  \
    X(mlock2)                                                                                      \
    X(munlock)                                                                                     \
    X(newfstatat)                                                                                  \
    X(open)                                                                                        \
    X(ppoll)                                                                                       \
    X(pread64)                                                                                     \
    X(readv)                                                                                       \
    X(recvmsg)                                                                                     \
    X(renameat)                                                                                    \
    X(restart_syscall)                                                                             \
    X(rt_sigaction)                                                                                \
    X(rt_sigprocmask)                                                                              \
    X(rt_sigreturn)                                                                                \
    X(sched_yield)                                                                                 \
    X(shutdown)                                                                                    \
    X(statx)                                                                                       \
    X(unlinkat)

#endif

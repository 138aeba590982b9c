// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The system calls that are left to the process, as a program of the kernel's packet filter.
 * Private to sys/ and its tests: pure, the kernel is asked by confine_lock.c.
 * Model:  another architecture's calls (x32 too) end the process; a call of syscalls_ARCH.h is
 *         allowed; one with a rule in confine_filter.c is allowed with the right arguments; a few
 *         are answered with an error that the C library knows how to live with; all others get
 *         `otherwise`.
 */
#ifndef SYS_CONFINE_FILTER_H
#define SYS_CONFINE_FILTER_H
#include <stdint.h>

#include <linux/filter.h>

#define CONFINE_FILTER_MAX 512u

/// Returns the number of instructions written to `out`. `pid` is the only one to be signalled.
unsigned
confine_filter(struct sock_filter out[static CONFINE_FILTER_MAX], uint32_t pid, uint32_t otherwise);

#endif

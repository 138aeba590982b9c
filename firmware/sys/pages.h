// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Giving memory back to the kernel: pages that nobody needs now. They read as zero when they are
 * used again, and count as used only then. Works on guarded memory (secret_guard) as well.
 */
#ifndef SYS_PAGES_H
#define SYS_PAGES_H
#include <stdbool.h>
#include <stddef.h>

/// The whole pages inside an area. False if the kernel refuses: the bytes are then as they were.
bool pages_drop(void *from, size_t bytes);

#endif

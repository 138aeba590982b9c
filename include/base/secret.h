// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Memory for secrets: memfd_secret(2) where the kernel has it, else locked pages; never dumped,
 * not inherited by a child, wiped when closed. What was got is told, so that nobody believes in
 * more than there is.
 * Threads: main thread only.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H
#include <stddef.h>

#include "base/rc.h"
#include "base/span.h"

enum secret_kind {
    SECRET_NONE = 0,
    SECRET_MEMFD,  ///< not even the kernel's own map has the pages
    SECRET_LOCKED, ///< mlock(2) and MADV_DONTDUMP
};

struct secret {
    char *ptr; ///< NULL: closed
    size_t bytes;
    enum secret_kind kind;
};

/// A fresh area of at least `bytes`, zero. @retval RC_IO the kernel gives neither kind: nothing
/// weaker is used. @covtest
RC secret_open(struct secret *s, size_t bytes);
void secret_close(struct secret *s); ///< wiped and unmapped; closing twice is fine
const char *secret_kind_name(enum secret_kind kind);
/// Keep an existing, page-aligned area out of core dumps. @retval RC_IO @covtest
RC secret_hide(void *from, size_t bytes);
/// Keep an existing, page-aligned area out of core dumps and, page by page as it is used, out of
/// swap. @retval RC_IO the kernel refuses. @covtest
RC secret_guard(void *from, size_t bytes);

#endif

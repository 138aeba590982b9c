// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#define MLOCK_ONFAULT_FLAG 1 ///< MLOCK_ONFAULT of <linux/mman.h>: pages are locked as they are used

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1u) / page * page;
}

/// Since Linux 5.14, where it is switched on: the pages leave the kernel's own map.
static void *map_memfd(size_t bytes)
{
    int fd = (int)syscall(SYS_memfd_secret, 0);
    if (fd < 0) {
        return MAP_FAILED;
    }
    void *at = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0) {
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
    return at;
}

static void *map_locked(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return MAP_FAILED;
    }
    if (syscall(SYS_mlock2, at, bytes, 0) != 0 || madvise(at, bytes, MADV_DONTDUMP) != 0) {
        munmap(at, bytes);
        return MAP_FAILED;
    }
    return at;
}

RC secret_open(struct secret *s, size_t bytes)
{
    ASSERT(bytes > 0);
    size_t mapped = whole_pages(bytes);
    *s = (struct secret){.bytes = mapped, .kind = SECRET_MEMFD};
    void *at = map_memfd(mapped);
    if (at == MAP_FAILED) {
        s->kind = SECRET_LOCKED;
        at = map_locked(mapped);
    }
    if (at == MAP_FAILED) {
        *s = (struct secret){0};
        return RC_IO;
    }
    s->ptr = at;
    if (madvise(at, mapped, MADV_DONTFORK) != 0) { // a child would share the very pages
        secret_close(s);
        return RC_IO;
    }
    return RC_OK;
}

void secret_close(struct secret *s)
{
    if (s->ptr != NULL) {
        bytes_wipe(s->ptr, s->bytes);
        munmap(s->ptr, s->bytes);
    }
    *s = (struct secret){0};
}

const char *secret_kind_name(enum secret_kind kind)
{
    static const char *const names[] = {
        [SECRET_NONE] = "none", [SECRET_MEMFD] = "memfd_secret", [SECRET_LOCKED] = "locked"};
    ASSERT((size_t)kind < sizeof(names) / sizeof(names[0]));
    return names[kind];
}

RC secret_hide(void *from, size_t bytes)
{
    ASSERT((uintptr_t)from % whole_pages(1) == 0);
    return madvise(from, bytes, MADV_DONTDUMP) == 0 ? RC_OK : RC_IO;
}

RC secret_guard(void *from, size_t bytes)
{
    TRY(secret_hide(from, bytes));
    return syscall(SYS_mlock2, from, bytes, MLOCK_ONFAULT_FLAG) == 0 ? RC_OK : RC_IO;
}

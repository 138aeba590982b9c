// SPDX-License-Identifier: Apache-2.0
#include "app/files.h"

#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

RC file_read(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = 1;

    if (fd < 0) {
        return errno == ENOENT ? RC_NOTFOUND : RC_IO;
    }
    while (got > 0 && out->len < out->cap) {
        got = read(fd, out->ptr + out->len, out->cap - out->len);
        out->len += got > 0 ? (size_t)got : 0;
    }
    char more = 0;
    bool too_big = got > 0 && read(fd, &more, 1) > 0;
    close(fd);
    if (got < 0) {
        return RC_IO;
    }
    return too_big ? RC_TOOBIG : RC_OK;
}

RC file_path_beside(const char *beside, const char *name, struct buf *out)
{
    const char *slash = strrchr(beside, '/');

    if (name[0] != '/' && slash != NULL) {
        buf_put(out, (struct span){.ptr = beside, .len = (size_t)(slash - beside) + 1});
    }
    buf_put_str(out, name);
    return buf_terminate(out) ? RC_OK : RC_TOOBIG;
}

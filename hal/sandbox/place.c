// SPDX-License-Identifier: Apache-2.0
#include "place.h"

#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/device.h"

#define FOLDER_NAME     "sandbox"
#define TEXT_BYTES_MAX  256u
#define PRIVATE_FOLDER  S_IRWXU
#define PRIVATE_FILE    (S_IRUSR | S_IWUSR)
#define FOLDER_FLAGS    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define WORD_SEPARATORS " \t\n,"

/// Who starts as root gives up that right later: what was made must then still be ours.
static RC own_like_state(int state_fd, int fd)
{
    struct stat st;
    if (geteuid() != 0) {
        return RC_OK;
    }
    if (fstat(state_fd, &st) != 0 || fchown(fd, st.st_uid, st.st_gid) != 0) {
        return RC_IO;
    }
    return RC_OK;
}

RC sandbox_folder(int state_fd, int *folder_fd)
{
    bool made = mkdirat(state_fd, FOLDER_NAME, PRIVATE_FOLDER) == 0;
    if (!made && errno != EEXIST) {
        return device_rc(errno);
    }
    *folder_fd = openat(state_fd, FOLDER_NAME, FOLDER_FLAGS);
    if (*folder_fd < 0) {
        return device_rc(errno);
    }
    enum rc rc = made ? own_like_state(state_fd, *folder_fd) : RC_OK;
    if (rc != RC_OK) {
        close(*folder_fd);
        *folder_fd = -1;
    }
    return rc;
}

/// With O_EXCL first: only a file that we made ourselves is given away.
static RC open_or_make(int state_fd, int folder_fd, const char *name, int flags, int *fd)
{
    int rest = (flags & ~O_CREAT) | O_CLOEXEC | O_NOFOLLOW;
    *fd = openat(folder_fd, name, rest | O_CREAT | O_EXCL, PRIVATE_FILE);
    if (*fd >= 0) {
        return own_like_state(state_fd, *fd);
    }
    if (errno == EEXIST) {
        *fd = openat(folder_fd, name, rest);
    }
    return *fd >= 0 ? RC_OK : device_rc(errno);
}

RC sandbox_open(int state_fd, const char *name, int flags, int *fd)
{
    int folder_fd = -1;
    *fd = -1;
    if ((flags & O_CREAT) != 0) {
        TRY(sandbox_folder(state_fd, &folder_fd));
    } else {
        folder_fd = openat(state_fd, FOLDER_NAME, FOLDER_FLAGS);
        if (folder_fd < 0) {
            return device_rc(errno);
        }
    }
    enum rc rc = RC_OK;
    if ((flags & O_CREAT) != 0) {
        rc = open_or_make(state_fd, folder_fd, name, flags, fd);
    } else {
        *fd = openat(folder_fd, name, flags | O_CLOEXEC | O_NOFOLLOW);
        rc = *fd >= 0 ? RC_OK : device_rc(errno);
    }
    close(folder_fd);
    if (rc != RC_OK && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

RC sandbox_fifo(int state_fd, const char *name, int *fd)
{
    int folder_fd = -1;
    struct stat st;
    *fd = -1;
    TRY(sandbox_folder(state_fd, &folder_fd));
    bool made = mkfifoat(folder_fd, name, PRIVATE_FILE) == 0;
    enum rc rc = made || errno == EEXIST ? RC_OK : device_rc(errno);
    close(folder_fd);
    TRY(rc);
    TRY(sandbox_open(state_fd, name, O_RDWR | O_NONBLOCK, fd));
    if (fstat(*fd, &st) != 0 || !S_ISFIFO(st.st_mode)) {
        rc = RC_IO;
    } else if (made) {
        rc = own_like_state(state_fd, *fd);
    }
    if (rc != RC_OK) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}

/// Ends: out is full, or the file is at its end.
static RC read_all(int fd, struct buf *out)
{
    for (;;) {
        char more;
        bool full = out->len == out->cap;
        ssize_t got =
            full ? read(fd, &more, 1) : read(fd, out->ptr + out->len, out->cap - out->len);
        if (got <= 0) {
            return got == 0 ? RC_OK : RC_IO;
        }
        if (full) {
            return RC_TOOBIG;
        }
        out->len += (size_t)got;
    }
}

RC sandbox_read(int state_fd, const char *name, struct buf *out)
{
    int fd = -1;
    TRY(sandbox_open(state_fd, name, O_RDONLY | O_NONBLOCK, &fd));
    enum rc rc = read_all(fd, out);
    close(fd);
    return rc;
}

RC sandbox_rewrite_all(int fd, struct span line, size_t bytes)
{
    char text[SANDBOX_LONG_BYTES];
    ASSERT(line.len <= bytes && bytes <= sizeof(text));
    memset(text, '\n', bytes);
    memcpy(text, line.ptr, line.len);
    ssize_t written = pwrite(fd, text, bytes, 0);
    if (written < 0) {
        return device_rc(errno) == RC_FULL ? RC_FULL : RC_IO;
    }
    return (size_t)written == bytes ? RC_OK : RC_IO;
}

RC sandbox_rewrite(int fd, struct span line)
{
    return sandbox_rewrite_all(fd, line, SANDBOX_LINE_BYTES);
}

bool sandbox_has(int state_fd, const char *name)
{
    struct stat st;
    int folder_fd = openat(state_fd, FOLDER_NAME, FOLDER_FLAGS);
    if (folder_fd < 0) {
        return false;
    }
    bool has = fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    close(folder_fd);
    return has;
}

/// Takes the next word off *text; empty: none is left.
static struct span next_word(struct span *text)
{
    size_t at = 0, end;
    while (at < text->len && strchr(WORD_SEPARATORS, text->ptr[at]) != NULL) {
        at++;
    }
    for (end = at; end < text->len && strchr(WORD_SEPARATORS, text->ptr[end]) == NULL; end++) {
    }
    struct span word = span_sub(*text, at, end - at);
    *text = span_sub(*text, end, text->len);
    return word;
}

bool sandbox_absent(int state_fd, const char *device)
{
    char bytes[TEXT_BYTES_MAX];
    struct buf b = BUF(bytes);
    if (sandbox_read(state_fd, "absent", &b) != RC_OK) {
        return false;
    }
    struct span text = buf_span(&b);
    for (struct span word = next_word(&text); word.len > 0; word = next_word(&text)) {
        if (span_equal(word, span_from_str(device))) {
            return true;
        }
    }
    return false;
}

bool sandbox_number(struct span text, const char *key, uint64_t *out)
{
    struct span name = span_from_str(key);
    for (struct span word = next_word(&text); word.len > 0; word = next_word(&text)) {
        if (span_starts(word, name) && word.len > name.len && word.ptr[name.len] == '=') {
            return span_u64(span_sub(word, name.len + 1u, word.len), out);
        }
    }
    return false;
}

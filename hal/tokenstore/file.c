// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Token store in plain files: STATE/tokens/NAME, the directory 0700, the files 0600.
 * Format: magic "ATK1", length (32 bit, big endian), the value, CRC32C of all before it (32 bit,
 *         big endian).
 * A value is written to ".NAME.new", flushed, renamed, and the directory flushed: a power cut
 * leaves the old or the new one. Temporary files that a cut left behind are removed at open. The
 * checksum finds a broken disk, not an attacker.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "hal/tokenstore.h"

#include "name.h"

#define DIRECTORY_NAME "tokens"
#define MAGIC          0x41544b31u // "ATK1"
#define FRAME_BYTES    12u         // magic, length, checksum
#define FILE_BYTES_MAX (TOKENSTORE_VALUE_BYTES_MAX + FRAME_BYTES)
#define PATH_BYTES_MAX (TOKENSTORE_NAME_BYTES_MAX + 8u)
#define FILES_MAX      1024u // looked at when opening
#define OTHERS         (S_IRWXG | S_IRWXO)

static RC private_to_us(const struct stat *st)
{
    return (st->st_mode & OTHERS) == 0 && st->st_uid == geteuid() ? RC_OK : RC_DENIED;
}

static bool is_leftover(const char *file)
{
    size_t len = strlen(file);
    return len > 5 && file[0] == '.' && strcmp(file + len - 4u, ".new") == 0;
}

static RC check_file(int dir_fd, const char *file)
{
    if (strcmp(file, ".") == 0 || strcmp(file, "..") == 0) {
        return RC_OK;
    }
    if (is_leftover(file)) {
        return unlinkat(dir_fd, file, 0) == 0 ? RC_OK : RC_IO;
    }
    struct stat st;
    if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return RC_IO;
    }
    return S_ISREG(st.st_mode) ? private_to_us(&st) : RC_DENIED;
}

static RC check_files(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return RC_IO;
    }
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return RC_IO;
    }
    enum rc rc = RC_OK;
    for (unsigned i = 0; rc == RC_OK && i < FILES_MAX; i++) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            rc = errno == 0 ? RC_OK : RC_IO;
            break;
        }
        rc = check_file(dir_fd, entry->d_name);
    }
    closedir(dir);
    return rc;
}

/// Opens STATE/tokens, making it first; made says that it is new and STATE must be flushed.
static RC open_directory(int state_fd, int *dir_fd)
{
    bool made = mkdirat(state_fd, DIRECTORY_NAME, S_IRWXU) == 0;
    if (!made && errno != EEXIST) {
        return RC_IO;
    }
    *dir_fd = openat(state_fd, DIRECTORY_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*dir_fd < 0) {
        return RC_IO;
    }
    return !made || fsync(state_fd) == 0 ? RC_OK : RC_IO;
}

RC hal_tokenstore_open(struct tokenstore *t, const char *state_dir)
{
    t->dir_fd = -1;
    int state_fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state_fd < 0) {
        return RC_IO;
    }
    enum rc rc = open_directory(state_fd, &t->dir_fd);
    close(state_fd);
    struct stat st;
    if (rc == RC_OK) {
        rc = fstat(t->dir_fd, &st) == 0 ? private_to_us(&st) : RC_IO;
    }
    if (rc == RC_OK) {
        rc = check_files(t->dir_fd);
    }
    if (rc != RC_OK) {
        hal_tokenstore_close(t);
    }
    return rc;
}

void hal_tokenstore_close(struct tokenstore *t)
{
    if (t->dir_fd >= 0) {
        close(t->dir_fd);
    }
    t->dir_fd = -1;
}

// ---- one value --------------------------------------------------------------

/// "NAME", or ".NAME.new"; name was checked before.
static void put_path(char path[static PATH_BYTES_MAX], struct span name, bool temporary)
{
    int len = snprintf(path,
                       PATH_BYTES_MAX,
                       "%s%" PRISPAN "%s",
                       temporary ? "." : "",
                       SPANARG(name),
                       temporary ? ".new" : "");
    ASSERT(len > 0 && (size_t)len < PATH_BYTES_MAX);
}

static RC write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.ptr, bytes.len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return RC_IO;
        }
        bytes = span_sub(bytes, (size_t)done, bytes.len);
    }
    return RC_OK;
}

static RC write_file(int dir_fd, const char *path, struct span bytes)
{
    // A leftover of an earlier attempt may be there; O_EXCL then makes sure that it is our own
    // fresh file.
    if (unlinkat(dir_fd, path, 0) != 0 && errno != ENOENT) {
        return RC_IO;
    }
    int fd = openat(
        dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return RC_IO;
    }
    enum rc rc = write_all(fd, bytes);
    if (rc == RC_OK && fsync(fd) != 0) {
        rc = RC_IO;
    }
    if (close(fd) != 0) {
        rc = RC_IO;
    }
    return rc;
}

static RC replace(int dir_fd, struct span name, struct span bytes)
{
    char path[PATH_BYTES_MAX], temporary[PATH_BYTES_MAX];
    put_path(path, name, false);
    put_path(temporary, name, true);
    enum rc rc = write_file(dir_fd, temporary, bytes);
    if (rc == RC_OK && renameat(dir_fd, temporary, dir_fd, path) != 0) {
        rc = RC_IO;
    }
    if (rc != RC_OK) {
        unlinkat(dir_fd, temporary, 0);
        return rc;
    }
    return fsync(dir_fd) == 0 ? RC_OK : RC_IO;
}

RC hal_tokenstore_put(struct tokenstore *t, struct span name, struct span value)
{
    ASSERT(t->dir_fd >= 0);
    if (!tokenstore_name_ok(name)) {
        return RC_PARSE;
    }
    if (!tokenstore_value_ok(value)) {
        return RC_TOOBIG;
    }
    char frame[FILE_BYTES_MAX];
    struct buf b = BUF(frame);
    buf_put_be32(&b, MAGIC);
    buf_put_be32(&b, (uint32_t)value.len);
    buf_put(&b, value);
    buf_put_be32(&b, crc32c(0, buf_span(&b)));
    ASSERT(buf_ok(&b));
    enum rc rc = replace(t->dir_fd, name, buf_span(&b));
    bytes_wipe(frame, sizeof(frame));
    return rc;
}

static RC take_value(struct span file, struct buf *out)
{
    struct reader r = {.left = file};
    uint32_t magic = reader_be32(&r);
    uint32_t len = reader_be32(&r);
    struct span value = reader_bytes(&r, len);
    uint32_t sum = reader_be32(&r);
    if (!reader_ok(&r) || magic != MAGIC || !tokenstore_value_ok(value)) {
        return RC_CORRUPT;
    }
    if (sum != crc32c(0, span_sub(file, 0, file.len - sizeof(sum)))) {
        return RC_CORRUPT;
    }
    if (value.len > out->cap - out->len) {
        return RC_TOOBIG;
    }
    buf_put(out, value);
    return RC_OK;
}

static RC read_all(int fd, struct buf *file)
{
    while (file->len < file->cap) {
        ssize_t got = read(fd, file->ptr + file->len, file->cap - file->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return RC_IO;
        }
        if (got == 0) {
            return RC_OK;
        }
        file->len += (size_t)got;
    }
    return RC_CORRUPT; // longer than anything that put writes
}

static RC read_file(int fd, struct buf *file)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return RC_IO;
    }
    if (!S_ISREG(st.st_mode)) {
        return RC_DENIED;
    }
    TRY(private_to_us(&st));
    return read_all(fd, file);
}

RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out)
{
    ASSERT(t->dir_fd >= 0);
    if (!tokenstore_name_ok(name)) {
        return RC_NOTFOUND; // put refuses it, so it cannot be there
    }
    char path[PATH_BYTES_MAX];
    put_path(path, name, false);
    int fd = openat(t->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? RC_NOTFOUND : RC_IO;
    }
    char bytes[FILE_BYTES_MAX + 1u];
    struct buf file = BUF(bytes);
    enum rc rc = read_file(fd, &file);
    close(fd);
    if (rc == RC_OK) {
        rc = take_value(buf_span(&file), out);
    }
    bytes_wipe(bytes, sizeof(bytes));
    return rc;
}

RC hal_tokenstore_delete(struct tokenstore *t, struct span name)
{
    ASSERT(t->dir_fd >= 0);
    if (!tokenstore_name_ok(name)) {
        return RC_NOTFOUND;
    }
    char path[PATH_BYTES_MAX];
    put_path(path, name, false);
    if (unlinkat(t->dir_fd, path, 0) != 0) {
        return errno == ENOENT ? RC_NOTFOUND : RC_IO;
    }
    return fsync(t->dir_fd) == 0 ? RC_OK : RC_IO;
}

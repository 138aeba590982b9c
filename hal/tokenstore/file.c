// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Backend file: the KEK is derived from a device key, a file of 16 to 4096 bytes. It protects
 * against a copied disk only where that file is not on the disk. There is no counter: whoever
 * restores the whole directory is not found out.
 */
#include "file.h"

#include <errno.h>
#include <stdio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "hal/entropy.h"

#define KEK_INFO      "anteroom token store, backend file"
#define MADE_BYTES    32u
#define TEMPORARY     FILE_KEY_NAME ".new"
#define OTHERS        (S_IRWXG | S_IRWXO)
#define DEVICE_OF(fd) ((uintptr_t)(fd) + 1u) // 0: none

_Static_assert(TOKENSTORE_KEK_BYTES == CRYPTO_KEY_BYTES, "the KEK is one derived key");

enum tokenstore_class backend_class(void)
{
    return TOKENSTORE_CLASS_FILE;
}

static RC say(struct buf *missing, const char *path, const char *what, enum rc rc)
{
    buf_put_str(missing, "device key ");
    buf_put_str(missing, path);
    buf_put_str(missing, " (TOKENSTORE_KEY_FILE): ");
    buf_put_str(missing, what);
    return rc;
}

RC file_key_open(const char *path, int *fd, struct buf *missing)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        return errno == EACCES ? say(missing, path, "no permission", RC_DENIED)
                               : say(missing, path, "is not there", RC_UNSUPPORTED);
    }
    if (fstat(*fd, &st) != 0) {
        close(*fd);
        return say(missing, path, "cannot be read", RC_IO);
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & OTHERS) != 0) {
        close(*fd);
        return say(missing, path, "others can read it", RC_DENIED);
    }
    return RC_OK;
}

static RC read_key(int fd, struct buf *key)
{
    while (key->len < key->cap) {
        ssize_t got = pread(fd, key->ptr + key->len, key->cap - key->len, (off_t)key->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? RC_OK : RC_IO;
        }
        key->len += (size_t)got;
    }
    return RC_OK;
}

static bool is_one_byte(struct span key)
{
    for (size_t i = 1; i < key.len; i++) {
        if (key.ptr[i] != key.ptr[0]) {
            return false;
        }
    }
    return true;
}

RC file_key_derive(int fd, uint8_t kek[static TOKENSTORE_KEK_BYTES], struct buf *missing)
{
    char bytes[FILE_KEY_BYTES_MAX + 1u];
    struct buf key = BUF(bytes);
    enum rc rc = read_key(fd, &key);
    if (rc == RC_OK && (key.len < FILE_KEY_BYTES_MIN || key.len > FILE_KEY_BYTES_MAX ||
                        is_one_byte(buf_span(&key)))) {
        buf_put_str(missing, "device key: needs 16 to 4096 bytes, not all the same");
        rc = RC_UNSUPPORTED;
    }
    if (rc == RC_OK) {
        crypto_derive(buf_span(&key), SPAN(KEK_INFO), kek);
    }
    buf_wipe(&key);
    return rc;
}

RC backend_attach(struct tokenstore *t, struct buf *missing)
{
    int fd;
    if (CONFIG_TOKENSTORE_KEY_FILE[0] == '\0') {
        return RC_OK;
    }
    TRY(file_key_open(CONFIG_TOKENSTORE_KEY_FILE, &fd, missing));
    t->device = DEVICE_OF(fd);
    return RC_OK;
}

// ---- a key of its own -------------------------------------------------------

static RC write_key(int fd)
{
    uint8_t key[MADE_BYTES];
    hal_entropy_fill(key, sizeof(key));
    ssize_t done = write(fd, key, sizeof(key));
    bytes_wipe(key, sizeof(key));
    return done == (ssize_t)sizeof(key) && fsync(fd) == 0 ? RC_OK : RC_IO;
}

/// Whole or not at all: a part of a key is a key, too.
static RC make_own(int state_fd)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    if (unlinkat(state_fd, TEMPORARY, 0) != 0 && errno != ENOENT) {
        return RC_IO;
    }
    int fd = openat(state_fd, TEMPORARY, flags, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return RC_IO;
    }
    enum rc rc = write_key(fd);
    close(fd);
    TRY(rc);
    bool done = renameat(state_fd, TEMPORARY, state_fd, FILE_KEY_NAME) == 0;
    return done && fsync(state_fd) == 0 ? RC_OK : RC_IO;
}

static RC open_own(int state_fd, bool begun, int *fd, struct buf *missing)
{
    struct stat st;
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    *fd = openat(state_fd, FILE_KEY_NAME, flags);
    if (*fd < 0 && errno == ENOENT) {
        if (begun) {
            return say(missing, FILE_KEY_NAME, "is gone, and the store needs it", RC_UNSUPPORTED);
        }
        TRY(make_own(state_fd));
        *fd = openat(state_fd, FILE_KEY_NAME, flags);
    }
    if (*fd < 0) {
        return errno == EACCES || errno == ELOOP ? RC_DENIED : RC_IO;
    }
    bool ours = fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & OTHERS) == 0 &&
                st.st_uid == geteuid();
    if (!ours) {
        close(*fd);
    }
    return ours ? RC_OK : RC_DENIED;
}

RC backend_open(struct tokenstore *t, int state_fd, bool begun, struct buf *missing)
{
    uint8_t *kek = (uint8_t *)t->kek.ptr;
    int fd;
    if (t->device != 0) {
        return file_key_derive((int)t->device - 1, kek, missing);
    }
    TRY(open_own(state_fd, begun, &fd, missing));
    enum rc rc = file_key_derive(fd, kek, missing);
    close(fd);
    return rc;
}

void backend_close(struct tokenstore *t)
{
    if (t->device != 0) {
        close((int)t->device - 1);
    }
    t->device = 0;
}

RC backend_counter(struct tokenstore *t, uint64_t *value)
{
    (void)t;
    (void)value;
    return RC_UNSUPPORTED;
}

RC backend_raise(struct tokenstore *t, uint64_t to)
{
    (void)t;
    (void)to;
    return RC_UNSUPPORTED;
}

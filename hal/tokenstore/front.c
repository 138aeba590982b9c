// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What all backends do alike: arguments, the directory STATE/tokens (0700, its files 0600), and the
 * order of things.
 */
#include <errno.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

#include "record.h"

#define DIRECTORY_NAME "tokens"
#define FILES_MAX      1024u // looked at when opening
#define OTHERS         (S_IRWXG | S_IRWXO)

// ---- the directory ----------------------------------------------------------

static RC private_to_us(const struct stat *st)
{
    return (st->st_mode & OTHERS) == 0 && st->st_uid == geteuid() ? RC_OK : RC_DENIED;
}

static RC check_file(int dir_fd, const char *name)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? RC_OK : RC_IO; // another process removed it
    }
    return S_ISREG(st.st_mode) ? private_to_us(&st) : RC_DENIED;
}

/// A value, which cannot be there before the manifest is.
static RC refuse_value(int dir_fd, const char *name)
{
    (void)dir_fd;
    return name[0] == '.' && strcmp(name, RECORD_SIGNING_KEY) != 0 ? RC_OK : RC_CORRUPT;
}

static RC visit_all(DIR *dir, int dir_fd, RC (*visit)(int dir_fd, const char *name))
{
    for (unsigned i = 0; i < FILES_MAX; i++) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL) {
            return errno == 0 ? RC_OK : RC_IO;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            TRY(visit(dir_fd, entry->d_name));
        }
    }
    return RC_CORRUPT; // nothing of ours makes so many
}

RC tokenstore_each_file(int dir_fd, RC (*visit)(int dir_fd, const char *name))
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
    enum rc rc = visit_all(dir, dir_fd, visit);
    closedir(dir);
    return rc;
}

static RC make_directory(int state_fd)
{
    if (mkdirat(state_fd, DIRECTORY_NAME, S_IRWXU) == 0) {
        return fsync(state_fd) == 0 ? RC_OK : RC_IO;
    }
    return errno == EEXIST ? RC_OK : RC_IO;
}

static RC open_directory(struct tokenstore *t, int state_fd)
{
    struct stat st;
    t->dir_fd = openat(state_fd, DIRECTORY_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (t->dir_fd < 0) {
        return errno == EACCES ? RC_DENIED : errno == ENOENT ? RC_NOTFOUND : RC_IO;
    }
    TRY(fstat(t->dir_fd, &st) == 0 ? private_to_us(&st) : RC_IO);
    return tokenstore_each_file(t->dir_fd, check_file);
}

// ---- opening and closing ----------------------------------------------------

RC hal_tokenstore_attach(struct tokenstore *t, struct tokenstore_findings *found)
{
    struct buf missing = BUF(found->missing);
    *t = (struct tokenstore){.dir_fd = -1, .class = backend_class()};
    *found = (struct tokenstore_findings){0};
    enum rc rc = backend_attach(t, &missing);
    found->missing[missing.len < missing.cap ? missing.len : missing.cap - 1u] = '\0';
    if (rc != RC_OK) {
        hal_tokenstore_close(t);
    }
    return rc;
}

/// Looks at what is there before any key is asked for.
static RC look(struct tokenstore *t, struct tokenstore_findings *found, bool *begun)
{
    enum tokenstore_class stored = t->class;
    enum rc rc = record_peek(t, &stored);
    *begun = rc == RC_OK;
    if (rc == RC_NOTFOUND || rc == RC_CORRUPT) { // none, or the power went while it was made
        return tokenstore_each_file(t->dir_fd, refuse_value);
    }
    TRY(rc);
    found->downgraded = stored < t->class;
    return stored == t->class ? RC_OK : RC_CORRUPT;
}

/// One program at a time: else two of them make a KEK each, and one loses what it seals.
static RC
open_locked(struct tokenstore *t, int state_fd, bool make, struct tokenstore_findings *found)
{
    struct buf missing = BUF(found->missing);
    bool begun = false;
    TRY(look(t, found, &begun));
    if (!begun && !make) {
        return RC_NOTFOUND;
    }
    TRY(secret_open(&t->kek, TOKENSTORE_KEK_BYTES));
    enum rc rc = backend_open(t, state_fd, begun, &missing);
    found->missing[missing.len < missing.cap ? missing.len : missing.cap - 1u] = '\0';
    TRY(rc);
    // The backend ram took away what there was.
    return record_open(t, begun && t->class != TOKENSTORE_CLASS_RAM, found);
}

static RC open_all(struct tokenstore *t, int state_fd, bool make, struct tokenstore_findings *found)
{
    if (make) {
        TRY(make_directory(state_fd));
    }
    TRY(open_directory(t, state_fd));
    TRY(record_lock(t, LOCK_EX));
    enum rc rc = open_locked(t, state_fd, make, found);
    record_unlock(t);
    return rc;
}

/// The device stays: opening may be tried again.
static void leave(struct tokenstore *t)
{
    secret_close(&t->kek);
    if (t->dir_fd >= 0) {
        close(t->dir_fd);
    }
    t->dir_fd = -1;
}

static RC
open_or_leave(struct tokenstore *t, int state_fd, bool make, struct tokenstore_findings *found)
{
    ASSERT(t->class != TOKENSTORE_CLASS_ILLEGAL && t->dir_fd < 0); // attached, and not open
    *found = (struct tokenstore_findings){0};
    enum rc rc = open_all(t, state_fd, make, found);
    if (rc != RC_OK) {
        leave(t);
    }
    return rc;
}

RC hal_tokenstore_open(struct tokenstore *t, int state_fd, struct tokenstore_findings *found)
{
    return open_or_leave(t, state_fd, true, found);
}

RC hal_tokenstore_look(struct tokenstore *t, int state_fd, struct tokenstore_findings *found)
{
    return open_or_leave(t, state_fd, false, found);
}

void hal_tokenstore_close(struct tokenstore *t)
{
    if (t->class != TOKENSTORE_CLASS_ILLEGAL) {
        leave(t);
        backend_close(t);
    }
    *t = (struct tokenstore){.dir_fd = -1};
}

enum tokenstore_class hal_tokenstore_class(const struct tokenstore *t)
{
    return t->class;
}

const char *hal_tokenstore_class_name(enum tokenstore_class c)
{
    static const char *const names[] = {[TOKENSTORE_CLASS_TPM] = "tpm",
                                        [TOKENSTORE_CLASS_FILE] = "file",
                                        [TOKENSTORE_CLASS_RAM] = "ram"};
    ASSERT(c > TOKENSTORE_CLASS_ILLEGAL && c <= TOKENSTORE_CLASS_RAM);
    return names[c];
}

// ---- values -----------------------------------------------------------------

/// 1..TOKENSTORE_NAME_BYTES_MAX of [a-z0-9-], first a letter: never a path, never hidden.
static bool name_ok(struct span name)
{
    if (name.len == 0 || name.len > TOKENSTORE_NAME_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = c >= 'a' && c <= 'z';
        bool other = (c >= '0' && c <= '9') || c == '-';
        if (!letter && (i == 0 || !other)) {
            return false;
        }
    }
    return true;
}

RC hal_tokenstore_put(struct tokenstore *t, struct span name, struct span value)
{
    ASSERT(t->dir_fd >= 0);
    if (!name_ok(name)) {
        return RC_PARSE;
    }
    if (value.len == 0 || value.len > TOKENSTORE_VALUE_BYTES_MAX) {
        return RC_TOOBIG;
    }
    return record_put(t, name, value);
}

RC hal_tokenstore_get(struct tokenstore *t, struct span name, struct buf *out)
{
    ASSERT(t->dir_fd >= 0);
    return name_ok(name) ? record_get(t, name, out) : RC_NOTFOUND; // put refuses it
}

RC hal_tokenstore_delete(struct tokenstore *t, struct span name)
{
    ASSERT(t->dir_fd >= 0);
    return name_ok(name) ? record_delete(t, name) : RC_NOTFOUND;
}

// ---- signing key ------------------------------------------------------------

RC hal_tokenstore_make_key(struct tokenstore *t, bool *made)
{
    ASSERT(t->dir_fd >= 0);
    *made = false;
    return backend_make_key(t, made);
}

RC hal_tokenstore_drop_key(struct tokenstore *t)
{
    ASSERT(t->dir_fd >= 0);
    return backend_drop_key(t);
}

RC hal_tokenstore_public(struct tokenstore *t, struct buf *der)
{
    ASSERT(t->dir_fd >= 0);
    return backend_public(t, der);
}

RC hal_tokenstore_signs(struct tokenstore *t, enum tokenstore_signature *best)
{
    ASSERT(t->dir_fd >= 0);
    return backend_signs(t, best);
}

RC hal_tokenstore_sign(struct tokenstore *t,
                       enum tokenstore_signature kind,
                       const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                       struct buf *out)
{
    ASSERT(t->dir_fd >= 0);
    ASSERT(kind == TOKENSTORE_PS256 || kind == TOKENSTORE_RS256);
    return backend_sign(t, kind, digest, out);
}

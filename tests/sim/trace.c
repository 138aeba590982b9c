// SPDX-License-Identifier: Apache-2.0
#include "trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NODES_MAX   4096u
#define OPS_MAX     65536u
#define ARENA_BYTES (512u * 1024u * 1024u)
#define NODE_NONE   UINT32_MAX

ssize_t __real_write(int fd, const void *from, size_t bytes);
ssize_t __wrap_write(int fd, const void *from, size_t bytes);
ssize_t __real_pwrite(int fd, const void *from, size_t bytes, off_t at);
ssize_t __wrap_pwrite(int fd, const void *from, size_t bytes, off_t at);
ssize_t __real_writev(int fd, const struct iovec *v, int count);
ssize_t __wrap_writev(int fd, const struct iovec *v, int count);
ssize_t __real_pwritev(int fd, const struct iovec *v, int count, off_t at);
ssize_t __wrap_pwritev(int fd, const struct iovec *v, int count, off_t at);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t bytes);
int __wrap_ftruncate(int fd, off_t bytes);
int __real_posix_fallocate(int fd, off_t from, off_t bytes);
int __wrap_posix_fallocate(int fd, off_t from, off_t bytes);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int dir_fd, const char *path, int flags, ...);
int __wrap_openat(int dir_fd, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __real_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_unlinkat(int dir_fd, const char *path, int flags);

struct node {
    dev_t device;
    ino_t inode;
};

static struct {
    struct node nodes[NODES_MAX];
    uint32_t nodes_count;
    struct trace_op *ops; // shared: a forked reader does not copy the page tables
    size_t ops_count;
    uint8_t *arena;
    size_t arena_used;
    uint32_t old, new;
    pid_t owner; // children of what is recorded (they only read) do not record
    bool is_on, forgets_flushes;
} trace;

static void must(bool true_, const char *what)
{
    if (!true_) {
        (void)fprintf(stderr, "trace: %s\n", what);
        abort();
    }
}

static bool recording(void)
{
    return trace.is_on && trace.owner == getpid();
}

static uint32_t node_of(const struct stat *st)
{
    for (uint32_t i = trace.nodes_count; i > 0; i--) { // the newest: inode numbers come again
        if (trace.nodes[i - 1u].inode == st->st_ino && trace.nodes[i - 1u].device == st->st_dev) {
            return i - 1u;
        }
    }
    return NODE_NONE;
}

static uint32_t add_node(const struct stat *st)
{
    must(trace.nodes_count < NODES_MAX, "too many files");
    trace.nodes[trace.nodes_count] = (struct node){.device = st->st_dev, .inode = st->st_ino};
    return trace.nodes_count++;
}

static uint32_t node_of_fd(int fd)
{
    struct stat st;
    return recording() && fstat(fd, &st) == 0 ? node_of(&st) : NODE_NONE;
}

static struct trace_op *add_op(enum trace_kind kind, uint32_t node)
{
    must(trace.ops_count < OPS_MAX, "too many operations");
    struct trace_op *op = &trace.ops[trace.ops_count++];
    memset(op, 0, sizeof(*op));
    op->kind = kind;
    op->node = node;
    op->old = trace.old;
    op->new = trace.new;
    return op;
}

static void take_stock(const char *dir, uint32_t node);

void trace_begin(const char *dir)
{
    struct stat st;
    if (trace.ops == NULL) {
        int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
        trace.ops = mmap(NULL, OPS_MAX * sizeof(*trace.ops), PROT_READ | PROT_WRITE, flags, -1, 0);
        trace.arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
        must(trace.ops != MAP_FAILED && trace.arena != MAP_FAILED, "no memory");
    }
    must(stat(dir, &st) == 0, "no such directory");
    trace.ops_count = 0;
    trace.arena_used = 0;
    trace.nodes_count = 0;
    trace.old = 0;
    trace.new = 0;
    trace.owner = getpid();
    trace.is_on = true;
    take_stock(dir, add_node(&st)); // TRACE_ROOT
}

void trace_end(void)
{
    trace.is_on = false;
}

void trace_forget_flushes(bool forget)
{
    trace.forgets_flushes = forget;
}

void trace_may_be(uint32_t old, uint32_t new)
{
    trace.old = old;
    trace.new = new;
}

void trace_changes_to(uint32_t version)
{
    trace.new = version;
}

void trace_done(void)
{
    trace.old = trace.new;
    (void)add_op(TRACE_DONE, NODE_NONE);
}

size_t trace_count(void)
{
    return trace.ops_count;
}

const struct trace_op *trace_at(size_t i)
{
    return &trace.ops[i];
}

// ---- contents ---------------------------------------------------------------

// Sectors of a file as they are now; behind its end there are zeros.
static const uint8_t *read_sectors(int fd, uint32_t sector, uint32_t sectors)
{
    char path[40];
    size_t bytes = (size_t)sectors * TRACE_SECTOR_BYTES;
    size_t got = 0;
    must(bytes <= ARENA_BYTES - trace.arena_used, "too much data");
    uint8_t *to = trace.arena + trace.arena_used;
    trace.arena_used += bytes;
    memset(to, 0, bytes);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); // it may be open for writing only
    int reader = __real_open(path, O_RDONLY | O_CLOEXEC);
    must(reader >= 0, "cannot read back");
    for (ssize_t n = 1; n > 0 && got < bytes; got += (size_t)n) {
        n = pread(reader, to + got, bytes - got, (off_t)sector * TRACE_SECTOR_BYTES + (off_t)got);
        must(n >= 0, "cannot read back");
    }
    (void)close(reader);
    return to;
}

static void written(int fd, off_t at, ssize_t bytes)
{
    struct stat st;
    uint32_t node = node_of_fd(fd);
    if (node == NODE_NONE || bytes <= 0) {
        return;
    }
    int error = errno;
    must(fstat(fd, &st) == 0, "fstat");
    struct trace_op *op = add_op(TRACE_WRITE, node);
    op->sector = (uint32_t)((uint64_t)at / TRACE_SECTOR_BYTES);
    uint64_t end = (uint64_t)at + (uint64_t)bytes;
    op->sectors = (uint32_t)((end + TRACE_SECTOR_BYTES - 1u) / TRACE_SECTOR_BYTES) - op->sector;
    op->bytes = read_sectors(fd, op->sector, op->sectors);
    op->file_bytes = (uint64_t)st.st_size;
    op->at_once = (fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC)) != 0 && !trace.forgets_flushes;
    errno = error;
}

static off_t position(int fd)
{
    return node_of_fd(fd) == NODE_NONE ? 0 : lseek(fd, 0, SEEK_CUR);
}

ssize_t __wrap_write(int fd, const void *from, size_t bytes)
{
    off_t at = position(fd);
    ssize_t done = __real_write(fd, from, bytes);
    written(fd, at, done);
    return done;
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t bytes, off_t at)
{
    ssize_t done = __real_pwrite(fd, from, bytes, at);
    written(fd, at, done);
    return done;
}

ssize_t __wrap_writev(int fd, const struct iovec *v, int count)
{
    off_t at = position(fd);
    ssize_t done = __real_writev(fd, v, count);
    written(fd, at, done);
    return done;
}

ssize_t __wrap_pwritev(int fd, const struct iovec *v, int count, off_t at)
{
    ssize_t done = __real_pwritev(fd, v, count, at);
    written(fd, at, done);
    return done;
}

static void resized(int fd)
{
    struct stat st;
    uint32_t node = node_of_fd(fd);
    if (node == NODE_NONE) {
        return;
    }
    must(fstat(fd, &st) == 0, "fstat");
    add_op(TRACE_SIZE, node)->file_bytes = (uint64_t)st.st_size;
}

int __wrap_ftruncate(int fd, off_t bytes)
{
    struct stat st;
    bool shrinks = node_of_fd(fd) != NODE_NONE && fstat(fd, &st) == 0 && st.st_size > bytes;
    int code = __real_ftruncate(fd, bytes);
    if (code == 0) {
        resized(fd);
    }
    if (code == 0 && shrinks && bytes % TRACE_SECTOR_BYTES != 0) {
        written(fd, bytes - 1, 1); // the rest of its last sector is zero now
    }
    return code;
}

int __wrap_posix_fallocate(int fd, off_t from, off_t bytes)
{
    int code = __real_posix_fallocate(fd, from, bytes);
    if (code == 0) {
        resized(fd);
    }
    return code;
}

static void flushed(int fd)
{
    struct stat st;
    uint32_t node = node_of_fd(fd);
    if (node == NODE_NONE || trace.forgets_flushes) {
        return;
    }
    must(fstat(fd, &st) == 0, "fstat");
    (void)add_op(S_ISDIR(st.st_mode) ? TRACE_SYNC_DIR : TRACE_SYNC, node);
}

// Nothing here really cuts the power: a flush would only take time.
int __wrap_fsync(int fd)
{
    flushed(fd);
    return 0;
}

int __wrap_fdatasync(int fd)
{
    flushed(fd);
    return 0;
}

// ---- names ------------------------------------------------------------------

// Directory that a path names something in, and that name. false: not one of ours.
static bool place_of(int dir_fd, const char *path, uint32_t *dir, char name[TRACE_NAME_BYTES])
{
    char parent[1024];
    struct stat st;
    if (!recording()) {
        return false;
    }
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    size_t parent_bytes = slash == NULL ? 0 : (size_t)(slash - path) + 1u;
    must(parent_bytes + 2u < sizeof(parent), "long path");
    memcpy(parent, path, parent_bytes);
    memcpy(parent + parent_bytes, ".", 2);
    if (fstatat(dir_fd, parent, &st, 0) != 0 || (*dir = node_of(&st)) == NODE_NONE) {
        return false;
    }
    must(strlen(last) < TRACE_NAME_BYTES, "long name");
    (void)snprintf(name, TRACE_NAME_BYTES, "%s", last);
    return true;
}

static void made(uint32_t dir, const char *name, const struct stat *st)
{
    uint32_t node = add_node(st);
    struct trace_op *op = add_op(TRACE_CREATE, dir);
    op->made = node;
    op->is_dir = S_ISDIR(st->st_mode);
    op->mode = (uint16_t)(st->st_mode & 07777);
    (void)snprintf(op->name, sizeof(op->name), "%s", name);
}

static int open_traced(int dir_fd, const char *path, int flags, mode_t mode)
{
    char name[TRACE_NAME_BYTES];
    uint32_t dir = NODE_NONE;
    struct stat st;
    bool ours = (flags & (O_CREAT | O_TRUNC)) != 0 && place_of(dir_fd, path, &dir, name);
    bool is_new = ours && fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0;
    bool shrinks = ours && !is_new && (flags & O_TRUNC) != 0 && st.st_size > 0;
    int fd = __real_openat(dir_fd, path, flags, mode);
    if (fd >= 0 && is_new) {
        must(fstat(fd, &st) == 0, "fstat");
        made(dir, name, &st);
    }
    if (fd >= 0 && shrinks) {
        resized(fd);
    }
    return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_traced(AT_FDCWD, path, flags, mode);
}

int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_traced(dir_fd, path, flags, mode);
}

int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode)
{
    char name[TRACE_NAME_BYTES];
    uint32_t dir;
    struct stat st;
    int code = __real_mkdirat(dir_fd, path, mode);
    if (code == 0 && place_of(dir_fd, path, &dir, name)) {
        must(fstatat(dir_fd, path, &st, 0) == 0, "fstatat");
        made(dir, name, &st);
    }
    return code;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return __wrap_mkdirat(AT_FDCWD, path, mode);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    struct trace_op op = {.kind = TRACE_RENAME};
    bool ours = place_of(from_dir, from, &op.node, op.name);
    must(ours == place_of(to_dir, to, &op.made, op.to_name),
         "renamed into or out of the directory");
    int code = __real_renameat(from_dir, from, to_dir, to);
    if (code == 0 && ours) {
        struct trace_op *added = add_op(TRACE_RENAME, op.node);
        added->made = op.made;
        memcpy(added->name, op.name, sizeof(op.name));
        memcpy(added->to_name, op.to_name, sizeof(op.to_name));
    }
    return code;
}

int __wrap_rename(const char *from, const char *to)
{
    return __wrap_renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int __wrap_unlinkat(int dir_fd, const char *path, int flags)
{
    char name[TRACE_NAME_BYTES];
    uint32_t dir = NODE_NONE;
    bool ours = place_of(dir_fd, path, &dir, name);
    int code = __real_unlinkat(dir_fd, path, flags);
    if (code == 0 && ours) {
        struct trace_op *op = add_op(TRACE_REMOVE, dir);
        memcpy(op->name, name, sizeof(name));
    }
    return code;
}

int __wrap_unlink(const char *path)
{
    return __wrap_unlinkat(AT_FDCWD, path, 0);
}

// ---- what is there already --------------------------------------------------

static void take_file(const char *path, const char *name, uint32_t dir)
{
    struct stat st;
    must(stat(path, &st) == 0, "stat");
    made(dir, name, &st);
    uint32_t node = trace.nodes_count - 1u;
    if (S_ISDIR(st.st_mode)) {
        take_stock(path, node);
        return;
    }
    int fd = __real_open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0, "open");
    written(fd, 0, (ssize_t)st.st_size);
    resized(fd);
    (void)add_op(TRACE_SYNC, node);
    (void)close(fd);
}

static void take_stock(const char *dir, uint32_t node)
{
    char path[1024];
    DIR *listing = opendir(dir);
    must(listing != NULL, "opendir");
    for (const struct dirent *e = readdir(listing); e != NULL; e = readdir(listing)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            (void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
            take_file(path, e->d_name, node);
        }
    }
    (void)closedir(listing);
    (void)add_op(TRACE_SYNC_DIR, node);
}

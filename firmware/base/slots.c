// SPDX-License-Identifier: Apache-2.0
#include "base/slots.h"

#include <errno.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"

#define SLOT_BYTES_MAX (SLOTS_PAYLOAD_MAX + SLOTS_FRAME_BYTES)
#define SLOTS_COUNT    2
#define OTHERS         (S_IRWXG | S_IRWXO)

struct slot {
    char bytes[SLOT_BYTES_MAX];
    struct span payload; ///< in bytes
    uint64_t sequence;   ///< 0: not valid
};

static size_t slot_bytes(const struct slots *s)
{
    ASSERT(s->payload_max > 0 && s->payload_max <= SLOTS_PAYLOAD_MAX);
    size_t bytes = s->payload_max + SLOTS_FRAME_BYTES;
    return (bytes + SLOTS_SECTOR_BYTES - 1u) / SLOTS_SECTOR_BYTES * SLOTS_SECTOR_BYTES;
}

static RC refusal(void)
{
    switch (errno) {
    case ENOENT:
        return RC_NOTFOUND;
    case ENOSPC:
    case EDQUOT:
        return RC_FULL;
    case ELOOP: // a link in place of a file of ours
    case EISDIR:
    case ENXIO:
        return RC_DENIED;
    default:
        return RC_IO;
    }
}

static RC open_file(const struct slots *s, int flags, int *fd)
{
    struct stat st;
    *fd =
        openat(s->dir_fd, s->name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR);
    if (*fd < 0) {
        return refusal();
    }
    enum rc rc = RC_OK;
    if (fstat(*fd, &st) != 0) {
        rc = RC_IO;
    } else if (!S_ISREG(st.st_mode) || (st.st_mode & OTHERS) != 0 || st.st_uid != geteuid()) {
        rc = RC_DENIED;
    }
    if (rc != RC_OK) {
        close(*fd);
    }
    return rc;
}

/// Fewer bytes than asked for is the end of the file: the rest is zero, as in a slot never written.
static RC read_at(int fd, size_t at, char *bytes, size_t len)
{
    memset(bytes, 0, len);
    for (size_t have = 0; have < len;) {
        ssize_t got = pread(fd, bytes + have, len - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return RC_IO;
        }
        if (got == 0) {
            return RC_OK;
        }
        have += (size_t)got;
    }
    return RC_OK;
}

static RC write_at(int fd, size_t at, struct span bytes)
{
    while (bytes.len > 0) { // each turn makes it shorter
        ssize_t done = pwrite(fd, bytes.ptr, bytes.len, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 && refusal() == RC_FULL ? RC_FULL : RC_IO;
        }
        at += (size_t)done;
        bytes = span_sub(bytes, (size_t)done, bytes.len);
    }
    return RC_OK;
}

static RC read_slot(const struct slots *s, int fd, unsigned index, struct slot *slot)
{
    slot->sequence = 0;
    TRY(read_at(fd, index * slot_bytes(s), slot->bytes, slot_bytes(s)));
    struct reader r = {.left = {.ptr = slot->bytes, .len = slot_bytes(s)}};
    uint32_t magic = reader_be32(&r);
    uint64_t sequence = reader_be64(&r);
    uint32_t len = reader_be32(&r);
    if (magic != s->magic || len > s->payload_max) {
        return RC_OK;
    }
    slot->payload = reader_bytes(&r, len);
    size_t summed = (size_t)(r.left.ptr - slot->bytes);
    if (reader_be32(&r) == crc32c(0, (struct span){.ptr = slot->bytes, .len = summed})) {
        slot->sequence = sequence;
    }
    return RC_OK;
}

/// The newest valid slot into *slot, its index into *index. RC_CORRUPT: none is valid.
static RC newest(const struct slots *s, int fd, struct slot *slot, unsigned *index)
{
    uint64_t sequence[SLOTS_COUNT];
    for (unsigned i = SLOTS_COUNT; i-- > 0;) { // slot 0 is in *slot at the end
        TRY(read_slot(s, fd, i, slot));
        sequence[i] = slot->sequence;
    }
    *index = sequence[1] > sequence[0] ? 1 : 0;
    if (*index == 1) {
        TRY(read_slot(s, fd, 1, slot));
    }
    return slot->sequence > 0 ? RC_OK : RC_CORRUPT;
}

RC slots_read(const struct slots *s, struct buf *out, uint64_t *sequence)
{
    int fd;
    unsigned index;
    struct slot slot;
    TRY(open_file(s, O_RDONLY, &fd));
    enum rc rc = newest(s, fd, &slot, &index);
    close(fd);
    TRY(rc);
    if (slot.payload.len > out->cap - out->len) {
        return RC_TOOBIG;
    }
    buf_put(out, slot.payload);
    if (sequence != NULL) {
        *sequence = slot.sequence;
    }
    return RC_OK;
}

static void fill_slot(const struct slots *s, struct slot *slot, struct span payload)
{
    struct buf b = buf_of(slot->bytes, slot_bytes(s));
    memset(slot->bytes, 0, slot_bytes(s));
    buf_put_be32(&b, s->magic);
    buf_put_be64(&b, slot->sequence);
    buf_put_be32(&b, (uint32_t)payload.len);
    buf_put(&b, payload);
    buf_put_be32(&b, crc32c(0, buf_span(&b)));
    ASSERT(buf_ok(&b));
}

/// What a reader would see now is what was meant. The sum stands for the bytes.
static RC read_back(const struct slots *s, int fd, unsigned index, struct slot *slot)
{
    uint64_t meant = slot->sequence;
    uint32_t sum = crc32c(0, (struct span){.ptr = slot->bytes, .len = slot_bytes(s)});
    TRY(read_slot(s, fd, index, slot));
    bool same = sum == crc32c(0, (struct span){.ptr = slot->bytes, .len = slot_bytes(s)});
    return same && slot->sequence == meant ? RC_OK : RC_IO;
}

static RC write_next(const struct slots *s, int fd, struct span payload)
{
    struct slot slot;
    unsigned index;
    enum rc rc = newest(s, fd, &slot, &index);
    if (rc != RC_OK && rc != RC_CORRUPT) {
        return rc;
    }
    size_t at = 0, other = slot_bytes(s);
    if (rc == RC_OK) {
        index = 1u - index;
        at = index * other;
        slot.sequence++;
    } else { // a file of its full size, so that a full disk cannot hinder later writes
        memset(slot.bytes, 0, other);
        TRY(write_at(fd, other, (struct span){.ptr = slot.bytes, .len = other}));
        index = 0;
        slot.sequence = 1;
    }
    fill_slot(s, &slot, payload);
    rc = write_at(fd, at, (struct span){.ptr = slot.bytes, .len = slot_bytes(s)});
    if (rc == RC_OK) {
        // The directory each time: a first flush of it may have failed.
        rc = fsync(fd) == 0 && fsync(s->dir_fd) == 0 ? read_back(s, fd, index, &slot) : RC_IO;
    }
    if (rc != RC_OK) { // nobody shall read it as the newest
        memset(slot.bytes, 0, SLOTS_SECTOR_BYTES);
        rc_ignore(write_at(fd, at, (struct span){.ptr = slot.bytes, .len = SLOTS_SECTOR_BYTES}),
                  "the device fails already");
    }
    return rc;
}

RC slots_write(const struct slots *s, struct span payload)
{
    int fd;
    if (payload.len > s->payload_max) {
        return RC_TOOBIG;
    }
    enum rc rc = open_file(s, O_RDWR | O_CREAT, &fd);
    if (rc == RC_OK) {
        rc = write_next(s, fd, payload);
        close(fd);
    }
    return rc == RC_NOTFOUND ? RC_IO : rc;
}

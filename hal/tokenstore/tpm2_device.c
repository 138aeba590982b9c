// SPDX-License-Identifier: Apache-2.0
#include "tpm2_device.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"

#define HEADER_BYTES 10u // tag, size, code
#define SIZE_AT      2u
#define MAGIC        UINT64_C(0x414e5445524f4f4d)
#define TELL_MS      1000

static int64_t now_ms(void)
{
    struct timespec t;
    int failed = clock_gettime(CLOCK_MONOTONIC, &t);
    ASSERT(failed == 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/// False at the deadline.
static bool wait_for(struct tpm2_device *d, short events)
{
    for (;;) {
        int64_t left_ms = d->deadline_ms - now_ms();
        bool tells = d->while_waiting != NULL && left_ms > TELL_MS;
        int64_t wait_ms = tells ? TELL_MS : left_ms;
        struct pollfd p = {.fd = d->fd, .events = events};
        int ready = poll(&p, 1, wait_ms > 0 ? (int)wait_ms : 0);
        if (ready > 0) {
            return true; // or gone: the read or write tells
        }
        if (ready == 0 && tells) {
            d->while_waiting(d->context);
        }
        if (ready == 0 && left_ms <= 0) {
            d->late = true;
            return false;
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
}

static TSS2_RC broken(struct tpm2_device *d)
{
    d->owed = false;
    d->have = 0;
    return TSS2_TCTI_RC_IO_ERROR;
}

/// Bytes of the whole answer; 0: its header is not here yet, or is nonsense.
static size_t announced(const struct tpm2_device *d)
{
    if (d->have < HEADER_BYTES) {
        return 0;
    }
    uint32_t bytes = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes = bytes << 8 | d->answer[SIZE_AT + i];
    }
    return bytes >= HEADER_BYTES && bytes <= sizeof(d->answer) ? bytes : 0;
}

/// Some of the answer. False: the device fails, or the deadline passed (late).
static bool take_some(struct tpm2_device *d)
{
    if (!wait_for(d, POLLIN)) {
        return false;
    }
    ssize_t got = read(d->fd, d->answer + d->have, sizeof(d->answer) - d->have);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    d->have += (size_t)got;
    return got > 0;
}

/// Until the answer that is owed is whole. The kernel gives it in one piece.
static TSS2_RC take_answer(struct tpm2_device *d)
{
    while (announced(d) == 0 || d->have < announced(d)) {
        if (d->have >= HEADER_BYTES && announced(d) == 0) {
            return broken(d);
        }
        if (!take_some(d)) {
            return d->late ? TSS2_TCTI_RC_IO_ERROR : broken(d);
        }
    }
    d->owed = false;
    return TSS2_RC_SUCCESS;
}

static TSS2_RC write_all(struct tpm2_device *d, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(d->fd, bytes, len);
        if (put > 0) {
            bytes += put;
            len -= (size_t)put;
            continue;
        }
        bool full = put < 0 && (errno == EAGAIN || errno == EBUSY);
        if (full && errno == EBUSY) { // the kernel still works on the last command
            d->late = true;
            return TSS2_TCTI_RC_IO_ERROR;
        }
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (!full || !wait_for(d, POLLOUT)) {
            return TSS2_TCTI_RC_IO_ERROR;
        }
    }
    return TSS2_RC_SUCCESS;
}

static struct tpm2_device *of(TSS2_TCTI_CONTEXT *tcti)
{
    return (struct tpm2_device *)tcti;
}

/// Takes in what is owed, if it is here by now: whoever waited for it once does not do so again.
static TSS2_RC settle(struct tpm2_device *d)
{
    if (!d->owed) {
        return TSS2_RC_SUCCESS;
    }
    int64_t deadline_ms = d->deadline_ms;
    d->deadline_ms = 0;
    TSS2_RC rc = take_answer(d);
    d->deadline_ms = deadline_ms;
    return rc;
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t size, const uint8_t *command)
{
    struct tpm2_device *d = of(tcti);
    d->late = false;
    TSS2_RC rc = settle(d);
    if (rc != TSS2_RC_SUCCESS) {
        return rc;
    }
    d->have = 0;
    rc = write_all(d, command, size);
    d->owed = rc == TSS2_RC_SUCCESS;
    return rc;
}

/// @param timeout_ms  the library's, which is endless: ours counts.
static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *out, int32_t timeout_ms)
{
    struct tpm2_device *d = of(tcti);
    (void)timeout_ms;
    if (out == NULL) {
        *size = sizeof(d->answer);
        return TSS2_RC_SUCCESS;
    }
    TSS2_RC rc = take_answer(d);
    if (rc != TSS2_RC_SUCCESS) {
        return rc;
    }
    size_t bytes = announced(d);
    if (bytes > *size) {
        return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
    }
    memcpy(out, d->answer, bytes);
    bytes_wipe(d->answer, bytes);
    d->have = 0;
    *size = bytes;
    return TSS2_RC_SUCCESS;
}

static void finalize(TSS2_TCTI_CONTEXT *tcti)
{
    (void)tcti; // whoever opened the device closes it
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *tcti)
{
    (void)tcti;
    return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

static TSS2_RC
poll_handles(TSS2_TCTI_CONTEXT *tcti, TSS2_TCTI_POLL_HANDLE *handles, size_t *handles_count)
{
    (void)tcti;
    (void)handles;
    (void)handles_count;
    return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *tcti, uint8_t locality)
{
    (void)tcti;
    (void)locality;
    return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

RC tpm2_device_open(struct tpm2_device *d, const char *path)
{
    memset(d, 0, sizeof(*d));
    d->tcti = (TSS2_TCTI_CONTEXT_COMMON_V1){.magic = MAGIC,
                                            .version = 1,
                                            .transmit = transmit,
                                            .receive = receive,
                                            .finalize = finalize,
                                            .cancel = cancel,
                                            .getPollHandles = poll_handles,
                                            .setLocality = set_locality};
    // Not blocking: since Linux 4.20 the command then goes its way while we wait with a deadline.
    d->fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (d->fd >= 0) {
        return RC_OK;
    }
    switch (errno) {
    case EACCES:
    case EPERM:
        return RC_DENIED;
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
        return RC_UNSUPPORTED;
    case EBUSY:
        return RC_RETRY;
    default:
        return RC_IO;
    }
}

void tpm2_device_close(struct tpm2_device *d)
{
    if (d->fd >= 0) {
        close(d->fd);
    }
    bytes_wipe(d->answer, sizeof(d->answer));
    d->fd = -1;
}

void tpm2_device_within(struct tpm2_device *d, int64_t ms)
{
    d->began_ms = now_ms();
    d->deadline_ms = d->began_ms + ms;
}

uint32_t tpm2_device_spent_ms(const struct tpm2_device *d)
{
    return (uint32_t)(now_ms() - d->began_ms);
}

RC tpm2_device_ask(struct tpm2_device *d, struct span command, struct span *answer)
{
    TSS2_TCTI_CONTEXT *tcti = (TSS2_TCTI_CONTEXT *)d;
    TSS2_RC rc = transmit(tcti, command.len, (const uint8_t *)command.ptr);
    if (rc == TSS2_RC_SUCCESS) {
        rc = take_answer(d);
    }
    if (rc != TSS2_RC_SUCCESS) {
        return d->late ? RC_RETRY : RC_IO;
    }
    *answer = (struct span){.ptr = (const char *)d->answer, .len = announced(d)};
    return RC_OK;
}

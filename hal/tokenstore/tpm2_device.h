// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The way to the TPM: one open device, one command at a time, and no wait without end.
 * The library's own device TCTI waits for an answer for ever and opens the device again by itself;
 * this one stops at a deadline, keeps count of an answer that is still owed, and needs the device
 * opened only once, while we may still.
 * Model:  a command is written; its answer, however many reads it takes, must be whole at the
 *         deadline. Otherwise the call fails with `late`, and the next command first takes in what
 *         is owed.
 * Memory: one answer.
 */
#ifndef TOKENSTORE_TPM2_DEVICE_H
#define TOKENSTORE_TPM2_DEVICE_H
#include <stdbool.h>
#include <stdint.h>

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tpm2_types.h>

#include "base/rc.h"
#include "base/span.h"

struct tpm2_device {
    TSS2_TCTI_CONTEXT_COMMON_V1 tcti;     ///< first: the library sees only this
    int fd;                               ///< -1: closed
    int64_t began_ms, deadline_ms;        ///< of the call, CLOCK_MONOTONIC
    bool owed;                            ///< a command was written, its answer is not here yet
    bool late;                            ///< the last failure was the deadline's, not the device's
    size_t have;                          ///< bytes in answer
    void (*while_waiting)(void *context); ///< every second of a wait; may be NULL
    void *context;
    uint8_t answer[TPM2_MAX_RESPONSE_SIZE];
};

/// @retval RC_UNSUPPORTED  there is no such device.  @retval RC_DENIED  no permission.
/// @retval RC_RETRY  somebody else has it open.  @retval RC_IO
RC tpm2_device_open(struct tpm2_device *d, const char *path);
void tpm2_device_close(struct tpm2_device *d);
/// Whatever happens from here on is over within `ms`.
void tpm2_device_within(struct tpm2_device *d, int64_t ms);
uint32_t tpm2_device_spent_ms(const struct tpm2_device *d); ///< since then
/// One command, without the library. @param answer  what the TPM said, in the device's own memory.
/// @retval RC_RETRY the deadline passed. @retval RC_IO
RC tpm2_device_ask(struct tpm2_device *d, struct span command, struct span *answer);

#endif

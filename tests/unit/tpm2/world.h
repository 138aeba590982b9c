// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * One store on a TPM in software, below the front of hal/tokenstore.h, and the time and the device
 * as it sees them.
 */
#ifndef TESTS_TPM2_WORLD_H
#define TESTS_TPM2_WORLD_H
#include <poll.h>

#include "state_dir.h"
#include "tokenstore_tpm2/backend.h"
#include "tokenstore_tpm2/tpm2.h"

struct clock_of_test {
    bool ours;        ///< nothing ever arrives, and no time is really waited
    bool short_waits; ///< real ones, but no longer than it takes this TPM
    int64_t ms;
};

struct box {
    struct tokenstore t;
    char missing[96];
    struct state_dir dir;
};

extern struct clock_of_test clock_of_test;
extern int open_fails; ///< errno of the next open of a device, or 0
extern struct box box;
extern const uint8_t digest[TOKENSTORE_DIGEST_BYTES];

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

RC attach(void);
RC open_store(bool begun);
void close_store(void);
void reopen(void);
RC sign(enum tokenstore_signature kind);
/// Somebody else's command, in hexadecimal, which the TPM takes.
void tpm_does(const char *hex);

int fresh(void **unused);    ///< a new store
int with_key(void **unused); ///< with a signing key
int over(void **unused);

#endif

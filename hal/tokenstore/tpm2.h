// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Token store in a TPM 2.0: what its files share. Private to hal/tokenstore.
 *   tpm2.c          the backend's calls: attach, open, close; the KEK
 *   tpm2_device.c   the way to the device
 *   tpm2_session.c  results, sessions, the storage primary
 *   tpm2_object.c   sealed objects and their records
 *   tpm2_key.c      the signing key
 *   tpm2_counter.c  the counter against rollback
 * Model:   all hangs below the storage primary (ECC P-256, made from the TPM's own seed, the same
 *          each time). KEK and signing key are its children, fixed to this TPM, and only to be used
 *          while the PCRs are what they were when they were made. What is secret crosses the bus
 *          encrypted, in a session that is salted with the primary, whose name is remembered: it
 *          cannot be passed off by somebody on the bus later on.
 * Objects: each call flushes what it loaded, but the primary and the signing key stay (with the
 *          kernel's resource manager that costs the TPM nothing).
 * Failures: what is lost in between (a late answer, an answer that is nonsense) makes the next call
 *          take up the TPM again from the start; nothing is repeated within a call.
 */
#ifndef TOKENSTORE_TPM2_H
#define TOKENSTORE_TPM2_H
#include <tss2/tss2_esys.h>

#include "hal/tokenstore.h"

#include "tpm2_device.h"

struct tpm2 {
    struct tpm2_device device;
    ESYS_CONTEXT *esys; ///< NULL: to be taken up again
    bool lost;          ///< the library's state is not the TPM's any more
    ESYS_TR primary;
    TPM2B_NAME primary_name;
    bool known;      ///< the KEK was opened under this primary: no other one is taken from now on
    ESYS_TR counter; ///< ESYS_TR_NONE: not looked for
    ESYS_TR key;     ///< the signing key; ESYS_TR_NONE: not loaded
    uint32_t key_pcrs;
    enum tokenstore_signature key_signs;
};

/// A child of the primary, as it is stored.
struct tpm2_object {
    uint32_t pcrs; ///< bit n: PCR n of the SHA-256 bank
    uint8_t signs; ///< enum tokenstore_signature; the KEK's: 0
    TPM2B_NAME parent;
    TPM2B_PUBLIC public_part;
    TPM2B_PRIVATE private_part; ///< encrypted by the TPM
};

enum tpm2_use {
    TPM2_HIDE_COMMAND, ///< HMAC; the first parameter is encrypted on its way to the TPM
    TPM2_HMAC,         ///< HMAC: nobody in between changes a thing
    TPM2_POLICY_TRIAL, ///< computes a policy
    TPM2_POLICY,       ///< satisfies one
    TPM2_POLICY_HIDE,  ///< satisfies one; the first answered parameter is encrypted
};

// ---- tpm2_session.c ---------------------------------------------------------

struct tpm2 *tpm2_of(const struct tokenstore *t);
/// What a result of the library means for the caller; notes whether the TPM was lost.
RC tpm2_result(struct tpm2 *p, TSS2_RC rc);
/// Begin a call: everything is over within `ms`; take up the TPM again if it was lost.
RC tpm2_begin(struct tpm2 *p, int64_t ms);
/// After it: let go what was lost. Gives rc back.
RC tpm2_end(struct tpm2 *p, enum rc rc);
/// Let go of everything on our side of the device.
void tpm2_let_go(struct tpm2 *p);
/// Whatever is loaded in our space of the TPM goes: left by somebody who was killed, or by us when
/// an answer was lost.
RC tpm2_sweep(struct tpm2_device *d);
RC tpm2_session(struct tpm2 *p, enum tpm2_use use, ESYS_TR *session);
/// The session's policy: these PCRs as they are now.
RC tpm2_pcr_policy(struct tpm2 *p, uint32_t pcrs, ESYS_TR session);
/// Does the TPM have a SHA-256 bank of these PCRs? A policy over others would bind nothing.
/// @retval RC_UNSUPPORTED it does not.
RC tpm2_pcrs_there(struct tpm2 *p, uint32_t pcrs);
/// Of a session or an object; *handle becomes ESYS_TR_NONE.
void tpm2_flush(struct tpm2 *p, ESYS_TR *handle);

// ---- tpm2_object.c ----------------------------------------------------------

/// Make a child of the primary whose use needs the board's PCRs as they are now. `public` gives its
/// kind; what all have in common is filled in.
RC tpm2_object_make(struct tpm2 *p,
                    const TPM2B_SENSITIVE_CREATE *sensitive,
                    TPM2B_PUBLIC *public_part,
                    struct tpm2_object *o);
RC tpm2_object_load(struct tpm2 *p, const struct tpm2_object *o, ESYS_TR *handle);
/// @param name  of its file, a literal. @retval RC_NOTFOUND @retval RC_CORRUPT @retval RC_IO
RC tpm2_object_read(int dir_fd, const char *name, struct tpm2_object *o);
RC tpm2_object_write(int dir_fd, const char *name, const struct tpm2_object *o);

// ---- tpm2_counter.c ---------------------------------------------------------

/// Make the counter if the TPM does not have it. @retval RC_UNSUPPORTED the index is another's.
RC tpm2_counter_open(struct tpm2 *p, struct buf *missing);

#endif

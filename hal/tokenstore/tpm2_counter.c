// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A counter in the TPM's own memory: it only grows, and one that is removed and made anew begins
 * above all that ever were. Whoever is root on this box can raise it, which we would notice as a
 * rollback that was none: a false alarm, never a missed one. Read in an HMAC session, so that
 * nobody on the bus can say an older value.
 */
#include "base/bytes.h"

#include "backend.h"
#include "tpm2.h"

#define NONE            ESYS_TR_NONE
#define COUNTER_BYTES   8u
#define RAISE_STEPS_MAX 16u
#define COUNTER_ATTRIBUTES                                                                         \
    ((TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE |           \
     TPMA_NV_NO_DA)

static RC check(struct tpm2 *p)
{
    TPM2B_NV_PUBLIC *public_part = NULL;
    TRY(tpm2_result(p,
                    Esys_NV_ReadPublic(p->esys, p->counter, NONE, NONE, NONE, &public_part, NULL)));
    TPMA_NV attributes = public_part->nvPublic.attributes & ~TPMA_NV_WRITTEN;
    bool ours = attributes == COUNTER_ATTRIBUTES && public_part->nvPublic.dataSize == COUNTER_BYTES;
    Esys_Free(public_part);
    return ours ? RC_OK : RC_UNSUPPORTED;
}

/// @retval RC_NOTFOUND  there is no such index.  @retval RC_UNSUPPORTED  it is somebody else's.
static RC find(struct tpm2 *p)
{
    if (p->counter != NONE) {
        return RC_OK;
    }
    TSS2_RC said =
        Esys_TR_FromTPMPublic(p->esys, CONFIG_TPM_NV_INDEX, NONE, NONE, NONE, &p->counter);
    enum rc rc = tpm2_result(p, said);
    if (rc == RC_OK) {
        rc = check(p);
    }
    if (rc != RC_OK) {
        p->counter = NONE;
    }
    return (said & (TPM2_RC_FMT1 | 0x3fu)) == TPM2_RC_HANDLE ? RC_NOTFOUND : rc;
}

static RC increment(struct tpm2 *p)
{
    return tpm2_result(
        p, Esys_NV_Increment(p->esys, p->counter, p->counter, ESYS_TR_PASSWORD, NONE, NONE));
}

static RC define(struct tpm2 *p)
{
    const TPM2B_AUTH no_password = {0};
    const TPM2B_NV_PUBLIC counter = {.nvPublic = {.nvIndex = CONFIG_TPM_NV_INDEX,
                                                  .nameAlg = TPM2_ALG_SHA256,
                                                  .attributes = COUNTER_ATTRIBUTES,
                                                  .dataSize = COUNTER_BYTES}};
    ESYS_TR index;
    TRY(tpm2_result(p,
                    Esys_NV_DefineSpace(p->esys,
                                        ESYS_TR_RH_OWNER,
                                        ESYS_TR_PASSWORD,
                                        NONE,
                                        NONE,
                                        &no_password,
                                        &counter,
                                        &index)));
    return tpm2_result(p, Esys_TR_Close(p->esys, &index));
}

static RC read_index(struct tpm2 *p, uint64_t *value)
{
    ESYS_TR session;
    TPM2B_MAX_NV_BUFFER *data = NULL;
    TSS2_RC said = TSS2_RC_SUCCESS;
    enum rc rc = tpm2_session(p, TPM2_HMAC, &session);
    if (rc == RC_OK) {
        said = Esys_NV_Read(
            p->esys, p->counter, p->counter, session, NONE, NONE, COUNTER_BYTES, 0, &data);
        rc = tpm2_result(p, said);
    }
    tpm2_flush(p, &session);
    if (said == TPM2_RC_NV_UNINITIALIZED) { // defined, then the power went
        return RC_NOTFOUND;
    }
    TRY(rc);
    struct reader r = {.left = {.ptr = (const char *)data->buffer, .len = data->size}};
    *value = reader_be64(&r);
    bool whole = reader_ok(&r);
    Esys_Free(data);
    return whole ? RC_OK : RC_IO;
}

static RC open_index(struct tpm2 *p)
{
    uint64_t value;
    enum rc rc = find(p);
    if (rc == RC_NOTFOUND) {
        TRY(define(p));
        rc = find(p);
    }
    TRY(rc);
    rc = read_index(p, &value);
    return rc == RC_NOTFOUND ? increment(p) : rc; // a counter has no value before
}

RC tpm2_counter_open(struct tpm2 *p, struct buf *missing)
{
    enum rc rc = open_index(p);
    if (rc == RC_UNSUPPORTED) {
        buf_put_str(missing, "TPM: the index of CONFIG_TPM_NV_INDEX is used by something else");
    }
    if (rc == RC_DENIED) {
        buf_put_str(missing, "TPM: its owner's password is set, no counter can be made");
        rc = RC_UNSUPPORTED;
    }
    return rc;
}

static RC read_counter(struct tpm2 *p, uint64_t *value)
{
    TRY(find(p));
    return read_index(p, value);
}

RC backend_counter(struct tokenstore *t, uint64_t *value)
{
    struct tpm2 *p = tpm2_of(t);
    TRY(tpm2_begin(p, TOKENSTORE_BLOCK_MS_MAX));
    enum rc rc = read_counter(p, value);
    return tpm2_end(p, rc == RC_OK || rc == RC_RETRY ? rc : RC_IO);
}

static RC raise(struct tpm2 *p, uint64_t to)
{
    uint64_t value;
    TRY(find(p));
    for (unsigned i = 0; i < RAISE_STEPS_MAX; i++) {
        TRY(read_index(p, &value));
        if (value >= to) {
            return RC_OK;
        }
        TRY(increment(p));
    }
    return RC_IO;
}

RC backend_raise(struct tokenstore *t, uint64_t to)
{
    struct tpm2 *p = tpm2_of(t);
    TRY(tpm2_begin(p, TOKENSTORE_BLOCK_MS_MAX));
    enum rc rc = raise(p, to);
    return tpm2_end(p, rc == RC_OK || rc == RC_RETRY ? rc : RC_IO);
}

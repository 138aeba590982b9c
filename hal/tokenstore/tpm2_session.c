// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

#include "tpm2.h"

#define NONE ESYS_TR_NONE

// ---- what a result means ----------------------------------------------------

/// The TPM's own answer (TPM 2.0 part 2, 6.6): with format bit, the low six bits are the error, the
/// rest says of which parameter.
static RC of_answer(TPM2_RC code)
{
    if ((code & TPM2_RC_FMT1) != 0) {
        switch (code & (TPM2_RC_FMT1 | 0x3fu)) {
        case TPM2_RC_POLICY_FAIL:
            return RC_STALE;
        case TPM2_RC_INTEGRITY:
            return RC_CORRUPT;
        case TPM2_RC_AUTH_FAIL:
        case TPM2_RC_BAD_AUTH:
            return RC_DENIED;
        default:
            return RC_IO;
        }
    }
    // Warnings: no room for one more object, busy, testing, locked out, canceled, its own memory
    // resting. And a PCR that moved while we looked at it.
    bool passes = (code & TPM2_RC_WARN) == TPM2_RC_WARN || code == TPM2_RC_PCR_CHANGED;
    return passes ? RC_RETRY : RC_IO;
}

RC tpm2_result(struct tpm2 *p, TSS2_RC rc)
{
    if (rc == TSS2_RC_SUCCESS) {
        return RC_OK;
    }
    TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
    if (layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER) {
        TPM2_RC code = rc & ~TSS2_RC_LAYER_MASK;
        // What we had loaded is not there any more: reset, or somebody else swept.
        p->lost = p->lost || (code >= TPM2_RC_REFERENCE_H0 && code <= TPM2_RC_REFERENCE_S6);
        return of_answer(code);
    }
    p->lost = true;
    bool memory = (rc & ~TSS2_RC_LAYER_MASK) == TSS2_BASE_RC_MEMORY;
    return p->device.late || memory ? RC_RETRY : RC_IO;
}

// ---- the primary ------------------------------------------------------------

/// The storage primary of the TCG's provisioning guidance: other software on the box may use the
/// same one.
static const TPM2B_PUBLIC primary_template = {
    .publicArea = {
        .type = TPM2_ALG_ECC,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                            TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                            TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
        .parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                               .keyBits.aes = 128,
                                               .mode.aes = TPM2_ALG_CFB},
                                 .scheme.scheme = TPM2_ALG_NULL,
                                 .curveID = TPM2_ECC_NIST_P256,
                                 .kdf.scheme = TPM2_ALG_NULL},
        .unique.ecc = {.x.size = 32, .y.size = 32},
    }};

static RC make_primary(struct tpm2 *p)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    TRY(tpm2_result(p,
                    Esys_CreatePrimary(p->esys,
                                       ESYS_TR_RH_OWNER,
                                       ESYS_TR_PASSWORD,
                                       NONE,
                                       NONE,
                                       &sensitive,
                                       &primary_template,
                                       &outside,
                                       &pcrs,
                                       &p->primary,
                                       NULL,
                                       NULL,
                                       NULL,
                                       NULL)));
    TPM2B_NAME *name = NULL;
    TRY(tpm2_result(p, Esys_TR_GetName(p->esys, p->primary, &name)));
    struct span now = {.ptr = (const char *)name->name, .len = name->size};
    struct span then = {.ptr = (const char *)p->primary_name.name, .len = p->primary_name.size};
    bool other = p->known && !span_equal(now, then); // cleared since, or somebody in between
    if (!other) {
        p->primary_name = *name;
    }
    Esys_Free(name);
    return other ? RC_STALE : RC_OK;
}

// ---- calls ------------------------------------------------------------------

static RC take_up(struct tpm2 *p)
{
    TRY(tpm2_sweep(&p->device));
    TRY(tpm2_result(p, Esys_Initialize(&p->esys, (TSS2_TCTI_CONTEXT *)&p->device, NULL)));
    return make_primary(p);
}

RC tpm2_begin(struct tpm2 *p, int64_t ms)
{
    tpm2_device_within(&p->device, ms);
    if (p->esys != NULL) {
        return RC_OK;
    }
    enum rc rc = take_up(p);
    if (rc != RC_OK) {
        tpm2_let_go(p);
    }
    return rc;
}

RC tpm2_end(struct tpm2 *p, enum rc rc)
{
    if (p->lost) {
        tpm2_let_go(p);
    }
    return rc;
}

void tpm2_let_go(struct tpm2 *p)
{
    Esys_Finalize(&p->esys);
    p->lost = false;
    p->primary = NONE;
    p->counter = NONE;
    p->key = NONE;
}

// ---- sessions ---------------------------------------------------------------

RC tpm2_session(struct tpm2 *p, enum tpm2_use use, ESYS_TR *session)
{
    static const struct {
        TPM2_SE type;
        bool salted;
        TPMA_SESSION attributes;
    } uses[] = {
        [TPM2_HIDE_COMMAND] = {TPM2_SE_HMAC, true, TPMA_SESSION_DECRYPT},
        [TPM2_HMAC] = {TPM2_SE_HMAC, true, 0},
        [TPM2_POLICY_TRIAL] = {TPM2_SE_TRIAL, false, 0},
        [TPM2_POLICY] = {TPM2_SE_POLICY, false, 0},
        [TPM2_POLICY_HIDE] = {TPM2_SE_POLICY, true, TPMA_SESSION_ENCRYPT},
    };

    const TPMT_SYM_DEF aes = {
        .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};
    const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
    *session = NONE;
    TRY(tpm2_result(p,
                    Esys_StartAuthSession(p->esys,
                                          uses[use].salted ? p->primary : NONE,
                                          NONE,
                                          NONE,
                                          NONE,
                                          NONE,
                                          NULL,
                                          uses[use].type,
                                          uses[use].salted ? &aes : &none,
                                          TPM2_ALG_SHA256,
                                          session)));
    TPMA_SESSION attributes = uses[use].attributes | TPMA_SESSION_CONTINUESESSION;
    return tpm2_result(p, Esys_TRSess_SetAttributes(p->esys, *session, attributes, 0xff));
}

RC tpm2_pcr_policy(struct tpm2 *p, uint32_t pcrs, ESYS_TR session)
{
    const TPM2B_DIGEST as_they_are = {0};
    TPML_PCR_SELECTION selection = {
        .count = 1,
        .pcrSelections[0] = {.hash = TPM2_ALG_SHA256,
                             .sizeofSelect = 3,
                             .pcrSelect = {(BYTE)pcrs, (BYTE)(pcrs >> 8), (BYTE)(pcrs >> 16)}}};
    return tpm2_result(
        p, Esys_PolicyPCR(p->esys, session, NONE, NONE, NONE, &as_they_are, &selection));
}

static bool bank_has(const TPML_PCR_SELECTION *banks, uint32_t pcrs)
{
    for (uint32_t i = 0; i < banks->count && i < TPM2_NUM_PCR_BANKS; i++) {
        const TPMS_PCR_SELECTION *bank = &banks->pcrSelections[i];
        if (bank->hash == TPM2_ALG_SHA256 && bank->sizeofSelect >= 3) {
            uint32_t has = bank->pcrSelect[0] | (uint32_t)bank->pcrSelect[1] << 8 |
                           (uint32_t)bank->pcrSelect[2] << 16;
            return (pcrs & ~has) == 0;
        }
    }
    return false;
}

RC tpm2_pcrs_there(struct tpm2 *p, uint32_t pcrs)
{
    TPMI_YES_NO more;
    TPMS_CAPABILITY_DATA *data = NULL;
    TRY(tpm2_result(
        p, Esys_GetCapability(p->esys, NONE, NONE, NONE, TPM2_CAP_PCRS, 0, 1, &more, &data)));
    bool has = bank_has(&data->data.assignedPCR, pcrs);
    Esys_Free(data);
    return has ? RC_OK : RC_UNSUPPORTED;
}

void tpm2_flush(struct tpm2 *p, ESYS_TR *handle)
{
    if (*handle != NONE && !p->lost) {
        rc_ignore(tpm2_result(p, Esys_FlushContext(p->esys, *handle)),
                  "what stays is swept away when the TPM is taken up again");
    }
    *handle = NONE;
}

// ---- without the library ----------------------------------------------------

#define SWEEP_HANDLES_MAX 32u

static RC flush_raw(struct tpm2_device *d, uint32_t handle)
{
    char bytes[14];
    struct buf command = BUF(bytes);
    struct span answer;
    buf_put(&command, SPAN("\x80\x01\0\0\0\x0e"));
    buf_put_be32(&command, TPM2_CC_FlushContext);
    buf_put_be32(&command, handle);
    return tpm2_device_ask(d, buf_span(&command), &answer); // gone already is as good
}

/// Handles of one kind, from `first` on.
static RC list_raw(struct tpm2_device *d, uint32_t first, uint32_t *handles, uint32_t *count)
{
    char bytes[22];
    struct buf command = BUF(bytes);
    struct span answer;
    buf_put(&command, SPAN("\x80\x01\0\0\0\x16"));
    buf_put_be32(&command, TPM2_CC_GetCapability);
    buf_put_be32(&command, TPM2_CAP_HANDLES);
    buf_put_be32(&command, first);
    buf_put_be32(&command, SWEEP_HANDLES_MAX);
    TRY(tpm2_device_ask(d, buf_span(&command), &answer));
    struct reader r = {.left = span_sub(answer, 6, answer.len)}; // after tag and size
    uint32_t code = reader_be32(&r);
    (void)reader_bytes(&r, 5); // whether there are more, and what was asked for
    uint32_t n = reader_be32(&r);
    for (*count = 0; code == TPM2_RC_SUCCESS && *count < n && *count < SWEEP_HANDLES_MAX;
         ++*count) {
        handles[*count] = reader_be32(&r);
    }
    return code == TPM2_RC_SUCCESS && reader_ok(&r) ? RC_OK : RC_IO;
}

RC tpm2_sweep(struct tpm2_device *d)
{
    static const uint32_t kinds[] = {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST};
    for (unsigned kind = 0; kind < 2; kind++) {
        uint32_t handles[SWEEP_HANDLES_MAX], count;
        TRY(list_raw(d, kinds[kind], handles, &count));
        for (uint32_t i = 0; i < count; i++) {
            TRY(flush_raw(d, handles[i]));
        }
    }
    return RC_OK;
}

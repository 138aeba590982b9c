// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Format of a record: version (8 bit) | signs (8) | PCRs (32) | name of the parent | public part |
 * private part; the last three as the TPM writes them (TPM2B), all big endian. Two slots.
 */
#include <string.h>

#include <tss2/tss2_mu.h>

#include "base/bytes.h"
#include "base/slots.h"

#include "tpm2.h"

#define NONE         ESYS_TR_NONE
#define MAGIC        0x41545032u // "ATP2"
#define VERSION      1u
#define HEAD_BYTES   6u
#define RECORD_BYTES (6u * SLOTS_SECTOR_BYTES - SLOTS_FRAME_BYTES)

static RC policy_of_now(struct tpm2 *p, uint32_t pcrs, TPM2B_DIGEST *policy)
{
    ESYS_TR session;
    TPM2B_DIGEST *digest = NULL;
    enum rc rc = tpm2_session(p, TPM2_POLICY_TRIAL, &session);
    if (rc == RC_OK) {
        rc = tpm2_pcr_policy(p, pcrs, session);
    }
    if (rc == RC_OK) {
        rc = tpm2_result(p, Esys_PolicyGetDigest(p->esys, session, NONE, NONE, NONE, &digest));
    }
    if (rc == RC_OK) {
        *policy = *digest;
        Esys_Free(digest);
    }
    tpm2_flush(p, &session);
    return rc;
}

RC tpm2_object_make(struct tpm2 *p,
                    const TPM2B_SENSITIVE_CREATE *sensitive,
                    TPM2B_PUBLIC *public_part,
                    struct tpm2_object *o)
{
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    TPMT_PUBLIC *area = &public_part->publicArea;
    area->nameAlg = TPM2_ALG_SHA256;
    // No USERWITHAUTH: the policy is the only way. No dictionary attack protection: there is no
    // password to guess, and a locked-out TPM still serves us.
    area->objectAttributes |= TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                              TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_NODA;
    TRY(policy_of_now(p, CONFIG_TPM_PCRS, &area->authPolicy));
    ESYS_TR session;
    TPM2B_PRIVATE *made_private = NULL;
    TPM2B_PUBLIC *made_public = NULL;
    enum rc rc = tpm2_session(p, TPM2_HIDE_COMMAND, &session);
    if (rc == RC_OK) {
        rc = tpm2_result(p,
                         Esys_Create(p->esys,
                                     p->primary,
                                     session,
                                     NONE,
                                     NONE,
                                     sensitive,
                                     public_part,
                                     &outside,
                                     &pcrs,
                                     &made_private,
                                     &made_public,
                                     NULL,
                                     NULL,
                                     NULL));
    }
    if (rc == RC_OK) {
        *o = (struct tpm2_object){.pcrs = CONFIG_TPM_PCRS,
                                  .parent = p->primary_name,
                                  .public_part = *made_public,
                                  .private_part = *made_private};
        Esys_Free(made_private);
        Esys_Free(made_public);
    }
    tpm2_flush(p, &session);
    return rc;
}

RC tpm2_object_load(struct tpm2 *p, const struct tpm2_object *o, ESYS_TR *handle)
{
    *handle = NONE;
    struct span now = {.ptr = (const char *)p->primary_name.name, .len = p->primary_name.size};
    struct span then = {.ptr = (const char *)o->parent.name, .len = o->parent.size};
    if (!span_equal(now, then)) {
        return RC_STALE; // another TPM, or cleared since, or somebody in between
    }
    return tpm2_result(p,
                       Esys_Load(p->esys,
                                 p->primary,
                                 ESYS_TR_PASSWORD,
                                 NONE,
                                 NONE,
                                 &o->private_part,
                                 &o->public_part,
                                 handle));
}

// ---- records ----------------------------------------------------------------

static struct slots slots_of(int dir_fd, const char *name)
{
    return (struct slots){
        .dir_fd = dir_fd, .name = name, .magic = MAGIC, .payload_max = RECORD_BYTES};
}

static RC parse(struct span record, struct tpm2_object *o)
{
    struct reader r = {.left = span_sub(record, 0, HEAD_BYTES)};
    uint8_t version = reader_u8(&r);
    o->signs = reader_u8(&r);
    o->pcrs = reader_be32(&r);
    if (!reader_ok(&r) || version != VERSION) {
        return RC_CORRUPT;
    }
    const uint8_t *bytes = (const uint8_t *)record.ptr;
    size_t at = HEAD_BYTES;
    TSS2_RC rc = Tss2_MU_TPM2B_NAME_Unmarshal(bytes, record.len, &at, &o->parent);
    if (rc == TSS2_RC_SUCCESS) {
        rc = Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, record.len, &at, &o->public_part);
    }
    if (rc == TSS2_RC_SUCCESS) {
        rc = Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, record.len, &at, &o->private_part);
    }
    return rc == TSS2_RC_SUCCESS && at == record.len ? RC_OK : RC_CORRUPT;
}

RC tpm2_object_read(int dir_fd, const char *name, struct tpm2_object *o)
{
    char bytes[RECORD_BYTES];
    struct buf record = BUF(bytes);
    struct slots slots = slots_of(dir_fd, name);
    memset(o, 0, sizeof(*o)); // the library takes only what is empty
    TRY(slots_read(&slots, &record, NULL));
    return parse(buf_span(&record), o);
}

RC tpm2_object_write(int dir_fd, const char *name, const struct tpm2_object *o)
{
    char bytes[RECORD_BYTES];
    struct buf record = BUF(bytes);
    buf_put_u8(&record, VERSION);
    buf_put_u8(&record, o->signs);
    buf_put_be32(&record, o->pcrs);
    uint8_t *out = (uint8_t *)bytes;
    size_t at = record.len;
    TSS2_RC rc = Tss2_MU_TPM2B_NAME_Marshal(&o->parent, out, sizeof(bytes), &at);
    if (rc == TSS2_RC_SUCCESS) {
        rc = Tss2_MU_TPM2B_PUBLIC_Marshal(&o->public_part, out, sizeof(bytes), &at);
    }
    if (rc == TSS2_RC_SUCCESS) {
        rc = Tss2_MU_TPM2B_PRIVATE_Marshal(&o->private_part, out, sizeof(bytes), &at);
    }
    if (rc != TSS2_RC_SUCCESS) {
        return RC_TOOBIG;
    }
    struct slots slots = slots_of(dir_fd, name);
    return slots_write(&slots, (struct span){.ptr = bytes, .len = at});
}

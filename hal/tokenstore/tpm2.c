// SPDX-License-Identifier: Apache-2.0
#include "tpm2.h"

#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_sys.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "hal/entropy.h"

#include "backend.h"

#define NONE       ESYS_TR_NONE
#define KEK_NAME   ".tpm2-kek"
#define STORES_MAX 2u

static struct {
    bool used;
    struct tpm2 tpm;
} stores[STORES_MAX];

enum tokenstore_class backend_class(void)
{
    return TOKENSTORE_CLASS_TPM;
}

struct tpm2 *tpm2_of(const struct tokenstore *t)
{
    ASSERT(t->device > 0 && t->device <= STORES_MAX);
    return &stores[t->device - 1u].tpm;
}

// ---- attach -----------------------------------------------------------------

/// Only a development machine, which has none, may name another one at run time.
static const char *device_path(void)
{
    const char *path = CONFIG_BOARD_SANDBOX ? getenv("ANTEROOM_TPM_DEVICE") : NULL;
    return path != NULL ? path : CONFIG_TPM_DEVICE;
}

static RC say(struct buf *missing, const char *what, enum rc rc)
{
    buf_put_str(missing, "TPM: ");
    buf_put_str(missing, device_path());
    buf_put_str(missing, " (CONFIG_TPM_DEVICE) ");
    buf_put_str(missing, what);
    return rc;
}

static RC ask_code(struct tpm2_device *d, struct span command, uint32_t *code, uint32_t *last)
{
    struct span answer;
    TRY(tpm2_device_ask(d, command, &answer));
    struct reader head = {.left = span_sub(answer, 6, 4)};
    struct reader tail = {.left = span_sub(answer, answer.len - 4u, 4)};
    *code = reader_be32(&head);
    *last = reader_be32(&tail);
    return RC_OK;
}

/// Firmware or kernel started the TPM long ago; else we do. It tests itself as it is used, and this
/// asks how that went.
static RC start(struct tpm2_device *d)
{
    uint32_t code, result;
    TRY(ask_code(d, SPAN("\x80\x01\0\0\0\x0c\0\0\x01\x44\0\0"), &code, &result));
    if (code != TPM2_RC_SUCCESS && code != TPM2_RC_INITIALIZE) {
        return RC_IO;
    }
    TRY(ask_code(d, SPAN("\x80\x01\0\0\0\x0a\0\0\x01\x7c"), &code, &result));
    bool well =
        result == TPM2_RC_SUCCESS || result == TPM2_RC_NEEDS_TEST || result == TPM2_RC_TESTING;
    return code == TPM2_RC_SUCCESS && well ? RC_OK : RC_IO;
}

static RC reserve(struct tokenstore *t)
{
    for (unsigned i = 0; i < STORES_MAX; i++) {
        if (!stores[i].used) {
            stores[i].used = true;
            t->device = i + 1u;
            stores[i].tpm =
                (struct tpm2){.device.fd = -1, .primary = NONE, .counter = NONE, .key = NONE};
            return RC_OK;
        }
    }
    return RC_RETRY;
}

RC backend_attach(struct tokenstore *t, struct buf *missing)
{
    TRY(reserve(t));
    struct tpm2_device *d = &tpm2_of(t)->device;
    enum rc rc = tpm2_device_open(d, device_path());
    if (rc == RC_UNSUPPORTED) {
        return say(missing, "is not there", rc);
    }
    if (rc == RC_DENIED) {
        return say(missing, "cannot be opened: no permission", rc);
    }
    if (rc != RC_OK) {
        return say(missing, "is in use", RC_IO);
    }
    tpm2_device_within(d, TOKENSTORE_BLOCK_MS_MAX);
    rc = start(d);
    return rc == RC_OK ? RC_OK : say(missing, "does not answer as a TPM 2.0", RC_IO);
}

void backend_close(struct tokenstore *t)
{
    if (t->device == 0) {
        return;
    }
    struct tpm2 *p = tpm2_of(t);
    tpm2_device_within(&p->device, TOKENSTORE_BLOCK_MS_MAX);
    if (p->esys != NULL) {
        tpm2_flush(p, &p->key);
        tpm2_flush(p, &p->primary);
        tpm2_let_go(p);
    }
    tpm2_device_close(&p->device);
    stores[t->device - 1u].used = false;
    t->device = 0;
}

// ---- the KEK ----------------------------------------------------------------

/// What the library keeps of the last answer is the KEK in the clear.
static void wipe_answer(struct tpm2 *p)
{
    TSS2_SYS_CONTEXT *sys;
    const uint8_t *at;
    size_t bytes;
    if (Esys_GetSysContext(p->esys, &sys) == TSS2_RC_SUCCESS &&
        Tss2_Sys_GetRpBuffer(sys, &bytes, &at) == TSS2_RC_SUCCESS) {
        bytes_wipe((void *)(uintptr_t)at, bytes);
    }
}

static RC take(struct tpm2 *p, ESYS_TR object, ESYS_TR session, char *kek)
{
    TPM2B_SENSITIVE_DATA *data = NULL;
    TRY(tpm2_result(p, Esys_Unseal(p->esys, object, session, NONE, NONE, &data)));
    bool whole = data->size == TOKENSTORE_KEK_BYTES;
    if (whole) {
        memcpy(kek, data->buffer, TOKENSTORE_KEK_BYTES);
    }
    bytes_wipe(data, sizeof(*data));
    Esys_Free(data);
    wipe_answer(p);
    return whole ? RC_OK : RC_CORRUPT;
}

static RC unseal(struct tpm2 *p, const struct tpm2_object *o, char *kek)
{
    ESYS_TR object, session = NONE;
    enum rc rc = tpm2_object_load(p, o, &object);
    if (rc == RC_OK) {
        rc = tpm2_session(p, TPM2_POLICY_HIDE, &session);
    }
    if (rc == RC_OK) {
        rc = tpm2_pcr_policy(p, o->pcrs, session);
    }
    if (rc == RC_OK) {
        rc = take(p, object, session, kek);
    }
    tpm2_flush(p, &session);
    tpm2_flush(p, &object);
    return rc;
}

static RC seal_new(struct tpm2 *p, struct tpm2_object *o)
{
    TPM2B_PUBLIC kind = {.publicArea = {.type = TPM2_ALG_KEYEDHASH,
                                        .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL}};
    TPM2B_SENSITIVE_CREATE sensitive = {.sensitive.data.size = TOKENSTORE_KEK_BYTES};
    hal_entropy_fill(sensitive.sensitive.data.buffer, TOKENSTORE_KEK_BYTES);
    enum rc rc = tpm2_object_make(p, &sensitive, &kind, o);
    bytes_wipe(&sensitive, sizeof(sensitive));
    return rc;
}

static RC open_kek(struct tpm2 *p, const struct tokenstore *t, bool begun)
{
    struct tpm2_object o;
    enum rc rc = tpm2_object_read(t->dir_fd, KEK_NAME, &o);
    if (rc == RC_OK) {
        rc = unseal(p, &o, t->kek.ptr);
    }
    bool unusable = rc == RC_NOTFOUND || rc == RC_STALE || rc == RC_CORRUPT;
    if (begun || !unusable) {
        return rc == RC_NOTFOUND ? RC_CORRUPT : rc;
    }
    // None yet, or one that nothing was ever sealed with.
    TRY(tpm2_pcrs_there(p, CONFIG_TPM_PCRS));
    TRY(seal_new(p, &o));
    TRY(unseal(p, &o, t->kek.ptr)); // what cannot be opened is not stored
    return tpm2_object_write(t->dir_fd, KEK_NAME, &o);
}

static RC explain(struct buf *missing, enum rc rc)
{
    switch (rc) {
    case RC_UNSUPPORTED:
        buf_put_str(missing, "TPM: it has no SHA-256 bank of the PCRs (CONFIG_TPM_PCRS)");
        return rc;
    case RC_DENIED:
        buf_put_str(missing, "TPM: its owner's password is set");
        return RC_UNSUPPORTED;
    case RC_IO:
        buf_put_str(missing, "TPM: it fails");
        return rc;
    default:
        return rc;
    }
}

RC backend_open(struct tokenstore *t, int state_fd, bool begun, struct buf *missing)
{
    (void)state_fd;
    struct tpm2 *p = tpm2_of(t);
    enum rc rc = tpm2_begin(p, TOKENSTORE_BLOCK_MS_MAX);
    if (rc == RC_OK) {
        rc = open_kek(p, t, begun);
    }
    if (rc != RC_OK) {
        return tpm2_end(p, explain(missing, rc));
    }
    p->known = true;
    return tpm2_end(p, tpm2_counter_open(p, missing));
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The box's signing key: RSA, made in the TPM, which never lets go of it. What is stored is the
 * TPM's own encrypted form, of use only to this TPM in this state of the machine. It signs digests
 * and nothing else.
 * RSASSA-PSS in a TPM has no parameter for the salt: most take the digest's length, as PS256 wants
 * it, some take what fits. So the first signature is looked at.
 */
#include <errno.h>
#include <string.h>

#include <unistd.h>

#include "base/crypto.h"

#include "backend.h"
#include "tpm2.h"

#define NONE     ESYS_TR_NONE
#define KEY_NAME ".tpm2-key"

_Static_assert(TPM2_MAX_RSA_KEY_BYTES <= TOKENSTORE_SIGNATURE_BYTES_MAX, "signatures fit");

// ---- signing ----------------------------------------------------------------

/// "No such scheme", or none with this hash or salt: said by the TPM itself, not by a fault.
static bool refuses_scheme(TSS2_RC said)
{
    TPM2_RC error = said & (TPM2_RC_FMT1 | 0x3fu);
    TSS2_RC layer = said & TSS2_RC_LAYER_MASK;
    return (layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER) &&
           (error == TPM2_RC_SCHEME || error == TPM2_RC_VALUE);
}

/// @retval RC_UNSUPPORTED  the TPM has no such signature.
static RC sign_in(struct tpm2 *p,
                  ESYS_TR session,
                  enum tokenstore_signature kind,
                  const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                  struct buf *out)
{
    TPM2B_DIGEST what = {.size = TOKENSTORE_DIGEST_BYTES};
    const TPMT_SIG_SCHEME scheme = {.scheme = kind == TOKENSTORE_PS256 ? TPM2_ALG_RSAPSS
                                                                       : TPM2_ALG_RSASSA,
                                    .details.any.hashAlg = TPM2_ALG_SHA256};
    const TPMT_TK_HASHCHECK not_ours = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
    TPMT_SIGNATURE *signature = NULL;
    memcpy(what.buffer, digest, TOKENSTORE_DIGEST_BYTES);
    TSS2_RC said =
        Esys_Sign(p->esys, p->key, session, NONE, NONE, &what, &scheme, &not_ours, &signature);
    enum rc rc = tpm2_result(p, said);
    if (rc != RC_OK) {
        return refuses_scheme(said) ? RC_UNSUPPORTED : rc;
    }
    // rsapss has the same shape.
    const TPM2B_PUBLIC_KEY_RSA *bytes = &signature->signature.rsassa.sig;
    bool fits = bytes->size <= out->cap - out->len;
    if (fits) {
        buf_put(out, (struct span){.ptr = (const char *)bytes->buffer, .len = bytes->size});
    }
    Esys_Free(signature);
    return fits ? RC_OK : RC_TOOBIG;
}

static RC sign(struct tpm2 *p,
               enum tokenstore_signature kind,
               const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
               struct buf *out)
{
    ESYS_TR session;
    enum rc rc = tpm2_session(p, TPM2_POLICY, &session);
    if (rc == RC_OK) {
        rc = tpm2_pcr_policy(p, p->key_pcrs, session);
    }
    if (rc == RC_OK) {
        rc = sign_in(p, session, kind, digest, out);
    }
    tpm2_flush(p, &session);
    return rc;
}

static RC load(struct tpm2 *p, int dir_fd)
{
    struct tpm2_object o;
    if (p->key != NONE) {
        return RC_OK;
    }
    TRY(tpm2_object_read(dir_fd, KEY_NAME, &o));
    TRY(tpm2_object_load(p, &o, &p->key));
    p->key_pcrs = o.pcrs;
    p->key_signs = (enum tokenstore_signature)o.signs;
    return RC_OK;
}

RC backend_sign(struct tokenstore *t,
                enum tokenstore_signature kind,
                const uint8_t digest[static TOKENSTORE_DIGEST_BYTES],
                struct buf *out)
{
    struct tpm2 *p = tpm2_of(t);
    TRY(tpm2_begin(p, TOKENSTORE_BLOCK_MS_MAX));
    enum rc rc = load(p, t->dir_fd);
    if (rc == RC_OK && kind == TOKENSTORE_PS256 && p->key_signs != TOKENSTORE_PS256) {
        rc = RC_UNSUPPORTED;
    }
    if (rc == RC_OK) {
        rc = sign(p, kind, digest, out);
        t->sign_ms = tpm2_device_spent_ms(&p->device);
    }
    return tpm2_end(p, rc);
}

// ---- its public half --------------------------------------------------------

static RC public_of(const struct tpm2_object *o, struct buf *der)
{
    const TPM2B_PUBLIC_KEY_RSA *modulus = &o->public_part.publicArea.unique.rsa;
    return crypto_rsa_public(
        (struct span){.ptr = (const char *)modulus->buffer, .len = modulus->size}, der);
}

RC backend_public(struct tokenstore *t, struct buf *der)
{
    struct tpm2_object o;
    TRY(tpm2_object_read(t->dir_fd, KEY_NAME, &o));
    return public_of(&o, der);
}

RC backend_signs(struct tokenstore *t, enum tokenstore_signature *best)
{
    struct tpm2_object o;
    TRY(tpm2_object_read(t->dir_fd, KEY_NAME, &o));
    *best = (enum tokenstore_signature)o.signs;
    return o.signs == TOKENSTORE_PS256 || o.signs == TOKENSTORE_RS256 ? RC_OK : RC_CORRUPT;
}

// ---- making -----------------------------------------------------------------

/// The best first. @retval RC_UNSUPPORTED the TPM makes no RSA key that is worth it.
static RC choose_bits(struct tpm2 *p, uint16_t *bits)
{
    static const uint16_t sizes[] = {3072, 2048};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const TPMT_PUBLIC_PARMS kind = {
            .type = TPM2_ALG_RSA,
            .parameters.rsaDetail = {.symmetric.algorithm = TPM2_ALG_NULL,
                                     .scheme.scheme = TPM2_ALG_NULL,
                                     .keyBits = sizes[i]}};
        *bits = sizes[i];
        TSS2_RC rc = Esys_TestParms(p->esys, NONE, NONE, NONE, &kind);
        if ((rc & TPM2_RC_FMT1) == 0 || (rc & TSS2_RC_LAYER_MASK) != 0) {
            return tpm2_result(p, rc);
        }
    }
    return RC_UNSUPPORTED;
}

/// RC_UNSUPPORTED: it does not sign like this, or not as wanted (with another salt).
static RC try_kind(struct tpm2 *p, enum tokenstore_signature kind, struct span der)
{
    char bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
    struct buf signature = BUF(bytes);
    uint8_t digest[SHA256_BYTES];
    sha256(SPAN("anteroom"), digest);
    TRY(sign(p, kind, digest, &signature));
    enum crypto_padding padding = kind == TOKENSTORE_PS256 ? CRYPTO_PS256 : CRYPTO_RS256;
    enum rc rc = crypto_verify_rsa(der, padding, digest, buf_span(&signature));
    return rc == RC_DENIED ? RC_UNSUPPORTED : rc;
}

/// For good: so a fault, which may pass, decides nothing.
static RC find_kind(struct tpm2 *p, struct tpm2_object *o)
{
    char bytes[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf der = BUF(bytes);
    TRY(public_of(o, &der));
    o->signs = TOKENSTORE_PS256;
    enum rc rc = try_kind(p, TOKENSTORE_PS256, buf_span(&der));
    if (rc == RC_UNSUPPORTED) {
        o->signs = TOKENSTORE_RS256;
        rc = try_kind(p, TOKENSTORE_RS256, buf_span(&der));
    }
    return rc;
}

static RC make(struct tpm2 *p, int dir_fd)
{
    const TPM2B_SENSITIVE_CREATE nothing_of_ours = {0};
    struct tpm2_object o;
    TPM2B_PUBLIC kind = {
        .publicArea = {.type = TPM2_ALG_RSA,
                       .objectAttributes =
                           TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_SENSITIVEDATAORIGIN,
                       .parameters.rsaDetail = {.symmetric.algorithm = TPM2_ALG_NULL,
                                                .scheme.scheme = TPM2_ALG_NULL}}};
    TRY(choose_bits(p, &kind.publicArea.parameters.rsaDetail.keyBits));
    TRY(tpm2_object_make(p, &nothing_of_ours, &kind, &o));
    TRY(tpm2_object_load(p, &o, &p->key));
    p->key_pcrs = o.pcrs;
    enum rc rc = find_kind(p, &o);
    p->key_signs = (enum tokenstore_signature)o.signs;
    if (rc == RC_OK) {
        rc = tpm2_object_write(dir_fd, KEY_NAME, &o);
    }
    if (rc != RC_OK) {
        tpm2_flush(p, &p->key);
    }
    return rc;
}

RC backend_make_key(struct tokenstore *t, bool *made)
{
    struct tpm2 *p = tpm2_of(t);
    TRY(tpm2_begin(p, TOKENSTORE_MAKE_MS_MAX));
    enum rc rc = load(p, t->dir_fd);
    if (rc == RC_NOTFOUND) {
        p->device.while_waiting = t->while_waiting;
        p->device.context = t->context;
        rc = make(p, t->dir_fd);
        p->device.while_waiting = NULL;
        *made = rc == RC_OK;
    }
    return tpm2_end(p, rc);
}

RC backend_drop_key(struct tokenstore *t)
{
    struct tpm2 *p = tpm2_of(t);
    if (unlinkat(t->dir_fd, KEY_NAME, 0) != 0) {
        return errno == ENOENT ? RC_NOTFOUND : RC_IO;
    }
    tpm2_device_within(&p->device, TOKENSTORE_BLOCK_MS_MAX);
    tpm2_flush(p, &p->key);
    return tpm2_end(p, fsync(t->dir_fd) == 0 ? RC_OK : RC_IO);
}

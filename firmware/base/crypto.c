// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The library is told three things: where randomness comes from (mbedtls_hardware_poll), what time
 * it is (crypto_time), and nothing else. Its two callbacks have no context, which is why the time
 * is a variable here.
 */
#include "base/crypto.h"

#include <stdio.h>
#include <string.h>

#include <mbedtls/platform.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>

#include "base/assert.h"
#include "base/clock.h"
#include "hal/entropy.h"

#include "crypto_lib.h"

#define CERT_BLOCK_BYTES_MAX 8192u ///< one certificate in a PEM text

// Until it is set, every certificate is "not yet valid": the library refuses rather than believes.
static int64_t wall_s;

static mbedtls_time_t crypto_time(mbedtls_time_t *out)
{
    if (out != NULL) {
        *out = (mbedtls_time_t)wall_s;
    }
    return (mbedtls_time_t)wall_s;
}

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen);

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen)
{
    (void)data;
    hal_entropy_fill(output, len);
    *olen = len;
    return 0;
}

RC crypto_init(void)
{
    if (mbedtls_platform_set_time(crypto_time) != 0) {
        return RC_IO;
    }
    return psa_crypto_init() == PSA_SUCCESS ? RC_OK : RC_IO;
}

void crypto_set_time(int64_t wall_ms)
{
    wall_s = wall_ms / 1000;
}

int crypto_random(void *context, unsigned char *out, size_t len)
{
    (void)context;
    return mbedtls_psa_get_random(MBEDTLS_PSA_RANDOM_STATE, out, len);
}

void sha256(struct span data, uint8_t out[static SHA256_BYTES])
{
    static const unsigned char nothing;
    const unsigned char *bytes = data.len > 0 ? (const unsigned char *)data.ptr : &nothing;
    int failed = mbedtls_sha256(bytes, data.len, out, 0);
    ASSERT(failed == 0);
}

// ---- certificates -----------------------------------------------------------

static const struct span begin_any = {.ptr = "-----BEGIN ", .len = 11};
static const struct span begin_cert = {.ptr = "-----BEGIN CERTIFICATE-----", .len = 27};
static const struct span end_cert = {.ptr = "-----END CERTIFICATE-----", .len = 25};

static size_t find(struct span text, struct span what)
{
    for (size_t i = 0; i + what.len <= text.len; i++) {
        if (text.ptr[i] == what.ptr[0] && memcmp(text.ptr + i, what.ptr, what.len) == 0) {
            return i;
        }
    }
    return text.len;
}

/// Takes the next certificate off *pem. RC_NOTFOUND: none left. RC_PARSE: something that is none, a
/// key for instance.
static RC next_block(struct span *pem, struct span *block)
{
    size_t at = find(*pem, begin_any);
    if (at == pem->len) {
        return RC_NOTFOUND;
    }
    struct span from = span_sub(*pem, at, pem->len);
    size_t end = find(from, end_cert);
    if (!span_starts(from, begin_cert) || end == from.len) {
        return RC_PARSE;
    }
    *block = span_sub(from, 0, end + end_cert.len);
    *pem = span_sub(from, block->len, from.len);
    return RC_OK;
}

/// @param crt  initialised by the caller, freed by the caller.
static RC read_block(struct span block, mbedtls_x509_crt *crt)
{
    unsigned char text[CERT_BLOCK_BYTES_MAX + 2u];
    if (block.len > CERT_BLOCK_BYTES_MAX) {
        return RC_PARSE;
    }
    memcpy(text, block.ptr, block.len);
    text[block.len] = '\n';
    text[block.len + 1u] = '\0';
    return mbedtls_x509_crt_parse(crt, text, block.len + 2u) == 0 ? RC_OK : RC_PARSE;
}

static RC read_first(struct span pem, mbedtls_x509_crt *crt)
{
    struct span block;
    if (next_block(&pem, &block) != RC_OK) {
        return RC_PARSE;
    }
    return read_block(block, crt);
}

static RC time_of(const mbedtls_x509_time *t, int64_t *ms)
{
    char text[32];
    int len = snprintf(text,
                       sizeof(text),
                       "%04d-%02d-%02dT%02d:%02d:%02dZ",
                       t->year,
                       t->mon,
                       t->day,
                       t->hour,
                       t->min,
                       t->sec);
    if (len < 0 || (size_t)len >= sizeof(text)) {
        return RC_PARSE;
    }
    return time_parse_iso((struct span){.ptr = text, .len = (size_t)len}, ms);
}

RC crypto_read_certificate(struct span cert_pem, struct crypto_certificate *out)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    enum rc rc = read_first(cert_pem, &crt);
    if (rc == RC_OK) {
        sha256((struct span){.ptr = (const char *)crt.raw.p, .len = crt.raw.len}, out->sha256);
        rc = time_of(&crt.valid_from, &out->not_before_ms);
    }
    if (rc == RC_OK) {
        rc = time_of(&crt.valid_to, &out->not_after_ms);
    }
    mbedtls_x509_crt_free(&crt);
    return rc;
}

RC crypto_key_matches(struct span key_pem, struct span cert_pem)
{
    mbedtls_pk_context pk;
    mbedtls_x509_crt crt;
    mbedtls_pk_init(&pk);
    mbedtls_x509_crt_init(&crt);
    enum rc rc = crypto_read_key(key_pem, &pk);
    if (rc == RC_OK) {
        rc = read_first(cert_pem, &crt);
    }
    if (rc == RC_OK && mbedtls_pk_check_pair(&crt.pk, &pk, crypto_random, NULL) != 0) {
        rc = RC_DENIED;
    }
    mbedtls_x509_crt_free(&crt);
    mbedtls_pk_free(&pk);
    return rc;
}

RC crypto_public_matches(struct span public_der, struct span cert_pem)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    enum rc rc = read_first(cert_pem, &crt);
    struct span its = {.ptr = (const char *)crt.pk_raw.p, .len = crt.pk_raw.len};
    if (rc == RC_OK && !span_equal(its, public_der)) {
        rc = RC_DENIED;
    }
    mbedtls_x509_crt_free(&crt);
    return rc;
}

RC crypto_count_certificates(struct span pem, unsigned *count)
{
    *count = 0;
    struct span block;
    enum rc rc;
    while ((rc = next_block(&pem, &block)) == RC_OK) { // each turn makes pem shorter
        mbedtls_x509_crt crt;
        mbedtls_x509_crt_init(&crt);
        rc = read_block(block, &crt);
        mbedtls_x509_crt_free(&crt);
        TRY(rc);
        *count += 1u;
    }
    return rc == RC_NOTFOUND && *count > 0 ? RC_OK : RC_PARSE;
}

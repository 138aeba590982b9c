// SPDX-License-Identifier: Apache-2.0
/*
 * curl asks Mbed TLS for a certificate profile that takes RSA keys of 1024 bits. Sessions are never
 * resumed: the library is built without tickets.
 */
#include "net/tls.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "base/assert.h"
#include "base/clock.h"

void tls_harden(void *config)
{
    ASSERT(config != NULL);
    mbedtls_ssl_config *c = config;
    // RSA from 2048 bits, P-256 and up, SHA-256 and up.
    mbedtls_ssl_conf_cert_profile(c, &mbedtls_x509_crt_profile_default);
}

static int64_t ms_of(const mbedtls_x509_time *t)
{
    const struct time_fields fields = {.year = t->year,
                                       .month = t->mon,
                                       .day = t->day,
                                       .hour = t->hour,
                                       .minute = t->min,
                                       .second = t->sec};
    int64_t ms = 0;
    // What is no date makes the chain good at no time at all.
    return time_of_fields(&fields, &ms) == RC_OK ? ms : INT64_MIN;
}

struct tls_validity tls_validity_both(struct tls_validity a, struct tls_validity b)
{
    bool none = a.not_before_ms == 0 && a.not_after_ms == 0;
    if (none || (b.not_before_ms == 0 && b.not_after_ms == 0)) {
        return none ? b : a;
    }
    return (struct tls_validity){
        .not_before_ms = a.not_before_ms > b.not_before_ms ? a.not_before_ms : b.not_before_ms,
        .not_after_ms = a.not_after_ms < b.not_after_ms ? a.not_after_ms : b.not_after_ms,
    };
}

// Called once for every certificate of the chain, the anchor included.
static int on_certificate(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_validity *all = context;
    struct tls_validity one = {.not_before_ms = ms_of(&crt->valid_from),
                               .not_after_ms = ms_of(&crt->valid_to)};
    (void)depth;
    if (one.not_before_ms == INT64_MIN) {
        one.not_before_ms = INT64_MAX;
    }
    *all = tls_validity_both(*all, one);
    *flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_FUTURE;
    return 0;
}

void tls_defer_not_before(void *config, struct tls_validity *out)
{
    ASSERT(config != NULL && out != NULL);
    *out = (struct tls_validity){.not_before_ms = 0};
    mbedtls_ssl_conf_verify(config, on_certificate, out);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * curl asks Mbed TLS for a certificate profile that takes RSA keys of 1024 bits, and turns session
 * tickets of TLS 1.3 on, which then end a read early for a session that we never resume.
 */
#include "net/tls.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "base/assert.h"

void tls_harden(void *config)
{
    ASSERT(config != NULL);
    mbedtls_ssl_config *c = config;
    // RSA from 2048 bits, P-256 and up, SHA-256 and up.
    mbedtls_ssl_conf_cert_profile(c, &mbedtls_x509_crt_profile_default);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        c, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_DISABLED);
}

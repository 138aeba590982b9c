// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The one Mbed TLS configuration of Anteroom: a TLS client, the TLS server of the status port,
 * certificate assertions, self-signed certificates.
 *
 * The library does not export MBEDTLS_CONFIG_FILE, so the build copies this file over the installed
 * mbedtls/mbedtls_config.h: library, curl and firmware then agree on every structure.
 * tests/unit/deps/mbedtls_config.c holds the options whose absence fails only at run time.
 */

/* Platform. The binary defines malloc itself (one bounded pool): no memory hooks are needed. */
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_TIME_ALT // certificate dates are judged by the box's own wall clock
#define MBEDTLS_THREADING_C       // curl's resolver runs in a thread beside the loop
#define MBEDTLS_THREADING_PTHREAD
#define MBEDTLS_VERSION_C // curl asks for it

/* Entropy: mbedtls_hardware_poll() of firmware/base/entropy.c, getrandom(); no /dev is needed. */
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_CTR_DRBG_C

/* PSA. Without EXCLUSIVE_BUFFERS every record is copied twice: 28 KB more per connection. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_USE_PSA_CRYPTO
#define MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS
#define MBEDTLS_PSA_KEY_STORE_DYNAMIC

/* Ciphers and hashes */
#define MBEDTLS_CIPHER_C
#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES // the tables serve only machines without AES instructions
#define MBEDTLS_CIPHER_MODE_CFB  // parameters on the way to a TPM
#define MBEDTLS_GCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA224_C // the library refuses SHA-256 without it in some builds
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER // for certificates only
#define MBEDTLS_HKDF_C

/* Public keys. RSA generation and writing are for the box's own certificate (RSA-3072). */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_GENPRIME
#define MBEDTLS_OID_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0 // tables of 7 KB would save a millisecond a handshake
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_PK_RSA_ALT_SUPPORT // a certificate signed by the token store, which keeps the key

/* Encodings and certificates */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_PEM_WRITE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO // certificates in words: nobody reads them
#define MBEDTLS_X509_CREATE_C
#define MBEDTLS_X509_CRT_WRITE_C
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT // TLS 1.3 with an RSA server needs it

/* TLS 1.2 and 1.3: a client, and the server of the status port */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE

/*
 * A server we do not know sends records of 16 KiB, ours may be small.
 * MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH stays off: with OUT < IN it shrinks the input buffer after a
 * TLS 1.2 handshake, and larger answers then fail.
 */
#define MBEDTLS_SSL_IN_CONTENT_LEN  16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096

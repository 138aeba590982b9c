// SPDX-License-Identifier: Apache-2.0
/*
 * Mbed TLS options whose absence (or presence) compiles, and fails against some servers only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mbedtls/build_info.h>
#include <mbedtls/version.h>

#ifndef MBEDTLS_X509_RSASSA_PSS_SUPPORT
#error "TLS 1.3 with an RSA server fails without RSASSA-PSS"
#endif
#ifdef MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH
#error "TLS 1.2 loses answers above OUT_CONTENT_LEN with variable buffers"
#endif
#if !defined(MBEDTLS_SSL_PROTO_TLS1_2) || !defined(MBEDTLS_SSL_PROTO_TLS1_3)
#error "both TLS versions are required"
#endif
#if !defined(MBEDTLS_SSL_CLI_C) || !defined(MBEDTLS_SSL_SRV_C)
#error "the firmware asks over TLS, and answers over TLS on its status port"
#endif
#if defined(MBEDTLS_FS_IO) || defined(MBEDTLS_DEBUG_C)
#error "the firmware has no file access in TLS and no TLS debug output"
#endif
#ifndef MBEDTLS_ENTROPY_HARDWARE_ALT
#error "entropy comes from getrandom(), not from /dev"
#endif
#if MBEDTLS_SSL_IN_CONTENT_LEN < 16384
#error "servers send records of 16 KiB"
#endif

static size_t read_file(const char *path, char *to, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t bytes = fread(to, 1, capacity, file);
    assert_int_equal(fclose(file), 0);
    assert_true(bytes > 0 && bytes < capacity);
    return bytes;
}

static void installed_configuration_is_ours(void **state)
{
    static char ours[32768];
    static char installed[32768];
    (void)state;
    size_t ours_bytes = read_file(OUR_CONFIG, ours, sizeof(ours));
    size_t installed_bytes = read_file(INSTALLED_CONFIG, installed, sizeof(installed));
    assert_int_equal(ours_bytes, installed_bytes);
    assert_memory_equal(ours, installed, ours_bytes);
}

static void library_is_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(mbedtls_version_get_number(), MBEDTLS_VERSION_NUMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installed_configuration_is_ours),
        cmocka_unit_test(library_is_the_version_of_its_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The backend tpm2 by itself, on a TPM in software: what the contract of all token stores cannot
 * ask for.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crypto.h"

#include "softtpm.h"
#include "world.h"

static void kek_comes_back_and_never_crosses_the_bus_in_the_clear(void **unused)
{
    (void)unused;
    char kek[TOKENSTORE_KEK_BYTES];
    memcpy(kek, box.t.kek.ptr, sizeof(kek));
    reopen();
    assert_memory_equal(kek, box.t.kek.ptr, sizeof(kek));
    assert_false(softtpm_heard(kek, sizeof(kek)));
    assert_true(softtpm_heard("\x80\x01", 2));
}

static void two_stores_of_one_tpm_have_two_keks(void **unused)
{
    (void)unused;
    char kek[TOKENSTORE_KEK_BYTES];
    memcpy(kek, box.t.kek.ptr, sizeof(kek));
    over(NULL);
    fresh(NULL);
    assert_memory_not_equal(kek, box.t.kek.ptr, sizeof(kek));
}

static void key_signs_as_it_says_after_each_start(void **unused)
{
    (void)unused;
    char der_bytes[TOKENSTORE_PUBLIC_BYTES_MAX], signature_bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
    struct buf der = BUF(der_bytes), signature = BUF(signature_bytes);
    enum tokenstore_signature best;
    bool made = true;
    reopen();
    assert_int_equal(backend_make_key(&box.t, &made), RC_OK);
    assert_int_equal(backend_public(&box.t, &der), RC_OK);
    assert_int_equal(backend_signs(&box.t, &best), RC_OK);
    assert_int_equal(best, TOKENSTORE_PS256); // this TPM's salt is as long as the digest
    assert_int_equal(backend_sign(&box.t, best, digest, &signature), RC_OK);
    assert_int_equal(signature.len, 384);
    assert_int_equal(crypto_verify_rsa(buf_span(&der), CRYPTO_PS256, digest, buf_span(&signature)),
                     RC_OK);
    buf_reset(&signature);
    assert_int_equal(backend_sign(&box.t, TOKENSTORE_RS256, digest, &signature), RC_OK);
    assert_int_equal(crypto_verify_rsa(buf_span(&der), CRYPTO_RS256, digest, buf_span(&signature)),
                     RC_OK);
}

static void key_is_the_tpms_own_and_bound_to_the_boot_chain(void **unused)
{
    (void)unused;
    struct tpm2_object o;
    assert_int_equal(tpm2_object_read(box.dir.fd, ".tpm2-key", &o), RC_OK);
    TPMA_OBJECT is = o.public_part.publicArea.objectAttributes;
    assert_int_equal(is,
                     TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                         TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT);
    assert_int_equal(o.public_part.publicArea.authPolicy.size, SHA256_BYTES);
    assert_int_equal(o.pcrs, CONFIG_TPM_PCRS);
}

static void dropped_key_is_gone(void **unused)
{
    (void)unused;
    enum tokenstore_signature best;
    bool made = false;
    assert_int_equal(backend_drop_key(&box.t), RC_OK);
    assert_int_equal(backend_drop_key(&box.t), RC_NOTFOUND);
    assert_int_equal(sign(TOKENSTORE_PS256), RC_NOTFOUND);
    assert_int_equal(backend_signs(&box.t, &best), RC_NOTFOUND);
    assert_int_equal(backend_make_key(&box.t, &made), RC_OK);
    assert_true(made);
}

/// PSS with the salt that this TPM happens to take is refused: the record says so.
static void key_that_salts_otherwise_signs_as_rs256(void **unused)
{
    (void)unused;
    struct tpm2_object o;
    assert_int_equal(tpm2_object_read(box.dir.fd, ".tpm2-key", &o), RC_OK);
    o.signs = TOKENSTORE_RS256;
    assert_int_equal(tpm2_object_write(box.dir.fd, ".tpm2-key", &o), RC_OK);
    reopen();
    enum tokenstore_signature best;
    assert_int_equal(backend_signs(&box.t, &best), RC_OK);
    assert_int_equal(best, TOKENSTORE_RS256);
    assert_int_equal(sign(TOKENSTORE_PS256), RC_UNSUPPORTED);
    assert_int_equal(sign(TOKENSTORE_RS256), RC_OK);
}

static void tpm_without_pss_makes_a_key_for_rs256(void **unused)
{
    (void)unused;
    enum tokenstore_signature best;
    bool made = false;
    softtpm_tell("refuse 0x2d2 1 0x15d"); // TPM_RC_SCHEME, TPM2_Sign
    assert_int_equal(backend_make_key(&box.t, &made), RC_OK);
    assert_int_equal(backend_signs(&box.t, &best), RC_OK);
    assert_int_equal(best, TOKENSTORE_RS256);
}

static void fault_at_the_first_signature_decides_nothing(void **unused)
{
    (void)unused;

    static const struct {
        const char *code;
        enum rc rc;
    } faults[] = {{"0x101", RC_IO},     // TPM_RC_FAILURE
                  {"0x9a2", RC_DENIED}, // a session that was tampered with
                  {"0x921", RC_RETRY},  // TPM_RC_LOCKOUT
                  {"0x2d5", RC_IO}};    // TPM_RC_SIZE of a parameter
    enum tokenstore_signature best;
    bool made = false;
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "refuse %s 1 0x15d", faults[i].code);
        softtpm_tell(line);
        assert_int_equal(backend_make_key(&box.t, &made), faults[i].rc);
        assert_false(made);
        assert_int_equal(backend_signs(&box.t, &best), RC_NOTFOUND);
    }
    assert_int_equal(backend_make_key(&box.t, &made), RC_OK);
    assert_int_equal(backend_signs(&box.t, &best), RC_OK);
    assert_int_equal(best, TOKENSTORE_PS256);
}

static void tpm_without_long_keys_makes_a_shorter_one(void **unused)
{
    (void)unused;
    char bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
    struct buf signature = BUF(bytes);
    bool made = false;
    softtpm_tell("refuse 0x1c4 1 0x18a"); // TPM_RC_VALUE, TPM2_TestParms
    assert_int_equal(backend_make_key(&box.t, &made), RC_OK);
    assert_int_equal(backend_sign(&box.t, TOKENSTORE_PS256, digest, &signature), RC_OK);
    assert_int_equal(signature.len, 256);
}

static void tpm_without_rsa_is_unsupported(void **unused)
{
    (void)unused;
    bool made = false;
    softtpm_tell("refuse 0x1c4 2 0x18a");
    assert_int_equal(backend_make_key(&box.t, &made), RC_UNSUPPORTED);
    assert_false(made);
    assert_int_equal(sign(TOKENSTORE_RS256), RC_NOTFOUND);
}

static void counter_only_grows(void **unused)
{
    (void)unused;
    uint64_t first, second;
    assert_int_equal(backend_counter(&box.t, &first), RC_OK);
    assert_int_equal(backend_raise(&box.t, first + 1u), RC_OK);
    assert_int_equal(backend_raise(&box.t, first), RC_OK); // is so already
    reopen();
    assert_int_equal(backend_counter(&box.t, &second), RC_OK);
    assert_int_equal(second, first + 1u);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, over)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kek_comes_back_and_never_crosses_the_bus_in_the_clear, fresh),
        TEST(two_stores_of_one_tpm_have_two_keks, fresh),
        TEST(key_signs_as_it_says_after_each_start, with_key),
        TEST(key_is_the_tpms_own_and_bound_to_the_boot_chain, with_key),
        TEST(dropped_key_is_gone, with_key),
        TEST(key_that_salts_otherwise_signs_as_rs256, with_key),
        TEST(tpm_without_pss_makes_a_key_for_rs256, fresh),
        TEST(fault_at_the_first_signature_decides_nothing, fresh),
        TEST(tpm_without_long_keys_makes_a_shorter_one, fresh),
        TEST(tpm_without_rsa_is_unsupported, fresh),
        TEST(counter_only_grows, fresh),
    };
    if (crypto_init() != RC_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

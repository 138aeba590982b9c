// SPDX-License-Identifier: Apache-2.0
/*
 * A TPM that does not play along: busy, full, slow, deaf, rude, changed, taken by somebody else,
 * gone.
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
#include "base/slots.h"

#include "softtpm.h"
#include "world.h"

// Commands in hexadecimal.
#define NO_PASSWORD  "00000009400000090000000000"
#define CLEAR        "80020000001b000001264000000a" NO_PASSWORD // TPM2_Clear
#define REMOVE_INDEX "80020000001f00000122400000010180a17e" NO_PASSWORD
#define DEFINE_PLAIN                                                                               \
    "80020000002d0000012a40000001" NO_PASSWORD "0000000e0180a17e000b0004000400000008"
#define PASSWORD_OF_OWNER "80020000001e0000012940000001" NO_PASSWORD "000178"

/// What passes by itself: asked for again, it works.
static void busy_and_full_tpms_are_asked_again(void **unused)
{
    (void)unused;
    static const char *const codes[] = {"0x901",  // context gap
                                        "0x902",  // object memory
                                        "0x903",  // session memory
                                        "0x904",  // memory
                                        "0x909",  // canceled
                                        "0x921",  // lockout
                                        "0x923"}; // its own memory rests
    // StartAuthSession, PolicyPCR, Sign, FlushContext
    static const char *const commands[] = {"0x176", "0x17f", "0x15d"};
    for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        for (unsigned c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
            char line[64];
            snprintf(line, sizeof(line), "refuse %s 1 %s", codes[i], commands[c]);
            softtpm_tell(line);
            assert_int_equal(sign(TOKENSTORE_PS256), RC_RETRY);
            assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
        }
    }
}

static void loading_the_key_waits_for_room_in_the_tpm(void **unused)
{
    (void)unused;
    reopen();
    softtpm_tell("refuse 0x902 1 0x157"); // TPM2_Load
    assert_int_equal(sign(TOKENSTORE_PS256), RC_RETRY);
    assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
}

static void opening_a_tpm_without_room_may_be_tried_again(void **unused)
{
    (void)unused;
    static const char *const commands[] = {"0x131", "0x157", "0x176", "0x17f", "0x15e", "0x14e"};
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        char line[64];
        close_store();
        assert_int_equal(attach(), RC_OK);
        snprintf(line, sizeof(line), "refuse 0x902 1 %s", commands[i]);
        softtpm_tell(line);
        assert_int_equal(open_store(true), RC_RETRY);
        secret_close(&box.t.kek);
        assert_int_equal(open_store(true), RC_OK);
    }
}

static void answer_that_never_comes_ends_the_call_in_time(void **unused)
{
    (void)unused;
    softtpm_tell("deaf");
    clock_of_test.ours = true;
    clock_of_test.ms = 0;
    assert_int_equal(sign(TOKENSTORE_PS256), RC_RETRY);
    assert_int_equal(clock_of_test.ms, TOKENSTORE_BLOCK_MS_MAX);
    // Whoever waited once does not wait again.
    assert_int_equal(sign(TOKENSTORE_PS256), RC_RETRY);
    assert_int_equal(clock_of_test.ms, TOKENSTORE_BLOCK_MS_MAX);
    uint64_t value;
    assert_int_equal(backend_counter(&box.t, &value), RC_RETRY);
    assert_int_equal(clock_of_test.ms, TOKENSTORE_BLOCK_MS_MAX);
    clock_of_test.ours = false;
    softtpm_tell("hear");
    enum rc rc = RC_RETRY;
    while (rc == RC_RETRY) { // the late answer comes in, in as many pieces as it likes
        struct pollfd late = {.fd = tpm2_of(&box.t)->device.fd, .events = POLLIN};
        assert_int_equal(__real_poll(&late, 1, 10000), 1);
        rc = sign(TOKENSTORE_PS256);
    }
    assert_int_equal(rc, RC_OK);
}

static void count(void *context)
{
    (*(unsigned *)context)++;
}

static void making_a_key_tells_each_second_that_it_goes_on(void **unused)
{
    (void)unused;
    unsigned told = 0;
    bool made = false;
    softtpm_tell("deaf");
    box.t.while_waiting = count;
    box.t.context = &told;
    clock_of_test.ours = true;
    clock_of_test.ms = 0;
    assert_int_equal(backend_make_key(&box.t, &made), RC_RETRY);
    clock_of_test.ours = false;
    assert_int_equal(clock_of_test.ms, TOKENSTORE_MAKE_MS_MAX);
    assert_int_equal(told, TOKENSTORE_MAKE_MS_MAX / 1000 - 1);
    softtpm_tell("hear");
    enum rc rc = RC_RETRY;
    while (rc == RC_RETRY) { // the late answer comes in, and the TPM is taken up again
        struct pollfd late = {.fd = tpm2_of(&box.t)->device.fd, .events = POLLIN};
        assert_int_equal(__real_poll(&late, 1, 10000), 1);
        rc = backend_make_key(&box.t, &made);
    }
    assert_int_equal(rc, RC_OK);
    assert_true(made);
}

static void slow_tpm_is_waited_for(void **unused)
{
    (void)unused;
    softtpm_tell("delay 20");
    reopen();
    assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
    softtpm_tell("delay 0");
}

static void what_a_killed_process_left_behind_is_swept_away(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 4; i++) { // this TPM has room for three objects
        struct tpm2 *p = tpm2_of(&box.t);
        tpm2_let_go(p); // as a kill does: nothing is flushed
        reopen();
        assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
    }
}

static void what_somebody_else_flushed_is_loaded_again(void **unused)
{
    (void)unused;
    tpm_does("80010000000e0000016580000000"); // the primary
    tpm_does("80010000000e0000016580000001"); // the signing key
    assert_int_equal(sign(TOKENSTORE_PS256), RC_RETRY);
    assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
}

static void locked_out_tpm_still_serves(void **unused)
{
    (void)unused;
    // TPM2_DictionaryAttackParameters: no try at all.
    tpm_does("8002000000270000013a4000000a" NO_PASSWORD "000000000000000100000001");
    reopen();
    assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
    uint64_t value;
    assert_int_equal(backend_counter(&box.t, &value), RC_OK);
    assert_int_equal(backend_raise(&box.t, value + 1u), RC_OK);
    tpm_does("8002000000270000013a4000000a" NO_PASSWORD "000000200000000100000001");
}

static void absurd_answers_are_refused_and_forgotten(void **unused)
{
    (void)unused;
    static const char *const answers[] = {"80010000000000000000",
                                          "8001ffffffff00000000",
                                          "80010000000a00000000",
                                          "80020000000a00000000",
                                          "00000000000a00000000",
                                          "80010000000c000000000000"};
    for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "say %s", answers[i]);
        softtpm_tell(line);
        assert_int_equal(sign(TOKENSTORE_PS256), RC_IO);
        assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
    }
}

/// Somebody on the bus who changes a bit of each answer, or chance.
static void nothing_that_happens_on_the_bus_gives_another_kek(void **unused)
{
    (void)unused;
    char kek[TOKENSTORE_KEK_BYTES];
    memcpy(kek, box.t.kek.ptr, sizeof(kek));
    unsigned opened = 0;
    for (unsigned seed = 1; seed <= 300; seed++) {
        char line[32];
        close_store();
        assert_int_equal(attach(), RC_OK);
        snprintf(line, sizeof(line), "flip %u", seed);
        softtpm_tell(line);
        clock_of_test.short_waits = true; // an answer that says that it is longer never ends
        if (open_store(true) == RC_OK) {
            assert_memory_equal(kek, box.t.kek.ptr, sizeof(kek));
            opened++;
        }
        clock_of_test.short_waits = false;
        softtpm_tell("flip 0");
    }
    assert_true(opened < 300);
    reopen();
}

static void extend_pcr_7(void)
{
    tpm_does("80020000004100000182"
             "00000007" NO_PASSWORD "00000001000b"
             "0101010101010101010101010101010101010101010101010101010101010101");
}

static void changed_boot_chain_leaves_all_as_it_is(void **unused)
{
    (void)unused;
    char kek[TOKENSTORE_KEK_BYTES];
    memcpy(kek, box.t.kek.ptr, sizeof(kek));
    extend_pcr_7();
    assert_int_equal(sign(TOKENSTORE_PS256), RC_STALE);
    close_store();
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_STALE);
    secret_close(&box.t.kek);
    backend_close(&box.t);
    softtpm_tell("reset"); // booted as before
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_OK);
    assert_memory_equal(kek, box.t.kek.ptr, sizeof(kek));
    assert_int_equal(sign(TOKENSTORE_PS256), RC_OK);
}

static void store_that_was_never_used_begins_anew_on_a_changed_boot_chain(void **unused)
{
    (void)unused;
    extend_pcr_7();
    close_store();
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(false), RC_OK);
    reopen();
    softtpm_tell("reset");
}

static void cleared_tpm_is_another_one(void **unused)
{
    (void)unused;
    tpm_does(CLEAR);
    close_store();
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_STALE);
    secret_close(&box.t.kek);
    assert_int_equal(open_store(false), RC_OK);
}

/// So does somebody on the bus who makes us begin again, with a primary of his own.
static void primary_that_is_another_one_in_between_is_not_used(void **unused)
{
    (void)unused;
    uint64_t value;
    bool made = false;
    tpm_does(CLEAR);
    softtpm_tell("say 80010000000000000000"); // nonsense: all is to be taken up again
    assert_int_equal(backend_counter(&box.t, &value), RC_IO);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(backend_counter(&box.t, &value), RC_STALE);
        assert_int_equal(backend_raise(&box.t, 7), RC_STALE);
        assert_int_equal(backend_make_key(&box.t, &made), RC_STALE);
    }
    assert_false(made);
    assert_int_equal(faccessat(box.dir.fd, ".tpm2-key", F_OK, 0), -1);
}

static void lost_record_of_the_kek_is_corruption(void **unused)
{
    (void)unused;
    assert_int_equal(unlinkat(box.dir.fd, ".tpm2-kek", 0), 0);
    close_store();
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_CORRUPT);
    assert_int_equal(faccessat(box.dir.fd, ".tpm2-kek", F_OK, 0), -1); // and not made anew
}

static void no_changed_blob_opens(void **unused)
{
    (void)unused;
    char kek[TOKENSTORE_KEK_BYTES], bytes[SLOTS_PAYLOAD_MAX];
    struct buf record = BUF(bytes);
    struct slots slots = {.dir_fd = box.dir.fd,
                          .name = ".tpm2-kek",
                          .magic = 0x41545032u,
                          .payload_max = 6u * SLOTS_SECTOR_BYTES - SLOTS_FRAME_BYTES};
    memcpy(kek, box.t.kek.ptr, sizeof(kek));
    assert_int_equal(slots_read(&slots, &record, NULL), RC_OK);
    for (size_t i = 0; i < record.len; i += 3) {
        bytes[i] ^= 0x10;
        assert_int_equal(slots_write(&slots, buf_span(&record)), RC_OK);
        bytes[i] ^= 0x10;
        close_store();
        assert_int_equal(attach(), RC_OK);
        enum rc rc = open_store(true);
        if (rc == RC_OK) { // the byte says something that is not used
            assert_memory_equal(kek, box.t.kek.ptr, sizeof(kek));
            assert_int_equal(i, 1);
        }
    }
}

static void index_of_somebody_else_is_refused(void **unused)
{
    (void)unused;
    close_store();
    tpm_does(REMOVE_INDEX);
    tpm_does(DEFINE_PLAIN);
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_UNSUPPORTED);
    assert_non_null(strstr(box.missing, "TPM_NV_INDEX"));
    tpm_does(REMOVE_INDEX);
}

static void counter_that_was_removed_begins_above_what_it_was(void **unused)
{
    (void)unused;
    uint64_t before, after;
    assert_int_equal(backend_counter(&box.t, &before), RC_OK);
    tpm_does(REMOVE_INDEX);
    assert_int_equal(backend_counter(&box.t, &after), RC_IO);
    reopen();
    assert_int_equal(backend_counter(&box.t, &after), RC_OK);
    assert_true(after > before);
}

static void owners_password_is_told(void **unused)
{
    (void)unused;
    close_store();
    tpm_does(PASSWORD_OF_OWNER);
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_UNSUPPORTED);
    assert_non_null(strstr(box.missing, "password"));
    tpm_does(CLEAR);
}

static void device_that_is_no_tpm_is_told(void **unused)
{
    (void)unused;
    const char *device = getenv("ANTEROOM_TPM_DEVICE");
    char path[128];
    close_store();
    snprintf(path, sizeof(path), "%s", device);
    setenv("ANTEROOM_TPM_DEVICE", "/dev/null", 1);
    assert_int_equal(attach(), RC_IO);
    assert_non_null(strstr(box.missing, "/dev/null (CONFIG_TPM_DEVICE)"));
    backend_close(&box.t);
    setenv("ANTEROOM_TPM_DEVICE", "/dev/none", 1);
    assert_int_equal(attach(), RC_UNSUPPORTED);
    assert_non_null(strstr(box.missing, "/dev/none (CONFIG_TPM_DEVICE) is not there"));
    backend_close(&box.t);
    setenv("ANTEROOM_TPM_DEVICE", path, 1);
    softtpm_tell("say 8001000000100000000000000000"
                 "0101");                                 // TPM2_Startup is fine
    softtpm_tell("say 80010000001000000000000000000101"); // its self-test failed
    assert_int_equal(attach(), RC_IO);
}

static void device_that_does_not_open_is_told(void **unused)
{
    (void)unused;

    static const struct {
        int error;
        enum rc rc;
    } cases[] = {{EACCES, RC_DENIED},
                 {EPERM, RC_DENIED},
                 {ENOENT, RC_UNSUPPORTED},
                 {ENODEV, RC_UNSUPPORTED},
                 {EBUSY, RC_IO},
                 {EIO, RC_IO}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        close_store();
        open_fails = cases[i].error;
        assert_int_equal(attach(), cases[i].rc);
        assert_non_null(strstr(box.missing, "(CONFIG_TPM_DEVICE)"));
    }
}

static void unplugged_tpm_is_a_failing_device(void **unused)
{
    (void)unused;
    softtpm_tell("gone");
    assert_int_equal(sign(TOKENSTORE_PS256), RC_IO);
    assert_int_equal(sign(TOKENSTORE_PS256), RC_IO);
    close_store();
    assert_int_equal(attach(), RC_UNSUPPORTED);
    assert_non_null(strstr(box.missing, "(CONFIG_TPM_DEVICE)"));
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, over)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(busy_and_full_tpms_are_asked_again, with_key),
        TEST(loading_the_key_waits_for_room_in_the_tpm, with_key),
        TEST(opening_a_tpm_without_room_may_be_tried_again, fresh),
        TEST(answer_that_never_comes_ends_the_call_in_time, with_key),
        TEST(making_a_key_tells_each_second_that_it_goes_on, fresh),
        TEST(slow_tpm_is_waited_for, with_key),
        TEST(what_somebody_else_flushed_is_loaded_again, with_key),
        TEST(locked_out_tpm_still_serves, with_key),
        TEST(absurd_answers_are_refused_and_forgotten, with_key),
        TEST(nothing_that_happens_on_the_bus_gives_another_kek, fresh),
        TEST(what_a_killed_process_left_behind_is_swept_away, with_key),
        TEST(changed_boot_chain_leaves_all_as_it_is, with_key),
        TEST(store_that_was_never_used_begins_anew_on_a_changed_boot_chain, fresh),
        TEST(cleared_tpm_is_another_one, fresh),
        TEST(primary_that_is_another_one_in_between_is_not_used, fresh),
        TEST(lost_record_of_the_kek_is_corruption, fresh),
        TEST(no_changed_blob_opens, fresh),
        TEST(index_of_somebody_else_is_refused, fresh),
        TEST(counter_that_was_removed_begins_above_what_it_was, fresh),
        TEST(owners_password_is_told, fresh),
        TEST(device_that_is_no_tpm_is_told, fresh),
        TEST(device_that_does_not_open_is_told, fresh),
        TEST(unplugged_tpm_is_a_failing_device, with_key),
    };
    if (crypto_init() != RC_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

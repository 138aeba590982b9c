// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * What hal/reset.h promises, for every backend. A life is hal_reset_open and what follows; the
 * machine's boots and panics are files that the kernel's are redirected to (linux) or that the
 * sandbox has anyway.
 */
#include "hal/reset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

#include "state_dir.h"

#define FIRST_BOOT  "0b5c8a1e-3c1f-4d2a-9e0b-1a2b3c4d5e6f"
#define SECOND_BOOT "7f3e2d1c-9a8b-4c5d-8e7f-a0b1c2d3e4f5"

static struct state_dir state;
static char pstore[600], boot_id[600];
static struct reset r;
static enum rc opened;
static int hidden_errno;  // of the traces of a panic; 0: they are shown
static int failing_errno; // of the next write to the record; 0: none fails

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    bool kernel = strcmp(path, "/proc/sys/kernel/random/boot_id") == 0;
    return __real_open(kernel ? boot_id : path, flags, mode);
}

DIR *__wrap_opendir(const char *path)
{
    if (hidden_errno != 0 && strcmp(path, CONFIG_RESET_PSTORE_DIR) == 0) {
        errno = hidden_errno;
        return NULL;
    }
    return __real_opendir(strcmp(path, CONFIG_RESET_PSTORE_DIR) == 0 ? pstore : path);
}

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    if (hidden_errno != 0 && hidden_errno != ENOENT && strcmp(path, "panic") == 0) {
        errno = hidden_errno;
        return -1;
    }
    return __real_openat(fd, path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    errno = failing_errno;
    return failing_errno != 0 ? -1 : __real_pwrite(fd, data, len, at);
}

// ---- the machine ------------------------------------------------------------

static void put(const char *name, const char *text)
{
    assert_true(state_dir_write(&state, name, text));
}

static void boot(const char *id)
{
    char line[64];
    snprintf(line, sizeof(line), "%s\n", id);
    put("sandbox/boot_id", line); // linux: what stands for the one of /proc
}

static void panic_at(int64_t s)
{
    struct timespec when[2] = {{.tv_sec = (time_t)s}, {.tv_sec = (time_t)s}};
    put("pstore/dmesg-ramoops-0", "Oops");
    put("sandbox/panic", "");
    assert_int_equal(utimensat(state.fd, "pstore/dmesg-ramoops-0", when, 0), 0);
    assert_int_equal(utimensat(state.fd, "sandbox/panic", when, 0), 0);
}

static int make(void **unused)
{
    (void)unused;
    failing_errno = hidden_errno = 0;
    memset(&r, 0, sizeof(r));
    if (!state_dir_make(&state)) {
        return -1;
    }
    snprintf(pstore, sizeof(pstore), "%s/pstore", state.path);
    snprintf(boot_id, sizeof(boot_id), "%s/sandbox/boot_id", state.path);
    boot(FIRST_BOOT);
    put("pstore/console-ramoops-0", "not a panic");
    return 0;
}

static int destroy(void **unused)
{
    (void)unused;
    failing_errno = hidden_errno = 0;
    assert_set_hook(NULL);
    state_dir_remove(&state);
    return 0;
}

/// The traces of a panic are not to be seen any more, or never were (ENOENT: none are kept).
static void hide_panics(int error)
{
    hidden_errno = error;
    put("sandbox/absent", error == ENOENT ? "reset" : "");
}

static enum reset_cause live(bool bitten)
{
    opened = hal_reset_open(&r, state.fd, bitten);
    return r.cause;
}

static void first_life(void)
{
    assert_int_equal(live(false), RESET_FIRST);
    assert_int_equal(opened, RC_OK);
}

static void say(enum reset_cause cause, const char *words)
{
    assert_int_equal(hal_reset_words(&r, cause, span_from_str(words)), RC_OK);
}

// ---- tests ------------------------------------------------------------------

static void of_the_first_life_nothing_is_known(void **unused)
{
    (void)unused;
    first_life();
    assert_false(r.same_boot);
    assert_int_equal(r.uptime_ms, 0);
    assert_string_equal(r.words, "");
}

static void a_process_that_vanished_was_killed(void **unused)
{
    (void)unused;
    first_life();
    assert_int_equal(live(false), RESET_KILLED);
    assert_true(r.same_boot);
    assert_int_equal(opened, RC_OK);
}

static void a_machine_that_vanished_lost_its_power(void **unused)
{
    (void)unused;
    first_life();
    boot(SECOND_BOOT);
    assert_int_equal(live(false), RESET_POWER);
    assert_false(r.same_boot);
}

static void last_words_are_told_in_the_next_life_and_not_again(void **unused)
{
    (void)unused;

    static const enum reset_cause causes[] = {RESET_CLEAN, RESET_ASKED, RESET_ASSERT};

    first_life();
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        say(causes[i], "why it ended");
        assert_int_equal(live(false), causes[i]);
        assert_true(r.same_boot);
        assert_string_equal(r.words, "why it ended");
        assert_int_equal(live(false), RESET_KILLED);
        assert_string_equal(r.words, "");
    }
}

static void last_words_outlive_the_boot(void **unused)
{
    (void)unused;
    first_life();
    say(RESET_CLEAN, "");
    boot(SECOND_BOOT);
    assert_int_equal(live(false), RESET_CLEAN);
    assert_false(r.same_boot);
}

static void the_watchdog_is_believed_over_last_words(void **unused)
{
    (void)unused;
    first_life();
    say(RESET_ASKED, "feeding stopped: auth");
    boot(SECOND_BOOT);
    assert_int_equal(live(true), RESET_WATCHDOG);
    assert_string_equal(r.words, "feeding stopped: auth"); // they say why it bit
}

static void the_boot_status_counts_once_in_a_boot(void **unused)
{
    (void)unused;
    first_life();
    boot(SECOND_BOOT);
    assert_int_equal(live(true), RESET_WATCHDOG);
    assert_int_equal(live(true), RESET_KILLED); // the driver goes on saying it
    say(RESET_CLEAN, "");
    assert_int_equal(live(true), RESET_CLEAN);
}

static void the_watchdog_is_known_without_a_life_before(void **unused)
{
    (void)unused;
    assert_int_equal(live(true), RESET_WATCHDOG);
}

static void a_panic_is_believed_over_the_watchdog(void **unused)
{
    (void)unused;
    first_life();
    panic_at(1700000000);
    boot(SECOND_BOOT);
    assert_int_equal(live(true), RESET_PANIC);
}

static void a_panic_counts_once_and_a_later_one_again(void **unused)
{
    (void)unused;
    panic_at(1700000000); // before we knew anything
    first_life();
    boot(SECOND_BOOT);
    assert_int_equal(live(false), RESET_POWER);
    panic_at(1700000001);
    assert_int_equal(live(false), RESET_KILLED); // no panic without another boot
    boot(FIRST_BOOT);
    assert_int_equal(live(false), RESET_POWER); // seen, and not of this boot
    panic_at(1700000002);
    boot(SECOND_BOOT);
    assert_int_equal(live(false), RESET_PANIC);
    boot(FIRST_BOOT);
    assert_int_equal(live(false), RESET_POWER);
    hide_panics(EACCES); // a life that did not see the old one
    boot(SECOND_BOOT);
    assert_int_equal(live(false), RESET_POWER);
    hide_panics(0);
    boot(FIRST_BOOT);
    assert_int_equal(live(false), RESET_POWER);
}

static void a_panic_that_was_looked_for_in_time_is_known_later(void **unused)
{
    (void)unused;
    first_life();
    panic_at(1700000000);
    boot(SECOND_BOOT);
    assert_int_equal(hal_reset_look(&r, state.fd), RC_OK);
    assert_string_equal(r.missing, "");
    hide_panics(EACCES); // root was given up
    assert_int_equal(live(false), RESET_PANIC);
    assert_int_equal(opened, RC_OK);
}

static void traces_that_are_not_shown_are_told_and_a_panic_looks_like_power(void **unused)
{
    (void)unused;

    static const struct {
        int error;
        enum rc rc;
        const char *says;
    } ways[] = {
        {ENOENT, RC_UNSUPPORTED, "not there"},
        {EACCES, RC_DENIED, "no permission"},
        {EIO, RC_IO, "fails"},
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        boot(FIRST_BOOT);
        (void)live(false);
        panic_at(1700000000);
        boot(SECOND_BOOT);
        hide_panics(ways[i].error);
        assert_int_equal(hal_reset_look(&r, state.fd), ways[i].rc);
        assert_non_null(strstr(r.missing, ways[i].says));
        assert_int_equal(live(false), RESET_POWER);
        assert_int_equal(opened, RC_OK);
    }
}

static void the_uptime_that_was_noted_is_told(void **unused)
{
    (void)unused;
    first_life();
    assert_int_equal(hal_reset_note(&r, 123456789), RC_OK);
    assert_int_equal(live(false), RESET_KILLED);
    assert_int_equal(r.uptime_ms, 123456789);
    assert_int_equal(hal_reset_note(&r, 5000), RC_OK);
    say(RESET_CLEAN, "");
    assert_int_equal(live(false), RESET_CLEAN);
    assert_int_equal(r.uptime_ms, 5000);
    assert_int_equal(live(false), RESET_KILLED); // this one noted nothing
    assert_int_equal(r.uptime_ms, 0);
}

static void words_are_cut_and_made_printable(void **unused)
{
    (void)unused;
    char words[RESET_WORDS_BYTES_MAX + 50u];
    memset(words, 'w', sizeof(words));
    memcpy(words, "a\n\"b\\\x1b\xff", 7);
    first_life();
    assert_int_equal(hal_reset_words(&r, RESET_ASSERT, (struct span){words, sizeof(words)}), RC_OK);
    assert_int_equal(live(false), RESET_ASSERT);
    assert_int_equal(strlen(r.words), RESET_WORDS_BYTES_MAX);
    assert_memory_equal(r.words, "a??b???ww", 9);
}

static void a_record_that_does_not_check_is_told_and_begun_anew(void **unused)
{
    (void)unused;
    first_life();
    put("reset", "this is no record, and there is no second slot");
    assert_int_equal(live(false), RESET_FIRST);
    assert_int_equal(opened, RC_CORRUPT);
    put("reset", "again, but this time the hardware knows");
    assert_int_equal(live(true), RESET_WATCHDOG);
    assert_int_equal(opened, RC_CORRUPT);
    assert_int_equal(live(false), RESET_KILLED);
    assert_int_equal(opened, RC_OK);
}

static void a_full_disk_is_told_and_the_cause_is_known(void **unused)
{
    (void)unused;
    first_life();
    say(RESET_ASKED, "why");
    failing_errno = ENOSPC;
    assert_int_equal(live(false), RESET_ASKED);
    assert_int_equal(opened, RC_FULL);
    assert_int_equal(hal_reset_note(&r, 1), RC_FULL);
    assert_int_equal(hal_reset_words(&r, RESET_CLEAN, SPAN("")), RC_FULL);
}

static void a_failing_disk_is_told_and_the_cause_is_known(void **unused)
{
    (void)unused;
    first_life();
    boot(SECOND_BOOT);
    failing_errno = EIO;
    assert_int_equal(live(false), RESET_POWER);
    assert_int_equal(opened, RC_IO);
    assert_int_equal(hal_reset_note(&r, 1), RC_IO);
    assert_int_equal(hal_reset_words(&r, RESET_CLEAN, SPAN("")), RC_IO);
}

static void words_before_the_record_is_open_have_no_place(void **unused)
{
    (void)unused;
    struct reset closed = {.dir_fd = -1};
    assert_int_equal(hal_reset_words(&closed, RESET_ASSERT, SPAN("early")), RC_IO);
}

static void leave_words(const char *text)
{
    rc_ignore(hal_reset_words(&r, RESET_ASSERT, span_from_str(text)), "the test looks itself");
    ASSERT(text == NULL); // fails as well: the process must end all the same
}

static void a_failing_assertion_leaves_its_text(void **unused)
{
    (void)unused;
    int status = 0;
    first_life();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); // not cmocka's business
        close(STDERR_FILENO);
        assert_set_hook(leave_words);
        ASSERT(child != 0);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_int_equal(live(false), RESET_ASSERT);
    assert_non_null(strstr(r.words, "reset.c:"));
    assert_non_null(strstr(r.words, " child != 0"));
}

static void causes_have_names(void **unused)
{
    (void)unused;
    for (enum reset_cause c = RESET_ILLEGAL; c < RESET_CAUSES; c++) {
        assert_non_null(hal_reset_cause_name(c));
    }
    assert_string_equal(hal_reset_cause_name(RESET_WATCHDOG), "watchdog");
    assert_string_equal(hal_reset_cause_name(RESET_POWER), "power");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_the_first_life_nothing_is_known),
        TEST(a_process_that_vanished_was_killed),
        TEST(a_machine_that_vanished_lost_its_power),
        TEST(last_words_are_told_in_the_next_life_and_not_again),
        TEST(last_words_outlive_the_boot),
        TEST(the_watchdog_is_believed_over_last_words),
        TEST(the_boot_status_counts_once_in_a_boot),
        TEST(the_watchdog_is_known_without_a_life_before),
        TEST(a_panic_is_believed_over_the_watchdog),
        TEST(a_panic_counts_once_and_a_later_one_again),
        TEST(a_panic_that_was_looked_for_in_time_is_known_later),
        TEST(traces_that_are_not_shown_are_told_and_a_panic_looks_like_power),
        TEST(the_uptime_that_was_noted_is_told),
        TEST(words_are_cut_and_made_printable),
        TEST(a_record_that_does_not_check_is_told_and_begun_anew),
        TEST(a_full_disk_is_told_and_the_cause_is_known),
        TEST(a_failing_disk_is_told_and_the_cause_is_known),
        TEST(words_before_the_record_is_open_have_no_place),
        TEST(a_failing_assertion_leaves_its_text),
        TEST(causes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

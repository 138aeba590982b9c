// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Memory for secrets, as the kernel shows it in /proc/self/smaps. A kernel without memfd_secret and
 * one that locks nothing are made by failing the calls (see the LINK line).
 */
#include "base/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool no_memfd, no_lock;
static void *last_unmapped; // what munmap got last
static bool unmapped_clean; // the area was all zero when munmap got it

long __real_syscall(long number, long a, long b, long c);
long __wrap_syscall(long number, long a, long b, long c);
int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);

int __wrap_munmap(void *at, size_t len)
{
    unmapped_clean = true;
    last_unmapped = at;
    for (size_t i = 0; i < len; i++) {
        unmapped_clean = unmapped_clean && ((char *)at)[i] == 0;
    }
    return __real_munmap(at, len);
}

long __wrap_syscall(long number, long a, long b, long c)
{
    if ((number == SYS_memfd_secret && no_memfd) || (number == SYS_mlock2 && no_lock)) {
        errno = ENOSYS;
        return -1;
    }
    return __real_syscall(number, a, b, c);
}

static int reset(void **unused)
{
    (void)unused;
    no_memfd = no_lock = false;
    return 0;
}

/// Into text: the block of /proc/self/smaps that begins at `at`; false: nothing is mapped there.
static bool read_mapping(const void *at, char *text, size_t cap)
{
    char line[512], start[32];
    bool inside = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    snprintf(start, sizeof(start), "%lx-", (unsigned long)(uintptr_t)at);
    text[0] = '\0';
    while (fgets(line, sizeof(line), maps) != NULL) {
        bool head = line[0] >= '0' && line[0] <= 'f' && strchr(line, '-') != NULL &&
                    strchr(line, '-') < strchr(line, ' ');
        if (head) {
            inside = strncmp(line, start, strlen(start)) == 0;
        }
        if (inside && strlen(text) + strlen(line) < cap) {
            memcpy(text + strlen(text), line, strlen(line) + 1u);
        }
    }
    fclose(maps);
    return text[0] != '\0';
}

static bool is_mapped(void *at)
{
    unsigned char resident;
    return mincore(at, 1, &resident) == 0;
}

static void check_area(enum secret_kind kind)
{
    struct secret s;
    char text[4096];
    assert_int_equal(secret_open(&s, 5000), RC_OK);
    assert_int_equal(s.kind, kind);
    assert_true(s.bytes >= 5000);
    for (size_t i = 0; i < s.bytes; i++) {
        assert_int_equal(s.ptr[i], 0);
    }
    memset(s.ptr, 0x5a, s.bytes);
    assert_true(read_mapping(s.ptr, text, sizeof(text)));
    const char *flags = strstr(text, "VmFlags:");
    assert_non_null(flags);
    assert_non_null(strstr(flags, " dd"));
    assert_non_null(strstr(flags, " lo"));
    assert_non_null(strstr(flags, " dc")); // no child has it
    assert_int_equal(strstr(text, "secretmem") != NULL, kind == SECRET_MEMFD);
    void *was = s.ptr;
    secret_close(&s);
    assert_null(s.ptr);
    assert_int_equal(s.kind, SECRET_NONE);
    assert_false(is_mapped(was));
    secret_close(&s); // closing twice is fine
}

static void the_kernel_s_own_map_has_not_the_pages(void **unused)
{
    (void)unused;
    long fd = __real_syscall(SYS_memfd_secret, 0, 0, 0);
    if (fd < 0) {
        print_message("this kernel has no memfd_secret\n");
        skip();
    }
    close((int)fd);
    check_area(SECRET_MEMFD);
}

static void without_memfd_secret_the_pages_are_locked_and_never_dumped(void **unused)
{
    (void)unused;
    no_memfd = true;
    check_area(SECRET_LOCKED);
}

static void a_kernel_that_gives_neither_is_refused_and_nothing_stays_mapped(void **unused)
{
    (void)unused;
    struct secret s;
    no_memfd = no_lock = true;
    last_unmapped = NULL;
    assert_int_equal(secret_open(&s, 64), RC_IO);
    assert_null(s.ptr);
    assert_non_null(last_unmapped);
    assert_false(is_mapped(last_unmapped));
}

static void what_was_in_it_is_wiped_before_it_is_given_back(void **unused)
{
    (void)unused;
    struct secret s;
    no_memfd = true;
    assert_int_equal(secret_open(&s, 64), RC_OK);
    memset(s.ptr, 0x5a, s.bytes);
    unmapped_clean = false;
    secret_close(&s);
    assert_true(unmapped_clean);
}

static void an_area_of_ours_is_kept_from_dumps_and_swap(void **unused)
{
    (void)unused;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char text[4096];
    char *at = mmap(NULL, 4u * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    assert_int_equal(secret_guard(at + page, page), RC_OK);
    assert_true(read_mapping(at + page, text, sizeof(text)));
    const char *flags = strstr(text, "VmFlags:");
    assert_non_null(flags);
    assert_non_null(strstr(flags, " dd"));
    assert_non_null(strstr(flags, " lo"));
    assert_non_null(strstr(text, "Rss:                   0 kB")); // nothing was touched for it
    no_lock = true;
    assert_int_equal(secret_guard(at + page, page), RC_IO);
    assert_int_equal(secret_hide(at + 3u * page, page), RC_OK);
    assert_true(read_mapping(at + 3u * page, text, sizeof(text)));
    flags = strstr(text, "VmFlags:");
    assert_non_null(strstr(flags, " dd"));
    assert_null(strstr(flags, " lo"));
    munmap(at, 4u * page);
}

static void every_kind_has_a_name(void **unused)
{
    (void)unused;
    assert_string_equal(secret_kind_name(SECRET_NONE), "none");
    assert_string_equal(secret_kind_name(SECRET_MEMFD), "memfd_secret");
    assert_string_equal(secret_kind_name(SECRET_LOCKED), "locked");
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_kernel_s_own_map_has_not_the_pages),
        TEST(without_memfd_secret_the_pages_are_locked_and_never_dumped),
        TEST(a_kernel_that_gives_neither_is_refused_and_nothing_stays_mapped),
        TEST(what_was_in_it_is_wiped_before_it_is_given_back),
        TEST(an_area_of_ours_is_kept_from_dumps_and_swap),
        TEST(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "softtpm.h"

#define SHORT_MS 300 // this TPM answers in a few

struct clock_of_test clock_of_test;
int open_fails;
struct box box;

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (clock_of_test.short_waits && timeout_ms > SHORT_MS) {
        int ready = __real_poll(fds, count, SHORT_MS);
        clock_of_test.ms += ready == 0 ? timeout_ms : 0;
        return ready;
    }
    if (!clock_of_test.ours || (fds->events & POLLOUT) != 0) {
        return __real_poll(fds, count, timeout_ms);
    }
    assert_true(timeout_ms >= 0);
    clock_of_test.ms += timeout_ms;
    return 0;
}

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    if (!clock_of_test.ours && !clock_of_test.short_waits) {
        return __real_clock_gettime(id, t);
    }
    *t = (struct timespec){.tv_sec = clock_of_test.ms / 1000,
                           .tv_nsec = clock_of_test.ms % 1000 * 1000000};
    return 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);

int __wrap_open(const char *path, int flags, mode_t mode)
{
    if (open_fails == 0 || (flags & O_NONBLOCK) == 0) {
        return __real_open(path, flags, mode);
    }
    errno = open_fails;
    open_fails = 0;
    return -1;
}

RC attach(void)
{
    struct buf missing = BUF(box.missing);
    box.t = (struct tokenstore){.dir_fd = -1, .class = backend_class()};
    memset(box.missing, 0, sizeof(box.missing));
    return backend_attach(&box.t, &missing);
}

RC open_store(bool begun)
{
    char text[96];
    struct buf missing = BUF(text);
    box.t.dir_fd = box.dir.fd;
    assert_int_equal(secret_open(&box.t.kek, TOKENSTORE_KEK_BYTES), RC_OK);
    enum rc rc = backend_open(&box.t, AT_FDCWD, begun, &missing);
    assert_true(buf_ok(&missing) && missing.len < sizeof(box.missing));
    memset(box.missing, 0, sizeof(box.missing));
    memcpy(box.missing, text, missing.len);
    return rc;
}

void close_store(void)
{
    secret_close(&box.t.kek);
    backend_close(&box.t);
}

void reopen(void)
{
    close_store();
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(true), RC_OK);
}

int fresh(void **unused)
{
    (void)unused;
    assert_true(state_dir_make(&box.dir));
    assert_int_equal(attach(), RC_OK);
    assert_int_equal(open_store(false), RC_OK);
    return 0;
}

int over(void **unused)
{
    (void)unused;
    close_store();
    state_dir_remove(&box.dir);
    return 0;
}

const uint8_t digest[TOKENSTORE_DIGEST_BYTES] = "a digest, not a secret at all..";

RC sign(enum tokenstore_signature kind)
{
    char bytes[TOKENSTORE_SIGNATURE_BYTES_MAX];
    struct buf signature = BUF(bytes);
    return backend_sign(&box.t, kind, digest, &signature);
}

int with_key(void **unused)
{
    bool made = false;
    fresh(unused);
    assert_int_equal(backend_make_key(&box.t, &made), RC_OK);
    assert_true(made);
    return 0;
}

void tpm_does(const char *hex)
{
    char line[256], answer[256];
    snprintf(line, sizeof(line), "send %s", hex);
    softtpm_ask(line, answer, sizeof(answer));
    assert_int_equal(strncmp(answer + 12, "00000000", 8), 0);
}

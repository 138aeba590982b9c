// SPDX-License-Identifier: Apache-2.0
#include "softtpm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fail_msg("%s is not set: run this test by ctest, or as its command does", name);
    }
    return value;
}

void softtpm_ask(const char *line, char *answer, size_t capacity)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // The path may be longer than an address may be.
    char directory[512];
    snprintf(directory, sizeof(directory), "%s", environment("ANTEROOM_TPM_CONTROL"));
    char *name = strrchr(directory, '/');
    assert_non_null(name);
    *name++ = '\0';
    int here = open(directory, O_RDONLY | O_DIRECTORY);
    assert_true(here >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", here, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(here);
    assert_int_equal(dprintf(fd, "%s\n", line), (int)strlen(line) + 1);
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && memchr(answer, '\n', len) == NULL; len += (size_t)got) {
        assert_true(len < capacity);
        got = read(fd, answer + len, capacity - len);
        assert_true(got > 0);
    }
    close(fd);
    *(char *)memchr(answer, '\n', len) = '\0';
}

void softtpm_tell(const char *line)
{
    char answer[64];
    softtpm_ask(line, answer, sizeof(answer));
    assert_string_equal(answer, "ok");
}

bool softtpm_heard(const void *bytes, size_t len)
{
    static char traffic[4u << 20];
    int fd = open(environment("ANTEROOM_TPM_TRAFFIC"), O_RDONLY);
    assert_true(fd >= 0);
    size_t have = 0;
    for (ssize_t got; (got = read(fd, traffic + have, sizeof(traffic) - have)) > 0;) {
        have += (size_t)got;
    }
    close(fd);
    assert_true(have > 0 && have < sizeof(traffic));
    return memmem(traffic, have, bytes, len) != NULL;
}

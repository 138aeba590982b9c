// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/rc.h"

#define LINE_BYTES 512u

static void every_result_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < RC_COUNT; a++) {
        assert_string_not_equal(rc_name((enum rc)a), "unknown");
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(rc_name((enum rc)a), rc_name((enum rc)b));
        }
    }
    assert_string_equal(rc_name(RC_OK), "ok");
    assert_string_equal(rc_name(RC_COUNT), "unknown");
}

static RC tries(enum rc rc, bool *went_on)
{
    TRY(rc);
    *went_on = true;
    return RC_AGAIN;
}

static void try_returns_all_but_ok(void **state)
{
    (void)state;
    for (int rc = 0; rc < RC_COUNT; rc++) {
        bool went_on = false;
        enum rc got = tries((enum rc)rc, &went_on);
        assert_int_equal(got, rc == RC_OK ? RC_AGAIN : (enum rc)rc);
        assert_int_equal(went_on, rc == RC_OK);
    }
}

static void a_failed_assertion_says_where_and_aborts(void **state)
{
    (void)state;
    int ends[2];
    char line[LINE_BYTES];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        ASSERT(1 + 1 == 2);
        ASSERT(1 + 1 == 3);
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len + 1 < sizeof(line)) {
        got = read(ends[0], line + len, sizeof(line) - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    (void)close(ends[0]);
    line[len] = '\0';
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(line, "ev=assert_failed at="));
    assert_non_null(strstr(line, "result.c:"));
    assert_non_null(strstr(line, "condition=\"1 + 1 == 3\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result_has_a_name_of_its_own),
        cmocka_unit_test(try_returns_all_but_ok),
        cmocka_unit_test(a_failed_assertion_says_where_and_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    unsigned calls, ready;
    int unwatch; ///< descriptor that the handler ends the watch of, or -1
};

static struct loop loop;

static int setup(void **state)
{
    (void)state;
    return loop_init(&loop) == RC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_deinit(&loop);
    return 0;
}

static void note(void *context, int fd, unsigned ready)
{
    struct seen *s = context;
    assert_true(fd >= 0);
    s->calls++;
    s->ready = ready;
    if (s->unwatch >= 0) {
        loop_unwatch(s->loop, s->unwatch);
    }
}

static struct seen seen_new(void)
{
    return (struct seen){.loop = &loop, .unwatch = -1};
}

static struct mono in_ms(int64_t ms)
{
    return mono_after(loop_now().mono, ms);
}

static int ready_fd(void)
{
    int fd = eventfd(1, EFD_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

static void a_deadline_ends_the_sleep(void **state)
{
    (void)state;
    struct mono until = in_ms(20);
    struct now now = loop_wait(&loop, until);
    assert_true(mono_due(until, now.mono));
    assert_true(now.mono.ms - until.ms < 2000);
    assert_int_equal(loop.wakeups, 1);
}

static void a_deadline_in_the_past_does_not_sleep(void **state)
{
    (void)state;
    struct mono before = loop_now().mono;
    struct now now = loop_wait(&loop, (struct mono){.ms = 0});
    assert_true(now.mono.ms - before.ms < 1000);
}

static void a_ready_descriptor_reaches_its_handler(void **state)
{
    (void)state;
    struct seen s = seen_new();
    int fd = ready_fd();
    assert_int_equal(loop_watch(&loop, fd, LOOP_READ, note, &s), RC_OK);
    (void)loop_wait(&loop, MONO_NEVER);
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.ready, LOOP_READ);
    loop_unwatch(&loop, fd);
    (void)loop_wait(&loop, in_ms(1));
    assert_int_equal(s.calls, 1);
    close(fd);
}

static void a_watch_can_change_its_events(void **state)
{
    (void)state;
    struct seen s = seen_new();
    int fd = ready_fd();
    assert_int_equal(loop_watch(&loop, fd, LOOP_READ, note, &s), RC_OK);
    assert_int_equal(loop_watch(&loop, fd, LOOP_WRITE, note, &s), RC_OK);
    (void)loop_wait(&loop, in_ms(1000));
    assert_int_equal(s.calls, 1);
    assert_int_equal(s.ready, LOOP_WRITE);
    close(fd);
}

static void a_hang_up_is_told_as_ready(void **state)
{
    (void)state;
    struct seen s = seen_new();
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(loop_watch(&loop, ends[0], LOOP_WRITE, note, &s), RC_OK);
    close(ends[1]);
    (void)loop_wait(&loop, in_ms(1000));
    assert_int_equal(s.ready, LOOP_READ | LOOP_WRITE);
    close(ends[0]);
}

static void a_watch_ended_by_an_earlier_handler_is_not_called(void **state)
{
    (void)state;
    int fds[2] = {ready_fd(), ready_fd()};
    struct seen s[2] = {seen_new(), seen_new()};
    s[0].unwatch = fds[1];
    s[1].unwatch = fds[0];
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(loop_watch(&loop, fds[i], LOOP_READ, note, &s[i]), RC_OK);
    }
    (void)loop_wait(&loop, in_ms(1000));
    assert_int_equal(s[0].calls + s[1].calls, 1);
    close(fds[0]);
    close(fds[1]);
}

static void a_number_that_was_closed_can_be_watched_anew(void **state)
{
    (void)state;
    struct seen s = seen_new();
    int fd = ready_fd();
    assert_int_equal(loop_watch(&loop, fd, LOOP_READ, note, &s), RC_OK);
    close(fd);
    int again = ready_fd();
    assert_int_equal(again, fd);
    assert_int_equal(loop_watch(&loop, again, LOOP_READ, note, &s), RC_OK);
    (void)loop_wait(&loop, in_ms(1000));
    assert_int_equal(s.calls, 1);
    close(again);
}

static void watches_are_bounded(void **state)
{
    (void)state;
    struct seen s = seen_new();
    int fds[LOOP_WATCHES_MAX + 1u];
    for (unsigned i = 0; i <= LOOP_WATCHES_MAX; i++) {
        fds[i] = ready_fd();
        enum rc want = i < LOOP_WATCHES_MAX ? RC_OK : RC_FULL;
        assert_int_equal(loop_watch(&loop, fds[i], LOOP_READ, note, &s), want);
    }
    for (unsigned i = 0; i <= LOOP_WATCHES_MAX; i++) {
        loop_unwatch(&loop, fds[i]);
        close(fds[i]);
    }
}

static void a_closed_descriptor_is_an_io_error(void **state)
{
    (void)state;
    struct seen s = seen_new();
    int fd = ready_fd();
    close(fd);
    assert_int_equal(loop_watch(&loop, fd, LOOP_READ, note, &s), RC_IO);
    loop_unwatch(&loop, fd);
    loop_unwatch(&loop, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_deadline_ends_the_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deadline_in_the_past_does_not_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ready_descriptor_reaches_its_handler, setup, teardown),
        cmocka_unit_test_setup_teardown(a_watch_can_change_its_events, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hang_up_is_told_as_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_watch_ended_by_an_earlier_handler_is_not_called, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_number_that_was_closed_can_be_watched_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(watches_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_descriptor_is_an_io_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

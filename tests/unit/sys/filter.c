// SPDX-License-Identifier: Apache-2.0
// The program of the filter, run by a small machine of our own: what it answers to any call with
// any arguments. That the kernel agrees is tried in confined.c.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sys/confine_filter.h"

#define PID       4242u
#define OTHERWISE 0x7fc00000u
#define CALLS     600u
#define ALLOW     SECCOMP_RET_ALLOW
#define THREAD    0x3d0f00u // what musl and glibc make a thread with

static struct sock_filter code[CONFINE_FILTER_MAX];
static unsigned len;

static int setup(void **state)
{
    (void)state;
    len = confine_filter(code, PID, OTHERWISE);
    return 0;
}

/// The few instructions that the filter is made of. Ends: jumps only go forward.
static uint32_t answer_to(const struct seccomp_data *data)
{
    uint32_t a = 0;
    for (unsigned at = 0; at < len; at++) {
        const struct sock_filter *i = &code[at];
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            assert_true(i->k + sizeof(a) <= sizeof(*data));
            memcpy(&a, (const char *)data + i->k, sizeof(a));
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += a >= i->k ? i->jt : i->jf;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            fail();
        }
    }
    fail(); // it ran out of its end
    return 0;
}

static uint32_t call4(long number, const uint64_t arguments[static 4])
{
    struct seccomp_data data = {.nr = (int)number, .arch = AUDIT_ARCH_X86_64};
    memcpy(data.args, arguments, 4 * sizeof(data.args[0]));
    return answer_to(&data);
}

static uint32_t call(long number, uint64_t first, uint64_t second, uint64_t third)
{
    return call4(number, (const uint64_t[]){first, second, third, 0});
}

static void test_calls_of_a_running_box_are_allowed(void **state)
{
    static const long calls[] = {SYS_read,
                                 SYS_write,
                                 SYS_openat,
                                 SYS_close,
                                 SYS_epoll_pwait,
                                 SYS_futex,
                                 SYS_exit_group,
                                 SYS_rt_sigreturn,
                                 SYS_restart_syscall,
                                 SYS_getrandom,
                                 SYS_sendto,
                                 SYS_sendmsg,
                                 SYS_recvfrom};
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(call(calls[i], 0, 0, 0), ALLOW);
    }
}

static void test_calls_that_lead_out_are_not(void **state)
{
    static const long calls[] = {SYS_execve,        SYS_execveat,
                                 SYS_fork,          SYS_vfork,
                                 SYS_ptrace,        SYS_prctl,
                                 SYS_setuid,        SYS_chroot,
                                 SYS_mount,         SYS_bpf,
                                 SYS_unshare,       SYS_setns,
                                 SYS_capset,        SYS_init_module,
                                 SYS_kexec_load,    SYS_reboot,
                                 SYS_mknod,         SYS_symlink,
                                 SYS_link,          SYS_process_vm_readv,
                                 SYS_userfaultfd,   SYS_io_uring_setup,
                                 SYS_pkey_mprotect, SYS_remap_file_pages,
                                 SYS_seccomp,       SYS_personality,
                                 SYS_modify_ldt,    SYS_keyctl,
                                 SYS_accept4,       SYS_listen,
                                 SYS_chmod,         SYS_chown};
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(call(calls[i], 0, 0, 0), OTHERWISE);
    }
}

static void test_another_architecture_ends_the_process(void **state)
{
    (void)state;
    for (uint32_t nr = 0; nr < CALLS; nr++) {
        const struct seccomp_data i386 = {.nr = (int)nr, .arch = AUDIT_ARCH_I386};
        assert_int_equal(answer_to(&i386), SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(call((long)(nr | 0x40000000u), 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    }
}

static void test_memory_does_not_become_executable(void **state)
{
    (void)state;
    for (uint64_t prot = 0; prot < 16; prot++) {
        uint32_t expected = (prot & PROT_EXEC) != 0 ? OTHERWISE : ALLOW;
        assert_int_equal(call(SYS_mmap, 0, 4096, prot), expected);
        assert_int_equal(call(SYS_mprotect, 0, 4096, prot), expected);
        assert_int_equal(call(SYS_mprotect, 0, 4096, prot | UINT64_C(1) << 40), expected);
    }
}

static void test_sockets_are_of_the_internet(void **state)
{
    (void)state;
    for (uint64_t family = 0; family < 46; family++) {
        for (uint64_t kind = 1; kind < 11; kind++) {
            bool internet = family == AF_INET || family == AF_INET6;
            bool usual = kind == SOCK_STREAM || kind == SOCK_DGRAM;
            uint32_t expected = internet && usual ? ALLOW : OTHERWISE;
            expected = family == AF_UNIX ? (SECCOMP_RET_ERRNO | EAFNOSUPPORT) : expected;
            assert_int_equal(call(SYS_socket, family, kind, 0), expected);
            assert_int_equal(call(SYS_socket, family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                             expected);
        }
    }
}

/// Only what Landlock's limit of ports sees: not MPTCP, SMC or SCTP.
static void test_a_socket_s_protocol_is_tcp_or_udp(void **state)
{
    static const uint64_t families[] = {AF_INET, AF_INET6};
    (void)state;
    for (uint64_t protocol = 0; protocol < 600; protocol++) {
        uint32_t stream = protocol == 0 || protocol == IPPROTO_TCP ? ALLOW : OTHERWISE;
        uint32_t datagrams = protocol == 0 || protocol == IPPROTO_UDP ? ALLOW : OTHERWISE;
        for (unsigned i = 0; i < 2; i++) {
            const uint64_t family = families[i];
            assert_int_equal(call(SYS_socket, family, SOCK_STREAM | SOCK_CLOEXEC, protocol),
                             stream);
            assert_int_equal(call(SYS_socket, family, SOCK_DGRAM | SOCK_CLOEXEC, protocol),
                             datagrams);
            assert_int_equal(call(SYS_socket, family, SOCK_RAW, protocol), OTHERWISE);
        }
    }
}

static void test_nothing_is_sent_that_connects_by_itself(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        const uint64_t flag = UINT64_C(1) << bit;
        const bool connects = flag == MSG_FASTOPEN;
        assert_int_equal(call4(SYS_sendto, (const uint64_t[]){3, 0, 0, flag | MSG_NOSIGNAL}),
                         connects ? OTHERWISE : ALLOW);
        assert_int_equal(call(SYS_sendmsg, 3, 0, flag | MSG_NOSIGNAL),
                         connects ? SECCOMP_RET_ERRNO | EOPNOTSUPP : ALLOW);
    }
}

static void test_threads_yes_processes_and_namespaces_no(void **state)
{
    (void)state;
    assert_int_equal(call(SYS_clone, THREAD, 0, 0), ALLOW);
    assert_int_equal(call(SYS_clone, 17, 0, 0), OTHERWISE); // fork: SIGCHLD
    for (unsigned bit = 0; bit < 32; bit++) {
        const uint64_t other = THREAD ^ UINT64_C(1) << bit;
        uint32_t expected = (1u << bit) == CLONE_DETACHED ? ALLOW : OTHERWISE;
        assert_int_equal(call(SYS_clone, other, 0, 0), expected);
    }
    assert_int_equal(call(SYS_clone3, 1, 88, 0), SECCOMP_RET_ERRNO | ENOSYS);
}

static void test_signals_go_to_ourselves_only(void **state)
{
    static const long calls[] = {SYS_kill, SYS_tkill, SYS_tgkill};
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        assert_int_equal(call(calls[i], PID, 6, 0), ALLOW);
        assert_int_equal(call(calls[i], PID + 1, 6, 0), OTHERWISE);
        assert_int_equal(call(calls[i], (uint64_t)-1, 9, 0), OTHERWISE);
        assert_int_equal(call(calls[i], 0, 9, 0), OTHERWISE);
        assert_int_equal(call(calls[i], 1, 9, 0), OTHERWISE);
    }
}

static void test_ioctl_and_fcntl_by_number(void **state)
{
    (void)state;
    assert_int_equal(call(SYS_ioctl, 0, FIONREAD, 0), ALLOW);
    assert_int_equal(call(SYS_ioctl, 0, TIOCSTI, 0), OTHERWISE);
    assert_int_equal(call(SYS_ioctl, 0, TIOCLINUX, 0), OTHERWISE);
    for (uint64_t what = 0; what < 2048; what++) {
        bool known = (what >= F_GETFD && what <= F_SETLKW) || what == F_DUPFD_CLOEXEC;
        assert_int_equal(call(SYS_fcntl, 0, what, 0), known ? ALLOW : OTHERWISE);
    }
    assert_int_equal(call(SYS_madvise, 0, 4096, MADV_DONTNEED), ALLOW);
    assert_int_equal(call(SYS_madvise, 0, 4096, MADV_DODUMP), OTHERWISE);
}

static void test_callers_are_taken_in_without_being_waited_for_or_inherited(void **state)
{
    const uint64_t right = SOCK_NONBLOCK | SOCK_CLOEXEC;
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        assert_int_equal(
            call4(SYS_accept4, (const uint64_t[]){3, 0, 0, right ^ UINT64_C(1) << bit}), OTHERWISE);
    }
    assert_int_equal(call4(SYS_accept4, (const uint64_t[]){3, 0, 0, right}), ALLOW);
    assert_int_equal(call(SYS_accept, 3, 0, 0), OTHERWISE);
}

/// Nothing but the answers that exist, and most numbers are refused whatever they carry.
static void test_every_number_has_one_of_the_answers(void **state)
{
    unsigned allowed = 0;
    (void)state;
    for (long nr = 0; nr < (long)CALLS; nr++) {
        uint32_t answer = call(nr, 0, 0, 0);
        allowed += answer == ALLOW;
        assert_true(answer == ALLOW || answer == OTHERWISE ||
                    answer == (SECCOMP_RET_ERRNO | ENOSYS));
    }
    assert_in_range(allowed, 40, 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_of_a_running_box_are_allowed),
        cmocka_unit_test(test_calls_that_lead_out_are_not),
        cmocka_unit_test(test_another_architecture_ends_the_process),
        cmocka_unit_test(test_memory_does_not_become_executable),
        cmocka_unit_test(test_sockets_are_of_the_internet),
        cmocka_unit_test(test_a_socket_s_protocol_is_tcp_or_udp),
        cmocka_unit_test(test_nothing_is_sent_that_connects_by_itself),
        cmocka_unit_test(test_threads_yes_processes_and_namespaces_no),
        cmocka_unit_test(test_signals_go_to_ourselves_only),
        cmocka_unit_test(test_ioctl_and_fcntl_by_number),
        cmocka_unit_test(test_callers_are_taken_in_without_being_waited_for_or_inherited),
        cmocka_unit_test(test_every_number_has_one_of_the_answers),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "sys/confine_filter.h"

#include <errno.h>
#include <stddef.h>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <linux/watchdog.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/assert.h"

#if defined(__x86_64__)
#include "sys/syscalls_x86_64.h"
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#error "this architecture has no list of system calls: see tools/check/syscalls.py"
#endif

#define X32_BIT             0x40000000u // x86: calls of the x32 personality; elsewhere no such call
#define ALLOW               SECCOMP_RET_ALLOW
#define ALLOWED             0u
#define MADV_DONTNEED_LATER 24u // MADV_DONTNEED_LOCKED, Linux 5.18
#define MADV_COLD_FILE      21u // MADV_PAGEOUT, Linux 5.4: pages of the store that were sent
#define CONDITIONS_MAX      3u

// What a thread is made with; a process lacks CLONE_THREAD, a namespace has more.
#define THREAD_FLAGS                                                                               \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define SOCKET_KIND (~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))
#define EXACTLY     0xffffffffu
#define PAIR        0xfffffffeu                       // an even number, and the one that follows it
#define INET_BITS   (~(uint32_t)(AF_INET ^ AF_INET6)) // one bit tells the two apart
#define OUR_PID     0xfffffffeu // stands for the process's own number in a rule's value

/// (argument & mask) == value. A mask of 0 asks nothing. The kernel takes all of these as 32 bits.
/// Packed: there are many.
struct __attribute__((packed)) condition {
    uint8_t argument;
    uint32_t mask, value;
};

/// One way in which a call is allowed, or answered with an error. Rows of the same call stand
/// together.
struct rule {
    uint16_t call;
    struct condition conditions[CONDITIONS_MAX];
    uint8_t error;
};

static const uint16_t plain[] = {
#define X(name) SYS_##name,
    SYSCALLS_SEEN(X) SYSCALLS_BY_DESIGN(X)
#undef X
};

static const struct rule rules[] = {
    // Landlock is asked about connect() of TCP; what connects in another way passes it by: data on
    // the first packet, and protocols that only look like TCP (MPTCP, SMC).
    {SYS_sendto, {{3, MSG_FASTOPEN, 0}}, ALLOWED},
    {SYS_sendmsg, {{2, MSG_FASTOPEN, 0}}, ALLOWED},
    {SYS_sendmsg, {{0}}, EOPNOTSUPP}, // the resolver of musl connects then
    {SYS_socket,
     {{0, INET_BITS, AF_INET}, {1, SOCKET_KIND, SOCK_STREAM}, {2, EXACTLY, 0}},
     ALLOWED},
    {SYS_socket, {{0, INET_BITS, AF_INET}, {1, SOCKET_KIND, SOCK_DGRAM}, {2, EXACTLY, 0}}, ALLOWED},
    {SYS_socket,
     {{0, INET_BITS, AF_INET}, {1, SOCKET_KIND, SOCK_STREAM}, {2, EXACTLY, IPPROTO_TCP}},
     ALLOWED},
    {SYS_socket,
     {{0, INET_BITS, AF_INET}, {1, SOCKET_KIND, SOCK_DGRAM}, {2, EXACTLY, IPPROTO_UDP}},
     ALLOWED},
    // The C library asks for an interface's number: a name server fe80::1%eth0.
    {SYS_socket, {{0, EXACTLY, AF_UNIX}}, EAFNOSUPPORT},
    // At the one door that was opened before; listen() is on no list.
    {SYS_accept4, {{3, EXACTLY, SOCK_NONBLOCK | SOCK_CLOEXEC}}, ALLOWED},
    {SYS_mmap, {{2, PROT_EXEC, 0}}, ALLOWED},
    {SYS_mprotect, {{2, PROT_EXEC, 0}}, ALLOWED},
    {SYS_madvise, {{2, EXACTLY, MADV_DONTNEED}}, ALLOWED},
    {SYS_madvise, {{2, EXACTLY, MADV_DONTNEED_LATER}}, ALLOWED},
    {SYS_madvise, {{2, EXACTLY, MADV_COLD_FILE}}, ALLOWED},
    {SYS_clone, {{0, ~(uint32_t)CLONE_DETACHED, THREAD_FLAGS}}, ALLOWED},
    {SYS_clone3, {{0}}, ENOSYS}, // its flags are out of our sight: clone is used then
    {SYS_ioctl, {{1, EXACTLY, FIONREAD}}, ALLOWED},
    {SYS_ioctl, {{1, EXACTLY, FIONBIO}}, ALLOWED},
    {SYS_ioctl, {{1, EXACTLY, TIOCGWINSZ}}, ALLOWED}, // stdio: is this a terminal
    {SYS_ioctl, {{1, EXACTLY, WDIOC_KEEPALIVE}}, ALLOWED},
    {SYS_ioctl, {{1, EXACTLY, WDIOC_SETTIMEOUT}}, ALLOWED},
    {SYS_ioctl, {{1, EXACTLY, WDIOC_GETTIMELEFT}}, ALLOWED},
    {SYS_fcntl, {{1, EXACTLY, F_GETFD}}, ALLOWED},
    {SYS_fcntl, {{1, PAIR, F_SETFD}}, ALLOWED}, // and F_GETFL
    {SYS_fcntl, {{1, PAIR, F_SETFL}}, ALLOWED}, // and F_GETLK
    {SYS_fcntl, {{1, EXACTLY, F_DUPFD_CLOEXEC}}, ALLOWED},
    {SYS_fcntl, {{1, PAIR, F_SETLK}}, ALLOWED}, // and F_SETLKW
    {SYS_kill, {{0, EXACTLY, OUR_PID}}, ALLOWED},
    {SYS_tkill,
     {{0, EXACTLY, OUR_PID}},
     ALLOWED}, // abort() of musl; our main thread has our number
    {SYS_tgkill, {{0, EXACTLY, OUR_PID}}, ALLOWED},
};

struct program {
    struct sock_filter *code;
    unsigned len;
};

_Static_assert(F_GETFL == F_SETFD + 1 && F_SETFD % 2 == 0, "a pair");
_Static_assert(F_GETLK == F_SETFL + 1 && F_SETFL % 2 == 0, "a pair");
_Static_assert(F_SETLKW == F_SETLK + 1 && F_SETLK % 2 == 0, "a pair");

static void put(struct program *p, struct sock_filter instruction)
{
    ASSERT(p->len < CONFINE_FILTER_MAX);
    p->code[p->len++] = instruction;
}

static void load(struct program *p, size_t offset)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct program *p, uint32_t action)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/// Go on if the accumulator is k, else leave out `skip` instructions.
static void unless_equal_skip(struct program *p, uint32_t k, unsigned skip)
{
    ASSERT(skip <= UINT8_MAX);
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, (uint8_t)skip));
}

static unsigned conditions_of(const struct rule *r)
{
    unsigned count = 0;
    while (count < CONDITIONS_MAX && r->conditions[count].mask != 0) {
        count++;
    }
    return count;
}

#define CONDITION_LEN 3u

static unsigned rule_len(const struct rule *r)
{
    return conditions_of(r) * CONDITION_LEN + 1u;
}

static void put_rule(struct program *p, const struct rule *r, uint32_t pid)
{
    unsigned count = conditions_of(r);
    for (unsigned i = 0; i < count; i++) {
        const struct condition *c = &r->conditions[i];
        // Low half of a 64-bit argument, little endian.
        load(p, offsetof(struct seccomp_data, args) + 8u * c->argument);
        put(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
        unless_equal_skip(
            p, c->value == OUR_PID ? pid : c->value, (count - 1u - i) * CONDITION_LEN + 1u);
    }
    answer(p, r->error == ALLOWED ? ALLOW : SECCOMP_RET_ERRNO | r->error);
}

/// All rows of one call; returns the index behind them.
static size_t put_call(struct program *p, size_t first, uint32_t pid, uint32_t otherwise)
{
    const size_t count = sizeof(rules) / sizeof(rules[0]);
    size_t end = first;
    unsigned len = 1; // the final answer
    while (end < count && rules[end].call == rules[first].call) {
        len += rule_len(&rules[end]);
        end++;
    }
    unless_equal_skip(p, rules[first].call, len);
    for (size_t i = first; i < end; i++) {
        put_rule(p, &rules[i], pid);
    }
    answer(p, otherwise);
    return end;
}

unsigned
confine_filter(struct sock_filter out[static CONFINE_FILTER_MAX], uint32_t pid, uint32_t otherwise)
{
    struct program p = {.code = out};

    load(&p, offsetof(struct seccomp_data, arch));
    put(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    answer(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
    put(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
    answer(&p, SECCOMP_RET_KILL_PROCESS);
    // Calls without conditions first: the kernel then remembers them as always allowed.
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        unless_equal_skip(&p, plain[i], 1);
        answer(&p, ALLOW);
    }
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]);) {
        i = put_call(&p, i, pid, otherwise);
    }
    answer(&p, otherwise);
    return p.len;
}

// SPDX-License-Identifier: Apache-2.0
// Really trying what must not work, each thing in a child that has gone through confine_*, as the
// firmware is built. And what must still work.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/confine.h"

#define OWNER       64777
#define STORE_BYTES (UINT64_C(8) << 20)
#define NOT_DENIED  99 // exit code of a child whose attempt succeeded

/// An attempt: 0 if it worked, else errno.
typedef int attempt(void);

static uint16_t open_port, shut_port; // somebody listens on both
static int door;                      // on the latter of them
static pid_t parent;

static int code_of(long result)
{
    return result >= 0 ? 0 : errno;
}

// ---- what must be refused ----

static int start_a_program(void)
{
    char *const arguments[] = {"true", NULL};
    return code_of(execve("/bin/true", arguments, arguments + 1));
}

static int start_a_process(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return code_of(pid);
}

static int make_a_namespace(void)
{
    return code_of(unshare(CLONE_NEWUSER));
}

static int read_passwd(void)
{
    return code_of(open("/etc/passwd", O_RDONLY));
}

static int list_the_root(void)
{
    return code_of(open("/", O_RDONLY | O_DIRECTORY));
}

static int climb_out(void)
{
    return code_of(open("../../../../../../../etc/passwd", O_RDONLY));
}

static int write_to_tmp(void)
{
    return code_of(open("/tmp/anteroom-confined", O_WRONLY | O_CREAT, 0600));
}

static int make_a_directory(void)
{
    return code_of(mkdir("directory", 0700));
}

static int make_a_link(void)
{
    return code_of(symlink("/etc/passwd", "link"));
}

static int make_a_device(void)
{
    return code_of(mknod("device", S_IFIFO | 0600, 0));
}

static int trace_the_parent(void)
{
    return code_of(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}

static int read_the_parents_memory(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", parent);
    return code_of(open(path, O_RDONLY));
}

static int make_a_page_executable(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? 0 : code_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int map_an_executable_page(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static int open_a_netlink_socket(void)
{
    return code_of(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int open_a_packet_socket(void)
{
    return code_of(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int open_a_raw_socket(void)
{
    return code_of(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int open_a_local_socket(void)
{
    return code_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int connect_to(uint16_t port)
{
    const struct sockaddr_in peer = {.sin_family = AF_INET,
                                     .sin_port = htons(port),
                                     .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = code_of(connect(fd, (const struct sockaddr *)&peer, sizeof(peer)));
    close(fd);
    return code;
}

static int connect_elsewhere(void)
{
    return connect_to(shut_port);
}

/// As a connection that has the first data in its first packet.
static int connect_by_sending(bool as_message)
{
    struct sockaddr_in peer = {.sin_family = AF_INET,
                               .sin_port = htons(shut_port),
                               .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct iovec data = {.iov_base = "x", .iov_len = 1};
    const struct msghdr message = {
        .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &data, .msg_iovlen = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    return code_of(
        as_message
            ? sendmsg(fd, &message, MSG_FASTOPEN)
            : sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&peer, sizeof(peer)));
}

static int connect_elsewhere_with_a_message(void)
{
    return connect_by_sending(true);
}

static int connect_elsewhere_with_data(void)
{
    return connect_by_sending(false);
}

static int open_a_multipath_socket(void)
{
    return code_of(socket(AF_INET, SOCK_STREAM, 262)); // IPPROTO_MPTCP
}

static int listen_on_a_port(void)
{
    const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(47111)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return code_of(bind(fd, (const struct sockaddr *)&here, sizeof(here)));
}

/// Of whatever address and port the kernel likes.
static int listen_without_a_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return code_of(listen(fd, 1));
}

static int take_in_a_caller_to_wait_for(void)
{
    return code_of(accept4(door, NULL, NULL, SOCK_CLOEXEC));
}

static int signal_the_parent(void)
{
    return code_of(kill(parent, 0));
}

static int type_into_the_terminal(void)
{
    return code_of(ioctl(0, TIOCSTI, "x"));
}

static int raise_a_limit(void)
{
    const struct rlimit more = {.rlim_cur = 1, .rlim_max = 1};
    return code_of(setrlimit(RLIMIT_CORE, &more));
}

static int be_dumpable_again(void)
{
    return code_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int become_root(void)
{
    return code_of(setuid(0));
}

static int leave_the_working_directory(void)
{
    return code_of(chdir("/"));
}

static int load_a_bpf_program(void)
{
    return code_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int use_io_uring(void)
{
    return code_of(syscall(SYS_io_uring_setup, 1, NULL));
}

// ---- what must still work ----

static int keep_a_file(void)
{
    char text[8] = {0};
    int fd = open("new", O_RDWR | O_CREAT | O_EXCL, 0600);
    bool good = fd >= 0 && pwrite(fd, "value", 5, 0) == 5 && fdatasync(fd) == 0 &&
                renameat(AT_FDCWD, "new", AT_FDCWD, "value") == 0 && pread(fd, text, 5, 0) == 5 &&
                strcmp(text, "value") == 0 && close(fd) == 0 && unlinkat(AT_FDCWD, "value", 0) == 0;
    return good ? 0 : EIO;
}

static void *in_thread(void *argument)
{
    *(int *)argument = 7;
    return NULL;
}

static int run_a_thread(void)
{
    int value = 0;
    pthread_t thread;
    int code = pthread_create(&thread, NULL, in_thread, &value);
    return code != 0 ? code : pthread_join(thread, NULL) == 0 && value == 7 ? 0 : EIO;
}

static int look_up_a_name(void)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    int code = getaddrinfo("localhost", "443", &wanted, &found);
    if (code == 0) {
        freeaddrinfo(found);
    }
    return code == 0 ? 0 : EIO;
}

static int connect_where_it_may(void)
{
    return connect_to(open_port);
}

/// At a socket that listened before.
static int take_in_a_caller(void)
{
    struct sockaddr_in there;
    socklen_t len = sizeof(there);
    const int one = 1;
    int fd = accept4(door, (struct sockaddr *)&there, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    bool good = fd >= 0 && getsockname(fd, (struct sockaddr *)&there, &len) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one)) == 0 &&
                ioctl(fd, FIONREAD, &(int){0}) == 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1 &&
                shutdown(fd, SHUT_WR) == 0 && close(fd) == 0;
    return good ? 0 : EIO;
}

static int signal_itself(void)
{
    return code_of(kill(getpid(), 0));
}

// ---- trying ----

enum end {
    WORKS,
    KILLED,    ///< SIGSYS
    DENIED,    ///< EACCES or EPERM
    NO_FAMILY, ///< EAFNOSUPPORT: the C library knows what to do
    NO_WAY,    ///< EOPNOTSUPP: likewise
    ABORTED,
};

struct trial {
    attempt *try;
    enum end end;
    int abi; ///< of Landlock, from which on it is so
};

_Noreturn static void child(const struct trial *t, const char *folder)
{
    const uint16_t ports[] = {53, open_port};
    struct confine c;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    confine_quiet();
    if (fd < 0 || confine_user(&c, fd, STORE_BYTES) != RC_OK ||
        confine_lock(&c, fd, ports, 2) != RC_OK) {
        fprintf(stderr, "not confined: %s\n", c.wrong);
        _exit(NOT_DENIED + 1);
    }
    if (t->end == ABORTED) {
        abort();
    }
    int code = t->try();
    _exit(code == 0 ? NOT_DENIED : code);
}

static enum end end_of(int status)
{
    if (WIFSIGNALED(status)) {
        assert_true(WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGABRT);
        return WTERMSIG(status) == SIGSYS ? KILLED : ABORTED;
    }
    switch (WEXITSTATUS(status)) {
    case NOT_DENIED:
        return WORKS;
    case EACCES:
    case EPERM:
        return DENIED;
    case EOPNOTSUPP:
        return NO_WAY;
    default:
        assert_int_equal(WEXITSTATUS(status), EAFNOSUPPORT);
        return NO_FAMILY;
    }
}

static void run(void **state)
{
    const struct trial *t = *state;
    char folder[] = "/tmp/confined-XXXXXX";
    int status = 0;
    if (confine_ask().landlock_abi < t->abi) {
        skip();
    }
    assert_non_null(mkdtemp(folder));
    if (geteuid() == 0) {
        assert_return_code(chown(folder, OWNER, OWNER), errno);
    }
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        child(t, folder);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(end_of(status), t->end);
    assert_return_code(rmdir(folder), errno);
}

static uint16_t listen_somewhere(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(here);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    door = fd;
    return bind(fd, (const struct sockaddr *)&here, len) == 0 && listen(fd, 5) == 0 &&
                   getsockname(fd, (struct sockaddr *)&here, &len) == 0
               ? ntohs(here.sin_port)
               : 0;
}

/// Somebody who waits at the door until the end.
static bool call(void)
{
    const struct sockaddr_in there = {.sin_family = AF_INET,
                                      .sin_port = htons(shut_port),
                                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (const struct sockaddr *)&there, sizeof(there)) == 0;
}

static int setup(void **state)
{
    (void)state;
    parent = getpid();
    open_port = listen_somewhere();
    shut_port = listen_somewhere();
    return open_port != 0 && shut_port != 0 && call() ? 0 : -1;
}

#define TRIAL(name, how, since)                                                                    \
    {                                                                                              \
#name, run, NULL, NULL, &(struct trial)                                                    \
        {                                                                                          \
            name, how, since                                                                       \
        }                                                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(start_a_program, KILLED, 0),
        TRIAL(start_a_process, KILLED, 0),
        TRIAL(make_a_namespace, KILLED, 0),
        TRIAL(read_passwd, DENIED, 1),
        TRIAL(list_the_root, DENIED, 1),
        TRIAL(climb_out, DENIED, 1),
        TRIAL(write_to_tmp, DENIED, 1),
        TRIAL(make_a_directory, KILLED, 0),
        TRIAL(make_a_link, KILLED, 0),
        TRIAL(make_a_device, KILLED, 0),
        TRIAL(trace_the_parent, KILLED, 0),
        TRIAL(read_the_parents_memory, DENIED, 1),
        TRIAL(make_a_page_executable, KILLED, 0),
        TRIAL(map_an_executable_page, KILLED, 0),
        TRIAL(open_a_netlink_socket, KILLED, 0),
        TRIAL(open_a_packet_socket, KILLED, 0),
        TRIAL(open_a_raw_socket, KILLED, 0),
        TRIAL(open_a_local_socket, NO_FAMILY, 0),
        TRIAL(connect_elsewhere, DENIED, 4),
        TRIAL(connect_elsewhere_with_a_message, NO_WAY, 0),
        TRIAL(connect_elsewhere_with_data, KILLED, 0),
        TRIAL(open_a_multipath_socket, KILLED, 0),
        TRIAL(listen_on_a_port, DENIED, 4),
        TRIAL(listen_without_a_port, KILLED, 0),
        TRIAL(take_in_a_caller_to_wait_for, KILLED, 0),
        TRIAL(signal_the_parent, KILLED, 0),
        TRIAL(type_into_the_terminal, KILLED, 0),
        TRIAL(raise_a_limit, KILLED, 0),
        TRIAL(be_dumpable_again, KILLED, 0),
        TRIAL(become_root, KILLED, 0),
        TRIAL(leave_the_working_directory, KILLED, 0),
        TRIAL(load_a_bpf_program, KILLED, 0),
        TRIAL(use_io_uring, KILLED, 0),
        TRIAL(keep_a_file, WORKS, 0),
        TRIAL(run_a_thread, WORKS, 0),
        TRIAL(look_up_a_name, WORKS, 0),
        TRIAL(connect_where_it_may, WORKS, 0),
        TRIAL(take_in_a_caller, WORKS, 0),
        TRIAL(signal_itself, WORKS, 0),
        TRIAL(NULL, ABORTED, 0),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

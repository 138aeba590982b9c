// SPDX-License-Identifier: Apache-2.0
// What stays reachable: Landlock for files and ports, MDWE for pages, the filter for system calls.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#include "sys/confine.h"
#include "sys/confine_filter.h"

// Kernel interfaces that are younger than the headers that we build with; from the kernel's
// Documentation/userspace-api/landlock.rst and include/uapi/linux/{landlock,prctl}.h.
#define LANDLOCK_VERSION       1u
#define LANDLOCK_PATH_BENEATH  1
#define LANDLOCK_NET_PORT      2
#define FS_WRITE_FILE          (UINT64_C(1) << 1)
#define FS_READ_FILE           (UINT64_C(1) << 2)
#define FS_READ_DIR            (UINT64_C(1) << 3)
#define FS_REMOVE_FILE         (UINT64_C(1) << 5)
#define FS_MAKE_REG            (UINT64_C(1) << 8)
#define FS_TRUNCATE            (UINT64_C(1) << 14)
#define NET_CONNECT_TCP        (UINT64_C(1) << 1)
#define PR_SET_MDWE_NUMBER     65
#define PR_GET_MDWE_NUMBER     66
#define MDWE_REFUSE_EXEC_GAIN  1ul
#define SYS_memfd_secret_named 447

struct ruleset {
    uint64_t files, net, scoped; ///< what is denied unless a rule grants it
};

struct path_rule {
    uint64_t granted;
    int32_t fd;
} __attribute__((packed));

struct port_rule {
    uint64_t granted, port;
};

/// What each ABI can deny: of files, of the network, of other processes.
static const struct ruleset abis[] = {
    {0, 0, 0},
    {(UINT64_C(1) << 13) - 1, 0, 0},
    {(UINT64_C(1) << 14) - 1, 0, 0}, // 2: moving between directories
    {(UINT64_C(1) << 15) - 1, 0, 0}, // 3: truncate
    {(UINT64_C(1) << 15) - 1, 3, 0}, // 4: TCP bind and connect
    {(UINT64_C(1) << 16) - 1, 3, 0}, // 5: ioctl on devices
    {(UINT64_C(1) << 16) - 1, 3, 3}, // 6: abstract sockets of others, signals to others
};
#define ABI_WITH_PORTS 4
#define ABI_MAX        ((int)(sizeof(abis) / sizeof(abis[0])) - 1)

/// Files of STATE; its directories are there by now.
#define STATE_RIGHTS                                                                               \
    (FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE)

/// What the C library reads at every lookup of a name.
static const char *const resolver_files[] = {"/etc/resolv.conf", "/etc/hosts"};
#define RESOLVER_FILES (sizeof(resolver_files) / sizeof(resolver_files[0]))

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static bool allow_path(int ruleset_fd, int fd, uint64_t rights)
{
    const struct path_rule rule = {.granted = rights, .fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_PATH_BENEATH, &rule, 0) == 0;
}

/**
 * "/run/x/y" has a directory of its own, "/etc/y" and "/run/y" have not: whoever renames a new file
 * over the old one in its own directory keeps our right to read it.
 */
static bool to_own_directory(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == path || slash == NULL || strncmp(path, "/etc/", 5) == 0 ||
        memchr(path + 1, '/', (size_t)(slash - path) - 1u) == NULL) {
        return false;
    }
    *slash = '\0';
    return true;
}

static bool allow_resolver_file(int ruleset_fd, const char *path)
{
    char real[PATH_MAX];
    if (realpath(path, real) == NULL) {
        return true; // not there: the C library does without it
    }
    bool directory = to_own_directory(real);
    int fd = open(real, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return true;
    }
    bool done = allow_path(ruleset_fd, fd, FS_READ_FILE | (directory ? FS_READ_DIR : 0));
    (void)close(fd);
    return done;
}

static bool allow_ports(int ruleset_fd, const uint16_t *ports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct port_rule rule = {.granted = NET_CONNECT_TCP, .port = ports[i]};
        if (syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_NET_PORT, &rule, 0) != 0) {
            return false;
        }
    }
    return true;
}

static unsigned shut_files(void)
{
    unsigned shut = 0;
    for (unsigned i = 0; i < RESOLVER_FILES; i++) {
        int fd = open(resolver_files[i], O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)close(fd);
        } else if (errno == EACCES) {
            shut |= 1u << i;
        }
    }
    return shut;
}

bool confine_resolver_lost(const struct confine *c)
{
    return c->landlock_abi > 0 && (shut_files() & ~c->resolver) != 0;
}

static bool landlock(struct confine *c, int state_fd, const uint16_t *ports, unsigned count)
{
    c->landlock_abi = landlock_abi();
    if (c->landlock_abi == 0) {
        return true;
    }
    const struct ruleset *denied = &abis[c->landlock_abi < ABI_MAX ? c->landlock_abi : ABI_MAX];
    c->ports_limited = denied->net != 0;
    c->resolver = shut_files();
    // Kernels that know less of the structure want the rest to be zero, and it is.
    int fd = (int)syscall(SYS_landlock_create_ruleset, denied, sizeof(*denied), 0);
    if (fd < 0) {
        return false;
    }
    bool done = allow_path(fd, state_fd, STATE_RIGHTS & denied->files);
    for (unsigned i = 0; done && i < RESOLVER_FILES; i++) {
        done = allow_resolver_file(fd, resolver_files[i]);
    }
    done = done && (!c->ports_limited || allow_ports(fd, ports, count)) &&
           syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    (void)close(fd);
    return done;
}

static bool filter(void)
{
    struct sock_filter code[CONFINE_FILTER_MAX];
    uint32_t otherwise = CONFIG_CONFINE_LAB ? SECCOMP_RET_LOG : SECCOMP_RET_KILL_PROCESS;
    struct sock_fprog program = {
        .len = (unsigned short)confine_filter(code, (uint32_t)getpid(), otherwise),
        .filter = code,
    };
    // For all threads, though there should be no other yet.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

RC confine_lock(struct confine *c, int state_fd, const uint16_t *ports, unsigned ports_count)
{
    ASSERT(ports_count <= CONFINE_PORTS_MAX);
    c->mdwe = prctl(PR_SET_MDWE_NUMBER, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0;
    if (!landlock(c, state_fd, ports, ports_count)) {
        c->wrong = "Landlock is there and does not work";
        c->advice = "use another kernel, or one without Landlock";
        return RC_IO;
    }
    if (!filter()) {
        c->wrong = "the filter of system calls cannot be installed";
        c->advice = "use a kernel with CONFIG_SECCOMP_FILTER (4.14 or newer)";
        return RC_IO;
    }
    c->filtered = true;
    return RC_OK;
}

struct confine_offer confine_ask(void)
{
    const uint32_t kill = SECCOMP_RET_KILL_PROCESS;
    int secret = (int)syscall(SYS_memfd_secret_named, 0);
    if (secret >= 0) {
        (void)close(secret);
    }
    return (struct confine_offer){
        .landlock_abi = landlock_abi(),
        .ports = landlock_abi() >= ABI_WITH_PORTS,
        .mdwe = prctl(PR_GET_MDWE_NUMBER, 0, 0, 0, 0) >= 0,
        .filter = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0,
        .secret_memory = secret >= 0,
    };
}

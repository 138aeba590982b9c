// SPDX-License-Identifier: Apache-2.0
// Who we are: the owner of STATE, with no capability, for good.
#include "sys/confine.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#define CAPABILITIES_MAX 64
#define KERNEL_TOO_OLD   "use a kernel with seccomp and capabilities; a container may forbid them"

static enum rc refuse(struct confine *c, enum rc rc, const char *wrong, const char *advice)
{
    c->wrong = wrong;
    c->advice = advice;
    return rc;
}

void confine_quiet(void)
{
    const struct rlimit none = {0};
    // Both can only fail for wrong arguments.
    int code = setrlimit(RLIMIT_CORE, &none);
    ASSERT(code == 0);
    code = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ASSERT(code == 0);
}

static bool capabilities_get(struct __user_cap_data_struct data[static 2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, &header, data) == 0;
}

static bool has_capabilities(void)
{
    struct __user_cap_data_struct d[2] = {{0}};
    return capabilities_get(d) && (d[0].permitted | d[1].permitted | d[0].effective |
                                   d[1].effective | d[0].inheritable | d[1].inheritable) != 0;
}

// What a program that we start could get. Only with CAP_SETPCAP; without it the set stays and
// no_new_privs makes it worthless.
static void empty_bounding_set(void)
{
    for (unsigned long i = 0; i < CAPABILITIES_MAX; i++) {
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) {
            return; // the last one that the kernel knows is behind us, or we may not
        }
    }
}

static bool empty_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};
    // Kernels since 4.3 have ambient capabilities; before there is nothing to clear.
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0 && !has_capabilities();
}

static bool become(struct confine *c)
{
    if (setgroups(0, NULL) != 0 || setresgid(c->gid, c->gid, c->gid) != 0 ||
        setresuid(c->uid, c->uid, c->uid) != 0) {
        return false;
    }
    return geteuid() == c->uid && getegid() == c->gid && setuid(0) != 0;
}

RC confine_owner(struct confine *c, int state_fd)
{
    struct stat st;

    *c = (struct confine){.uid = geteuid(), .gid = getegid(), .was_root = geteuid() == 0};
    if (fstat(state_fd, &st) != 0) {
        return refuse(c, RC_IO, "cannot be looked at", "check its disk");
    }
    if (!c->was_root) {
        return RC_OK; // there is nobody to become
    }
    c->uid = st.st_uid;
    c->gid = st.st_gid;
    if (c->uid == 0 || c->gid == 0) {
        return refuse(c,
                      RC_DENIED,
                      "belongs to root, and this program does not work as root",
                      "give it to an unprivileged user and group: chown -R USER:GROUP DIR");
    }
    return RC_OK;
}

RC confine_user(struct confine *c, int state_fd, uint64_t store_bytes)
{
    TRY(confine_owner(c, state_fd));
    if (fchdir(state_fd) != 0) {
        return refuse(c, RC_IO, "cannot be entered", "check its permissions");
    }
    if (confine_limit(store_bytes) != RC_OK) {
        return refuse(c, RC_IO, "the resource limits cannot be set", KERNEL_TOO_OLD);
    }
    c->had_capabilities = !c->was_root && has_capabilities();
    empty_bounding_set();
    if (c->was_root && !become(c)) {
        return refuse(c, RC_IO, "the kernel does not let us become its owner", KERNEL_TOO_OLD);
    }
    if (!empty_capabilities()) {
        return refuse(c, RC_IO, "the capabilities cannot be given up", KERNEL_TOO_OLD);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return refuse(c, RC_IO, "no_new_privs cannot be set", KERNEL_TOO_OLD);
    }
    confine_quiet(); // a change of user may have made us dumpable again
    return RC_OK;
}

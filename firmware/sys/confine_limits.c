// SPDX-License-Identifier: Apache-2.0
// Resource limits of the firmware. RLIMIT_NPROC is not among them: it counts every process of the
// user, so that a stranger's could keep our name lookups from getting their thread; that nothing
// is started is the filter's affair.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/confine.h"

#define MIB          (UINT64_C(1) << 20)
#define FILES_MAX    256u        ///< descriptors; a busy box has about 30
#define FILE_MORE    (256 * MIB) ///< above the store: a log that standard error goes to
#define DATA_MAX     (64 * MIB)  ///< both pools, and the stacks of lookup threads
#define ADDRESS_MORE (128 * MIB) ///< above the store's map, which is there twice for a moment
#define LOCKED_BYTES (((uint64_t)CONFIG_APP_RAM_KIB + CONFIG_HEAP_KIB + 1024u) * 1024u)

static bool lower(int what, uint64_t bytes)
{
    struct rlimit have;
    if (getrlimit(what, &have) != 0) {
        return false;
    }
    const rlim_t most = have.rlim_max < bytes ? have.rlim_max : bytes;
    const struct rlimit want = {.rlim_cur = most, .rlim_max = most};
    return setrlimit(what, &want) == 0;
}

RC confine_limit(uint64_t store_bytes)
{
    const struct rlimit locked = {.rlim_cur = LOCKED_BYTES, .rlim_max = LOCKED_BYTES};
    // As root it can be raised; else what we were given must do, and what it did is said.
    if (setrlimit(RLIMIT_MEMLOCK, &locked) != 0 && !lower(RLIMIT_MEMLOCK, LOCKED_BYTES)) {
        return RC_IO;
    }
    // A file that would grow too far is an error of the write, not the end of the process.
    (void)signal(SIGXFSZ, SIG_IGN);
    bool set = lower(RLIMIT_NOFILE, FILES_MAX) && lower(RLIMIT_FSIZE, store_bytes + FILE_MORE) &&
               lower(RLIMIT_DATA, DATA_MAX) && lower(RLIMIT_AS, 2 * store_bytes + ADDRESS_MORE) &&
               lower(RLIMIT_MSGQUEUE, 0) && lower(RLIMIT_NICE, 0) && lower(RLIMIT_RTPRIO, 0);
    return set ? RC_OK : RC_IO;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The kernel's boot id, and what it left of a panic in pstore: files dmesg-*, which stay until
 * somebody removes them. Their times are the time of the panic by the clock of that boot.
 */
#include <errno.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/device.h"

#include "backend.h"
#include "boot_id.h"

#define FILES_MAX 1024u

RC reset_backend_boot_id(int state_fd, uint8_t id[static RESET_BOOT_ID_BYTES])
{
    (void)state_fd;
    return reset_kernel_boot_id(id);
}

static uint64_t time_of(int folder_fd, const char *name)
{
    struct stat st;
    if (strncmp(name, "dmesg-", 6) != 0 ||
        fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_mtim.tv_sec < 0) {
        return 0;
    }
    return (uint64_t)st.st_mtim.tv_sec * 1000u + (uint64_t)st.st_mtim.tv_nsec / 1000000u;
}

const char *reset_backend_place(void)
{
    return CONFIG_RESET_PSTORE_DIR;
}

const char *reset_backend_option(void)
{
    return "CONFIG_RESET_PSTORE_DIR";
}

RC reset_backend_panic_ms(int state_fd, uint64_t *ms)
{
    (void)state_fd;
    *ms = 0;
    DIR *folder = opendir(CONFIG_RESET_PSTORE_DIR);
    if (folder == NULL) {
        return device_rc(errno);
    }
    errno = 0;
    const struct dirent *entry = readdir(folder);
    for (unsigned i = 0; entry != NULL && i < FILES_MAX; i++) {
        uint64_t at = time_of(dirfd(folder), entry->d_name);
        *ms = at > *ms ? at : *ms;
        errno = 0;
        entry = readdir(folder);
    }
    enum rc rc = entry == NULL && errno != 0 ? RC_IO : RC_OK;
    closedir(folder);
    return rc;
}

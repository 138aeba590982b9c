// SPDX-License-Identifier: Apache-2.0
// A machine whose boots are told by STATE/sandbox/boot_id, and its panics by /panic.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "boot_id.h"
#include "sandbox/place.h"

RC reset_backend_boot_id(int state_fd, uint8_t id[static RESET_BOOT_ID_BYTES])
{
    char text[GUID_TEXT_BYTES + 2u]; // and a line's end
    struct buf b = BUF(text);
    if (sandbox_read(state_fd, "boot_id", &b) != RC_OK || b.len < GUID_TEXT_BYTES) {
        return reset_kernel_boot_id(id);
    }
    struct span guid = span_sub(buf_span(&b), 0, GUID_TEXT_BYTES);
    return guid_parse(guid, id) == RC_OK ? RC_OK : RC_IO;
}

const char *reset_backend_place(void)
{
    return "STATE/sandbox/panic";
}

const char *reset_backend_option(void)
{
    return "reset_sandbox";
}

RC reset_backend_panic_ms(int state_fd, uint64_t *ms)
{
    int fd = -1;
    struct stat st;
    *ms = 0;
    if (sandbox_absent(state_fd, "reset")) {
        return RC_UNSUPPORTED;
    }
    enum rc rc = sandbox_open(state_fd, "panic", O_RDONLY | O_NONBLOCK, &fd);
    if (rc != RC_OK) {
        return rc == RC_UNSUPPORTED ? RC_OK : rc; // nothing panicked
    }
    rc = fstat(fd, &st) == 0 ? RC_OK : RC_IO;
    close(fd);
    if (rc == RC_OK) {
        *ms = (uint64_t)st.st_mtim.tv_sec * 1000u + (uint64_t)st.st_mtim.tv_nsec / 1000000u;
    }
    return rc;
}

// SPDX-License-Identifier: Apache-2.0
// The files of STATE/sandbox; openat and pwrite fail on demand (see the LINK line).
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "state_dir.h"
#include "watchdog_hardware.h"

static struct {
    struct state_dir state;
    enum watchdog_fault fault;
    int taken_fd;
    unsigned writes;
} sandbox;

int __real_openat(int fd, const char *path, int flags, mode_t mode);
int __wrap_openat(int fd, const char *path, int flags, mode_t mode);
ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

int __wrap_openat(int fd, const char *path, int flags, mode_t mode)
{
    if (sandbox.fault == WATCHDOG_FORBIDDEN || sandbox.fault == WATCHDOG_OPEN_FAILS) {
        errno = sandbox.fault == WATCHDOG_FORBIDDEN ? EACCES : EIO;
        return -1;
    }
    return __real_openat(fd, path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (sandbox.fault == WATCHDOG_WRITES_FAIL) {
        errno = EIO;
        return -1;
    }
    sandbox.writes++;
    return __real_pwrite(fd, data, len, at);
}

int hardware_make(void **unused)
{
    (void)unused;
    sandbox.fault = WATCHDOG_WELL;
    sandbox.taken_fd = -1;
    sandbox.writes = 0;
    return state_dir_make(&sandbox.state) ? 0 : -1;
}

int hardware_remove(void **unused)
{
    (void)unused;
    hardware_fault(WATCHDOG_WELL);
    state_dir_remove(&sandbox.state);
    return 0;
}

int hardware_state_fd(void)
{
    return sandbox.state.fd;
}

static void put(const char *name, const char *text)
{
    if (!state_dir_write(&sandbox.state, name, text)) {
        perror(name);
        _exit(1);
    }
}

void hardware_limits(uint32_t min_ms, uint32_t max_ms)
{
    char text[64];
    snprintf(text, sizeof(text), "min_ms=%u max_ms=%u\n", (unsigned)min_ms, (unsigned)max_ms);
    put("sandbox/limits", text);
}

void hardware_nowayout(void)
{
    char text[64] = "";
    if (state_dir_has(&sandbox.state, "sandbox/limits")) {
        state_dir_read(&sandbox.state, "sandbox/limits", text, 32);
    }
    snprintf(text + strcspn(text, "\n"), 32, " nowayout=1\n");
    put("sandbox/limits", text);
}

void hardware_bite(void)
{
    put("sandbox/bitten", "");
}

void hardware_fault(enum watchdog_fault fault)
{
    sandbox.fault = WATCHDOG_WELL; // for our own calls
    if (sandbox.taken_fd >= 0) {
        close(sandbox.taken_fd);
        sandbox.taken_fd = -1;
    }
    put("sandbox/absent", fault == WATCHDOG_ABSENT ? "led watchdog\n" : "led\n");
    if (fault == WATCHDOG_TAKEN) {
        put("sandbox/watchdog", "");
        sandbox.taken_fd = openat(sandbox.state.fd, "sandbox/watchdog", O_RDWR | O_CLOEXEC, 0);
        if (flock(sandbox.taken_fd, LOCK_EX) != 0) {
            perror("flock");
        }
    }
    sandbox.fault = fault;
}

/// Somebody holds the lock: the device is open.
static bool is_open(void)
{
    int fd = __real_openat(sandbox.state.fd, "sandbox/watchdog", O_RDWR | O_CLOEXEC, 0);
    bool open = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return open;
}

struct watchdog_seen hardware_look(void)
{
    char line[128] = "";
    unsigned timeout_ms = 0, armed = 0;
    long long fed_ms = 0;
    if (state_dir_has(&sandbox.state, "sandbox/watchdog")) {
        state_dir_read(&sandbox.state, "sandbox/watchdog", line, sizeof(line));
    }
    int found = sscanf(line, "timeout_ms=%u fed_ms=%lld armed=%u\n", &timeout_ms, &fed_ms, &armed);
    return (struct watchdog_seen){
        .armed = found == 3 && armed == 1,
        .timeout_ms = timeout_ms,
        .open = is_open(),
        .fed = sandbox.writes,
    };
}

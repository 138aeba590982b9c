// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The check of a store before it is trusted. LMDB believes what its file says: a damaged one can
 * make it read outside the map or go in circles. That happens in a child process, which may crash
 * or be stopped without harm.
 */
#include <errno.h>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool/spool_db.h"

#define CHECK_MS_MAX      300000 // a watchdog is fed for so long while we start
#define WAIT_MS           1000
#define REASON_BYTES_MAX  48u
#define INTERRUPTIONS_MAX 16
#define DESCRIPTORS_MAX   256 // as sys/confine_limits.c allows

// What says nothing about the store: no memory, no rights, no descriptors.
static bool is_system_failure(int code)
{
    return code == ENOMEM || code == EACCES || code == EPERM || code == EMFILE || code == ENFILE ||
           code == EROFS;
}

// A parent that is killed is started again at once: it must not find its watchdog, or a lock, in
// the hands of its own child.
static void close_all_but(int kept)
{
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++) {
        if (fd != kept) {
            (void)close(fd);
        }
    }
}

// Nobody waits for the answer without the parent, which may be gone before it is asked about.
static void die_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
}

_Noreturn static void child(const char *path, uint64_t map_bytes, int fd)
{
    MDB_env *env;
    char verdict = CHECK_GOOD;
    const char *wrong = NULL;
    close_all_but(fd);
    // A crash is an answer here, not an accident to be reported.
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    (void)signal(SIGABRT, SIG_DFL);
    int code = db_open_env(path, map_bytes, MDB_RDONLY, &env);
    if (code != 0) {
        verdict = is_system_failure(code) ? CHECK_FAILED : CHECK_BROKEN;
        wrong = code == MDB_VERSION_MISMATCH ? "format" : "header";
    } else {
        wrong = walk_store(env);
        verdict = wrong == NULL ? CHECK_GOOD : CHECK_BROKEN;
        verdict = wrong == walk_no_memory ? CHECK_FAILED : verdict;
    }
    char message_bytes[1u + REASON_BYTES_MAX];
    struct buf message = BUF(message_bytes);
    buf_put_char(&message, verdict);
    buf_put_str(&message, wrong == NULL ? "" : wrong);
    ssize_t written = write(fd, message.ptr, message.len);
    _exit(written == (ssize_t)message.len ? 0 : 1);
}

// The child says everything in one write, or dies and closes the pipe by that: then it is empty.
// False: neither, in all the time there is.
static bool wait_for_answer(const struct spool_options *options, int fd, struct buf *answer)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = 0;
    for (int i = 0; i < CHECK_MS_MAX / WAIT_MS && ready <= 0; i++) {
        ready = poll(&p, 1, WAIT_MS);
        if (ready == 0 && options->while_waiting != NULL) {
            options->while_waiting(options->context);
        }
    }
    if (ready <= 0) {
        return false;
    }
    ssize_t got = read(fd, answer->ptr, answer->cap);
    answer->len = got > 0 ? (size_t)got : 0;
    return true;
}

static void reap(pid_t pid)
{
    int status;
    (void)kill(pid, SIGKILL); // has answered, has died, or has taken too long
    for (int i = 0; i < INTERRUPTIONS_MAX && waitpid(pid, &status, 0) < 0 && errno == EINTR; i++) {
    }
}

enum check_verdict
check_store(const struct spool *s, const struct spool_options *options, struct buf *reason)
{
    int ends[2];
    char bytes[1u + REASON_BYTES_MAX];
    struct buf answer = BUF(bytes);
    if (pipe(ends) != 0) {
        return CHECK_FAILED;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        (void)close(ends[0]);
        (void)close(ends[1]);
        return CHECK_FAILED;
    }
    if (pid == 0) {
        die_with(parent);
        child(s->path, s->map_bytes, ends[1]);
    }
    (void)close(ends[1]);
    bool in_time = wait_for_answer(options, ends[0], &answer);
    (void)close(ends[0]);
    reap(pid);
    if (!in_time) {
        return CHECK_LATE;
    }
    if (answer.len == 0) {
        buf_put_str(reason, "crash");
        return CHECK_BROKEN;
    }
    if (bytes[0] == CHECK_BROKEN) {
        buf_put(reason, (struct span){.ptr = bytes + 1, .len = answer.len - 1u});
    }
    return (enum check_verdict)bytes[0];
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * A state directory for one test: made, opened, and removed with all that is in it. And the files
 * of STATE/sandbox, as whoever plays the hardware writes and reads them.
 */
#ifndef SUPPORT_STATE_DIR_H
#define SUPPORT_STATE_DIR_H
#include <stdbool.h>
#include <stddef.h>

struct state_dir {
    char path[512];
    int fd;
};

/// Makes them in /dev/shm from now on, if there is one: for tests that write hundreds of thousands
/// of times and ask nothing of the disk.
void state_dir_prefer_memory(void);
bool state_dir_make(struct state_dir *s);
void state_dir_remove(struct state_dir *s);
/// A file below it, "sandbox/limits"; its directory is made. False: it cannot be written.
bool state_dir_write(const struct state_dir *s, const char *name, const char *text);
/// What it holds, NUL-terminated; false: there is none, or it is larger.
bool state_dir_read(const struct state_dir *s, const char *name, char *text, size_t bytes);
bool state_dir_has(const struct state_dir *s, const char *name);

#endif

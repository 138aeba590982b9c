// SPDX-License-Identifier: Apache-2.0
#include "state_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 4u

void state_dir_prefer_memory(void)
{
    if (access("/dev/shm", R_OK | W_OK | X_OK) == 0) {
        setenv("ANTEROOM_TMP", "/dev/shm", 1);
    }
}

bool state_dir_make(struct state_dir *s)
{
    const char *tmp = getenv("ANTEROOM_TMP");
    snprintf(s->path, sizeof(s->path), "%s/state.XXXXXX", tmp != NULL ? tmp : "/tmp");
    s->fd = mkdtemp(s->path) != NULL ? open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return s->fd >= 0;
}

static void remove_tree(const char *path, unsigned depth)
{
    DIR *dir = depth > 0 ? opendir(path) : NULL;
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        char inner[1024];
        snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && remove(inner) != 0) {
            remove_tree(inner, depth - 1u);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    remove(path);
}

void state_dir_remove(struct state_dir *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        remove_tree(s->path, DEPTH_MAX);
    }
    s->fd = -1;
}

bool state_dir_write(const struct state_dir *s, const char *name, const char *text)
{
    char folder[256];
    snprintf(folder, sizeof(folder), "%s", name);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
        mkdirat(s->fd, folder, S_IRWXU);
    }
    int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return false;
    }
    FILE *file = fdopen(fd, "w");
    bool put = file != NULL && fputs(text, file) >= 0;
    return file != NULL && fclose(file) == 0 && put;
}

bool state_dir_read(const struct state_dir *s, const char *name, char *text, size_t bytes)
{
    int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (file == NULL) {
        return false;
    }
    size_t got = fread(text, 1, bytes, file);
    fclose(file);
    if (got >= bytes) {
        return false;
    }
    text[got] = '\0';
    return true;
}

bool state_dir_has(const struct state_dir *s, const char *name)
{
    struct stat st;
    return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "shared.h"

#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>

#include "base/assert.h"

#define FILE_BYTES_MAX (1024u * 1024u)
#define PATH_BYTES_MAX 4096u

static char text[FILE_BYTES_MAX];

static struct span read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    ASSERT(f != NULL);
    size_t len = fread(text, 1, sizeof(text), f);
    ASSERT(len < sizeof(text));
    fclose(f);
    return (struct span){.ptr = text, .len = len};
}

static bool wanted(struct span name, struct span prefix)
{
    struct span suffix = SPAN(".json");
    return span_starts(name, prefix) && name.len > suffix.len &&
           span_equal(span_sub(name, name.len - suffix.len, suffix.len), suffix);
}

unsigned shared_each(const char *directory, const char *prefix, shared_file *each, void *context)
{
    const char *root = getenv("ANTEROOM_SHARED");
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/%s", root != NULL ? root : "../shared", directory);
    DIR *d = opendir(path);
    if (d == NULL) {
        printf("not present: %s\n", directory);
        return 0;
    }
    unsigned count = 0;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (!wanted(span_from_str(e->d_name), span_from_str(prefix))) {
            continue;
        }
        char file[PATH_BYTES_MAX + sizeof(e->d_name) + 1u];
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        each(context, e->d_name, read_file(file));
        count++;
    }
    closedir(d);
    return count;
}

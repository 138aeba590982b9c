// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_BYTES 256

// An assertion has no argument to carry a context.
static void (*last_words)(const char *text);

void assert_set_hook(void (*hook)(const char *text))
{
    last_words = hook;
}

void assert_failed(const char *condition, const char *file, int line)
{
    char text[TEXT_BYTES];
    void (*hook)(const char *text) = last_words;

    // stderr is unbuffered and allocates nothing; no struct buf here, its own assertions lead back
    // to this function.
    fprintf(stderr, "ev=assert_failed at=%s:%d condition=\"%s\"\n", file, line, condition);
    if (hook != NULL) {
        last_words = NULL;
        snprintf(text, sizeof(text), "%s:%d %s", file, line, condition);
        hook(text);
    }
    abort();
}

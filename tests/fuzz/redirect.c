// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as a redirect of the sign-in host: never a crash; nothing is taken without a state that
 * was given out, nothing beside an error, and what is taken can stand in a log line or a form.
 */
#include <string.h>

#include "base/assert.h"

#include "auth/consent.h"

#define ADMIN  "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
#define PERSON "p1p1p1p1p1p1p1p1p1p1p1p1p1p1p1p1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_visible(const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);
    ASSERT(len < cap);
    for (size_t i = 0; i < len; i++) {
        ASSERT(text[i] > ' ' && text[i] <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct consent_redirect out;
    struct span url = {.ptr = (const char *)data, .len = size};
    consent_read_redirect(url, ADMIN, PERSON, &out);
    check_visible(out.error, sizeof(out.error));
    check_visible(out.code, sizeof(out.code));
    ASSERT((out.kind == CONSENT_CODE) == (out.code[0] != '\0'));
    ASSERT(out.kind == CONSENT_REFUSED || (out.error[0] == '\0' && out.aadsts == 0));
    ASSERT(out.aadsts >= 0);
    consent_read_redirect(url, "", "", &out);
    ASSERT(out.kind == CONSENT_NOTHING);
    return 0;
}

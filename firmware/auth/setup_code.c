// SPDX-License-Identifier: Apache-2.0
#include "auth/setup_code.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "hal/entropy.h"

#define DASH_AT 4u

static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

_Static_assert(sizeof(alphabet) - 1u == 32u, "five bits for each character, none favoured");

static bool is_code(struct span text)
{
    if (text.len != SETUP_CODE_CHARS || text.ptr[DASH_AT] != '-') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (i != DASH_AT && memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1u) == NULL) {
            return false;
        }
    }
    return true;
}

RC setup_code_renew(struct tokenstore *store, char code[static SETUP_CODE_CHARS + 1u])
{
    uint64_t random = 0;
    hal_entropy_fill(&random, sizeof(random));
    for (size_t i = 0; i < SETUP_CODE_CHARS; i++) {
        code[i] = i == DASH_AT ? '-' : alphabet[random % 32u];
        random = i == DASH_AT ? random : random / 32u;
    }
    code[SETUP_CODE_CHARS] = '\0';
    struct span text = {.ptr = code, .len = SETUP_CODE_CHARS};
    ASSERT(is_code(text));
    enum rc rc = hal_tokenstore_put(store, SPAN(SETUP_CODE_NAME), text);
    if (rc != RC_OK) {
        bytes_wipe(code, SETUP_CODE_CHARS);
    }
    return rc;
}

RC setup_code_read(struct tokenstore *store, char code[static SETUP_CODE_CHARS + 1u])
{
    char bytes[SETUP_CODE_CHARS];
    struct buf text = BUF(bytes);
    enum rc rc = hal_tokenstore_get(store, SPAN(SETUP_CODE_NAME), &text);
    if (rc == RC_OK && is_code(buf_span(&text))) {
        memcpy(code, bytes, SETUP_CODE_CHARS);
        code[SETUP_CODE_CHARS] = '\0';
    } else if (rc == RC_OK || rc == RC_TOOBIG) {
        rc = RC_NOTFOUND;
    }
    buf_wipe(&text);
    return rc;
}

RC setup_code_ensure(struct tokenstore *store, char code[static SETUP_CODE_CHARS + 1u], bool *made)
{
    enum rc rc = setup_code_read(store, code);
    *made = false;
    if (rc == RC_NOTFOUND) {
        rc = setup_code_renew(store, code);
        *made = rc == RC_OK;
    }
    return rc;
}

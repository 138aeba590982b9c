// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as a token answer: never a crash; a token that is taken can stand in a header, and
 * every verdict has a cause.
 */
#include <string.h>

#include "base/assert.h"

#include "auth/auth.h"
#include "auth/auth_answer.h"

static struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
static char bytes[AUTH_TOKEN_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_word(const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);
    ASSERT(len < cap);
    for (size_t i = 0; i < len; i++) {
        ASSERT(text[i] > ' ' && text[i] <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_answer answer;
    struct buf token = BUF(bytes);
    size_t len = size < AUTH_ANSWER_BYTES_MAX ? size : AUTH_ANSWER_BYTES_MAX;
    enum rc rc = auth_answer_read(
        (struct span){.ptr = (const char *)data, .len = len}, arena, &token, &answer);
    ASSERT(rc == RC_OK || rc == RC_DENIED || rc == RC_PARSE);
    check_word(answer.error, sizeof(answer.error));
    check_word(answer.trace_id, sizeof(answer.trace_id));
    if (rc == RC_OK) {
        ASSERT(token.len > 0 && answer.expires_s >= 1 && answer.expires_s <= AUTH_EXPIRES_S_MAX);
        for (size_t i = 0; i < token.len; i++) {
            ASSERT(bytes[i] > ' ' && bytes[i] <= '~');
        }
        return 0;
    }
    enum auth_cause cause = auth_cause_of(span_from_str(answer.error), answer.aadsts, 400);
    ASSERT(cause > AUTH_CAUSE_STARTING && cause < AUTH_CAUSE_COUNT);
    return 0;
}

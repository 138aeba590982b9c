// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * Any bytes as an answer in a person's sign-in (its first byte chooses which): never a crash; what
 * is taken can stand on a page, in a form and in a header.
 */
#include <string.h>

#include "base/assert.h"

#include "auth/signin_answer.h"
#include "auth/signin_keep.h"

static struct json_token arena[AUTH_ANSWER_TOKENS_MAX];
static char bytes[SIGNIN_REFRESH_BYTES_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_visible(const char *text, size_t len)
{
    ASSERT(len > 0);
    for (size_t i = 0; i < len; i++) {
        ASSERT(text[i] > ' ' && text[i] <= '~');
    }
}

static void try_grants(struct span body)
{
    struct signin_grants grants = {.refresh = BUF(bytes)};
    enum rc rc = signin_read_grants(body, arena, &grants);
    ASSERT(strnlen(grants.tid, sizeof(grants.tid)) == 0 ||
           strnlen(grants.tid, sizeof(grants.tid)) == CONFIG_GUID_BYTES - 1u);
    if (rc == RC_OK && buf_ok(&grants.refresh)) {
        check_visible(bytes, grants.refresh.len);
    }
}

static void try_device(struct span body)
{
    struct signin_device device = {.code = buf_of(bytes, SIGNIN_DEVICE_BYTES_MAX)};
    if (signin_read_device(body, arena, &device) != RC_OK) {
        return;
    }
    check_visible(bytes, device.code.len);
    check_visible(device.user_code, strnlen(device.user_code, sizeof(device.user_code)));
    check_visible(device.verify_at, strnlen(device.verify_at, sizeof(device.verify_at)));
    ASSERT(device.user_code[sizeof(device.user_code) - 1u] == '\0');
    ASSERT(device.verify_at[sizeof(device.verify_at) - 1u] == '\0');
    ASSERT(strncmp(device.verify_at, "https://", 8) == 0);
    ASSERT(device.interval_ms >= 1000 && device.interval_ms <= SIGNIN_INTERVAL_S_MAX * 1000);
    ASSERT(device.expires_ms >= 1000 && device.expires_ms <= SIGNIN_EXPIRES_S_MAX * 1000);
}

static void try_me(struct span body)
{
    char who[SIGNIN_WHO_BYTES];
    if (signin_read_me(body, arena, who) != RC_OK) {
        return;
    }
    size_t len = strnlen(who, sizeof(who));
    ASSERT(len > 0 && len < sizeof(who));
    for (size_t i = 0; i < len; i++) {
        ASSERT((unsigned char)who[i] >= ' ' && who[i] != 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(struct span) = {try_grants, try_device, try_me};
    if (size == 0) {
        return 0;
    }
    struct span body = {.ptr = (const char *)data + 1, .len = size - 1u};
    tries[data[0] % 3u](span_sub(body, 0, AUTH_ANSWER_BYTES_MAX));
    return 0;
}

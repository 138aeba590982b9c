// SPDX-License-Identifier: Apache-2.0
#include "base/rc.h"

static const char *const names[RC_COUNT] = {
    [RC_OK] = "ok",
    [RC_AGAIN] = "again",
    [RC_RETRY] = "retry",
    [RC_FULL] = "full",
    [RC_TOOBIG] = "toobig",
    [RC_PARSE] = "parse",
    [RC_DENIED] = "denied",
    [RC_NOTFOUND] = "notfound",
    [RC_STALE] = "stale",
    [RC_CORRUPT] = "corrupt",
    [RC_IO] = "io",
    [RC_UNSUPPORTED] = "unsupported",
};

const char *rc_name(enum rc rc)
{
    return (unsigned)rc < RC_COUNT ? names[rc] : "unknown";
}

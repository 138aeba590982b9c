// SPDX-License-Identifier: Apache-2.0
#include "auth/permission.h"

#include "base/assert.h"

static const struct permission_info infos[CONFIG_PERMISSIONS] = {
    [PERMISSION_CALL_RECORDS] = {.name = "CallRecords.Read.All",
                                 .gives = "the record of every call and meeting"},
    [PERMISSION_USERS] = {.name = "User.Read.All", .gives = "the people of the tenant"},
    [PERMISSION_DEVICES] = {.name = "TeamworkDevice.Read.All",
                            .gives = "the Teams devices and their health",
                            .beta = true},
    [PERMISSION_USER] = {.name = "User.Read",
                         .gives = "who authorised this box",
                         .delegated = true},
};

static const struct {
    const char *name, *text;
} verdicts[VERDICTS] = {
    [VERDICT_NONE] = {"none", "not looked at yet"},
    [VERDICT_GOOD] = {"good", "granted and answering"},
    [VERDICT_MISSING] = {"missing", "not granted"},
    [VERDICT_FORBIDDEN] = {"forbidden", "granted, and Graph still refuses it (403)"},
    [VERDICT_UNAVAILABLE] = {"unavailable", "not offered by Graph in this cloud, or not any more"},
    [VERDICT_NO_ANSWER] = {"no_answer", "asked, and no answer yet that says anything"},
};

const struct permission_info *permission_info(enum config_permission p)
{
    ASSERT(p < CONFIG_PERMISSIONS);
    return &infos[p];
}

unsigned permission_of_role(struct span name)
{
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        if (!infos[p].delegated && span_equal(name, span_from_str(infos[p].name))) {
            return 1u << p;
        }
    }
    return 0;
}

void permission_put_names(struct buf *b, unsigned mask)
{
    unsigned left = mask & ((1u << CONFIG_PERMISSIONS) - 1u);

    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        if ((left & 1u << p) == 0) {
            continue;
        }
        left &= ~(1u << p);
        buf_put_str(b, infos[p].name);
        buf_put_str(b, left == 0 ? "" : (left & (left - 1u)) == 0 ? " and " : ", ");
    }
}

const char *verdict_name(enum verdict v)
{
    ASSERT(v < VERDICTS);
    return verdicts[v].name;
}

const char *verdict_text(enum verdict v)
{
    ASSERT(v < VERDICTS);
    return verdicts[v].text;
}

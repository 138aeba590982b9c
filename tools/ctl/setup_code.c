// SPDX-License-Identifier: Apache-2.0
#include "auth/setup_code.h"

#include <stdio.h>

#include <sysexits.h>

#include "base/bytes.h"

#include "ctl.h"

int ctl_setup_code(const struct ctl_args *args)
{
    struct tokenstore store;
    char text[SETUP_CODE_CHARS + 1u];
    bool made = true;
    int code = args->fresh ? ctl_change_store(args, &store) : ctl_open_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    enum rc rc =
        args->fresh ? setup_code_renew(&store, text) : setup_code_ensure(&store, text, &made);
    hal_tokenstore_close(&store);
    if (rc != RC_OK) {
        return ctl_fail(rc == RC_RETRY ? EX_TEMPFAIL : EX_IOERR,
                        "setup code",
                        "could not be read or made for certain; see to the disk, or remove it with "
                        "'secret remove setup-code'");
    }
    if (made) {
        fprintf(stderr, "anteroomctl: made it; a box that runs knows it from its next start on\n");
    }
    puts(text);
    bytes_wipe(text, sizeof(text));
    return EX_OK;
}

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * anteroomctl: what an operator does beside the running anteroomd. One file per subcommand.
 * Exit codes are those of sysexits.h. Results go to standard output, everything else to standard
 * error.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

struct ctl_args {
    const char *state_dir; ///< --state DIR, or NULL
    const char *name;      ///< --name NAME, or NULL
    bool tls;              ///< --tls
    const char *word;      ///< the one argument behind the subcommand, or NULL
};

/// Each prints what went wrong and returns an exit code.
int ctl_secret_put(const struct ctl_args *args);
int ctl_secret_remove(const struct ctl_args *args);
int ctl_certificate(const struct ctl_args *args);
int ctl_key_remove(const struct ctl_args *args);
int ctl_config_check(const struct ctl_args *args);
int ctl_config_help(const struct ctl_args *args);

/// "anteroomctl: what: reason" on standard error; returns code.
int ctl_fail(int code, const char *what, const char *reason);
/// Opens STATE's token store (and sets the crypto library up), or says why not. Returns 0 or an
/// exit code.
int ctl_open_store(const struct ctl_args *args, struct tokenstore *store);
/// Everything from a descriptor, appended. @retval RC_TOOBIG more than out has room for. @retval
/// RC_IO
RC ctl_read_all(int fd, struct buf *out);

#endif

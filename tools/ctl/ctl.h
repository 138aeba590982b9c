// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * anteroomctl: what an operator does beside the running anteroomd. One file per subcommand.
 * Exit codes are those of sysexits.h. Results go to standard output, everything else to standard
 * error.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H
#include "base/crypto.h"
#include "base/rc.h"
#include "base/span.h"
#include "hal/tokenstore.h"

struct ctl_args {
    const char *state_dir;            ///< --state DIR, or NULL
    const char *name;                 ///< --name NAME, or NULL
    const char *expires;              ///< --expires DATE, or NULL
    bool tls, next, fresh, yes, code; ///< --tls, --next, --new, --yes, --code
    const char *word;                 ///< the one argument behind the subcommand, or NULL
};

/// Each prints what went wrong and returns an exit code.
int ctl_secret_put(const struct ctl_args *args);
int ctl_secret_remove(const struct ctl_args *args);
int ctl_certificate(const struct ctl_args *args);
int ctl_certificate_renew(const struct ctl_args *args);
int ctl_setup_code(const struct ctl_args *args);
int ctl_status(const struct ctl_args *args);
int ctl_forget(const struct ctl_args *args);
int ctl_key_remove(const struct ctl_args *args);
int ctl_config_check(const struct ctl_args *args);
int ctl_config_help(const struct ctl_args *args);

/// "anteroomctl: what: reason" on standard error; returns code.
int ctl_fail(int code, const char *what, const char *reason);
/// Opens STATE's token store (and sets the crypto library up), or says why not. Returns 0 or an
/// exit code.
int ctl_open_store(const struct ctl_args *args, struct tokenstore *store);
/// The same, for what a person puts anew or removes: this ends the word that a store was restored.
int ctl_change_store(const struct ctl_args *args, struct tokenstore *store);
/// The same, and makes none. *there: false with 0 where there is none; then it is not open.
int ctl_look_store(const struct ctl_args *args, struct tokenstore *store, bool *there);
/// The same; also false with 0 where it does not open, which was said.
int ctl_try_store(const struct ctl_args *args, struct tokenstore *store, bool *there);
/// A certificate of the store. @retval RC_NOTFOUND there is none. @retval else it cannot be read.
RC ctl_read_certificate(struct tokenstore *store,
                        const char *record,
                        struct crypto_certificate *out);
/// Who authorised the box, without what would upset a terminal, when, and for which tenant and
/// application (life_subject). False: nobody.
#define CTL_WHO_BYTES 200u

struct ctl_who {
    char name[CTL_WHO_BYTES];
    int64_t at_ms;
    uint64_t subject;
};

bool ctl_who(struct tokenstore *store, struct ctl_who *who);
/// Everything from a descriptor, appended. @retval RC_TOOBIG more than out has room for. @retval
/// RC_IO
RC ctl_read_all(int fd, struct buf *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/**
 * @file
 * The command line: anteroomd --config FILE --state DIR [--check] [--until-idle].
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H
#include <stdbool.h>

#include "base/rc.h"

struct options {
    const char *config_path;
    const char *state_dir;
    bool check;      ///< say everything that is wrong and exit
    bool until_idle; ///< exit when there is nothing left to do
    bool help, version;
};

/// Exit codes, with the meanings of sysexits.h. Documented in README.md.
enum exit_code {
    /// asked to stop, or idle with --until-idle, or nothing found by --check
    EXIT_DONE = 0,
    EXIT_USAGE = 64, ///< the command line
    /// the configuration file cannot be read; or is not there, with --check or --until-idle
    EXIT_NOINPUT = 66,
    EXIT_SOFTWARE = 70, ///< our own bug
    EXIT_OSERR = 71,    ///< the kernel refused something that it must give
    EXIT_IOERR = 74,    ///< the state directory or the store in it
    /// another anteroomd uses this state directory, or: start it again (the resolver's files
    /// changed, a configuration came, everything is to be forgotten)
    EXIT_TEMPFAIL = 75,
    EXIT_NOPERM = 77, ///< secrets that others can read, a state directory of root's
    EXIT_CONFIG = 78, ///< the configuration, or --check found something
};

/// @retval RC_PARSE  the reason was written to standard error.
RC options_parse(struct options *o, int argc, char **argv);
void options_print_help(void);

#endif

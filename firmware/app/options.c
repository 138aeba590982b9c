// SPDX-License-Identifier: Apache-2.0
#include "app/options.h"

#include <stdio.h>

#include <getopt.h>

void options_print_help(void)
{
    fputs("anteroomd: collects call records from Microsoft Graph and delivers them upstream\n"
          "\n"
          "  anteroomd --config FILE --state DIR [--check] [--until-idle]\n"
          "\n"
          "  --config FILE   the configuration (JSON); `anteroomctl config help` lists its keys\n"
          "  --state DIR     directory of the store and the secrets; made by you, owned by an\n"
          "                  unprivileged user: started as root, anteroomd becomes that user\n"
          "  --check         look at configuration, state directory, key, secrets and clock, say\n"
          "                  everything that is wrong, exit\n"
          "  --until-idle    exit with 0 when all due windows are listed, all details are in and\n"
          "                  all sinks have everything\n"
          "  --version       print the version and the board\n"
          "\n"
          "As long as there is no FILE, or only the beginning of one, the box is unconfigured and\n"
          "waits for it; --check and --until-idle do not.\n"
          "\n"
          "Exit codes (sysexits.h): 0 done, 64 usage, 66 configuration file cannot be read, 70\n"
          "internal error, 71 system error, 74 state directory or store, 75 state directory in\n"
          "use, or to be started again, 77 secrets readable by others, or a state directory of\n"
          "root's, 78 configuration or --check\n",
          stdout);
}

RC options_parse(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"state", required_argument, NULL, 's'},
        {"check", no_argument, NULL, 'k'},
        {"until-idle", no_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int c = 0;

    *o = (struct options){.config_path = NULL};
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config_path = optarg;
            break;
        case 's':
            o->state_dir = optarg;
            break;
        case 'k':
            o->check = true;
            break;
        case 'i':
            o->until_idle = true;
            break;
        case 'h':
            o->help = true;
            break;
        case 'v':
            o->version = true;
            break;
        default:
            return RC_PARSE; // getopt has said what
        }
    }
    if (o->help || o->version) {
        return RC_OK;
    }
    if (optind != argc || o->config_path == NULL || o->state_dir == NULL) {
        fputs("anteroomd: --config FILE and --state DIR are needed, and nothing else; see --help\n",
              stderr);
        return RC_PARSE;
    }
    return RC_OK;
}

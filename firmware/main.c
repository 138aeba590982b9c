// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "app/app.h"
#include "sys/confine.h"

int main(int argc, char **argv)
{
    struct options options;

    confine_quiet();
    if (options_parse(&options, argc, argv) != RC_OK) {
        return EXIT_USAGE;
    }
    if (options.help) {
        options_print_help();
        return EXIT_DONE;
    }
    if (options.version) {
        printf("anteroomd board=%s epoch=%d\n", CONFIG_BOARD_NAME, CONFIG_BUILD_EPOCH);
        return EXIT_DONE;
    }
    return (int)app_main(app_instance(), &options);
}

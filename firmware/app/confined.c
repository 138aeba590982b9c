// SPDX-License-Identifier: Apache-2.0
// What the process gives up, and when: sys/confine.h says how.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>

#include "app/app_state.h"
#include "sys/log.h"

static void say(const struct app *a, const char *what, const char *advice)
{
    fprintf(stderr, "anteroomd: %s: %s; %s\n", a->options.state_dir, what, advice);
}

enum exit_code app_open_state(struct app *a)
{
    a->state_fd = open(a->options.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->state_fd < 0) {
        say(a, strerror(errno), "make the state directory, and give it to an unprivileged user");
        return EXIT_IOERR;
    }
    return EXIT_DONE;
}

enum exit_code app_become(struct app *a)
{
    switch (confine_user(&a->confine, a->state_fd, (uint64_t)a->config.spool_map_mib << 20)) {
    case RC_OK:
        break;
    case RC_DENIED:
        say(a, a->confine.wrong, a->confine.advice);
        return EXIT_NOPERM;
    default:
        say(a, a->confine.wrong, a->confine.advice);
        return EXIT_OSERR;
    }
    if (a->confine.had_capabilities) {
        LOG_INFO("ev=capabilities_dropped uid=%u", a->confine.uid);
    }
    return EXIT_DONE;
}

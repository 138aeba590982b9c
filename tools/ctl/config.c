// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <stdio.h>

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crypto.h"

#include "config/config_help.h"
#include "ctl.h"

static int print_faults(const char *path, const struct config_faults *faults)
{
    unsigned kept = faults->count < CONFIG_FAULTS_MAX ? faults->count : CONFIG_FAULTS_MAX;
    for (unsigned i = 0; i < kept; i++) {
        fprintf(stderr, "%s: %s\n", path, faults->text[i]);
    }
    if (kept < faults->count) {
        fprintf(stderr, "%s: and %u more\n", path, faults->count - kept);
    }
    return EX_CONFIG;
}

int ctl_config_check(const struct ctl_args *args)
{
    // Too big for a stack; this program runs one command and ends.
    static char bytes[CONFIG_TEXT_BYTES_MAX + 1u];
    static struct config config;
    static struct config_faults faults;
    struct buf text = BUF(bytes);
    int fd = open(args->word, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ctl_fail(EX_NOINPUT, args->word, "cannot be opened");
    }
    enum rc rc = ctl_read_all(fd, &text);
    close(fd);
    if (rc == RC_IO) {
        return ctl_fail(EX_NOINPUT, args->word, "cannot be read");
    }
    if (crypto_init() != RC_OK) {
        return ctl_fail(EX_OSERR, "random numbers", "the kernel gives none");
    }
    if (config_parse(&config, buf_span(&text), &faults) != RC_OK) {
        return print_faults(args->word, &faults);
    }
    printf("%s: good\n", args->word);
    return EX_OK;
}

int ctl_config_help(const struct ctl_args *args)
{
    static char bytes[CONFIG_HELP_BYTES_MAX];
    struct buf text = BUF(bytes);
    (void)args;
    config_help(&text);
    ASSERT(buf_ok(&text));
    printf("%" PRISPAN, SPANARG(buf_span(&text)));
    return EX_OK;
}

// SPDX-License-Identifier: Apache-2.0
// The configuration and the private CA, read as whoever started us; shared with --check. One that
// is not there, or only in part, is waited for (awaited.c).
#include <stdio.h>

#include "app/app_state.h"

static struct config_faults faults; // large, and needed for a moment only: not on the stack

void app_say(const char *what, const char *subject, const char *advice)
{
    fprintf(stderr, "anteroomd: %s: %s; %s\n", subject, what, advice);
}

/// @param come  whether there is anything that would be gone by later: all of it, or an error.
static RC read_come(struct app *a, struct buf *text, bool *come)
{
    buf_reset(text);
    enum rc rc = file_read(a->options.config_path, text);

    a->config_part = rc == RC_OK && config_is_part(buf_span(text));
    *come = rc != RC_NOTFOUND && !a->config_part;
    return rc;
}

/// In this order it cannot come unseen in between.
static RC read_or_await(struct app *a, struct buf *text)
{
    bool come = false;
    enum rc rc = read_come(a, text, &come);

    if (come || !app_await_config(a)) {
        return rc;
    }
    rc = read_come(a, text, &come);
    if (!come) {
        app_tell_awaited(a);
        return RC_OK;
    }
    app_await_no_more(a);
    return rc;
}

static enum exit_code read_text(struct app *a, struct buf *text)
{
    switch (read_or_await(a, text)) {
    case RC_OK:
        return EXIT_DONE;
    case RC_NOTFOUND:
        app_say("no such file", a->options.config_path, "give the configuration with --config");
        return EXIT_NOINPUT;
    case RC_TOOBIG:
        app_say("longer than 64 KiB",
                a->options.config_path,
                "a configuration is smaller; is it the right file?");
        return EXIT_CONFIG;
    default:
        app_say("cannot be read", a->options.config_path, "check its path and permissions");
        return EXIT_NOINPUT;
    }
}

static enum exit_code read_ca(struct app *a)
{
    char path[FILES_PATH_BYTES_MAX];
    struct buf p = BUF(path);
    struct buf pem = buf_of(a->ca_bytes, sizeof(a->ca_bytes));

    a->ca_pem = SPAN_NONE;
    if (a->config.ca_file[0] == '\0') {
        return EXIT_DONE;
    }
    if (file_path_beside(a->options.config_path, a->config.ca_file, &p) != RC_OK ||
        file_read(path, &pem) != RC_OK) {
        app_say("cannot be read",
                a->config.ca_file,
                "sandbox.ca_file is looked for beside the configuration");
        return EXIT_CONFIG;
    }
    a->ca_pem = buf_span(&pem);
    return EXIT_DONE;
}

enum exit_code app_read_config(struct app *a)
{
    struct buf text = buf_of(a->text, sizeof(a->text));
    enum exit_code code = read_text(a, &text);

    if (code != EXIT_DONE || app_awaits_config(a)) {
        return code;
    }
    if (config_parse(&a->config, buf_span(&text), &faults) != RC_OK) {
        for (unsigned i = 0; i < faults.count && i < CONFIG_FAULTS_MAX; i++) {
            fprintf(stderr, "anteroomd: %s: %s\n", a->options.config_path, faults.text[i]);
        }
        fprintf(
            stderr, "anteroomd: %s: %u fault(s); not used\n", a->options.config_path, faults.count);
        return EXIT_CONFIG;
    }
    return read_ca(a);
}

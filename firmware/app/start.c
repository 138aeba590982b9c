// SPDX-License-Identifier: Apache-2.0
// Start, in the one order that works: the store is checked in a child before any library thread or
// key exists; keys come before the network.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/crypto.h"

#include "app/app_state.h"
#include "sys/log.h"

static struct config_faults faults; // large, and needed for a moment only: not on the stack

static void say(const char *what, const char *path, const char *advice)
{
    fprintf(stderr, "anteroomd: %s: %s; %s\n", path, what, advice);
}

static enum exit_code read_text(struct app *a, struct buf *text)
{
    switch (file_read(a->options.config_path, text)) {
    case RC_OK:
        return EXIT_DONE;
    case RC_NOTFOUND:
        say("no such file", a->options.config_path, "give the configuration with --config");
        return EXIT_NOINPUT;
    case RC_TOOBIG:
        say("longer than 64 KiB",
            a->options.config_path,
            "a configuration is smaller; is it the right file?");
        return EXIT_CONFIG;
    default:
        say("cannot be read", a->options.config_path, "check its permissions");
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
        say("cannot be read",
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

    if (code != EXIT_DONE) {
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

static enum exit_code open_spool(struct app *a, enum spool_found *found, struct buf *reason)
{
    const struct spool_options options = {
        .state_dir = APP_STATE,
        .map_mib = a->config.spool_map_mib,
        .high_percent = a->config.spool_high_percent,
    };
    enum rc rc = spool_open(&a->spool, &options, found, reason);

    if (rc == RC_AGAIN) {
        say("in use by another anteroomd",
            a->options.state_dir,
            "one state directory serves one box");
        return EXIT_TEMPFAIL;
    }
    if (rc != RC_OK) {
        say("the store cannot be opened or made",
            a->options.state_dir,
            "check that it exists, is writable and has space");
        return EXIT_IOERR;
    }
    struct span names[CONFIG_SINKS_MAX];
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        names[i] = span_from_str(a->config.sinks[i].name);
    }
    if (spool_set_sinks(&a->spool, names, a->config.sinks_count) != RC_OK) {
        say("the sinks' positions cannot be read",
            a->options.state_dir,
            "the store is damaged; it is checked at the next start");
        return EXIT_IOERR;
    }
    return EXIT_DONE;
}

static bool needs_identity(const struct config *c)
{
    bool needed = c->credential == CREDENTIAL_CERTIFICATE;

    for (unsigned i = 0; i < c->sinks_count; i++) {
        needed = needed || c->sinks[i].client_certificate[0] != '\0';
    }
    return needed;
}

static enum exit_code open_secrets(struct app *a, struct now now)
{
    bool made = false;
    enum rc rc = hal_tokenstore_open(&a->store, APP_STATE);

    if (rc == RC_DENIED) {
        say("secrets can be read by others",
            a->options.state_dir,
            "set mode 0700 on tokens/ and 0600 on its files");
        return EXIT_NOPERM;
    }
    if (rc == RC_OK && crypto_init() != RC_OK) {
        return EXIT_OSERR;
    }
    if (rc == RC_OK && needs_identity(&a->config)) {
        rc = auth_ensure_identity(&a->store, span_from_str(a->config.name), now.wall.ms, &made);
    }
    if (rc != RC_OK) {
        say("the token store fails",
            a->options.state_dir,
            rc == RC_CORRUPT ? "a stored secret is damaged: put it again"
                             : "check permissions and space");
        return EXIT_IOERR;
    }
    if (made) {
        LOG_INFO("ev=identity_made advice=upload_the_output_of_anteroomctl_certificate");
    }
    return EXIT_DONE;
}

/// Tell upstream that the store was begun anew: what it held and no sink had is fetched again from
/// Graph.
static void tell_reset(struct app *a, struct span reason, struct now now)
{
    char data[256];
    struct buf b = BUF(data);
    struct event e = {.type = EVENT_STORE_RESET,
                      .source = "anteroom",
                      .tenant = span_from_str(a->config.tenant_id),
                      .id = spool_id(&a->spool),
                      .version = 1,
                      .event_ms = now.wall.ms};

    buf_put_str(&b, "{\"reason\":");
    json_put_string(&b, reason);
    buf_put_str(&b, ",\"backfill_days\":");
    buf_put_u64(&b, a->config.call_records.backfill_days);
    buf_put_char(&b, '}');
    e.data = buf_span(&b);
    LOG_ERROR("ev=store_reset reason=%" PRISPAN " now=fetching_again", SPANARG(reason));
    if (event_emit(&a->spool, buf_of(a->line, sizeof(a->line)), &e, now) != RC_OK ||
        spool_commit(&a->spool) != RC_OK) {
        LOG_ERROR("ev=store_reset_not_reported");
    }
}

static RC open_signals(struct app *a)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return RC_IO;
    }
    a->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return a->signal_fd >= 0 ? RC_OK : RC_IO;
}

static void on_signal(void *context, int fd, unsigned ready)
{
    struct app *a = context;
    struct signalfd_siginfo info;

    (void)ready;
    if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        a->stop = true;
    }
}

static enum exit_code build(struct app *a, struct now now)
{
    const struct auth_setup auth = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_AUTH,
        .store = &a->store,
        .ca_pem = a->ca_pem,
    };
    const struct graph_setup graph = {
        .config = &a->config,
        .http = &a->http,
        .slot = SLOT_GRAPH,
        .spool = &a->spool,
        .ca_pem = a->ca_pem,
        .scratch =
            {
                .tokens = a->tokens,
                .tokens_max = CONFIG_JSON_TOKENS_MAX,
                .line = buf_of(a->line, sizeof(a->line)),
                .shell = buf_of(a->shell, sizeof(a->shell)),
            },
    };
    struct ship_setup ship = {
        .config = &a->config,
        .http = &a->http,
        .spool = &a->spool,
        .store = &a->store,
        .ca_pem = a->ca_pem,
        .scratch = buf_of(a->scratch, sizeof(a->scratch)),
    };

    if (loop_init(&a->loop) != RC_OK || open_signals(a) != RC_OK ||
        loop_watch(&a->loop, a->signal_fd, LOOP_READ, on_signal, a) != RC_OK ||
        http_init(&a->http, &a->loop) != RC_OK) {
        fprintf(stderr,
                "anteroomd: the event loop cannot be set up; see the limits on memory and open "
                "files\n");
        return EXIT_OSERR;
    }
    auth_init(&a->auth, &auth);
    if (a->config.call_records_on && graph_init(&a->graph, &graph, now) != RC_OK) {
        say("the store's rows cannot be read",
            a->options.state_dir,
            "were they written by a newer version?");
        return EXIT_IOERR;
    }
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        ship.index = i;
        ship.slot = SLOT_SINKS + i;
        ship_init(&a->ships[i], &ship);
    }
    return EXIT_DONE;
}

enum exit_code app_start(struct app *a)
{
    char reason_bytes[128];
    struct buf reason = BUF(reason_bytes);
    enum spool_found found = SPOOL_FOUND_NONE;
    struct now now = loop_now();
    enum exit_code code = app_read_config(a);

    log_set_now(now);
    if (code == EXIT_DONE) {
        code = app_open_state(a);
    }
    if (code == EXIT_DONE) {
        code = app_become(a);
    }
    if (code == EXIT_DONE) {
        code = open_spool(a, &found, &reason);
    }
    if (code == EXIT_DONE) {
        crypto_set_time(now.wall.ms);
        code = open_secrets(a, now);
    }
    if (code == EXIT_DONE) {
        code = build(a, now);
    }
    if (code != EXIT_DONE) {
        return code;
    }
    a->commit_due = MONO_NEVER;
    if (found == SPOOL_FOUND_BROKEN) {
        tell_reset(a, buf_span(&reason), now);
    }
    LOG_INFO("ev=started board=%s clock=%s sinks=%u held=%" PRIu64,
             CONFIG_BOARD_NAME,
             clock_quality_name(now.wall.quality),
             a->config.sinks_count,
             spool_stats(&a->spool).events_held);
    return EXIT_DONE;
}

void app_finish(struct app *a)
{
    if (a->config.call_records_on) {
        graph_stop(&a->graph);
    }
    if (spool_has_staged(&a->spool) && spool_commit(&a->spool) != RC_OK) {
        LOG_WARN("ev=stopped_with_staged_events now=they_are_fetched_again");
    }
    http_deinit(&a->http);
    spool_close(&a->spool);
    hal_tokenstore_close(&a->store);
    loop_deinit(&a->loop);
    close(a->signal_fd);
    LOG_INFO("ev=stopped");
}

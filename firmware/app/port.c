// SPDX-License-Identifier: Apache-2.0
// The status port and the console line: opened at the start, driven each turn. What keeps the port
// from being opened keeps nothing from being collected.
#include "base/bytes.h"
#include "base/crypto.h"
#include "hal/entropy.h"

#include "app/app_state.h"
#include "auth/setup_code.h"
#include "sys/heap.h"
#include "sys/log.h"

#define PRESENT_MS 60000 ///< so long a pressed button says that somebody is there
#define LINE_MS    30000
#define TRIM_MS    2000

/// For the page: what is to be uploaded to the app registration.
static struct span certificate(void *context, bool next)
{
    struct app *a = context;
    struct buf b = buf_of(a->port.pem, sizeof(a->port.pem));
    enum rc rc = hal_tokenstore_get(
        &a->store, next ? SPAN(CREDENTIAL_CERT_NAME_NEXT) : SPAN(CREDENTIAL_CERT_NAME), &b);

    return rc == RC_OK ? buf_span(&b) : SPAN_NONE;
}

static RC open_serve(struct app *a, struct serve_options *options)
{
    char key_bytes[CRYPTO_KEY_PEM_BYTES_MAX], cert_bytes[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf key = BUF(key_bytes), cert = BUF(cert_bytes);
    struct crypto_certificate read;

    if (options->plain) {
        return serve_open(&a->serve, &a->loop, options);
    }
    enum rc rc = hal_tokenstore_get(&a->store, SPAN(AUTH_TLS_KEY_NAME), &key);

    rc = rc != RC_OK ? rc : hal_tokenstore_get(&a->store, SPAN(AUTH_TLS_CERT_NAME), &cert);
    if (rc == RC_OK && crypto_read_certificate(buf_span(&cert), &read) != RC_OK) {
        rc = RC_CORRUPT;
    }
    if (rc == RC_OK) {
        app_put_hex(a->port.fingerprint, read.sha256, SHA256_BYTES);
        options->cert_pem = buf_span(&cert);
        options->key_pem = buf_span(&key);
        rc = serve_open(&a->serve, &a->loop, options);
    }
    buf_wipe(&key);
    return rc;
}

static void said(const struct app *a, enum rc rc)
{
    if (rc != RC_OK) {
        LOG_WARN("ev=status_port_shut why=%s now=collecting_without_it "
                 "advice=see_status_listen_in_the_configuration",
                 rc_name(rc));
        return;
    }
    char text[CONFIG_ADDRESS_BYTES];
    struct buf b = BUF(text);
    const struct address at = serve_address(&a->serve);
    address_put(&b, &at);
    LOG_INFO("ev=status_port url=%s://%" PRISPAN "/ fingerprint=%s",
             a->config.status_plain ? "http" : "https",
             SPANARG(buf_span(&b)),
             a->config.status_plain ? "none" : a->port.fingerprint);
}

/// @retval as the token store, serve_open.
static RC open_port(struct app *a)
{
    struct serve_options options = {.plain = a->config.status_plain};
    char code[SETUP_CODE_CHARS + 1u] = "";
    bool made = false;
    struct status_setup status = {
        .config = &a->config, .serve = &a->serve, .certificate = certificate, .context = a};

    TRY(address_parse_listen(
        span_from_str(a->config.status_listen), CONFIG_STATUS_PORT, &options.listen));
    if (a->store_findings.rolled_back) { // it stays as it was found (secrets.c)
        TRY(setup_code_read(&a->store, code));
    } else {
        TRY(setup_code_ensure(&a->store, code, &made));
    }
    if (made) {
        LOG_INFO("ev=setup_code_made advice=anteroomctl_setup-code_prints_it");
    }
    status.setup_code = span_from_str(code);
    hal_entropy_fill(status.secret, sizeof(status.secret));
    status_init(&a->status, &status);
    bytes_wipe(&status.secret, sizeof(status.secret));
    bytes_wipe(code, sizeof(code));
    return open_serve(a, &options);
}

enum exit_code app_open_port(struct app *a)
{
    struct buf build = BUF(a->port.build);

    time_put_iso_s(&build, (int64_t)CONFIG_BUILD_EPOCH * 1000);
    build.len = sizeof("2026-11-23") - 1u; // a day says it
    (void)buf_terminate(&build);
    serve_none(&a->serve);
    a->port.line_due = a->started.mono;
    a->port.forget_at = MONO_NEVER;
    a->port.trim_due = MONO_NEVER;
    if (a->config.status_listen[0] != '\0') {
        said(a, open_port(a));
    }
    return EXIT_DONE;
}

static bool present(const struct app *a, struct now now)
{
    return hal_button_was_pressed(&a->button, now.mono, PRESENT_MS);
}

/// A terminal that is full drops a line; one that is gone stays so until the next start.
static void say_line(struct app *a, struct span line)
{
    if (hal_console_write(&a->console, line) == RC_IO) {
        LOG_WARN("ev=console_gone now=no_more_lines_until_the_next_start");
        hal_console_close(&a->console);
    }
}

static struct mono write_line(struct app *a, struct now now)
{
    char text[CONSOLE_LINE_BYTES_MAX];
    struct buf b = BUF(text);

    if (a->console.fd < 0) {
        return MONO_NEVER;
    }
    if (mono_due(a->port.line_due, now.mono)) {
        app_fill_snapshot(a, now);
        render_line(&a->port.snapshot, &b);
        if (buf_ok(&b)) {
            say_line(a, buf_span(&b));
        }
        a->port.line_due = mono_after(now.mono, LINE_MS);
    }
    return a->port.line_due;
}

static uint64_t events_sent(const struct app *a)
{
    uint64_t sent = 0;

    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        sent += ship_status(&a->ships[i])->events_sent;
    }
    return sent;
}

/// What grew since the last turn, and when.
static void note_flow(struct app *a, struct now now)
{
    uint64_t events = spool_next_seq(&a->spool), records = graph_status(&a->graph)->records_done;

    if (!a->port.flows) { // what the box says of its own start was not collected
        hour_init(&a->hour, events, events_sent(a), now.mono);
        a->port.flows = true;
    }
    if (records != a->port.records) {
        a->port.records = records;
        a->port.collected_at = now.mono;
    }
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        uint64_t sent = ship_status(&a->ships[i])->events_sent;
        if (sent != a->port.sent[i]) {
            a->port.sent[i] = sent;
            a->port.sent_at[i] = now.mono;
        }
    }
    hour_note(&a->hour, events, events_sent(a), now.mono);
}

/// What connections used of the libraries' pool goes back soon after the last one, whether the
/// collector is busy or not.
static struct mono give_back(struct app *a, struct now now)
{
    if (serve_stats(&a->serve).open > 0) {
        a->port.trim_due = mono_after(now.mono, TRIM_MS);
        return MONO_NEVER;
    }
    if (mono_due(a->port.trim_due, now.mono)) {
        a->port.trim_due = MONO_NEVER;
        heap_trim();
    }
    return a->port.trim_due;
}

struct mono app_step_port(struct app *a, struct now now)
{
    struct status_wish wish = {.kind = STATUS_WISH_NONE};

    note_flow(a, now);
    struct mono wake = write_line(a, now);
    if (!serve_is_open(&a->serve)) {
        return wake;
    }
    wake = mono_min(wake, serve_step(&a->serve, now));
    if (status_wants(&a->status)) {
        app_fill_snapshot(a, now);
    }
    wake = mono_min(wake, status_step(&a->status, &a->port.snapshot, present(a, now), now, &wish));
    app_wish(a, &wish, now);
    wake = mono_min(wake, give_back(a, now));
    if (mono_due(a->port.forget_at, now.mono)) {
        a->port.forget_at = MONO_NEVER;
        app_end_for_restart(a, EXIT_TEMPFAIL, "asked to forget");
    }
    wake = mono_min(wake, a->port.forget_at);
    return wish.kind != STATUS_WISH_NONE ? now.mono : wake;
}

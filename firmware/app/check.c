// SPDX-License-Identifier: Apache-2.0
// --check: look at everything, say everything that is wrong, change nothing that lasts.
#include <stdio.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/crypto.h"
#include "hal/clock.h"

#include "app/app_state.h"
#include "app/check_confined.h"
#include "app/check_devices.h"

#define DAY_MS         INT64_C(86400000)
#define EXPIRY_WARN_MS (30 * DAY_MS)

static const char renew[] =
    "remove them with: anteroomctl key remove --state DIR (for TLS: secret remove of " //
    AUTH_TLS_KEY_NAME " and " AUTH_TLS_CERT_NAME "); new ones are made, to be uploaded";

static const char follow[] = "upload what 'anteroomctl certificate renew --state DIR' prints; the "
                             "box changes over by itself";
static const char follow_secret[] =
    "make a new one in the app registration, and put it with: anteroomctl secret put --next "
    "--expires DATE --state DIR client-secret; the box changes over by itself";

struct findings {
    unsigned wrong;
};

static void wrong(struct findings *f, const char *what, const char *advice)
{
    f->wrong++;
    printf("wrong  %s; %s\n", what, advice);
}

static void right(const char *what)
{
    printf("ok     %s\n", what);
}

static void say_devices(int state_fd, struct findings *f)
{
    struct device_finding devices[CHECK_DEVICES];

    check_devices(state_fd, devices);
    for (unsigned i = 0; i < CHECK_DEVICES; i++) {
        if (devices[i].wrong) {
            wrong(f, devices[i].what, devices[i].advice);
        } else {
            right(devices[i].what);
        }
    }
}

static void say_confined(struct findings *f)
{
    struct confined_finding found[CHECK_CONFINED];

    check_confined(found);
    for (unsigned i = 0; i < CHECK_CONFINED; i++) {
        switch (found[i].verdict) {
        case CONFINED_YES:
            right(found[i].what);
            break;
        case CONFINED_NO:
            printf("no     kernel: %s: %s\n", found[i].what, found[i].meaning);
            break;
        case CONFINED_WRONG:
            wrong(f, found[i].what, found[i].meaning);
            break;
        }
    }
}

/// Devices first: they may need what is given up with becoming the owner of the directory.
static bool check_state_dir(struct app *a, struct findings *f)
{
    a->state_fd = open(a->options.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    say_devices(a->state_fd, f);
    if (a->state_fd < 0) {
        wrong(f, "state directory: not there", "make it, and give it to an unprivileged user");
        return false;
    }
    if (confine_user(&a->confine, a->state_fd, app_store_bytes(a)) != RC_OK) {
        char line[160];
        snprintf(line, sizeof(line), "state directory: %s", a->confine.wrong);
        wrong(f, line, a->confine.advice);
        return false;
    }
    if (access(APP_STATE, R_OK | W_OK | X_OK) != 0) {
        wrong(f, "state directory: not writable", "give it to the user that anteroomd runs as");
        return false;
    }
    right("state directory");
    return true;
}

static void check_secret(struct app *a, const char *name, const char *what, struct findings *f)
{
    char line[160];
    struct buf value = buf_of(a->text, TOKENSTORE_VALUE_BYTES_MAX);
    enum rc rc = a->store.dir_fd >= 0 ? hal_tokenstore_get(&a->store, span_from_str(name), &value)
                                      : RC_NOTFOUND;

    buf_wipe(&value);
    snprintf(line,
             sizeof(line),
             "%s: secret \"%s\"%s%s",
             what,
             name,
             rc == RC_OK ? "" : ": ",
             rc == RC_OK ? "" : rc_name(rc));
    if (rc == RC_OK) {
        right(line);
    } else {
        wrong(f, line, "put it with: anteroomctl secret put --state DIR NAME");
    }
}

/// Where its end was said when it was put.
static void check_secret_end(struct app *a, struct now now, struct findings *f)
{
    struct credential_status s = {0};
    enum rc rc = a->store.dir_fd >= 0 ? credential_look(&a->config, &a->store, now, &s) : RC_RETRY;
    int64_t end_ms = s.expires_ms[CREDENTIAL_NOW];

    if (rc != RC_OK || !s.there[CREDENTIAL_NOW]) {
        return; // said already
    }
    if (end_ms != 0 && end_ms < hal_clock_floor()) {
        wrong(f, "credential: the secret has expired", follow_secret);
    } else if (end_ms != 0 && end_ms < now.wall.ms + EXPIRY_WARN_MS) {
        wrong(f,
              "credential: the secret expires within 30 days of what the clock shows",
              follow_secret);
    } else {
        right(end_ms != 0 ? "credential: its end is far" : "credential: its end was not said");
    }
}

/// @param rc  of looking at the pair; cert is its certificate.
/// @param advice  when it has come to its end.
static void
check_identity(enum rc rc, struct span cert, const char *advice, struct now now, struct findings *f)
{
    struct crypto_certificate c;
    if (rc == RC_NOTFOUND) {
        wrong(f,
              "key: not made yet",
              "anteroomctl certificate --state DIR (--tls) makes it and prints what to upload");
    } else if (rc != RC_OK || crypto_read_certificate(cert, &c) != RC_OK) {
        wrong(f, "key: it and its certificate cannot be read or do not belong together", renew);
    } else if (c.not_after_ms < hal_clock_floor()) {
        wrong(f, "key: its certificate has expired", advice);
    } else if (c.not_after_ms < now.wall.ms + EXPIRY_WARN_MS) {
        wrong(f, "key: its certificate expires within 30 days of what the clock shows", advice);
    } else {
        right("key and certificate");
    }
}

static void check_identities(struct app *a, struct now now, struct findings *f)
{
    char bytes[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf cert = BUF(bytes);
    struct app_needs needs = app_needs(&a->config);
    bool there = a->store.dir_fd >= 0;
    if (needs.sign_in) {
        enum rc rc = there ? auth_check_identity(&a->store, &cert) : RC_NOTFOUND;
        check_identity(rc, buf_span(&cert), follow, now, f);
    }
    buf_reset(&cert);
    if (needs.tls) {
        enum rc rc = there ? auth_check_tls_identity(&a->store, &cert) : RC_NOTFOUND;
        check_identity(rc, buf_span(&cert), renew, now, f);
    }
}

static void say_store(enum rc rc, const struct tokenstore_findings *found, struct findings *f)
{
    char line[160];
    struct tokenstore_words words = hal_tokenstore_words(rc, found);
    snprintf(line, sizeof(line), "token store: %s", words.what);
    wrong(f, line, words.advice);
}

static void check_secrets(struct app *a, struct now now, struct findings *f)
{
    char line[64];
    enum rc rc = hal_tokenstore_look(&a->store, a->state_fd, &a->store_findings);
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        say_store(rc, &a->store_findings, f);
        return;
    }
    snprintf(line,
             sizeof(line),
             "token store, class %s%s",
             hal_tokenstore_class_name(hal_tokenstore_class(&a->store)),
             rc == RC_OK ? "" : ", not made yet");
    right(line);
    if (a->store_findings.rolled_back) {
        wrong(f, "token store: older than this machine knows", "it was restored: put secrets anew");
    }
    if (a->config.credential == CREDENTIAL_SECRET) {
        check_secret(a, AUTH_SECRET_NAME, "credential", f);
        check_secret_end(a, now, f);
    }
    for (unsigned i = 0; i < a->config.sinks_count; i++) {
        const struct config_sink *sink = &a->config.sinks[i];
        if (sink->authorization[0] != '\0') {
            check_secret(a, sink->authorization, sink->name, f);
        }
    }
    check_identities(a, now, f);
    hal_tokenstore_close(&a->store);
}

/// A wrong clock is no fault: nothing is decided by it.
static void check_clock(enum rc floor, struct findings *f)
{
    if (floor != RC_OK) {
        char line[96];
        snprintf(line, sizeof(line), "clock: the stored floor cannot be used: %s", rc_name(floor));
        wrong(f, line, "remove clock-floor from the state directory; the box begins it anew");
    }
    if (hal_clock_wall().quality == CLOCK_UNKNOWN) {
        right("clock: the kernel's cannot be right and is not used; the time is proven at start by "
              "HTTPS");
    } else {
        right("clock: the kernel's may be right and is not relied on; the time is proven at start "
              "by HTTPS");
    }
}

enum exit_code app_check(struct app *a)
{
    struct findings f = {0};
    struct now now = loop_now();
    enum rc floor = RC_OK;
    enum exit_code config = app_read_config(a);

    if (config == EXIT_DONE) {
        right("configuration");
    } else {
        wrong(&f, "configuration", "see the lines above");
    }
    enum rc attached =
        config == EXIT_DONE ? hal_tokenstore_attach(&a->store, &a->store_findings) : RC_OK;
    if (attached != RC_OK) {
        say_store(attached, &a->store_findings, &f);
    }
    bool reachable = check_state_dir(a, &f);
    if (reachable) {
        floor = hal_clock_open(a->state_fd);
        now = loop_now();
    }
    crypto_set_time(now.wall.ms);
    if (reachable && config == EXIT_DONE && attached == RC_OK) {
        if (crypto_init() != RC_OK) {
            wrong(&f, "random numbers: the kernel gives none", "this is not a machine to run on");
        } else {
            check_secrets(a, now, &f);
        }
    }
    say_confined(&f);
    check_clock(floor, &f);
    printf("%u thing(s) wrong\n", f.wrong);
    return f.wrong == 0 ? EXIT_DONE : EXIT_CONFIG;
}

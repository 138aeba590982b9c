// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include <sysexits.h>
#include <unistd.h>

#include "hal/clock.h"

#include "auth/auth.h"
#include "auth/life_kept.h"
#include "auth/setup_code.h"
#include "auth/signin.h"
#include "ctl.h"

/// What the box keeps for itself, and what is said by an option.
static bool is_reserved(const char *name)
{
    static const char *const names[] = {
        AUTH_CERT_NAME,
        CREDENTIAL_CERT_NAME_NEXT,
        AUTH_TLS_KEY_NAME,
        AUTH_TLS_CERT_NAME,
        SETUP_CODE_NAME,
        SIGNIN_REFRESH_NAME,
        SIGNIN_WHO_NAME,
        LIFE_KEPT_NAME,
        AUTH_SECRET_NAME CREDENTIAL_EXPIRES,
        CREDENTIAL_SECRET_NAME_NEXT,
        CREDENTIAL_SECRET_NAME_NEXT CREDENTIAL_EXPIRES,
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/// Without the one line end that `echo` and editors put there.
static struct span without_line_end(struct span text)
{
    if (text.len > 0 && text.ptr[text.len - 1u] == '\n') {
        text.len--;
        text.len -= text.len > 0 && text.ptr[text.len - 1u] == '\r';
    }
    return text;
}

static bool is_one_line(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static int put(struct tokenstore *store, const char *name, struct span value)
{
    if (value.len == 0) {
        return ctl_fail(EX_DATAERR, name, "standard input was empty");
    }
    if (!is_one_line(value)) {
        return ctl_fail(EX_DATAERR, name, "a secret is one line without control characters");
    }
    switch (hal_tokenstore_put(store, span_from_str(name), value)) {
    case RC_OK:
        fprintf(stderr, "anteroomctl: %s: stored, %zu bytes\n", name, value.len);
        return EX_OK;
    case RC_PARSE:
        return ctl_fail(EX_USAGE, "NAME", "allowed: 1..32 characters of a-z 0-9 -, first a letter");
    case RC_FULL:
        return ctl_fail(
            EX_IOERR, name, "no room in the store or on the disk; the old value stands, if any");
    case RC_RETRY:
        return ctl_fail(EX_TEMPFAIL,
                        name,
                        "the store's device or another program is busy; the old or the new value "
                        "stands; put it again in some minutes");
    default:
        return ctl_fail(EX_IOERR,
                        name,
                        "could not be written for certain; the old or the new value stands; see "
                        "to the disk, then put it again");
    }
}

/// The date of the old one goes first, the date of the new one comes last: a wrong one is never
/// there.
static int put_dated(struct tokenstore *store, const struct ctl_args *args, struct span value)
{
    enum credential_which which = args->next ? CREDENTIAL_NEXT : CREDENTIAL_NOW;
    const char *date = credential_expires_record(which);
    if (strcmp(args->word, AUTH_SECRET_NAME) != 0) {
        return put(store, args->word, value);
    }
    enum rc rc = value.len > 0 ? hal_tokenstore_delete(store, span_from_str(date)) : RC_NOTFOUND;
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        return ctl_fail(rc == RC_RETRY ? EX_TEMPFAIL : EX_IOERR, date, "could not be removed");
    }
    int code = put(store, credential_record(CREDENTIAL_SECRET, which), value);
    if (code != EX_OK || args->expires == NULL) {
        fprintf(stderr,
                "%s",
                code == EX_OK ? "anteroomctl: its end is not known; with --expires YYYY-MM-DD the "
                                "box warns 30 days before\n"
                              : "");
        return code;
    }
    return put(store, date, span_from_str(args->expires));
}

static int check_options(const struct ctl_args *args, int64_t *expires_ms)
{
    if (is_reserved(args->word)) {
        return ctl_fail(EX_USAGE,
                        args->word,
                        "the box keeps this by itself; see 'certificate', 'setup-code', and "
                        "--next and --expires of 'secret put'");
    }
    if ((args->next || args->expires != NULL) && strcmp(args->word, AUTH_SECRET_NAME) != 0) {
        return ctl_fail(EX_USAGE, args->word, "--next and --expires are for client-secret only");
    }
    if (args->expires == NULL) {
        return EX_OK;
    }
    if (credential_parse_date(span_from_str(args->expires), expires_ms) != RC_OK) {
        return ctl_fail(EX_USAGE, args->expires, "no date; write it as 2027-11-23");
    }
    return *expires_ms > hal_clock_floor()
               ? EX_OK
               : ctl_fail(EX_DATAERR, args->expires, "has passed; see what Entra names as its end");
}

int ctl_secret_put(const struct ctl_args *args)
{
    struct tokenstore store;
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf text = BUF(bytes);
    int64_t expires_ms = 0;
    int wrong = check_options(args, &expires_ms);
    if (wrong != EX_OK) {
        return wrong;
    }
    if (isatty(STDIN_FILENO)) {
        return ctl_fail(
            EX_USAGE,
            "standard input",
            "is a terminal, which would show the secret; give it by '< FILE' or a pipe");
    }
    int code = ctl_change_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    enum rc rc = ctl_read_all(STDIN_FILENO, &text);
    if (rc == RC_OK) {
        code = put_dated(&store, args, without_line_end(buf_span(&text)));
    } else if (rc == RC_TOOBIG) {
        code = ctl_fail(EX_DATAERR, args->word, "longer than 4096 bytes");
    } else {
        code = ctl_fail(EX_IOERR, "standard input", "cannot be read");
    }
    buf_wipe(&text);
    hal_tokenstore_close(&store);
    return code;
}

/// A secret of the application may have one.
static RC drop_date(struct tokenstore *store, const char *name)
{
    for (enum credential_which w = CREDENTIAL_NOW; w < CREDENTIALS; w++) {
        if (strcmp(name, credential_record(CREDENTIAL_SECRET, w)) == 0) {
            enum rc rc = hal_tokenstore_delete(store, span_from_str(credential_expires_record(w)));
            return rc == RC_NOTFOUND ? RC_OK : rc;
        }
    }
    return RC_OK;
}

int ctl_secret_remove(const struct ctl_args *args)
{
    struct tokenstore store;
    int code = ctl_change_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    enum rc rc = drop_date(&store, args->word);
    rc = rc == RC_OK ? hal_tokenstore_delete(&store, span_from_str(args->word)) : rc;
    hal_tokenstore_close(&store);
    if (rc == RC_NOTFOUND) {
        return ctl_fail(EX_NOINPUT, args->word, "there is no such secret");
    }
    return rc == RC_OK ? EX_OK
                       : ctl_fail(rc == RC_RETRY ? EX_TEMPFAIL : EX_IOERR,
                                  args->word,
                                  "could not be removed for certain; try it again");
}

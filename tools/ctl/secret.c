// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include <sysexits.h>
#include <unistd.h>

#include "auth/auth.h"
#include "ctl.h"

static bool is_device_name(const char *name)
{
    return strcmp(name, AUTH_CERT_NAME) == 0 || strcmp(name, AUTH_TLS_KEY_NAME) == 0 ||
           strcmp(name, AUTH_TLS_CERT_NAME) == 0;
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

int ctl_secret_put(const struct ctl_args *args)
{
    struct tokenstore store;
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf text = BUF(bytes);
    if (is_device_name(args->word)) {
        return ctl_fail(
            EX_USAGE,
            args->word,
            "the box makes its own keys and certificates: see 'anteroomctl certificate'");
    }
    if (isatty(STDIN_FILENO)) {
        return ctl_fail(
            EX_USAGE,
            "standard input",
            "is a terminal, which would show the secret; give it by '< FILE' or a pipe");
    }
    int code = ctl_open_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    enum rc rc = ctl_read_all(STDIN_FILENO, &text);
    if (rc == RC_OK) {
        code = put(&store, args->word, without_line_end(buf_span(&text)));
    } else if (rc == RC_TOOBIG) {
        code = ctl_fail(EX_DATAERR, args->word, "longer than 4096 bytes");
    } else {
        code = ctl_fail(EX_IOERR, "standard input", "cannot be read");
    }
    buf_wipe(&text);
    hal_tokenstore_close(&store);
    return code;
}

int ctl_secret_remove(const struct ctl_args *args)
{
    struct tokenstore store;
    int code = ctl_open_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    enum rc rc = hal_tokenstore_delete(&store, span_from_str(args->word));
    hal_tokenstore_close(&store);
    if (rc == RC_NOTFOUND) {
        return ctl_fail(EX_NOINPUT, args->word, "there is no such secret");
    }
    return rc == RC_OK ? EX_OK
                       : ctl_fail(rc == RC_RETRY ? EX_TEMPFAIL : EX_IOERR,
                                  args->word,
                                  "could not be removed for certain; try it again");
}

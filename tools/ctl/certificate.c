// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include <sysexits.h>

#include "base/crypto.h"
#include "hal/clock.h"

#include "auth/auth.h"
#include "ctl.h"

#define NAME_DEFAULT "anteroom"

static int print_certificate(struct span pem)
{
    struct crypto_certificate certificate;
    char text[2u * SHA256_BYTES + CLOCK_TEXT_BYTES + 1u];
    struct buf line = BUF(text);
    if (crypto_read_certificate(pem, &certificate) != RC_OK) {
        return ctl_fail(EX_SOFTWARE, "certificate", "what is stored is no certificate");
    }
    buf_put_hex(&line, (struct span){.ptr = (const char *)certificate.sha256, .len = SHA256_BYTES});
    buf_put_char(&line, ' ');
    time_put_iso_s(&line, certificate.not_after_ms);
    fprintf(stderr, "SHA-256 thumbprint and end: %" PRISPAN "\n", SPANARG(buf_span(&line)));
    printf("%" PRISPAN "%s", SPANARG(pem), pem.ptr[pem.len - 1u] == '\n' ? "" : "\n");
    return EX_OK;
}

RC ctl_read_certificate(struct tokenstore *store,
                        const char *record,
                        struct crypto_certificate *out)
{
    char bytes[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf pem = BUF(bytes);
    TRY(hal_tokenstore_get(store, span_from_str(record), &pem));
    return crypto_read_certificate(buf_span(&pem), out);
}

static void say_kind(struct tokenstore *store, bool tls)
{
    enum tokenstore_signature best = TOKENSTORE_SIGNATURE_ILLEGAL;
    const char *class = hal_tokenstore_class_name(hal_tokenstore_class(store));
    if (tls) {
        fprintf(stderr, "key: ECDSA P-256 for TLS; token store of class %s\n", class);
    } else if (hal_tokenstore_signs(store, &best) == RC_OK) {
        fprintf(stderr,
                "key: RSA, signs %s; token store of class %s\n",
                best == TOKENSTORE_PS256
                    ? "PS256 (RSASSA-PSS, SHA-256)"
                    : "RS256 (RSASSA-PKCS1-v1_5, SHA-256: this TPM's PSS has another salt length)",
                class);
    }
}

static int say_failure(enum rc rc)
{
    switch (rc) {
    case RC_CORRUPT:
    case RC_STALE:
        return ctl_fail(EX_SOFTWARE,
                        "stored key and certificate",
                        "do not belong together, are damaged or were restored from a copy; 'key "
                        "remove' (for TLS: 'secret remove' of both) to have new ones made, then "
                        "upload the new certificate");
    case RC_DENIED:
        return ctl_fail(EX_NOPERM, "stored key or certificate", "others can read it");
    case RC_RETRY:
        return ctl_fail(EX_TEMPFAIL, "token store", "busy or locked out for now; try again later");
    default:
        return ctl_fail(EX_IOERR, "key and certificate", "could not be made or stored");
    }
}

static int print_stored(struct tokenstore *store, const char *record)
{
    char bytes[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf pem = BUF(bytes);
    if (hal_tokenstore_get(store, span_from_str(record), &pem) != RC_OK || pem.len == 0) {
        return ctl_fail(EX_IOERR, "certificate", "cannot be read");
    }
    return print_certificate(buf_span(&pem));
}

static int ensure_and_print(struct tokenstore *store, const struct ctl_args *args)
{
    bool made = false;
    struct span name = span_from_str(args->name != NULL ? args->name : NAME_DEFAULT);
    int64_t from_ms = hal_clock_floor(); // the build: past, whatever the kernel's clock shows
    enum rc rc = args->tls ? auth_ensure_tls_identity(store, name, from_ms, &made)
                           : auth_ensure_identity(store, name, from_ms, &made);
    if (rc != RC_OK) {
        return say_failure(rc);
    }
    if (made) {
        fprintf(stderr, "anteroomctl: made a new key and certificate\n");
    }
    say_kind(store, args->tls);
    return print_stored(store, args->tls ? AUTH_TLS_CERT_NAME : AUTH_CERT_NAME);
}

static int print_next(struct tokenstore *store)
{
    struct crypto_certificate next;
    if (ctl_read_certificate(store, CREDENTIAL_CERT_NAME_NEXT, &next) == RC_NOTFOUND) {
        return ctl_fail(EX_NOINPUT,
                        "certificate",
                        "there is none to follow the one in use; 'certificate renew' makes it");
    }
    return print_stored(store, CREDENTIAL_CERT_NAME_NEXT);
}

int ctl_certificate(const struct ctl_args *args)
{
    struct tokenstore store;
    int code = ctl_open_store(args, &store);
    if (code == EX_OK) {
        code = args->next ? print_next(&store) : ensure_and_print(&store, args);
        hal_tokenstore_close(&store);
    }
    return code;
}

/// From now on, by a clock that shows at least the day of the build.
static int renew_and_print(struct tokenstore *store, const struct ctl_args *args)
{
    bool made = false;
    struct wall wall = hal_clock_wall();
    int64_t from_ms = wall.quality == CLOCK_UNKNOWN ? hal_clock_floor() : wall.ms;
    struct span name = span_from_str(args->name != NULL ? args->name : NAME_DEFAULT);
    enum rc rc = credential_renew(store, name, from_ms, &made);
    if (rc == RC_NOTFOUND) {
        return ctl_fail(EX_NOINPUT, "key", "there is none yet; 'certificate' makes it");
    }
    if (rc != RC_OK) {
        return say_failure(rc);
    }
    fprintf(stderr,
            made ? "anteroomctl: made the next certificate; upload it to the app registration, and "
                   "leave the old one there until the box has changed over\n"
                 : "anteroomctl: there is one already that waits for its upload\n");
    return print_stored(store, CREDENTIAL_CERT_NAME_NEXT);
}

int ctl_certificate_renew(const struct ctl_args *args)
{
    struct tokenstore store;
    int code = ctl_open_store(args, &store);
    if (code == EX_OK) {
        code = renew_and_print(&store, args);
        hal_tokenstore_close(&store);
    }
    return code;
}

int ctl_key_remove(const struct ctl_args *args)
{
    struct tokenstore store;
    int code = ctl_change_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    // The certificates first: a key without one is made anew, the other way round asks a person.
    enum rc next = hal_tokenstore_delete(&store, SPAN(CREDENTIAL_CERT_NAME_NEXT));
    enum rc cert = hal_tokenstore_delete(&store, SPAN(AUTH_CERT_NAME));
    enum rc key = hal_tokenstore_drop_key(&store);
    hal_tokenstore_close(&store);
    if (cert == RC_NOTFOUND && key == RC_NOTFOUND) {
        return ctl_fail(EX_NOINPUT, "key", "there is none");
    }
    bool done = (cert == RC_OK || cert == RC_NOTFOUND) && (key == RC_OK || key == RC_NOTFOUND) &&
                (next == RC_OK || next == RC_NOTFOUND);
    return done ? EX_OK : ctl_fail(EX_IOERR, "key", "could not be removed for certain; try again");
}

// SPDX-License-Identifier: Apache-2.0
// Removal on purpose. What the tenant still has to be told of is read before, and said after.
#include "sys/forget.h"

#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"

#include "auth/auth.h"
#include "auth/signin.h"
#include "ctl.h"
#include "spool/spool_claim.h"

struct known {
    bool certificate[CREDENTIALS], tls;
    struct crypto_certificate certificates[CREDENTIALS], tls_certificate;
    bool secret;
    bool somebody;
    struct ctl_who who;
};

static bool has(struct tokenstore *store, const char *record)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    enum rc rc = hal_tokenstore_get(store, span_from_str(record), &value);
    buf_wipe(&value);
    return rc == RC_OK;
}

static void look(struct tokenstore *store, struct known *k)
{
    for (enum credential_which w = CREDENTIAL_NOW; w < CREDENTIALS; w++) {
        k->certificate[w] = ctl_read_certificate(store,
                                                 credential_record(CREDENTIAL_CERTIFICATE, w),
                                                 &k->certificates[w]) == RC_OK;
        k->secret = k->secret || has(store, credential_record(CREDENTIAL_SECRET, w));
    }
    k->tls = ctl_read_certificate(store, AUTH_TLS_CERT_NAME, &k->tls_certificate) == RC_OK;
    k->somebody = ctl_who(store, &k->who);
}

static void print_certificate(const char *where, const struct crypto_certificate *c)
{
    char text[2u * SHA256_BYTES + CLOCK_TEXT_BYTES + 8u];
    struct buf line = BUF(text);
    buf_put_hex(&line, (struct span){.ptr = (const char *)c->sha256, .len = SHA256_BYTES});
    buf_put_str(&line, ", ends ");
    time_put_iso_s(&line, c->not_after_ms);
    printf("- %s, the certificate with the SHA-256 thumbprint\n  %" PRISPAN "\n",
           where,
           SPANARG(buf_span(&line)));
}

static void print_rest(const struct known *k, bool read)
{
    puts("The box has forgotten its keys, secrets, tokens and everything that it had collected.\n"
         "It keeps the floor of its clock. Its configuration file is not in the state directory\n"
         "and was left alone. On flash, remains of overwritten blocks may lie where no program\n"
         "reads them; keys and secrets were sealed there, collected events were not.\n\n"
         "Remove in the tenant, for nothing there knows of this:");
    if (!read) {
        puts("- app registration, Certificates & secrets: the box's certificate or secret. (The "
             "token\n  store could not be read, so they cannot be named.)");
    }
    for (enum credential_which w = CREDENTIAL_NOW; w < CREDENTIALS; w++) {
        if (k->certificate[w]) {
            print_certificate("app registration, Certificates & secrets", &k->certificates[w]);
        }
    }
    if (k->secret) {
        puts("- app registration, Certificates & secrets: the client secret of this box");
    }
    puts("- the enterprise application, which holds the admin consent, if no other box uses it");
    if (k->somebody) {
        printf("- the sign-in sessions of %s (Revoke sessions), who authorised the box\n",
               k->who.name);
    }
    puts("and where the box delivered to: the tokens that its sinks gave it");
    if (k->tls) {
        print_certificate("browsers and sinks that were told to trust it", &k->tls_certificate);
    }
}

static bool agreed(const struct ctl_args *args)
{
    char line[16];
    fprintf(stderr,
            "This wipes the box's keys, secrets, tokens and everything that was not delivered yet "
            "from\n%s, for good. Type forget to go on: ",
            args->state_dir);
    ssize_t got = read(STDIN_FILENO, line, sizeof(line));
    return got == 7 && memcmp(line, "forget\n", 7) == 0;
}

/// The store is still open: what it held must not open any more.
static bool is_gone(struct tokenstore *store)
{
    static const char *const names[] = {AUTH_CERT_NAME,
                                        CREDENTIAL_CERT_NAME_NEXT,
                                        AUTH_SECRET_NAME,
                                        CREDENTIAL_SECRET_NAME_NEXT,
                                        AUTH_TLS_KEY_NAME,
                                        SIGNIN_REFRESH_NAME};
    char der[TOKENSTORE_PUBLIC_BYTES_MAX];
    struct buf public = BUF(der);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (has(store, names[i])) {
            return false;
        }
    }
    return hal_tokenstore_public(store, &public) != RC_OK;
}

static int say_left(const struct wipe *w)
{
    fprintf(stderr,
            "anteroomctl: %s: could not be wiped, or is still there; see to the disk and its "
            "owner, then do it again; the next start of anteroomd goes on with it, too\n",
            w->at);
    return EX_IOERR;
}

/// @param store  open, or NULL: it could not be read.
static int wipe(struct tokenstore *store, int state_fd)
{
    struct wipe w = {0};
    if (forget_ask(state_fd) != RC_OK) {
        return ctl_fail(EX_IOERR, "state directory", "cannot be written; nothing was forgotten");
    }
    if (store != NULL) { // as its backend does it; its files follow, whatever came of that
        enum rc rc = hal_tokenstore_drop_key(store);
        rc_ignore(rc, "the wiping shows what is left");
    }
    if (forget_all(&w, state_fd) != RC_OK) {
        return say_left(&w);
    }
    if (forget_finds_foreign(&w, state_fd)) {
        fprintf(stderr, "anteroomctl: %s: no box puts it there; left alone\n", w.at);
    }
    return store == NULL || is_gone(store)
               ? EX_OK
               : ctl_fail(EX_IOERR, "token store", "still opens; do it again");
}

static int ask_and_wipe(const struct ctl_args *args, struct tokenstore *store, int state_fd)
{
    struct known known = {0};
    if (store != NULL) {
        look(store, &known);
    }
    if (!args->yes && !agreed(args)) {
        return ctl_fail(EX_USAGE, "forget", "nothing was forgotten");
    }
    int code = wipe(store, state_fd);
    if (code == EX_OK) {
        print_rest(&known, store != NULL);
    }
    return code;
}

static int claim_and_wipe(const struct ctl_args *args, struct tokenstore *store)
{
    int lock_fd, state_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc = state_fd >= 0 ? spool_claim(state_fd, &lock_fd) : RC_IO;
    int code;
    if (rc == RC_OK) {
        code = ask_and_wipe(args, store, state_fd);
        close(lock_fd);
    } else if (rc == RC_AGAIN) {
        code = ctl_fail(EX_TEMPFAIL,
                        args->state_dir,
                        "anteroomd runs on it; stop it first, or ask for it on the box's page");
    } else {
        code = ctl_fail(EX_IOERR, args->state_dir, "cannot be opened for writing");
    }
    if (state_fd >= 0) {
        close(state_fd);
    }
    return code;
}

int ctl_forget(const struct ctl_args *args)
{
    struct tokenstore store;
    bool there;
    if (!args->yes && !isatty(STDIN_FILENO)) {
        return ctl_fail(EX_USAGE, "standard input", "is no terminal to ask at; say --yes");
    }
    int code = ctl_try_store(args, &store, &there); // STATE is the working directory now
    if (code != EX_OK) {
        return code;
    }
    code = claim_and_wipe(args, there ? &store : NULL);
    if (there) {
        hal_tokenstore_close(&store);
    }
    return code;
}

// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include <sysexits.h>

#include "base/crypto.h"

#include "auth/auth.h"
#include "ctl.h"
#include "loop/loop.h"

#define NAME_DEFAULT "anteroom"

static int print_certificate(struct span pem)
{
    struct crypto_certificate certificate;
    char text[2u * SHA256_BYTES + CLOCK_TEXT_BYTES + 1u];
    struct buf line = BUF(text);
    if (crypto_read_certificate(pem, &certificate) != RC_OK) {
        return ctl_fail(EX_SOFTWARE, AUTH_CERT_NAME, "what is stored is no certificate");
    }
    buf_put_hex(&line, (struct span){.ptr = (const char *)certificate.sha256, .len = SHA256_BYTES});
    buf_put_char(&line, ' ');
    time_put_iso_s(&line, certificate.not_after_ms);
    fprintf(stderr, "SHA-256 thumbprint and end: %" PRISPAN "\n", SPANARG(buf_span(&line)));
    printf("%" PRISPAN "%s", SPANARG(pem), pem.ptr[pem.len - 1u] == '\n' ? "" : "\n");
    return EX_OK;
}

static int ensure_and_print(struct tokenstore *store, const char *name)
{
    bool made = false;
    char bytes[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf pem = BUF(bytes);
    switch (auth_ensure_identity(store, span_from_str(name), loop_now().wall.ms, &made)) {
    case RC_OK:
        break;
    case RC_CORRUPT:
        return ctl_fail(EX_SOFTWARE,
                        "stored key and certificate",
                        "do not belong together or are damaged; 'secret remove' both to have new "
                        "ones made, then upload the new certificate");
    case RC_DENIED:
        return ctl_fail(EX_NOPERM, "stored key or certificate", "others can read it");
    default:
        return ctl_fail(EX_IOERR, "key and certificate", "could not be made or stored");
    }
    if (made) {
        fprintf(stderr, "anteroomctl: made a new key and certificate\n");
    }
    if (hal_tokenstore_get(store, SPAN(AUTH_CERT_NAME), &pem) != RC_OK || pem.len == 0) {
        return ctl_fail(EX_IOERR, AUTH_CERT_NAME, "cannot be read");
    }
    return print_certificate(buf_span(&pem));
}

int ctl_certificate(const struct ctl_args *args)
{
    struct tokenstore store;
    if (crypto_init() != RC_OK) {
        return ctl_fail(EX_OSERR, "random numbers", "the kernel gives none");
    }
    int code = ctl_open_store(args, &store);
    if (code != EX_OK) {
        return code;
    }
    code = ensure_and_print(&store, args->name != NULL ? args->name : NAME_DEFAULT);
    hal_tokenstore_close(&store);
    return code;
}

// SPDX-License-Identifier: Apache-2.0
// The token store at start: its device while we may open it, its contents when we are who we stay.
#include "base/crypto.h"
#include "hal/clock.h"

#include "app/app_state.h"
#include "sys/log.h"

static enum exit_code say_store(const struct app *a, enum rc rc)
{
    struct tokenstore_words words = hal_tokenstore_words(rc, &a->store_findings);
    app_say(words.what, "token store", words.advice);
    switch (rc) {
    case RC_DENIED:
        return EXIT_NOPERM;
    case RC_UNSUPPORTED:
        return EXIT_CONFIG;
    case RC_RETRY:
        return EXIT_TEMPFAIL;
    default:
        return EXIT_IOERR;
    }
}

enum exit_code app_attach_secrets(struct app *a)
{
    enum rc rc = hal_tokenstore_attach(&a->store, &a->store_findings);
    a->store.while_waiting = app_feed_start;
    a->store.context = a;
    return rc == RC_OK ? EXIT_DONE : say_store(a, rc);
}

struct app_needs app_needs(const struct config *c)
{
    struct app_needs needs = {.sign_in = c->credential == CREDENTIAL_CERTIFICATE,
                              .tls = c->status_listen[0] != '\0' && !c->status_plain};
    for (unsigned i = 0; i < c->sinks_count; i++) {
        needs.tls = needs.tls || c->sinks[i].client_certificate[0] != '\0';
    }
    return needs;
}

static RC ensure_identities(struct app *a)
{
    struct app_needs needs = app_needs(&a->config);
    struct span name = span_from_str(a->config.name);
    int64_t from_ms = hal_clock_floor(); // surely past, whatever the kernel's clock shows
    bool made = false, made_tls = false;
    if (needs.sign_in) {
        TRY(auth_ensure_identity(&a->store, name, from_ms, &made));
    }
    if (needs.tls) {
        TRY(auth_ensure_tls_identity(&a->store, name, from_ms, &made_tls));
    }
    if (made) {
        enum tokenstore_signature kind;
        TRY(hal_tokenstore_signs(&a->store, &kind));
        LOG_INFO(
            "ev=identity_made signature=%s advice=upload_the_output_of_anteroomctl_certificate",
            kind == TOKENSTORE_PS256 ? "PS256" : "RS256 why=the_TPM_refuses_PS256");
    }
    if (made_tls) {
        LOG_INFO(
            "ev=tls_identity_made advice=give_sinks_the_output_of_anteroomctl_certificate_tls");
    }
    return RC_OK;
}

enum exit_code app_open_secrets(struct app *a)
{
    crypto_set_time(hal_clock_floor());
    if (crypto_init() != RC_OK) {
        app_say("the kernel gives none", "random numbers", "this is not a machine to run on");
        return EXIT_OSERR;
    }
    enum rc rc = hal_tokenstore_open(&a->store, a->state_fd, &a->store_findings);
    if (rc != RC_OK) {
        return say_store(a, rc);
    }
    LOG_INFO("ev=token_store class=%s memory=%s",
             hal_tokenstore_class_name(hal_tokenstore_class(&a->store)),
             secret_kind_name(a->store.kek.kind));
    if (a->store_findings.rolled_back) {
        LOG_ERROR(
            "ev=token_store_rolled_back text=\"The secrets are older than this machine knows: "
            "they were restored from a copy. They are used, and no key is made. Put all of them "
            "anew with anteroomctl: the first secret or key that is put or removed so ends this "
            "message; what the box renews by itself does not.\"");
        return EXIT_DONE; // whether what is missing is made anew is for a person to say
    }
    rc = ensure_identities(a);
    if (rc == RC_CORRUPT) {
        app_say(
            "key and certificate are damaged or do not belong together",
            "token store",
            "remove them with 'anteroomctl key remove' (for TLS: 'secret remove' of tls-key and "
            "tls-certificate); new ones are made, then upload the new certificate");
        return EXIT_IOERR;
    }
    return rc == RC_OK ? EXIT_DONE : say_store(a, rc);
}

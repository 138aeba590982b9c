// SPDX-License-Identifier: Apache-2.0
// Removal on purpose, over a restart: a life that has keys, tokens and the store open cannot show
// that nothing of them is left, and one that has not opened them yet can.
#include "sys/forget.h"

#include <stdio.h>

#include <unistd.h>

#include "base/crypto.h"

#include "app/app_state.h"
#include "spool/spool_claim.h"
#include "sys/log.h"

#define ANSWER_MS 2000 ///< whoever asked gets the answer before the life ends

/// What stays undone would be keys in use that somebody was told are gone.
static enum exit_code say_unseen(const struct app *a, enum rc rc)
{
    app_say("it cannot be looked whether somebody asked to forget everything",
            a->options.state_dir,
            "see to its disk, its owner and its mode (0700); nothing of it is used before");
    return rc == RC_DENIED ? EXIT_NOPERM : EXIT_IOERR;
}

static enum exit_code say(const struct wipe *w, enum rc rc)
{
    char line[WIPE_NAME_BYTES + 80];

    (void)snprintf(line, sizeof(line), "what was to be forgotten is not gone: %s", w->at);
    app_say(line,
            "state directory",
            "see to its disk and its owner; the next start goes on with it, and nothing else runs "
            "before it has come to its end");
    return rc == RC_DENIED ? EXIT_NOPERM : EXIT_IOERR;
}

enum exit_code app_forget(struct app *a)
{
    struct wipe wipe = {.while_waiting = app_feed_start, .context = a};
    int lock_fd = -1;

    enum rc rc = forget_asked(a->state_fd);
    if (rc != RC_OK) {
        return rc == RC_NOTFOUND ? EXIT_DONE : say_unseen(a, rc);
    }
    rc = spool_claim(a->state_fd, &lock_fd);
    if (rc == RC_AGAIN) {
        app_say("in use by another anteroomd",
                a->options.state_dir,
                "one state directory serves one box");
        return EXIT_TEMPFAIL;
    }
    LOG_WARN("ev=forgetting what=keys_secrets_tokens_and_everything_collected why=asked");
    rc = rc == RC_OK ? forget_all(&wipe, a->state_fd) : rc;
    if (lock_fd >= 0) {
        close(lock_fd);
    }
    if (rc != RC_OK) {
        return say(&wipe, rc);
    }
    if (forget_finds_foreign(&wipe, a->state_fd)) {
        LOG_WARN("ev=foreign_file_left name=\"%s\" why=no_box_puts_it_there", wipe.at);
    }
    LOG_WARN("ev=forgotten now=this_is_a_new_box kept=clock_floor "
             "advice=revoke_its_certificate_secret_consent_and_sign_ins_in_the_tenant");
    return EXIT_DONE;
}

/// So that it can be found in the tenant afterwards.
static void tell_thumbprints(const struct app *a)
{
    const struct credential_status *c = auth_credentials(&a->auth);

    for (enum credential_which w = CREDENTIAL_NOW; w < CREDENTIALS; w++) {
        char text[2u * SHA256_BYTES];
        struct buf hex = BUF(text);
        buf_put_hex(&hex, (struct span){.ptr = (const char *)c->sha256[w], .len = SHA256_BYTES});
        if (c->there[w] && a->config.credential == CREDENTIAL_CERTIFICATE) {
            LOG_WARN("ev=certificate_to_revoke sha256=%" PRISPAN, SPANARG(buf_span(&hex)));
        }
    }
}

void app_ask_forget(struct app *a, struct now now)
{
    enum rc rc = forget_ask(a->state_fd);

    a->port.forget_failed = rc != RC_OK;
    if (rc != RC_OK) {
        LOG_ERROR("ev=forget_not_begun cause=%s now=nothing_was_forgotten advice=see_to_the_disk",
                  rc_name(rc));
        return;
    }
    tell_thumbprints(a);
    LOG_WARN("ev=forget_asked now=restarting_to_wipe_everything");
    a->port.forget_at = mono_min(a->port.forget_at, mono_after(now.mono, ANSWER_MS));
}

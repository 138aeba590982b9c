// SPDX-License-Identifier: Apache-2.0
#include "status/action.h"

#define WORD_BYTES_MAX 16u
#define CODE_BYTES_MAX 64u

struct action {
    const char *word; ///< of the form
    enum status_wish_kind wish;
    const char *done; ///< NULL: the box starts anew, nobody could come back
    const char *notice;
};

static const struct action actions[] = {
    {"sign_in",
     STATUS_WISH_SIGN_IN,
     "/?done=sign_in",
     "A sign-in link was asked for: it stands on this page for 15 minutes."},
    {"device_code",
     STATUS_WISH_DEVICE_CODE,
     "/?done=device_code",
     "A code was asked for: it stands on this page as soon as Microsoft has sent one."},
    {"redirect",
     STATUS_WISH_REDIRECT,
     "/?done=redirect",
     "The answer of the sign-in was handed on: what becomes of it stands on this page."},
    {"enable",
     STATUS_WISH_ENABLE,
     "/?done=enable",
     "Enabled with a warning: what answers already is collected, the rest is asked again."},
    {"validate",
     STATUS_WISH_VALIDATE,
     "/?done=validate",
     "Every permission is being asked again: the answers stand on this page in a moment."},
    {"forget",
     STATUS_WISH_FORGET,
     NULL,
     "The box forgets its keys, its tokens and what it has not sent yet, and starts anew. In the "
     "tenant, remove its certificate or secret from the app registration, and the consent of the "
     "enterprise application."},
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const struct action *action_of(struct span word)
{
    for (unsigned i = 0; i < ACTIONS; i++) {
        if (span_equal(word, span_from_str(actions[i].word))) {
            return &actions[i];
        }
    }
    return NULL;
}

const char *action_notice(struct span query)
{
    char bytes[WORD_BYTES_MAX];
    struct buf word = BUF(bytes);
    if (form_field(query, SPAN("done"), &word) != RC_OK) {
        return "";
    }
    const struct action *a = action_of(buf_span(&word));
    return a != NULL && a->done != NULL ? a->notice : "";
}

static struct action_verdict with_text(int status)
{
    return (struct action_verdict){.status = status};
}

static struct action_verdict with_page(int status, const char *notice)
{
    return (struct action_verdict){.status = status, .page = true, .notice = notice};
}

static bool is_form(struct span content_type)
{
    struct span type = span_sub(content_type, 0, span_index(content_type, ';'));
    return span_equal_nocase(type, SPAN("application/x-www-form-urlencoded"));
}

static struct action_verdict too_many(const struct guard *g, struct now now, int64_t wait_ms)
{
    struct action_verdict v = with_page(
        429,
        mono_due(g->shut_until, now.mono)
            ? "Too many forms in a short time: nothing was done. Wait a few seconds."
            : "Too many wrong setup codes: for a while the box takes none, not even the right "
              "one. It goes on with its work. \"anteroomctl setup-code\" on the box shows the "
              "code. If the box has a button: press it, then send this again.");
    v.wait_ms = wait_ms;
    return v;
}

static bool
token_good(const struct status *s, struct span form, struct address peer, struct now now)
{
    char bytes[GUARD_TOKEN_BYTES];
    struct buf token = BUF(bytes);
    return form_field(form, SPAN(RENDER_FIELD_TOKEN), &token) == RC_OK &&
           guard_token_good(&s->guard, buf_span(&token), peer, now.mono);
}

static RC check_code(struct guard *g, struct span form, struct now now)
{
    char bytes[CODE_BYTES_MAX];
    struct buf code = BUF(bytes);
    enum rc rc = form_field(form, SPAN(RENDER_FIELD_CODE), &code);
    if (rc == RC_NOTFOUND) {
        return rc;
    }
    // What cannot be read is a wrong code like any other.
    rc = guard_code(g, rc == RC_OK ? buf_span(&code) : SPAN("?"), now.mono);
    buf_wipe(&code);
    return rc;
}

static struct action_verdict
take(struct status *s, const struct action *a, struct span form, bool present)
{
    struct buf value = BUF(s->value);
    if (a->wish != STATUS_WISH_FORGET && !config_is_there(s->setup.config)) {
        return with_page(403,
                         "The box has no configuration, so there is nobody whom it could ask: "
                         "nothing was done. Put its configuration where this page says.");
    }
    if (a->wish == STATUS_WISH_FORGET && !present) {
        return with_page(403,
                         "To make the box forget everything, press the button on it first, then "
                         "send this again: nothing was done.");
    }
    if (a->wish == STATUS_WISH_REDIRECT &&
        (form_field(form, SPAN(RENDER_FIELD_VALUE), &value) != RC_OK || value.len == 0)) {
        return with_page(400,
                         "There was no address to hand on: nothing was done. Copy the whole "
                         "address from the browser that you signed in with.");
    }
    s->value_bytes = value.len;
    struct action_verdict v = {.status = 303, .wish = a->wish, .done = a->done};
    if (a->done == NULL) {
        v = with_page(200, a->notice);
        v.wish = a->wish;
    }
    return v;
}

struct action_verdict action_read(
    struct status *s, const struct request *r, struct address peer, bool present, struct now now)
{
    char bytes[WORD_BYTES_MAX];
    struct buf word = BUF(bytes);
    int64_t wait_ms = 0;
    struct guard_source source = {.host = r->host,
                                  .origin = r->origin,
                                  .fetch_site = r->fetch_site,
                                  .plain = s->setup.config->status_plain};
    if (!guard_same_site(&source)) {
        return with_text(403);
    }
    if (!is_form(r->content_type)) {
        return with_text(415);
    }
    // Nobody in the network can keep the door shut to whoever stands at the box.
    if (guard_admit(&s->guard, now.mono, &wait_ms) != RC_OK && !present) {
        return too_many(&s->guard, now, wait_ms);
    }
    if (!token_good(s, r->body, peer, now)) {
        return with_page(403, "The page was too old: nothing was done. Send the form again.");
    }
    const struct action *a = NULL;
    if (form_field(r->body, SPAN(RENDER_FIELD_DO), &word) == RC_OK) {
        a = action_of(buf_span(&word));
    }
    if (a == NULL) {
        return with_text(400);
    }
    enum rc rc = check_code(&s->guard, r->body, now);
    if (rc == RC_NOTFOUND) {
        return with_page(
            403,
            "The setup code is missing: nothing was done. \"anteroomctl setup-code\" on the box "
            "shows it.");
    }
    if (rc != RC_OK) {
        return with_page(403,
                         "That is not this box's setup code: nothing was done. \"anteroomctl "
                         "setup-code\" on the box shows it.");
    }
    return take(s, a, r->body, present);
}

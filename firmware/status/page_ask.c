// SPDX-License-Identifier: Apache-2.0
#include "status/page_ask.h"

#include "status/page_put.h"
#include "status/text.h"

static void put(struct buf *b, const char *html)
{
    buf_put_str(b, html);
}

static bool has(const char *text)
{
    return text_of(text).len > 0;
}

static size_t put_consent(struct buf *b, const struct snapshot *s)
{
    put(b, "<h2>Give consent</h2><div class=q>");
    size_t code_at = b->len;
    put(b, "<div><ol><li>");
    page_link(b, s->consent_link, "Open the consent page");
    put(b,
        ", or scan the code with a phone. Any browser anywhere will do.</li>"
        "<li>Sign in as Global Administrator of the tenant and accept.</li>"
        "<li>If the browser ends at an address that does not open, close it: that is as planned."
        "</li></ol><p>The box notices consent by itself.</p></div></div>");
    return code_at;
}

/// Entra does not know the certificate: it has accepted none so far, or says so (auth_cause.h).
static bool is_unknown(const struct snapshot *s)
{
    return s->credential.there && s->credential.certificate &&
           (span_equal(text_of(s->state), SPAN("unconfigured")) ||
            span_equal(text_of(s->reason), SPAN("A10")));
}

static void put_upload(struct buf *b, const struct snapshot *s, bool next)
{
    const struct snapshot_credential *c = next ? &s->credential_next : &s->credential;
    bool early = s->no_configuration;

    put(b, next ? "<h2>Upload the next certificate</h2>" : "<h2>Upload the certificate</h2>");
    put(b, "<ol><li><a href=\"/certificate");
    put(b, next ? "?next=1" : "");
    put(b,
        "\" download>Download the certificate</a>. No secret is in it.</li>"
        "<li>In the Entra admin center: App registrations, this box's application, Certificates "
        "&amp; secrets, Upload certificate.</li></ol><p>");
    put(b,
        next    ? "Leave the old one there. The box changes over by itself."
        : early ? "The box signs in with it once it has its configuration."
                : "The box tries it by itself.");
    put(b, " SHA-256:</p><p class=n>");
    page_text(b, c->thumbprint, sizeof(c->thumbprint));
    put(b, "</p>");
}

static void put_sign_in(struct buf *b, const struct snapshot_signin *g)
{
    if (has(g->user_code)) {
        put(b, "<h2>Sign in with this code</h2><p class=big>");
        page_text(b, g->user_code, TEXT_WORD_BYTES);
        put(b, "</p><p>Enter it at ");
        if (page_is_link(g->verify_at)) {
            page_link(b, g->verify_at, g->verify_at);
        } else {
            page_text(b, g->verify_at, TEXT_NAME_BYTES);
        }
    } else if (page_is_link(g->link)) {
        put(b, "<h2>Sign in</h2><p>");
        page_link(b, g->link, "Open the sign-in page");
        put(b, ". If it ends at an address that does not open, paste that address below");
    } else {
        return;
    }
    put(b, ". It is good for another ");
    page_duration(b, g->left_s);
    put(b, ".</p>");
}

size_t page_to_do(struct buf *b, const struct snapshot *s)
{
    size_t code_at = 0;
    bool consent = s->consent_wanted && page_is_link(s->consent_link);
    bool unknown = is_unknown(s);
    bool next = s->credential_next.there && s->credential_next.certificate;
    bool sign_in = has(s->signin.user_code) || page_is_link(s->signin.link);

    put(b, "<section id=a data-u aria-label=\"To do\"");
    put(b, consent || unknown || next || sign_in ? ">" : " hidden>");
    put_sign_in(b, &s->signin);
    if (unknown) {
        put_upload(b, s, false);
    }
    if (consent) {
        code_at = put_consent(b, s);
    }
    if (next) {
        put_upload(b, s, true);
    }
    put(b, "</section>");
    return code_at;
}

static void put_button(struct buf *b, const char *what, const char *text)
{
    put(b, "<button name=" RENDER_FIELD_DO " value=");
    put(b, what);
    put(b, ">");
    put(b, text);
    put(b, "</button>");
}

/// The first button is what the Enter key means: of the address, if there is one to be pasted.
static void put_buttons(struct buf *b, const struct snapshot *s)
{
    if (s->consent_wanted || has(s->signin.link)) {
        put(b,
            "<p><label for=value>Address where the browser ended <small>only to sign in by link, or"
            " if consent was refused</small></label><input id=value name=" RENDER_FIELD_VALUE
            " autocomplete=off spellcheck=false>");
        put_button(b, "redirect", "Take this address");
        put(b, "</p>");
    }
    put(b, "<p>");
    put_button(b, "validate", "Look again now");
    put(b, "<small>asks Graph for every permission at once</small></p>");
    if (s->can_enable) {
        put(b, "<p>");
        put_button(b, "enable", "Enable with a warning");
        put(b,
            "<small>collects what answers already; what does not is missing until it does</small>"
            "</p>");
    }
    put(b, "<p>");
    put_button(b, "sign_in", "Sign in with a link");
    put_button(b, "device_code", "Sign in with a code");
    put(b,
        "<small>says who authorised this box; collecting does not depend on it. Some tenants block "
        "codes</small></p>");
}

void page_form(struct buf *b, const struct snapshot *s, const struct render_page *page)
{
    bool asks = s->credential.there && !s->no_configuration;
    bool use = asks || page->can_forget;

    put(b, "<section id=f data-u aria-labelledby=fh");
    put(b, use ? ">" : " hidden>");
    put(b,
        "<h2 id=fh>Ask the box</h2><form method=post action=/action>"
        "<input type=hidden name=" RENDER_FIELD_TOKEN " value=\"");
    page_text(b, page->token, TEXT_NAME_BYTES);
    put(b,
        "\"><p><label for=code>Setup code of this box <small>from <span class=n>"
        "anteroomctl setup-code</span></small></label><input id=code name=" RENDER_FIELD_CODE
        " required maxlength=16 autocomplete=off autocapitalize=characters spellcheck=false></p>");
    if (!s->no_configuration) {
        put_buttons(b, s);
    }
    if (page->can_forget) {
        put(b,
            "<p><button class=bad name=" RENDER_FIELD_DO " value=forget>Forget everything</button>"
            "<small>wipes keys, tokens and all that is not sent yet. There is no way back</small>"
            "</p>");
    }
    put(b, "</form></section>");
}

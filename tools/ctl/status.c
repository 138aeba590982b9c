// SPDX-License-Identifier: Apache-2.0
// What the token store says of the box, for people. The rest is on the box's status port.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sysexits.h>

#include "base/bytes.h"
#include "base/clock.h"

#include "auth/auth.h"
#include "auth/life_kept.h"
#include "auth/setup_code.h"
#include "auth/signin.h"
#include "ctl.h"

#define LABEL "%-22s"

static void say(const char *label, const char *text)
{
    printf(LABEL "%s\n", label, text);
}

/// What a get that did not work comes to, in words.
static const char *why(enum rc rc)
{
    switch (rc) {
    case RC_NOTFOUND:
        return "none";
    case RC_RETRY:
        return "busy; ask again later";
    case RC_STALE:
        return "older than the store knows: restored from a copy";
    default:
        return "cannot be read: damaged";
    }
}

static void put_day(struct buf *out, const char *before, int64_t ms)
{
    buf_put_str(out, before);
    time_put_iso_s(out, ms);
}

static void say_certificate(struct tokenstore *store, const char *label, const char *record)
{
    struct crypto_certificate c;
    char text[160];
    struct buf line = BUF(text);
    enum rc rc = ctl_read_certificate(store, record, &c);
    if (rc != RC_OK) {
        say(label, why(rc));
        return;
    }
    buf_put_str(&line, "SHA-256 ");
    buf_put_hex(&line, (struct span){.ptr = (const char *)c.sha256, .len = SHA256_BYTES});
    put_day(&line, ", ends ", c.not_after_ms);
    say(label, buf_terminate(&line) ? text : "");
}

static void say_secret(struct tokenstore *store, const char *label, enum credential_which w)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX], date[32];
    struct buf secret = BUF(bytes), text = BUF(date);
    int64_t ms;
    enum rc rc =
        hal_tokenstore_get(store, span_from_str(credential_record(CREDENTIAL_SECRET, w)), &secret);
    buf_wipe(&secret);
    if (rc != RC_OK) {
        say(label, why(rc));
    } else if (hal_tokenstore_get(store, span_from_str(credential_expires_record(w)), &text) !=
                   RC_OK ||
               credential_parse_date(buf_span(&text), &ms) != RC_OK) {
        say(label, "stored, its end is not known");
    } else {
        printf(LABEL "stored, ends %" PRISPAN "\n", label, SPANARG(buf_span(&text)));
    }
}

bool ctl_who(struct tokenstore *store, struct ctl_who *who)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    if (hal_tokenstore_get(store, SPAN(SIGNIN_WHO_NAME), &value) != RC_OK) {
        return false;
    }
    struct span all = buf_span(&value);
    size_t end = span_index(all, '\n');
    struct span head = span_sub(all, 0, end);
    size_t blank = span_index(head, ' ');
    if (time_parse_iso(span_sub(head, 0, blank), &who->at_ms) != RC_OK ||
        !span_u64(span_sub(head, blank + 1u, head.len), &who->subject)) {
        return false;
    }
    struct span name = span_sub(all, end + 1u, CTL_WHO_BYTES - 1u);
    struct buf out = buf_of(who->name, CTL_WHO_BYTES);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        buf_put_char(&out, c < ' ' || c == 0x7f ? '?' : name.ptr[i]);
    }
    return buf_terminate(&out) && name.len > 0;
}

/// @param life_subject  NULL: nobody knows what the box is about.
static void say_who(struct tokenstore *store, const uint64_t *life_subject)
{
    char text[CLOCK_TEXT_BYTES];
    struct buf day = BUF(text);
    struct ctl_who who;
    if (!ctl_who(store, &who)) {
        say("authorised by", "nobody has signed in on this box");
        return;
    }
    if (life_subject != NULL && *life_subject != who.subject) {
        say("authorised by", "nobody, for this tenant and application");
        return;
    }
    time_put_iso_s(&day, who.at_ms);
    printf(LABEL "%s, %" PRISPAN "\n", "authorised by", who.name, SPANARG(buf_span(&day)));
}

/// Of whichever tenant it is: the configuration is not asked, and the box keeps it up to date.
static RC read_life(struct span text, uint64_t *subject, struct life_kept *kept)
{
    static const char key[] = "\nsubject ";
    size_t head = span_index(text, '\n');
    struct span rest = span_sub(text, head, text.len);
    if (!span_starts(rest, SPAN("\nsubject "))) {
        return RC_PARSE;
    }
    rest = span_sub(rest, sizeof(key) - 1u, rest.len);
    if (!span_u64(span_sub(rest, 0, span_index(rest, '\n')), subject) || *subject > UINT32_MAX) {
        return RC_PARSE;
    }
    return life_read(text, (uint32_t)*subject, kept);
}

static void say_life(struct tokenstore *store)
{
    char bytes[LIFE_KEPT_BYTES_MAX], text[160];
    struct buf record = BUF(bytes), line = BUF(text);
    struct life_kept kept = {0};
    uint64_t subject;
    enum rc rc = hal_tokenstore_get(store, SPAN(LIFE_KEPT_NAME), &record);
    rc = rc == RC_OK ? read_life(buf_span(&record), &subject, &kept) : rc;
    say_who(store, rc == RC_OK ? &subject : NULL);
    if (rc != RC_OK) {
        say("sign-in", rc == RC_NOTFOUND ? "was never accepted so far" : why(rc));
        return;
    }
    say("sign-in", kept.signed_in ? "was accepted" : "was never accepted so far");
    if (kept.collecting_since_ms != 0) {
        put_day(&line, "since ", kept.collecting_since_ms);
    } else {
        buf_put_str(&line, "not begun");
    }
    if (kept.enabled_with_warning) {
        buf_put_str(&line, ", enabled with a warning");
    }
    int64_t since_ms = 0; // of the one that waits longest
    for (unsigned p = 0; p < CONFIG_PERMISSIONS; p++) {
        int64_t ms = kept.forbidden_since_ms[p];
        since_ms = ms != 0 && (since_ms == 0 || ms < since_ms) ? ms : since_ms;
    }
    if (since_ms != 0) {
        put_day(&line, "; a granted permission is refused since ", since_ms);
    }
    say("collecting", buf_terminate(&line) ? text : "");
}

static void say_code(struct tokenstore *store, bool show)
{
    char text[SETUP_CODE_CHARS + 1u];
    struct buf code = BUF(text);
    enum rc rc = hal_tokenstore_get(store, SPAN(SETUP_CODE_NAME), &code);
    if (rc != RC_OK || !show || !buf_terminate(&code)) {
        say("setup code", rc == RC_OK ? "made; --code shows it" : why(rc));
    } else {
        say("setup code", text);
    }
    bytes_wipe(text, sizeof(text));
}

int ctl_status(const struct ctl_args *args)
{
    struct tokenstore store;
    bool there;
    int code = ctl_look_store(args, &store, &there);
    if (code != EX_OK || !there) {
        if (code == EX_OK) {
            say("token store", "not made yet: this box has never been started");
        }
        return code;
    }
    printf(
        LABEL "class %s\n", "token store", hal_tokenstore_class_name(hal_tokenstore_class(&store)));
    say_certificate(&store, "certificate", AUTH_CERT_NAME);
    say_certificate(&store, "  the next one", CREDENTIAL_CERT_NAME_NEXT);
    say_secret(&store, "client secret", CREDENTIAL_NOW);
    say_secret(&store, "  the next one", CREDENTIAL_NEXT);
    say_certificate(&store, "certificate of TLS", AUTH_TLS_CERT_NAME);
    say_life(&store);
    say_code(&store, args->code);
    hal_tokenstore_close(&store);
    return EX_OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "auth/credential.h"

#include <string.h>

#include "base/crypto.h"

#include "auth_identity.h"
#include "auth_proof.h"

#define DAY_MS     INT64_C(86400000)
#define DATE_BYTES 10u ///< "2027-11-23"

const char *credential_record(enum config_credential kind, enum credential_which which)
{
    static const char *const names[][CREDENTIALS] = {
        [CREDENTIAL_CERTIFICATE] = {CREDENTIAL_CERT_NAME, CREDENTIAL_CERT_NAME_NEXT},
        [CREDENTIAL_SECRET] = {CREDENTIAL_SECRET_NAME, CREDENTIAL_SECRET_NAME_NEXT},
    };
    return names[kind][which];
}

const char *credential_expires_record(enum credential_which which)
{
    return which == CREDENTIAL_NOW ? CREDENTIAL_SECRET_NAME CREDENTIAL_EXPIRES
                                   : CREDENTIAL_SECRET_NAME_NEXT CREDENTIAL_EXPIRES;
}

RC credential_parse_date(struct span text, int64_t *wall_ms)
{
    char moment[DATE_BYTES + sizeof("T00:00:00Z")];
    struct buf b = BUF(moment);
    if (text.len != DATE_BYTES) {
        return RC_PARSE;
    }
    buf_put(&b, text);
    buf_put_str(&b, "T00:00:00Z");
    return time_parse_iso(buf_span(&b), wall_ms);
}

static RC get(struct tokenstore *store, const char *record, struct buf *out)
{
    return hal_tokenstore_get(store, span_from_str(record), out);
}

// ---- looking ----------------------------------------------------------------

static RC
look_certificate(struct tokenstore *store, enum credential_which w, struct credential_status *out)
{
    char pem[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf cert = BUF(pem);
    struct crypto_certificate c;
    TRY(get(store, credential_record(CREDENTIAL_CERTIFICATE, w), &cert));
    if (crypto_read_certificate(buf_span(&cert), &c) != RC_OK) {
        return RC_CORRUPT;
    }
    out->expires_ms[w] = c.not_after_ms;
    memcpy(out->sha256[w], c.sha256, sizeof(out->sha256[w]));
    return RC_OK;
}

/// A date that cannot be read is one that nobody said: the secret is of use all the same.
static RC
look_secret(struct tokenstore *store, enum credential_which w, struct credential_status *out)
{
    char value[AUTH_SECRET_BYTES], date[DATE_BYTES];
    struct buf secret = BUF(value), text = BUF(date);
    enum rc rc = get(store, credential_record(CREDENTIAL_SECRET, w), &secret);
    buf_wipe(&secret);
    TRY(rc);
    if (get(store, credential_expires_record(w), &text) != RC_OK ||
        credential_parse_date(buf_span(&text), &out->expires_ms[w]) != RC_OK) {
        out->expires_ms[w] = 0;
    }
    return RC_OK;
}

RC credential_look(const struct config *c,
                   struct tokenstore *store,
                   struct now now,
                   struct credential_status *out)
{
    enum rc worst = RC_OK;
    *out = (struct credential_status){.used = out->used};
    for (enum credential_which w = CREDENTIAL_NOW; w < CREDENTIALS; w++) {
        enum rc rc = c->credential == CREDENTIAL_CERTIFICATE ? look_certificate(store, w, out)
                                                             : look_secret(store, w, out);
        out->there[w] = rc == RC_OK;
        worst = rc == RC_OK || rc == RC_NOTFOUND ? worst : rc;
    }
    int64_t end_ms = out->expires_ms[out->used];
    out->warn = end_ms != 0 && now.wall.quality == CLOCK_TRUSTED &&
                end_ms < now.wall.ms + CREDENTIAL_WARN_DAYS * DAY_MS;
    return worst;
}

// ---- changing ---------------------------------------------------------------

static RC drop(struct tokenstore *store, const char *record)
{
    enum rc rc = hal_tokenstore_delete(store, span_from_str(record));
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

/// To its new place first, and only then away from the old one.
static RC copy(struct tokenstore *store, const char *from, const char *to)
{
    char bytes[TOKENSTORE_VALUE_BYTES_MAX];
    struct buf value = BUF(bytes);
    enum rc rc = get(store, from, &value);
    if (rc == RC_OK) {
        rc = hal_tokenstore_put(store, span_from_str(to), buf_span(&value));
    }
    buf_wipe(&value);
    return rc;
}

RC credential_promote(const struct config *c, struct tokenstore *store)
{
    const char *now = credential_record(c->credential, CREDENTIAL_NOW);
    const char *next = credential_record(c->credential, CREDENTIAL_NEXT);
    bool dated = c->credential == CREDENTIAL_SECRET;
    if (dated) { // the old date would be wrong for the new secret
        TRY(drop(store, credential_expires_record(CREDENTIAL_NOW)));
    }
    TRY(copy(store, next, now));
    if (dated) {
        enum rc rc = copy(store,
                          credential_expires_record(CREDENTIAL_NEXT),
                          credential_expires_record(CREDENTIAL_NOW));
        TRY(rc == RC_NOTFOUND ? RC_OK : rc);
    }
    TRY(drop(store, next)); // while it is there, all of the above is done once more
    // A date of nothing, which a power cut may leave, is not looked at.
    return dated ? drop(store, credential_expires_record(CREDENTIAL_NEXT)) : RC_OK;
}

RC credential_renew(struct tokenstore *store, struct span name, int64_t wall_ms, bool *made)
{
    char pem[CRYPTO_CERT_PEM_BYTES_MAX];
    struct buf cert = BUF(pem);
    *made = false;
    enum rc rc = get(store, CREDENTIAL_CERT_NAME_NEXT, &cert);
    if (rc != RC_NOTFOUND) {
        return rc;
    }
    TRY(auth_certify(store, SPAN(CREDENTIAL_CERT_NAME_NEXT), name, wall_ms, &cert));
    *made = true;
    return RC_OK;
}
